//! Batches of sequences of similar lengths, so that little of a batch is padding.

use super::shuffle::shuffle;
use rand_chacha::ChaCha8Rng;
use std::num::NonZeroUsize;

/// Batches whose sequences are sorted by length together; more sort better and mix less.
const POOL: usize = 32;

/// Every sequence once, in batches.
#[derive(Debug, Clone, PartialEq)]
pub struct Batches {
    /// Positions of the sequences of each batch, the longest first.
    pub batches: Vec<Vec<usize>>,
    /// Share of the steps of all batches, each as long as its longest sequence, that are padding: 0 to 1.
    pub padding: f64,
}

/// Batches of up to `size` sequences in random order.
///
/// All are shuffled; pools of 32 batches are sorted by length and cut; the batches are shuffled again. The
/// same lengths, size and generator give the same batches.
pub fn random_batches(lengths: &[usize], size: NonZeroUsize, rng: &mut ChaCha8Rng) -> Batches {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    shuffle(&mut order, rng);
    let pool = size.get().saturating_mul(POOL);
    let mut batches: Vec<Vec<usize>> = order
        .chunks_mut(pool)
        .flat_map(|pool| {
            pool.sort_by_key(|&i| std::cmp::Reverse(lengths[i]));
            pool.chunks(size.get()).map(<[usize]>::to_vec)
        })
        .collect();
    shuffle(&mut batches, rng);
    let padding = padding(lengths, &batches);
    Batches { batches, padding }
}

/// Batches of up to `size` sequences from the longest to the shortest: the least padding there can be, for
/// evaluation.
pub fn sorted_batches(lengths: &[usize], size: NonZeroUsize) -> Batches {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(lengths[i]));
    let batches: Vec<Vec<usize>> = order.chunks(size.get()).map(<[usize]>::to_vec).collect();
    let padding = padding(lengths, &batches);
    Batches { batches, padding }
}

fn padding(lengths: &[usize], batches: &[Vec<usize>]) -> f64 {
    let longest = |batch: &[usize]| batch.iter().map(|&i| lengths[i]).max().unwrap_or(0);
    let whole: f64 = batches
        .iter()
        .map(|b| longest(b) as f64 * b.len() as f64)
        .sum();
    let used: f64 = lengths.iter().map(|&l| l as f64).sum();
    if whole > 0.0 { 1.0 - used / whole } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand_chacha::rand_core::SeedableRng;

    fn size(n: usize) -> NonZeroUsize {
        NonZeroUsize::new(n).unwrap()
    }

    #[test]
    fn sorted_and_its_padding() {
        let b = sorted_batches(&[1, 4, 2, 3, 2], size(2));
        assert_eq!(b.batches, [vec![1, 3], vec![2, 4], vec![0]]);
        assert!((b.padding - 1.0 / 13.0).abs() < 1e-15);
        assert_eq!(
            sorted_batches(&[], size(2)),
            Batches {
                batches: vec![],
                padding: 0.0
            }
        );
    }

    #[test]
    fn grouping_saves_most_of_the_padding() {
        let lengths: Vec<usize> = (0..2000).map(|i| 1 + i * 7919 % 100).collect();
        let grouped = random_batches(&lengths, size(16), &mut ChaCha8Rng::seed_from_u64(3));
        let plain = padding(
            &lengths,
            &(0..2000)
                .collect::<Vec<_>>()
                .chunks(16)
                .map(<[usize]>::to_vec)
                .collect::<Vec<_>>(),
        );
        assert!(
            grouped.padding < 0.05 && plain > 0.4,
            "{} {plain}",
            grouped.padding
        );
    }

    proptest! {
        #[test]
        fn each_once_and_seeded(lengths in proptest::collection::vec(1usize..50, 0..300), n in 1usize..20, seed in any::<u64>()) {
            let draw = || random_batches(&lengths, size(n), &mut ChaCha8Rng::seed_from_u64(seed));
            let b = draw();
            prop_assert_eq!(&b, &draw());
            prop_assert!((0.0..1.0).contains(&b.padding));
            prop_assert!(b.batches.iter().all(|b| (1..=n).contains(&b.len())));
            prop_assert!(b.batches.iter().all(|b| b.windows(2).all(|w| lengths[w[0]] >= lengths[w[1]])));
            let mut all = b.batches.concat();
            all.sort_unstable();
            prop_assert_eq!(all, (0..lengths.len()).collect::<Vec<_>>());
        }
    }
}
