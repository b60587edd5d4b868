//! Linear autoregression, fitted by least squares.
//!
//!   y_t = c + a₁ y_{t−1} + … + a_p y_{t−p}
//!
//! The rows of the training part from the p-th on are the equations. They are centred and reduced block by
//! block to a triangle (QR by modified Gram–Schmidt, Å. Björck, BIT 7 (1967)), so that memory does not grow
//! with the series and nothing is squared. A lag that the nearer lags determine gets the coefficient 0.

use super::{DataError, Forecaster, Result};
use std::ops::Range;

/// Most lags.
pub const MAX_ORDER: usize = 64;
/// Equations reduced at once.
const BLOCK: usize = 1024;
/// A column of which less than this share is new to those before it is not used.
const NEW: f64 = 1e-10;

/// A fitted autoregression of order p.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Autoregression {
    /// c, in the series' units.
    pub intercept: f64,
    /// a₁ … a_p, the nearest lag first.
    pub coefficients: Vec<f64>,
}

impl Autoregression {
    /// Fits order `order` (1 to [`MAX_ORDER`]) on the rows `train` of `series`.
    ///
    /// # Errors
    /// [`DataError::Baseline`] for another order, for rows that are not in the series, and where there are
    /// fewer equations (rows − order) than unknowns (order + 1).
    pub fn fit(series: &[f64], train: Range<usize>, order: usize) -> Result<Self> {
        let bad = |what: String| DataError::Baseline {
            baseline: format!("autoregression of order {order}"),
            what,
        };
        if !(1..=MAX_ORDER).contains(&order) {
            return Err(bad(format!("the order must be 1 to {MAX_ORDER}")));
        }
        let y = series.get(train.clone()).ok_or_else(|| {
            bad(format!(
                "rows {} to {} are not all in the series",
                train.start + 1,
                train.end
            ))
        })?;
        if y.len() < 2 * order + 1 {
            let what = format!(
                "it needs a training part of at least {} rows and there are {}",
                2 * order + 1,
                y.len()
            );
            return Err(bad(what));
        }
        let equations = y.len() - order;
        // Column k holds y_{t−k}; column 0 is what is to be explained.
        let column =
            |k: usize, rows: Range<usize>| &y[order - k + rows.start..order - k + rows.end];
        let means: Vec<f64> = (0..=order)
            .map(|k| column(k, 0..equations).iter().sum::<f64>() / equations as f64)
            .collect();
        let mut triangle: Vec<Vec<f64>> = vec![Vec::new(); order + 1];
        for start in (0..equations).step_by(BLOCK) {
            let rows = start..(start + BLOCK).min(equations);
            for (k, reduced) in triangle.iter_mut().enumerate() {
                // The lags first and the explained column last, so that it is the right-hand side.
                let k = (k + 1) % (order + 1);
                reduced.extend(column(k, rows.clone()).iter().map(|v| v - means[k]));
            }
            triangle = reduce(triangle);
        }
        let coefficients = solve(&triangle);
        let intercept = means[0]
            - coefficients
                .iter()
                .zip(&means[1..])
                .map(|(a, m)| a * m)
                .sum::<f64>();
        Ok(Self {
            intercept,
            coefficients,
        })
    }

    /// Number of lags.
    pub fn order(&self) -> usize {
        self.coefficients.len()
    }
}

impl Forecaster for Autoregression {
    fn name(&self) -> String {
        format!("linear autoregression (order {})", self.order())
    }

    fn memory(&self, _: usize) -> usize {
        self.order()
    }

    /// Steps ahead of the first are made from the forecasts before them.
    fn predict(&self, past: &[f64], horizon: usize) -> f64 {
        let mut known = past[past.len() - self.order()..].to_vec();
        for _ in 0..horizon {
            let lags = known.iter().rev().zip(&self.coefficients);
            known.push(self.intercept + lags.map(|(y, a)| a * y).sum::<f64>());
        }
        known[known.len() - 1]
    }
}

/// The triangle R of the columns' QR decomposition: column j has j + 1 values, a row that is new to nothing is 0.
fn reduce(mut columns: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let mut triangle: Vec<Vec<f64>> = Vec::with_capacity(columns.len());
    for j in 0..columns.len() {
        let (before, rest) = columns.split_at_mut(j);
        let column = &mut rest[0];
        let whole = norm(column);
        let mut r = vec![0.0; j + 1];
        // Twice is enough: the second pass removes what rounding left of the first.
        for _ in 0..2 {
            for (q, r) in before.iter().zip(&mut r) {
                let share: f64 = q.iter().zip(column.iter()).map(|(a, b)| a * b).sum();
                *r += share;
                column.iter_mut().zip(q).for_each(|(c, q)| *c -= share * q);
            }
        }
        let new = norm(column);
        let scale = if new > NEW * whole { 1.0 / new } else { 0.0 };
        r[j] = if scale > 0.0 { new } else { 0.0 };
        column.iter_mut().for_each(|c| *c *= scale);
        triangle.push(r);
    }
    let height = triangle.len();
    triangle
        .iter_mut()
        .for_each(|column| column.resize(height, 0.0));
    triangle
}

fn norm(column: &[f64]) -> f64 {
    column.iter().map(|v| v * v).sum::<f64>().sqrt()
}

/// Back substitution; the last column is the right-hand side.
fn solve(triangle: &[Vec<f64>]) -> Vec<f64> {
    let p = triangle.len() - 1;
    let mut solution = vec![0.0; p];
    for i in (0..p).rev() {
        let known: f64 = (i + 1..p).map(|j| triangle[j][i] * solution[j]).sum();
        let pivot = triangle[i][i];
        if pivot != 0.0 {
            solution[i] = (triangle[p][i] - known) / pivot;
        }
    }
    solution
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn coefficients_of_the_sunspots_are_those_of_numpy() {
        let table = super::super::super::sunspots().unwrap();
        let frame = table.select(&["SUNACTIVITY"], Default::default()).unwrap();
        let fitted = Autoregression::fit(&frame.columns[0].to_vec(), 0..221, 12).unwrap();
        let wanted = [
            1.208_919_075_700_226_4,
            -0.477_571_539_309_162_74,
            -0.140_395_092_359_171_72,
            0.173_089_874_068_715_34,
            -0.153_036_776_361_488_94,
            0.076_396_314_753_661_36,
            -0.082_513_729_727_499_78,
            0.110_964_492_015_470_76,
            0.092_163_274_415_250_43,
            -0.101_150_601_832_589_35,
            0.179_022_036_517_381_4,
            -0.070_881_754_966_228_92,
        ];
        assert!((fitted.intercept - 8.417_641_824_976_325).abs() < 1e-9);
        for (got, wanted) in fitted.coefficients.iter().zip(wanted) {
            assert!((got - wanted).abs() < 1e-12, "{got} {wanted}");
        }
    }

    /// The lags of a pure wave or of a line determine one another: the nearest are used and the forecast is exact.
    #[test]
    fn lags_that_say_nothing_new() {
        let wave: Vec<f64> = (0..200).map(|t| 3.0 + (f64::from(t) * 0.3).sin()).collect();
        let line: Vec<f64> = (0..200).map(|t| f64::from(t) * 0.5).collect();
        for series in [wave, line, vec![4.0; 200]] {
            let fitted = Autoregression::fit(&series, 0..150, 12).unwrap();
            let got = super::super::forecast(&fitted, &series, 150..200, 5).unwrap();
            for (got, wanted) in got.iter().zip(&series[150..]) {
                assert!((got - wanted).abs() < 1e-6, "{got} {wanted}");
            }
        }
    }

    #[test]
    fn blocks_change_nothing() {
        let mut state = 1u64;
        let mut noise = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1u64 << 53) as f64 - 0.5
        };
        let mut series = vec![0.0, 0.0];
        for t in 2..5000 {
            series.push(1.0 + 0.6 * series[t - 1] - 0.3 * series[t - 2] + noise());
        }
        let fitted = Autoregression::fit(&series, 0..5000, 2).unwrap();
        for (got, wanted) in fitted.coefficients.iter().zip([0.6, -0.3]) {
            assert!((got - wanted).abs() < 0.05, "{got} {wanted}");
        }
    }

    #[test]
    fn what_cannot_be_fitted() {
        let series = vec![1.0; 30];
        assert!(Autoregression::fit(&series, 0..30, 0).is_err());
        assert!(Autoregression::fit(&series, 0..30, 65).is_err());
        assert!(Autoregression::fit(&series, 0..31, 2).is_err());
        let said = Autoregression::fit(&series, 0..24, 12)
            .unwrap_err()
            .to_string();
        assert!(said.contains("at least 25 rows and there are 24"), "{said}");
    }

    proptest! {
        /// Least squares: the residuals are orthogonal to every lag and add up to nothing.
        #[test]
        fn residuals_are_orthogonal(series in proptest::collection::vec(-1.0f64..1.0, 40..120), order in 1usize..6) {
            let fitted = Autoregression::fit(&series, 0..series.len(), order).unwrap();
            let residual = |t: usize| series[t] - fitted.predict(&series[..t], 1);
            let rows = order..series.len();
            prop_assert!(rows.clone().map(residual).sum::<f64>().abs() < 1e-10);
            for lag in 1..=order {
                prop_assert!(rows.clone().map(|t| residual(t) * series[t - lag]).sum::<f64>().abs() < 1e-10);
            }
        }
    }
}
