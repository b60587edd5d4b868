//! The numbers of a column.

use super::dialect::Count;
use super::rising::Rising;
use std::ops::Range;
use std::sync::Arc;

/// Numbers by row: in four bytes each where an `f32` is every one of them exactly, in eight otherwise; a gap takes a
/// bit. A copy shares the numbers.
#[derive(Debug, Clone)]
pub struct Values {
    numbers: Numbers,
    /// Which rows have one; `None` where all have.
    known: Option<Known>,
}

#[derive(Debug, Clone)]
enum Numbers {
    Short(Arc<Vec<f32>>),
    Long(Arc<Vec<f64>>),
}

#[derive(Debug, Clone, Default)]
struct Known {
    rows: Rising,
    /// How many rows there are, with and without a number.
    of: usize,
    /// Whether a gap counts as a value between its neighbours, which is worked out when it is asked for.
    filled: bool,
}

impl Values {
    /// None yet, with room for those that `count` has counted.
    pub(super) fn with_room(count: &Count) -> Self {
        Self {
            numbers: match count.long {
                0 => Numbers::Short(Arc::new(Vec::with_capacity(count.numbers))),
                _ => Numbers::Long(Arc::new(Vec::with_capacity(count.numbers))),
            },
            known: (count.gaps > 0).then(Known::default),
        }
    }

    /// Adds one that was counted, NaN for a gap.
    pub(super) fn push(&mut self, value: f64) {
        if let Some(known) = &mut self.known {
            known.of += 1;
            if value.is_nan() {
                return;
            }
            known.rows.push(known.of as u64 - 1);
        }
        match &mut self.numbers {
            Numbers::Short(all) => Arc::make_mut(all).push(value as f32),
            Numbers::Long(all) => Arc::make_mut(all).push(value),
        }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        match (&self.known, &self.numbers) {
            (Some(known), _) => known.of,
            (None, Numbers::Short(all)) => all.len(),
            (None, Numbers::Long(all)) => all.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The number at `row`, from 0; NaN for a gap and for a row that is not there.
    pub fn get(&self, row: usize) -> f64 {
        let Some(known) = &self.known else {
            return self.number(row);
        };
        let place = known.rows.below(row as u64);
        let at = |place: usize| {
            let row = known.rows.get(place)? as usize;
            Some((row, self.number(place)))
        };
        match (place.checked_sub(1).and_then(at), at(place)) {
            (_, Some((there, value))) if there == row => value,
            _ if !known.filled || row >= known.of => f64::NAN,
            (Some(before), Some(after)) => between(before, after, row),
            (Some((_, value)), None) | (None, Some((_, value))) => value,
            (None, None) => f64::NAN,
        }
    }

    fn number(&self, place: usize) -> f64 {
        match &self.numbers {
            Numbers::Short(all) => all.get(place).map_or(f64::NAN, |&v| v.into()),
            Numbers::Long(all) => all.get(place).copied().unwrap_or(f64::NAN),
        }
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = f64> + Clone {
        (0..self.len()).map(|row| self.get(row))
    }

    /// Those of some rows; `None` where not all of the rows are there.
    pub fn part(&self, rows: Range<usize>) -> Option<Vec<f64>> {
        let there = rows.start <= rows.end && rows.end <= self.len();
        there.then(|| rows.map(|row| self.get(row)).collect())
    }

    /// All of them, eight bytes each.
    pub fn to_vec(&self) -> Vec<f64> {
        self.iter().collect()
    }

    /// Fills gaps: linear between the neighbouring values; before the first and after the last, that value is held.
    /// Returns how many there were.
    pub(super) fn fill(&mut self) -> usize {
        self.known.as_mut().map_or(0, |known| {
            known.filled = true;
            known.of - known.rows.len()
        })
    }

    /// Those of the rows `kept`.
    pub(super) fn rows(&self, kept: &Rising) -> Self {
        let values = kept.iter().map(|row| self.get(row as usize));
        Self {
            numbers: match &self.numbers {
                Numbers::Short(_) => Numbers::Short(Arc::new(values.map(|v| v as f32).collect())),
                Numbers::Long(_) => Numbers::Long(Arc::new(values.collect())),
            },
            known: None,
        }
    }

    /// Whether an `f32` is this number exactly.
    pub(super) fn is_short(value: f64) -> bool {
        f64::from(value as f32) == value
    }
}

/// The value at a place on the line between two known ones, each with its place.
pub(super) fn between((from, start): (usize, f64), (to, end): (usize, f64), place: usize) -> f64 {
    let share = (place - from) as f64 / (to - from) as f64;
    start * (1.0 - share) + end * share
}

impl From<Vec<f64>> for Values {
    fn from(all: Vec<f64>) -> Self {
        Self {
            numbers: Numbers::Long(Arc::new(all)),
            known: None,
        }
    }
}

impl PartialEq for Values {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::super::cell::Cell;
    use super::*;
    use proptest::prelude::*;

    fn values(numbers: &[f64]) -> Values {
        let mut count = Count::default();
        for &number in numbers {
            count.add(match number {
                gap if gap.is_nan() => Cell::Missing,
                number => Cell::Number(number),
            });
        }
        let mut all = Values::with_room(&count);
        numbers.iter().for_each(|&v| all.push(v));
        all
    }

    #[test]
    fn gaps_are_filled_from_their_neighbours() {
        let nan = f64::NAN;
        let mut all = values(&[nan, 1.0, nan, nan, 4.0, nan]);
        assert!(all.get(0).is_nan() && all.get(1) == 1.0 && all.get(6).is_nan());
        assert_eq!(all.fill(), 4);
        assert_eq!(all.to_vec(), [1.0, 1.0, 2.0, 3.0, 4.0, 4.0]);
        assert!(all.get(6).is_nan() && all.part(1..3).is_some() && all.part(0..9).is_none());
    }

    proptest! {
        #[test]
        fn numbers_come_back_however_they_are_held(
            numbers in proptest::collection::vec(prop_oneof![Just(f64::NAN), Just(-0.0), Just(0.5), -1e300..1e300], 0..200)
        ) {
            let bits = |all: &[f64]| all.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            prop_assert_eq!(bits(&values(&numbers).to_vec()), bits(&numbers));
        }
    }
}
