//! Whole numbers that rise, such as the lines on which rows begin.

/// How many numbers lie between two places from which one is looked for.
const APART: usize = 64;

/// Numbers, each larger than the one before it, in a bit for each number up to the last: a row of two bytes has no
/// room for its line in four.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rising {
    /// Bit `n % 64` of word `n / 64` says whether `n` is among them.
    words: Vec<u64>,
    /// Those at 0, 64, 128, …
    marks: Vec<u64>,
    last: Option<u64>,
    len: usize,
}

impl Rising {
    /// Adds a number. One that is not larger than the last counts as one more than that.
    pub(crate) fn push(&mut self, number: u64) {
        let number = self.last.map_or(number, |last| number.max(last + 1));
        let word = (number / 64) as usize;
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= 1 << (number % 64);
        if self.len.is_multiple_of(APART) {
            self.marks.push(number);
        }
        self.last = Some(number);
        self.len += 1;
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The number at `place`, from 0.
    pub fn get(&self, place: usize) -> Option<u64> {
        if place >= self.len {
            return None;
        }
        let mark = *self.marks.get(place / APART)?;
        let mut word = (mark / 64) as usize;
        let mut bits = self.words[word] & (u64::MAX << (mark % 64));
        let mut before = (place % APART) as u32;
        while bits.count_ones() <= before {
            before -= bits.count_ones();
            word += 1;
            bits = *self.words.get(word)?;
        }
        for _ in 0..before {
            bits &= bits - 1;
        }
        Some(word as u64 * 64 + u64::from(bits.trailing_zeros()))
    }

    /// How many are smaller than `number`.
    pub(super) fn below(&self, number: u64) -> usize {
        let marks = self.marks.partition_point(|&mark| mark < number);
        let Some(&mark) = marks.checked_sub(1).and_then(|i| self.marks.get(i)) else {
            return 0;
        };
        let ones = |words: &[u64]| words.iter().map(|w| w.count_ones()).sum::<u32>() as usize;
        let lower = |number: u64| {
            let word = self.words.get((number / 64) as usize).copied();
            ones(&[word.unwrap_or_default() & !(u64::MAX << (number % 64))])
        };
        let end = self.words.len().min((number / 64) as usize);
        let between = ones(&self.words[(mark / 64) as usize..end]);
        (marks - 1) * APART + between + lower(number) - lower(mark)
    }

    /// Those at the places `kept`.
    pub(super) fn rows(&self, kept: &Self) -> Self {
        let places = kept.iter().map(|place| place as usize);
        places.filter_map(|place| self.get(place)).collect()
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = u64> {
        (0..self.len).filter_map(|place| self.get(place))
    }
}

impl FromIterator<u64> for Rising {
    fn from_iter<I: IntoIterator<Item = u64>>(numbers: I) -> Self {
        let mut all = Self::default();
        numbers.into_iter().for_each(|number| all.push(number));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_does_not_rise_counts_as_one_more() {
        let all: Rising = [5, 5, 2, 9].into_iter().collect();
        assert_eq!(all.iter().collect::<Vec<_>>(), [5, 6, 7, 9]);
        assert!(Rising::default().is_empty() && Rising::default().get(0).is_none());
    }

    proptest! {
        #[test]
        fn numbers_come_back(steps in proptest::collection::vec(prop_oneof![9 => 1u64..3, 1 => 1u64..300], 0..300)) {
            let mut number = 0;
            let numbers: Vec<u64> = steps.iter().map(|step| { number += step; number }).collect();
            let all: Rising = numbers.iter().copied().collect();
            prop_assert_eq!(all.len(), numbers.len());
            prop_assert_eq!(all.iter().collect::<Vec<_>>(), &numbers[..]);
            for probe in 0..number + 2 {
                prop_assert_eq!(all.below(probe), numbers.iter().filter(|&&n| n < probe).count());
            }
        }
    }
}
