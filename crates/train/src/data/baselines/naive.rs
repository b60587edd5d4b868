//! Forecasts without a parameter to fit: the last value, and the value a season ago.

use super::{DataError, Forecaster, Result};

/// The last known value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Persistence;

impl Forecaster for Persistence {
    fn name(&self) -> String {
        "persistence".into()
    }

    fn memory(&self, _: usize) -> usize {
        1
    }

    fn predict(&self, past: &[f64], _: usize) -> f64 {
        past[past.len() - 1]
    }
}

/// The latest known value at the same place in the season.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seasonal {
    period: usize,
}

impl Seasonal {
    /// With a season of `period` rows.
    ///
    /// # Errors
    /// [`DataError::Baseline`] for a period of 0.
    pub fn new(period: usize) -> Result<Self> {
        if period == 0 {
            let what = "a period must have at least 1 row".into();
            return Err(DataError::Baseline {
                baseline: "seasonal naive".into(),
                what,
            });
        }
        Ok(Self { period })
    }

    /// Rows in a season.
    pub fn period(&self) -> usize {
        self.period
    }

    /// How far before the last known value the one taken stands.
    fn back(&self, horizon: usize) -> usize {
        horizon.div_ceil(self.period).saturating_mul(self.period) - horizon
    }
}

impl Forecaster for Seasonal {
    fn name(&self) -> String {
        format!("seasonal naive (period {})", self.period)
    }

    fn memory(&self, horizon: usize) -> usize {
        self.back(horizon).saturating_add(1)
    }

    fn predict(&self, past: &[f64], horizon: usize) -> f64 {
        past[past.len() - 1 - self.back(horizon)]
    }
}

/// Rows at the end of the training part that the period is estimated from.
const ROWS: usize = 1 << 16;
/// Longest period looked for.
const LONGEST: usize = 2048;
/// Least autocorrelation that counts as a season.
const LEAST: f64 = 0.1;

/// The period of `train` in rows: where its autocorrelation, after a straight line is taken off, has its
/// highest peak, between 2 rows and a third of the series; `None` where no peak reaches 0.1 and twice the
/// standard error 1/√n of white noise.
///
/// At most the last 65,536 rows are looked at, and periods up to 2,048.
pub fn estimate_period(train: &[f64]) -> Option<usize> {
    let part = &train[train.len().saturating_sub(ROWS)..];
    let n = part.len();
    let longest = (n / 3).min(LONGEST);
    if longest < 2 {
        return None;
    }
    let flat = without_trend(part);
    let power: f64 = flat.iter().map(|v| v * v).sum();
    let least = LEAST.max(2.0 / (n as f64).sqrt());
    let correlation: Vec<f64> = (0..=longest + 1)
        .map(|lag| {
            flat[lag..]
                .iter()
                .zip(&flat)
                .map(|(a, b)| a * b)
                .sum::<f64>()
                / power
        })
        .collect();
    (2..=longest)
        .filter(|&k| correlation[k] > least)
        .filter(|&k| correlation[k] > correlation[k - 1] && correlation[k] >= correlation[k + 1])
        .max_by(|&a, &b| correlation[a].total_cmp(&correlation[b]).then(b.cmp(&a)))
}

/// `values` less their least-squares line.
fn without_trend(values: &[f64]) -> Vec<f64> {
    let n = values.len() as f64;
    let middle = (n - 1.0) / 2.0;
    let mean = values.iter().sum::<f64>() / n;
    let along = |i: usize| i as f64 - middle;
    let slope = values
        .iter()
        .enumerate()
        .map(|(i, v)| along(i) * (v - mean))
        .sum::<f64>()
        / (0..values.len()).map(|i| along(i).powi(2)).sum::<f64>();
    values
        .iter()
        .enumerate()
        .map(|(i, v)| v - mean - slope * along(i))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_season_back_and_never_ahead() {
        let past: Vec<f64> = (0..20).map(f64::from).collect();
        let s = Seasonal::new(7).unwrap();
        for (horizon, wanted) in [(1, 13.0), (7, 19.0), (8, 13.0), (14, 19.0)] {
            assert_eq!(s.predict(&past, horizon), wanted, "{horizon}");
        }
        assert_eq!((s.memory(1), s.memory(7)), (7, 1));
        assert!(Seasonal::new(0).is_err());
    }

    #[test]
    fn periods_with_and_without_trend() {
        let wave = |period: f64, slope: f64| -> Vec<f64> {
            (0..300)
                .map(f64::from)
                .map(|t| (t * std::f64::consts::TAU / period).sin() + slope * t)
                .collect()
        };
        assert_eq!(estimate_period(&wave(24.0, 0.0)), Some(24));
        assert_eq!(estimate_period(&wave(12.0, 0.5)), Some(12));
        assert_eq!(estimate_period(&[1.0; 50]), None);
        assert_eq!(
            estimate_period(&(0..50).map(f64::from).collect::<Vec<_>>()),
            None
        );
        assert_eq!(estimate_period(&[]), None);
        assert_eq!(estimate_period(&[1.0, 2.0, 1.0]), None);
    }
}
