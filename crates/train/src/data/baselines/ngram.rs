//! Character models that count: what a network has to beat on text.

use super::{DataError, Result};
use std::collections::HashMap;

/// Each character by its frequency, one added to every count.
#[derive(Debug, Clone, PartialEq)]
pub struct Unigram {
    counts: Vec<u64>,
    total: u64,
}

impl Unigram {
    /// Counts `codes`, of which there are `symbols` different ones (0 to `symbols` − 1).
    ///
    /// # Errors
    /// [`DataError::Baseline`] where there is no code or one is out of range.
    pub fn fit(codes: &[u32], symbols: usize) -> Result<Self> {
        let mut counts = vec![0; symbols];
        for &code in codes {
            match counts.get_mut(code as usize) {
                Some(count) => *count += 1,
                None => return Err(bad(format!("code {code} is not below {symbols}"))),
            }
        }
        if codes.is_empty() {
            return Err(bad("there is no text to count".into()));
        }
        Ok(Self {
            counts,
            total: codes.len() as u64,
        })
    }

    /// (count + 1) / (total + symbols); a code beyond the symbols counts as never seen.
    pub fn probability(&self, code: u32) -> f64 {
        let count = self.counts.get(code as usize).copied().unwrap_or(0);
        (count + 1) as f64 / (self.total + self.counts.len() as u64) as f64
    }

    /// Mean of −log₂ p over `held_out`, in bits per character.
    ///
    /// # Errors
    /// [`DataError::Baseline`] for an empty text.
    pub fn bits_per_character(&self, held_out: &[u32]) -> Result<f64> {
        mean_bits(held_out.iter().map(|&c| self.probability(c)))
    }
}

/// Each character by the one before it, mixed with the unigram as Witten and Bell do.
///
/// With n the number of times `a` was followed by anything, and k by how many different characters:
/// p(b | a) = (count(a b) + k p(b)) / (n + k). I. H. Witten and T. C. Bell, "The zero-frequency problem",
/// IEEE Transactions on Information Theory 37 (1991).
#[derive(Debug, Clone, PartialEq)]
pub struct Bigram {
    unigram: Unigram,
    pairs: HashMap<(u32, u32), u64>,
    /// For each first character: followers, different followers.
    first: Vec<(u64, u64)>,
}

impl Bigram {
    /// Counts the pairs in `codes`, of which there are `symbols` different ones.
    ///
    /// # Errors
    /// As [`Unigram::fit`].
    pub fn fit(codes: &[u32], symbols: usize) -> Result<Self> {
        let unigram = Unigram::fit(codes, symbols)?;
        let mut pairs = HashMap::new();
        let mut first = vec![(0, 0); symbols];
        for pair in codes.windows(2) {
            let count = pairs.entry((pair[0], pair[1])).or_insert(0);
            *count += 1;
            let (followers, different) = &mut first[pair[0] as usize];
            *followers += 1;
            *different += u64::from(*count == 1);
        }
        Ok(Self {
            unigram,
            pairs,
            first,
        })
    }

    /// p(`code` | `before`).
    pub fn probability(&self, before: u32, code: u32) -> f64 {
        let alone = self.unigram.probability(code);
        match self.first.get(before as usize) {
            Some(&(followers, different)) if followers > 0 => {
                let count = self.pairs.get(&(before, code)).copied().unwrap_or(0);
                (count as f64 + different as f64 * alone) / (followers + different) as f64
            }
            _ => alone,
        }
    }

    /// Mean of −log₂ p over `held_out`, in bits per character; the first character by the unigram.
    ///
    /// # Errors
    /// [`DataError::Baseline`] for an empty text.
    pub fn bits_per_character(&self, held_out: &[u32]) -> Result<f64> {
        let first = held_out.first().map(|&c| self.unigram.probability(c));
        mean_bits(
            first
                .into_iter()
                .chain(held_out.windows(2).map(|w| self.probability(w[0], w[1]))),
        )
    }
}

fn mean_bits(probabilities: impl Iterator<Item = f64>) -> Result<f64> {
    let (mut bits, mut n) = (0.0, 0u64);
    for p in probabilities {
        bits -= p.log2();
        n += 1;
    }
    if n == 0 {
        Err(bad("there is no text to score".into()))
    } else {
        Ok(bits / n as f64)
    }
}

fn bad(what: String) -> DataError {
    DataError::Baseline {
        baseline: "character model".into(),
        what,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn by_hand() {
        // a b a b b over three symbols: a 2, b 3, c 0.
        let codes = [0, 1, 0, 1, 1];
        let u = Unigram::fit(&codes, 3).unwrap();
        assert_eq!(
            [0, 1, 2].map(|c| u.probability(c)),
            [3.0 / 8.0, 4.0 / 8.0, 1.0 / 8.0]
        );
        assert!((u.bits_per_character(&[2, 1]).unwrap() - 2.0).abs() < 1e-15);
        // After a: b twice, one kind. After b: a and b once each, two kinds.
        let b = Bigram::fit(&codes, 3).unwrap();
        assert!((b.probability(0, 1) - (2.0 + 0.5) / 3.0).abs() < 1e-15);
        assert!((b.probability(1, 0) - (1.0 + 2.0 * 0.375) / 4.0).abs() < 1e-15);
        assert_eq!(b.probability(2, 0), u.probability(0));
    }

    #[test]
    fn nothing_to_count() {
        assert!(Unigram::fit(&[], 3).is_err());
        assert!(Bigram::fit(&[3], 3).is_err());
        assert!(
            Unigram::fit(&[1], 3)
                .unwrap()
                .bits_per_character(&[])
                .is_err()
        );
    }

    proptest! {
        /// Probabilities after every character add up to 1.
        #[test]
        fn proper(codes in proptest::collection::vec(0u32..6, 1..80)) {
            let b = Bigram::fit(&codes, 7).unwrap();
            for before in 0..7 {
                let sum: f64 = (0..7).map(|c| b.probability(before, c)).sum();
                prop_assert!((sum - 1.0).abs() < 1e-12);
            }
        }
    }
}
