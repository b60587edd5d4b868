//! Which rows train, validate and test. Parts follow one another in time.

use super::error::{DataError, Result};
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// Name of the part that a model is fitted on.
pub const TRAIN: &str = "train";
/// Name of the part that training is stopped and tuned by.
pub const VALIDATION: &str = "validation";
/// Name of the part that nothing is decided on.
pub const TEST: &str = "test";

/// Shares of the rows, in time order; they add up to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Fractions {
    /// Share of the training part.
    pub train: f64,
    /// Share of the validation part; 0 leaves it out.
    pub validation: f64,
    /// Share of the test part; 0 leaves it out.
    pub test: f64,
}

impl Default for Fractions {
    fn default() -> Self {
        Self {
            train: 0.7,
            validation: 0.15,
            test: 0.15,
        }
    }
}

/// A named range of rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// `train`, `validation`, `test`, or a name of the caller's.
    pub name: String,
    /// Rows, from 0, the end not included.
    pub rows: Range<usize>,
}

impl Part {
    /// A part from its name and rows.
    pub fn new(name: &str, rows: Range<usize>) -> Self {
        Self {
            name: name.to_owned(),
            rows,
        }
    }
}

/// A named range of time labels, both ends included.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LabelRange {
    /// Name of the part.
    pub name: String,
    /// Label of its first row.
    pub from: String,
    /// Label of its last row.
    pub to: String,
}

/// Parts of a series in time order, none overlapping, the first of them `train`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Split {
    parts: Vec<Part>,
}

impl Split {
    /// Explicit parts of `n` rows.
    ///
    /// # Errors
    /// [`DataError::BadSplit`] where a part is empty, beyond the end, overlaps the one before or has its
    /// name, or the first is not called `train`.
    pub fn parts_of(n: usize, parts: Vec<Part>) -> Result<Self> {
        let bad = |what: String| Err(DataError::BadSplit { what });
        if parts.first().is_none_or(|p| p.name != TRAIN) {
            return bad(format!("the first part must be called {TRAIN}"));
        }
        let mut end = 0;
        for (i, part) in parts.iter().enumerate() {
            let Range { start, end: stop } = part.rows;
            if start >= stop {
                return bad(format!(
                    "the {} part has no rows; give it a larger share or more data",
                    part.name
                ));
            }
            if stop > n {
                return bad(format!(
                    "the {} part ends at row {stop} and there are {n}",
                    part.name
                ));
            }
            if start < end {
                return bad(format!(
                    "the {} part begins at row {} before the part ahead of it ends at row {end}",
                    part.name,
                    start + 1
                ));
            }
            if parts[..i].iter().any(|p| p.name == part.name) {
                return bad(format!("two parts are called {}", part.name));
            }
            end = stop;
        }
        Ok(Self { parts })
    }

    /// `n` rows by shares, each boundary rounded to the nearest row.
    ///
    /// # Errors
    /// [`DataError::BadSplit`] where the shares are negative, do not add up to 1, or leave a part empty.
    pub fn fractions(n: usize, shares: Fractions) -> Result<Self> {
        let Fractions {
            train,
            validation,
            test,
        } = shares;
        let sound = [train, validation, test]
            .iter()
            .all(|s| (0.0..=1.0).contains(s));
        if !sound || (train + validation + test - 1.0).abs() > 1e-9 {
            let what = format!(
                "the shares {train}, {validation} and {test} must be between 0 and 1 and add up to 1"
            );
            return Err(DataError::BadSplit { what });
        }
        let first = (train * n as f64).round() as usize;
        let second = ((train + validation) * n as f64).round() as usize;
        let mut parts = vec![Part::new(TRAIN, 0..first)];
        if validation > 0.0 {
            parts.push(Part::new(VALIDATION, first..second));
        }
        if test > 0.0 {
            parts.push(Part::new(TEST, second..n));
        }
        Self::parts_of(n, parts)
    }

    /// `n` rows cut at explicit rows: `boundaries` are the first rows (from 0) of validation and of test.
    ///
    /// # Errors
    /// [`DataError::BadSplit`].
    pub fn at(n: usize, boundaries: [usize; 2]) -> Result<Self> {
        let [validation, test] = boundaries;
        Self::parts_of(
            n,
            vec![
                Part::new(TRAIN, 0..validation),
                Part::new(VALIDATION, validation..test),
                Part::new(TEST, test..n),
            ],
        )
    }

    /// Parts between time labels, both ends included.
    ///
    /// A label that is not there stands for the nearest row inside the range, where the labels are rising
    /// numbers or rise as text (as ISO dates do).
    ///
    /// # Errors
    /// [`DataError::NoSuchLabel`], [`DataError::BadSplit`].
    pub fn labels(labels: &[String], ranges: &[LabelRange]) -> Result<Self> {
        let order = Order::of(labels);
        let parts = ranges
            .iter()
            .map(|r| {
                let start = order.first_from(labels, &r.from)?;
                let end = order.after_last(labels, &r.to)?;
                Ok(Part::new(&r.name, start..end))
            })
            .collect::<Result<_>>()?;
        Self::parts_of(labels.len(), parts)
    }

    /// Takes the last `rows` rows of the training part as the validation part.
    ///
    /// # Errors
    /// [`DataError::BadSplit`] where there is one already or nothing would be left to train on.
    pub fn hold_out(mut self, rows: usize) -> Result<Self> {
        if self.part(VALIDATION).is_some() {
            return Err(DataError::BadSplit {
                what: "there is a validation part already".into(),
            });
        }
        let train = self.train().clone();
        if rows == 0 || rows >= train.len() {
            let what = format!(
                "{rows} rows cannot be held out of a training part of {}",
                train.len()
            );
            return Err(DataError::BadSplit { what });
        }
        self.parts[0].rows.end -= rows;
        self.parts
            .insert(1, Part::new(VALIDATION, train.end - rows..train.end));
        Ok(self)
    }

    /// All parts, in time order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// Rows of the part called `name`.
    pub fn part(&self, name: &str) -> Option<&Range<usize>> {
        self.parts.iter().find(|p| p.name == name).map(|p| &p.rows)
    }

    /// Rows of the training part.
    pub fn train(&self) -> &Range<usize> {
        // `parts_of` is the only way in and refuses a split without it.
        &self.parts[0].rows
    }

    /// Refuses parts of fewer than `needed` rows; `unit` is what rows are to the user (rows, characters).
    ///
    /// # Errors
    /// [`DataError::TooShort`] for the first such part.
    pub fn require(&self, needed: usize, unit: &'static str) -> Result<()> {
        match self.parts.iter().find(|p| p.rows.len() < needed) {
            Some(p) => Err(DataError::TooShort {
                part: p.name.clone(),
                unit,
                found: p.rows.len(),
                needed,
            }),
            None => Ok(()),
        }
    }
}

/// How labels can be compared.
enum Order {
    Numbers(Vec<f64>),
    Text,
    None,
}

impl Order {
    fn of(labels: &[String]) -> Self {
        let numbers: Option<Vec<f64>> = labels.iter().map(|l| l.parse().ok()).collect();
        match numbers {
            Some(n) if n.windows(2).all(|w| w[0] <= w[1]) => Self::Numbers(n),
            _ if labels.windows(2).all(|w| w[0] <= w[1]) => Self::Text,
            _ => Self::None,
        }
    }

    fn first_from(&self, labels: &[String], wanted: &str) -> Result<usize> {
        if let Some(i) = labels.iter().position(|l| l == wanted) {
            return Ok(i);
        }
        match (self, wanted.parse::<f64>()) {
            (Self::Numbers(n), Ok(w)) => n.iter().position(|v| *v >= w),
            (Self::Text, _) => labels.iter().position(|l| l.as_str() >= wanted),
            _ => None,
        }
        .ok_or_else(|| no_such_label(labels, wanted))
    }

    fn after_last(&self, labels: &[String], wanted: &str) -> Result<usize> {
        if let Some(i) = labels.iter().rposition(|l| l == wanted) {
            return Ok(i + 1);
        }
        match (self, wanted.parse::<f64>()) {
            (Self::Numbers(n), Ok(w)) => n.iter().rposition(|v| *v <= w),
            // A day given as the end takes its hours with it.
            (Self::Text, _) => labels
                .iter()
                .rposition(|l| l.as_str() <= wanted || l.starts_with(wanted)),
            _ => None,
        }
        .map(|i| i + 1)
        .ok_or_else(|| no_such_label(labels, wanted))
    }
}

fn no_such_label(labels: &[String], wanted: &str) -> DataError {
    let closest = labels
        .first()
        .into_iter()
        .chain(labels.last())
        .cloned()
        .collect();
    DataError::NoSuchLabel {
        label: wanted.to_owned(),
        closest,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn range(name: &str, from: &str, to: &str) -> LabelRange {
        LabelRange {
            name: name.into(),
            from: from.into(),
            to: to.into(),
        }
    }

    #[test]
    fn shares_by_default() {
        let s = Split::fractions(100, Fractions::default()).unwrap();
        assert_eq!(
            (s.train(), s.part(VALIDATION), s.part(TEST)),
            (&(0..70), Some(&(70..85)), Some(&(85..100)))
        );
        assert!(s.require(15, "rows").is_ok());
        let said = s.require(16, "rows").unwrap_err().to_string();
        assert!(
            said.starts_with("the validation part has 15 rows and needs at least 16"),
            "{said}"
        );
    }

    #[test]
    fn shares_that_make_no_sense() {
        for (train, validation, test) in [
            (0.5, 0.2, 0.2),
            (-0.5, 1.0, 0.5),
            (f64::NAN, 0.5, 0.5),
            (0.0, 0.5, 0.5),
        ] {
            assert!(matches!(
                Split::fractions(
                    100,
                    Fractions {
                        train,
                        validation,
                        test
                    }
                ),
                Err(DataError::BadSplit { .. })
            ));
        }
        assert!(Split::fractions(2, Fractions::default()).is_err());
        assert!(
            Split::fractions(
                2,
                Fractions {
                    train: 1.0,
                    validation: 0.0,
                    test: 0.0
                }
            )
            .is_ok()
        );
    }

    #[test]
    fn explicit_rows() {
        assert_eq!(Split::at(10, [6, 8]).unwrap().part(TEST), Some(&(8..10)));
        for boundaries in [[0, 5], [5, 5], [8, 6], [5, 10], [5, 11]] {
            assert!(Split::at(10, boundaries).is_err(), "{boundaries:?}");
        }
        let twice = vec![
            Part::new(TRAIN, 0..2),
            Part::new(TEST, 2..3),
            Part::new(TEST, 3..4),
        ];
        assert!(Split::parts_of(5, twice).is_err());
        assert!(Split::parts_of(5, vec![Part::new(TEST, 0..2)]).is_err());
    }

    #[test]
    fn by_label() {
        let days: Vec<String> = [
            "2020-01-01 00",
            "2020-01-01 12",
            "2020-01-03 00",
            "2020-01-04 00",
        ]
        .map(String::from)
        .into();
        let s = Split::labels(
            &days,
            &[
                range(TRAIN, "2020-01-01", "2020-01-01"),
                range(TEST, "2020-01-02", "2020-01-04"),
            ],
        )
        .unwrap();
        assert_eq!((s.train(), s.part(TEST)), (&(0..2), Some(&(2..4))));
        let years: Vec<String> = (1990..2000).map(|y| y.to_string()).collect();
        let s = Split::labels(&years, &[range(TRAIN, "1900", "1994")]).unwrap();
        assert_eq!(s.train(), &(0..5));
        let said = Split::labels(&years, &[range(TRAIN, "2005", "2010")])
            .unwrap_err()
            .to_string();
        assert!(
            said.contains("\"2005\"") && said.contains("\"1990\", \"1999\""),
            "{said}"
        );
        let unordered: Vec<String> = ["b", "a", "c"].map(String::from).into();
        assert!(Split::labels(&unordered, &[range(TRAIN, "b", "a")]).is_ok());
        assert!(Split::labels(&unordered, &[range(TRAIN, "b", "d")]).is_err());
    }

    #[test]
    fn holding_out() {
        let s = Split::parts_of(10, vec![Part::new(TRAIN, 0..8), Part::new(TEST, 8..10)]).unwrap();
        let held = s.clone().hold_out(3).unwrap();
        assert_eq!(
            (held.train(), held.part(VALIDATION)),
            (&(0..5), Some(&(5..8)))
        );
        assert!(s.hold_out(8).is_err());
        assert!(held.hold_out(1).is_err());
    }

    proptest! {
        /// Whatever the shares, the parts cover all rows once.
        #[test]
        fn shares_cover_everything(n in 10usize..5000, a in 0.2f64..0.6, b in 0.1f64..0.3) {
            let s = Split::fractions(n, Fractions { train: a, validation: b, test: 1.0 - a - b }).unwrap();
            prop_assert_eq!(s.parts().iter().map(|p| p.rows.len()).sum::<usize>(), n);
        }
    }
}
