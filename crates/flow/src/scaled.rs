//! Numbers that may be far too small or too large for f64: logarithms of norms, and how they are averaged.

use crate::dense;
use serde::Serialize;

/// The larger; NaN where one of them is NaN.
pub(crate) fn larger(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        f64::NAN
    } else {
        a.max(b)
    }
}

/// The smaller; NaN where one of them is NaN.
pub(crate) fn smaller(a: f64, b: f64) -> f64 {
    -larger(-a, -b)
}

/// ln Σ exp(x_i); −∞ for none, NaN where one is NaN.
pub(crate) fn ln_sum_exp(logs: impl IntoIterator<Item = f64> + Clone) -> f64 {
    let largest = logs.clone().into_iter().fold(f64::NEG_INFINITY, larger);
    if !largest.is_finite() {
        return largest;
    }
    largest
        + logs
            .into_iter()
            .map(|x| (x - largest).exp())
            .sum::<f64>()
            .ln()
}

/// ln of the mean of exp(x_i): the mean of norms whose logarithms are given. −∞ for none.
pub(crate) fn ln_mean_exp(logs: &[f64]) -> f64 {
    ln_sum_exp(logs.iter().copied()) - (logs.len().max(1) as f64).ln()
}

/// How values spread: nearest-rank quantiles.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Quantiles {
    /// 5 % lie at or below.
    pub p05: f64,
    /// 25 %.
    pub p25: f64,
    /// Half.
    pub median: f64,
    /// 75 %.
    pub p75: f64,
    /// 95 %.
    pub p95: f64,
}

impl Quantiles {
    /// Of some values; NaN where there are none.
    pub fn of(values: &[f64]) -> Quantiles {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let at = |q: f64| quantile(&sorted, q);
        Quantiles {
            p05: at(0.05),
            p25: at(0.25),
            median: at(0.5),
            p75: at(0.75),
            p95: at(0.95),
        }
    }
}

/// The nearest-rank quantile of sorted values; NaN of none.
pub(crate) fn quantile(sorted: &[f64], q: f64) -> f64 {
    let rank = (q * sorted.len() as f64).ceil().max(1.0) as usize;
    sorted.get(rank - 1).copied().unwrap_or(f64::NAN)
}

/// Brings a vector back to length 1 when it has left the safe range, and moves what it loses into `ln_scale`:
/// the true vector is exp(ln_scale) times `v`. Returns the logarithm of the true length.
pub(crate) fn rescale(v: &mut [f64], ln_scale: &mut f64) -> f64 {
    let length = dense::length(v);
    if length == 0.0 {
        *ln_scale = 0.0;
        return f64::NEG_INFINITY;
    }
    let ln = length.ln() + *ln_scale;
    if length.is_finite() && !(1e-100..1e100).contains(&length) {
        v.iter_mut().for_each(|x| *x /= length);
        *ln_scale = ln;
    }
    ln
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_of_what_f64_cannot_hold() {
        let mean = ln_mean_exp(&[-2000.0, -2000.0 + 3f64.ln()]);
        assert!((mean - (-2000.0 + 2f64.ln())).abs() < 1e-12);
        assert_eq!(ln_mean_exp(&[f64::NEG_INFINITY]), f64::NEG_INFINITY);
        for with in [
            [f64::NAN, 1.0],
            [f64::NEG_INFINITY, f64::NAN],
            [f64::NAN; 2],
        ] {
            assert!(ln_mean_exp(&with).is_nan(), "{with:?}");
        }
    }
    #[test]
    fn quantiles_are_nearest_rank() {
        let q = Quantiles::of(&[3.0, 1.0, 2.0, 4.0]);
        assert_eq!(
            (q.p05, q.p25, q.median, q.p75, q.p95),
            (1.0, 1.0, 2.0, 3.0, 4.0)
        );
    }
    #[test]
    fn rescaling_keeps_the_length() {
        let (mut v, mut ln) = ([3e-200, 4e-200], -1000.0);
        let length = rescale(&mut v, &mut ln);
        assert!((length - (5e-200f64.ln() - 1000.0)).abs() < 1e-9);
        assert!((dense::length(&v) - 1.0).abs() < 1e-12 && (ln - length).abs() < 1e-12);
    }
}
