//! What a network has to beat, and the measures to beat it by.
//!
//! A forecast for row t made `horizon` steps ahead knows the series up to row t − horizon and nothing later;
//! every baseline is fitted on the training part alone.

mod autoregression;
mod naive;
mod ngram;

pub use autoregression::{Autoregression, MAX_ORDER};
pub use naive::{Persistence, Seasonal, estimate_period};
pub use ngram::{Bigram, Unigram};

use super::error::{DataError, Result};
use std::ops::Range;

/// Something that forecasts a series from its past.
pub trait Forecaster {
    /// What it is called in a report.
    fn name(&self) -> String;

    /// How many past values it needs for a forecast `horizon` steps ahead.
    fn memory(&self, horizon: usize) -> usize;

    /// The value `horizon` (1 or more) steps after the last of `past`, which holds at least
    /// [`Forecaster::memory`] values; [`forecast`] sees to both.
    fn predict(&self, past: &[f64], horizon: usize) -> f64;
}

/// The first row that `baseline` can forecast `horizon` steps ahead.
pub fn earliest(baseline: &dyn Forecaster, horizon: usize) -> usize {
    baseline.memory(horizon) + horizon.saturating_sub(1)
}

/// Forecasts of the rows `rows` of `series`, each made from the values up to `horizon` rows before it.
///
/// # Errors
/// [`DataError::Baseline`] where `horizon` is 0, the rows are not in the series, or too little comes before
/// the first of them.
pub fn forecast(
    baseline: &dyn Forecaster,
    series: &[f64],
    rows: Range<usize>,
    horizon: usize,
) -> Result<Vec<f64>> {
    let bad = |what: String| {
        Err(DataError::Baseline {
            baseline: baseline.name(),
            what,
        })
    };
    if horizon == 0 {
        return bad("the horizon must be at least 1 step".into());
    }
    if rows.start > rows.end || rows.end > series.len() {
        return bad(format!(
            "rows {} to {} are to be forecast and there are {}",
            rows.start + 1,
            rows.end,
            series.len()
        ));
    }
    let first = earliest(baseline, horizon);
    if !rows.is_empty() && rows.start < first {
        return bad(format!(
            "row {} is to be forecast {horizon} ahead and {first} rows must come before it",
            rows.start + 1
        ));
    }
    Ok(rows
        .map(|t| baseline.predict(&series[..=t - horizon], horizon))
        .collect())
}

/// Persistence, the seasonal naive forecast (with `period`, or the one estimated from the training part, and
/// left out where there is none) and the linear autoregression of `order`.
///
/// # Errors
/// [`DataError::Baseline`] where the training part is too short for the order.
pub fn standard(
    series: &[f64],
    train: Range<usize>,
    order: usize,
    period: Option<usize>,
) -> Result<Vec<Box<dyn Forecaster>>> {
    let autoregression = Autoregression::fit(series, train.clone(), order)?;
    let mut all: Vec<Box<dyn Forecaster>> = vec![Box::new(Persistence)];
    let part = series.get(train).unwrap_or_default();
    if let Some(period) = period.or_else(|| estimate_period(part)) {
        all.push(Box::new(Seasonal::new(period)?));
    }
    all.push(Box::new(autoregression));
    Ok(all)
}

/// Mean squared deviation from the mean (dividing by n), in the square of the series' units; 0 for none.
pub fn variance(series: &[f64]) -> f64 {
    let n = series.len().max(1) as f64;
    let mean = series.iter().sum::<f64>() / n;
    series.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n
}

/// How far forecasts are from the truth.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Accuracy {
    /// Number of forecasts.
    pub count: usize,
    /// Root of the mean squared error, in the target's units.
    pub rmse: f64,
    /// Mean absolute error, in the target's units.
    pub mae: f64,
    /// Average relative variance: mean squared error over the variance of the whole series, without unit;
    /// 1 is what forecasting the mean would give. Weigend, Huberman and Rumelhart (1990).
    pub arv: f64,
}

impl Accuracy {
    /// Of `predicted` against `truth`; `variance` is that of the whole series ([`variance`]).
    ///
    /// # Errors
    /// [`DataError::Baseline`] where there is nothing to compare or the two differ in length.
    pub fn of(predicted: &[f64], truth: &[f64], variance: f64) -> Result<Self> {
        if predicted.len() != truth.len() || truth.is_empty() {
            let what = format!(
                "{} forecasts cannot be compared with {} values",
                predicted.len(),
                truth.len()
            );
            return Err(DataError::Baseline {
                baseline: "accuracy".into(),
                what,
            });
        }
        let n = truth.len() as f64;
        let errors = || predicted.iter().zip(truth).map(|(p, t)| p - t);
        let mse = errors().map(|e| e * e).sum::<f64>() / n;
        let mae = errors().map(f64::abs).sum::<f64>() / n;
        Ok(Self {
            count: truth.len(),
            rmse: mse.sqrt(),
            mae,
            arv: mse / variance,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Missing, SUNSPOTS_TARGET, sunspots, sunspots_split};
    use super::*;

    /// Numbers from NumPy 2 (`numpy.linalg.lstsq` on the same rows) agree to rounding.
    const TOLERANCE: f64 = 1e-9;

    fn arv(
        baseline: &dyn Forecaster,
        series: &[f64],
        rows: Range<usize>,
        horizon: usize,
    ) -> Accuracy {
        let predicted = forecast(baseline, series, rows.clone(), horizon).unwrap();
        Accuracy::of(&predicted, &series[rows], variance(series)).unwrap()
    }

    #[test]
    fn sunspots_against_numpy() {
        let frame = sunspots()
            .unwrap()
            .select(&[SUNSPOTS_TARGET], Missing::Refuse)
            .unwrap();
        let split = sunspots_split(&frame.labels.to_vec()).unwrap();
        let series = &frame.columns[0].to_vec();
        assert!((variance(series) - 1_631.116_605_607_398_5).abs() < TOLERANCE);
        let all = standard(series, split.train().clone(), 12, None).unwrap();
        assert_eq!(all[1].name(), "seasonal naive (period 11)");
        let expected = [
            (
                "1921-1955",
                1,
                [
                    0.391_333_675_930_03,
                    0.386_673_940_750_803,
                    0.118_794_532_361_378,
                ],
            ),
            (
                "1956-1979",
                1,
                [
                    0.884_523_927_784_677,
                    1.262_786_788_460_77,
                    0.337_321_926_774_667,
                ],
            ),
            (
                "1980-2008",
                1,
                [
                    0.519_037_925_553_509,
                    0.669_149_394_901_005,
                    0.181_244_582_522_223,
                ],
            ),
            (
                "1921-1955",
                5,
                [
                    3.455_302_763_095_2,
                    0.386_673_940_750_803,
                    0.399_718_883_292_647,
                ],
            ),
            (
                "1956-1979",
                5,
                [
                    6.217_673_963_427_89,
                    1.262_786_788_460_77,
                    1.104_487_782_818_98,
                ],
            ),
        ];
        for (part, horizon, wanted) in expected {
            for (baseline, wanted) in all.iter().zip(wanted) {
                let got = arv(
                    baseline.as_ref(),
                    series,
                    split.part(part).unwrap().clone(),
                    horizon,
                )
                .arv;
                assert!(
                    (got - wanted).abs() < TOLERANCE,
                    "{} {part} {horizon}: {got} {wanted}",
                    baseline.name()
                );
            }
        }
        let a = arv(all[2].as_ref(), series, 221..256, 1);
        assert!(
            (a.rmse - 13.920_047_930_593_1).abs() < TOLERANCE
                && (a.mae - 10.440_119_273_635_1).abs() < TOLERANCE
        );
    }

    #[test]
    fn nothing_later_is_looked_at() {
        let mut series: Vec<f64> = (0..60)
            .map(|i| (f64::from(i) * 0.7).sin() + f64::from(i % 7))
            .collect();
        let all = standard(&series, 0..40, 3, Some(7)).unwrap();
        let before: Vec<f64> = all
            .iter()
            .map(|b| forecast(b.as_ref(), &series, 50..51, 4).unwrap()[0])
            .collect();
        series[47..].fill(1e9);
        let after: Vec<f64> = all
            .iter()
            .map(|b| forecast(b.as_ref(), &series, 50..51, 4).unwrap()[0])
            .collect();
        assert_eq!(before, after);
    }

    #[test]
    fn what_cannot_be_asked() {
        let series = [1.0, 2.0, 3.0, 4.0];
        assert!(forecast(&Persistence, &series, 1..4, 0).is_err());
        assert!(forecast(&Persistence, &series, 1..5, 1).is_err());
        assert!(forecast(&Persistence, &series, 1..4, 2).is_err());
        assert_eq!(
            forecast(&Persistence, &series, 2..4, 2).unwrap(),
            [1.0, 2.0]
        );
        assert!(Accuracy::of(&[], &[], 1.0).is_err());
    }
}
