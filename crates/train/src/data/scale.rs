//! Scaling of columns, fitted on the training part and kept with the model.

use super::error::{DataError, Result};
use super::frame::Frame;
use serde::{Deserialize, Serialize};
use std::ops::Range;

/// How columns are scaled.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scaling {
    /// Mean 0 and standard deviation 1 (dividing by n) over the training part.
    #[default]
    Standard,
    /// Least 0 and greatest 1 over the training part; values outside it leave that range.
    MinMax,
    /// As they are.
    None,
}

/// One affine map per column: scaled = (value − offset) / scale.
///
/// Serialises with every bit of its numbers (with `serde_json`'s feature `float_roundtrip`, which this crate sets).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scaler {
    /// How it was fitted.
    pub scaling: Scaling,
    /// The maps, in the order of the frame's columns.
    pub columns: Vec<Affine>,
}

/// The map of one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Affine {
    /// Name of the column.
    pub name: String,
    /// What is taken off, in the column's units.
    pub offset: f64,
    /// What it is then divided by, in the column's units; never 0.
    pub scale: f64,
}

impl Scaler {
    /// Fits each column of `frame` on the rows `train` alone. A column that is constant there is only
    /// shifted (scale 1).
    ///
    /// # Errors
    /// [`DataError::BadSplit`] for rows that are not in the frame; [`DataError::File`] where the values are
    /// so large that their spread overflows.
    pub fn fit(scaling: Scaling, frame: &Frame, train: Range<usize>) -> Result<Self> {
        let mut columns = Vec::with_capacity(frame.columns.len());
        for (name, values) in frame.names.iter().zip(&frame.columns) {
            let part = values
                .part(train.clone())
                .filter(|p| !p.is_empty())
                .ok_or_else(|| DataError::BadSplit {
                    what: format!(
                        "rows {} to {} are to be trained on and there are {}",
                        train.start + 1,
                        train.end,
                        values.len()
                    ),
                })?;
            let (offset, scale) = match scaling {
                Scaling::Standard => standard(&part),
                Scaling::MinMax => min_max(&part),
                Scaling::None => (0.0, 1.0),
            };
            if !(offset.is_finite() && scale.is_finite()) {
                let what = format!(
                    "the values of column {name} are too large to be scaled; divide them first"
                );
                return Err(DataError::File {
                    file: frame.file.clone(),
                    what,
                });
            }
            // A constant column has spread 0, up to the rounding of its mean.
            let scale = if scale > offset.abs() * 1e-14 {
                scale
            } else {
                1.0
            };
            columns.push(Affine {
                name: name.clone(),
                offset,
                scale,
            });
        }
        Ok(Self { scaling, columns })
    }

    /// A value of column `column` (position in the frame) on the model's scale.
    ///
    /// # Panics
    /// Where there is no such column.
    pub fn forward(&self, column: usize, value: f64) -> f64 {
        let Affine { offset, scale, .. } = self.columns[column];
        (value - offset) / scale
    }

    /// A value on the model's scale in the units of column `column`.
    ///
    /// # Panics
    /// Where there is no such column.
    pub fn inverse(&self, column: usize, scaled: f64) -> f64 {
        let Affine { offset, scale, .. } = self.columns[column];
        scaled * scale + offset
    }

    /// Position of the column named `name`.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| c.name == name)
    }
}

/// Mean and standard deviation (dividing by n), the second from deviations.
fn standard(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
    (mean, variance.sqrt())
}

/// Least value and range.
fn min_max(values: &[f64]) -> (f64, f64) {
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let greatest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (least, greatest - least)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(columns: &[&[f64]]) -> Frame {
        let rows = columns[0].len();
        Frame {
            file: "t".into(),
            names: (0..columns.len()).map(|i| format!("c{i}")).collect(),
            columns: columns.iter().map(|c| c.to_vec().into()).collect(),
            labels: vec![String::new(); rows].into_iter().collect(),
            line_of_row: (1..=rows as u64).collect(),
            repaired: 0,
        }
    }

    #[test]
    fn fitted_on_the_training_part_only() {
        let f = frame(&[&[1.0, 3.0, 1000.0], &[0.1, 0.1, 0.1]]);
        let s = Scaler::fit(Scaling::Standard, &f, 0..2).unwrap();
        assert_eq!((s.columns[0].offset, s.columns[0].scale), (2.0, 1.0));
        assert_eq!((s.forward(1, 0.1), s.columns[1].scale), (0.0, 1.0));
        let s = Scaler::fit(Scaling::MinMax, &f, 0..2).unwrap();
        assert_eq!(
            (s.forward(0, 1.0), s.forward(0, 3.0), s.forward(0, 5.0)),
            (0.0, 1.0, 2.0)
        );
        assert_eq!(
            Scaler::fit(Scaling::None, &f, 0..2)
                .unwrap()
                .forward(0, 7.0),
            7.0
        );
        assert_eq!(s.position("c1"), Some(1));
    }

    #[test]
    fn rows_that_are_not_there_and_values_too_large() {
        let f = frame(&[&[1e308, -1e308]]);
        assert!(matches!(
            Scaler::fit(Scaling::MinMax, &f, 0..2),
            Err(DataError::File { .. })
        ));
        assert!(matches!(
            Scaler::fit(Scaling::Standard, &f, 0..3),
            Err(DataError::BadSplit { .. })
        ));
        assert!(matches!(
            Scaler::fit(Scaling::Standard, &f, 1..1),
            Err(DataError::BadSplit { .. })
        ));
    }

    proptest! {
        /// Through text and back, every bit; forward and inverse undo each other.
        #[test]
        fn exact_in_json_and_toml(a in -1e9f64..1e9, b in any::<f64>(), v in -1e6f64..1e6) {
            prop_assume!(b.is_finite() && a != 0.0);
            let s = Scaler { scaling: Scaling::Standard, columns: vec![Affine { name: "x".into(), offset: b, scale: a }] };
            let json: Scaler = serde_json::from_str(&serde_json::to_string(&s).unwrap()).unwrap();
            let toml: Scaler = toml::from_str(&toml::to_string(&s).unwrap()).unwrap();
            for back in [json, toml] {
                prop_assert_eq!(back.columns[0].offset.to_bits(), b.to_bits());
                prop_assert_eq!(back.columns[0].scale.to_bits(), a.to_bits());
            }
            let s = Scaler { scaling: Scaling::Standard, columns: vec![Affine { name: "x".into(), offset: v, scale: a.abs() + 1.0 }] };
            prop_assert!((s.inverse(0, s.forward(0, v + 3.0)) - v - 3.0).abs() < 1e-6);
        }
    }
}
