//! How fast the gradient fades: the decay rate β, the effective horizon, and the lesson's bound beside them.
//!
//! ln β is the least-squares slope of ln φ_k for k ≥ τ (C. Aicher, N. Foti and E. Fox 2019). The bound is the
//! lesson's section 5: ‖∂h_t/∂h_k‖ ≤ (‖W_hh‖ · max φ′)^(t−k). It holds one way: below 1 the gradient must vanish,
//! above 1 it may explode and need not. Measurement and bound are two curves.

use crate::saturation::slopes_of;
use crate::{Error, Scope, dense};
use elman_core::CellKind;
use serde::Serialize;

/// What a lag profile says of the decay.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Decay {
    /// τ: lags from here on were fitted.
    pub tau: usize,
    /// How many lags were fitted.
    pub lags: usize,
    /// β per step, by least squares; 0 where the profile reaches exact zero before two lags could be fitted.
    pub beta: f64,
    /// The largest slope from τ: the smallest β for which φ_k ≤ φ_τ β^(k−τ) at every measured k.
    pub largest: f64,
    /// Root mean square of what the fit leaves of ln φ_k.
    pub residual: f64,
    /// ln φ_τ on the line that has the slope ln β and lies on or above every measured lag k ≥ τ.
    pub ln_ceiling: f64,
    /// max_k φ_k/φ_0: above 1 where the gradient grows before it fades.
    pub peak: f64,
    /// The lag of that peak.
    pub peak_lag: usize,
    /// The first lag at which the gradient is exactly zero, and stays so.
    pub zero_from: Option<usize>,
    /// The horizon at 50 %: steps until φ falls to half of φ_0 and stays below, between lags on a straight line in
    /// the logarithm; `None` where that is past the longest lag.
    pub half: Option<f64>,
    /// The horizon at 1 %.
    pub percent: Option<f64>,
    /// ln 100/(−ln β): the horizon at 1 % if the gradient faded at β from the start; `None` where β ≥ 1.
    pub extrapolated: Option<f64>,
    /// The longest lag measured: horizons that are `None` are at least this.
    pub measured_to: usize,
}

impl Decay {
    /// The horizon at 1 %, or the longest lag where it lies further.
    pub fn horizon(&self) -> f64 {
        self.percent.unwrap_or(self.measured_to as f64)
    }
}

/// The lag from which a profile of this many lags is fitted where no other is asked for: the first quarter, in which
/// fast modes die, is left out.
pub fn default_tau(max_lag: usize) -> usize {
    (max_lag / 4).max(1).min(max_lag)
}

/// Fits a profile ln φ_k, k = 0 … .
pub fn decay(ln_mean: &[f64], tau: usize) -> Result<Decay, Error> {
    let max_lag = match ln_mean.len() {
        0 => {
            return Err(Error::Nothing(
                "a profile without a lag has no decay".into(),
            ));
        }
        n => n - 1,
    };
    let tau = tau.min(max_lag);
    let points: Vec<(f64, f64)> = (tau..=max_lag)
        .map(|k| (k as f64, ln_mean[k]))
        .filter(|p| p.1.is_finite())
        .collect();
    let zero_from = ln_mean
        .iter()
        .rposition(|ln| *ln > f64::NEG_INFINITY)
        .map_or(Some(0), |last| (last < max_lag).then_some(last + 1));
    let (slope, level) = line(&points);
    let beta = match (points.len(), zero_from) {
        (0 | 1, Some(_)) => 0.0,
        (0 | 1, None) => 1.0,
        _ => slope.exp(),
    };
    let largest = match points.first() {
        Some(first) => points[1..]
            .iter()
            .map(|p| (p.1 - first.1) / (p.0 - first.0))
            .fold(f64::NEG_INFINITY, f64::max)
            .exp(),
        None => 0.0,
    };
    let squares: f64 = points
        .iter()
        .map(|p| (p.1 - level - slope * p.0).powi(2))
        .sum();
    let ceiling = points.iter().map(|p| p.1 - slope * (p.0 - tau as f64));
    let peak = (0..=max_lag).max_by(|&a, &b| ln_mean[a].total_cmp(&ln_mean[b]).then(b.cmp(&a)));
    let peak_lag = peak.unwrap_or(0);
    Ok(Decay {
        tau,
        lags: points.len(),
        beta,
        largest,
        residual: (squares / points.len().max(1) as f64).sqrt(),
        ln_ceiling: ceiling.fold(f64::NEG_INFINITY, f64::max),
        peak: (ln_mean[peak_lag] - ln_mean[0]).exp(),
        peak_lag,
        zero_from,
        half: falls_to(ln_mean, 0.5),
        percent: falls_to(ln_mean, 0.01),
        extrapolated: (beta < 1.0).then(|| 100f64.ln() / -beta.ln()),
        measured_to: max_lag,
    })
}

/// Slope and level of the least-squares line.
fn line(points: &[(f64, f64)]) -> (f64, f64) {
    let n = points.len().max(1) as f64;
    let (mx, my) = points
        .iter()
        .fold((0.0, 0.0), |m, p| (m.0 + p.0 / n, m.1 + p.1 / n));
    let (mut xy, mut xx) = (0.0, 0.0);
    for (x, y) in points {
        xy += (x - mx) * (y - my);
        xx += (x - mx) * (x - mx);
    }
    let slope = if xx > 0.0 { xy / xx } else { 0.0 };
    (slope, my - slope * mx)
}

/// Where the profile falls to `level` of φ_0 and stays below.
fn falls_to(ln_mean: &[f64], level: f64) -> Option<f64> {
    let line = ln_mean.first()? + level.ln();
    let last = ln_mean.iter().rposition(|ln| *ln > line)?;
    let (above, below) = (ln_mean[last], *ln_mean.get(last + 1)?);
    let step = match below.is_finite() {
        true => (above - line) / (above - below),
        false => 1.0,
    };
    Some(last as f64 + step)
}

/// The lesson's bound on the product of Jacobians.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bound {
    /// ‖W_hh‖₂.
    pub norm: f64,
    /// The largest φ′ met on these sequences.
    pub largest_slope: f64,
    /// ‖W_hh‖ · max φ′: the k-th power bounds ‖∂h_t/∂h_{t−k}‖ on these sequences, from above only.
    pub per_step: f64,
    /// ‖W_hh‖ · 1: the same for any sequence.
    pub any_sequence: f64,
}

impl Bound {
    /// ln of the bound over `lag` steps, for a gradient that starts with ln φ_0.
    pub fn ln_at(&self, lag: usize, ln_first: f64) -> f64 {
        match lag {
            0 => ln_first,
            _ => ln_first + lag as f64 * self.per_step.ln(),
        }
    }
}

/// The bound (‖W_hh‖ · max φ′)^k; `None` for what the lesson's J_t = diag(φ′) W_hh does not cover: more than one
/// layer, leaky and gated cells.
pub fn lesson_bound(scope: &Scope) -> Result<Option<Bound>, Error> {
    let network = scope.network();
    let elman = matches!(
        network.cell,
        CellKind::Elman | CellKind::ElmanRelu | CellKind::ElmanLinear
    );
    if !elman || network.layers > 1 {
        return Ok(None);
    }
    let h = network.hidden;
    let norm = dense::norm(dense::rows(scope.params().get("weight_hh_l0")?, h, h))?;
    let mut largest_slope = 0.0f64;
    slopes_of(scope, |_, _, _, slopes| {
        largest_slope = slopes.iter().fold(largest_slope, |m, s| m.max(*s));
    });
    Ok(Some(Bound {
        norm,
        largest_slope,
        per_step: norm * largest_slope,
        any_sequence: norm,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_geometric_profile_is_fitted_exactly() {
        let profile: Vec<f64> = (0..200).map(|k| 3.0 + k as f64 * 0.9f64.ln()).collect();
        let d = decay(&profile, 50).unwrap();
        assert!((d.beta - 0.9).abs() < 1e-12 && (d.largest - 0.9).abs() < 1e-12);
        let horizon = 100f64.ln() / -(0.9f64.ln());
        assert!((d.percent.unwrap() - horizon).abs() < 1e-9);
        assert!((d.extrapolated.unwrap() - horizon).abs() < 1e-9);
        assert!((d.half.unwrap() - 2f64.ln() / -(0.9f64.ln())).abs() < 1e-9);
        assert_eq!((d.peak, d.peak_lag, d.zero_from), (1.0, 0, None));
    }
    #[test]
    fn growth_has_no_horizon() {
        let profile: Vec<f64> = (0..50).map(|k| k as f64 * 0.1).collect();
        let d = decay(&profile, 10).unwrap();
        assert!(d.beta > 1.1 && d.percent.is_none() && d.extrapolated.is_none());
        assert_eq!((d.peak_lag, d.horizon()), (49, 49.0));
    }
    #[test]
    fn exact_zero_ends_it() {
        let mut profile = vec![0.0; 4];
        profile.extend([f64::NEG_INFINITY; 10]);
        let d = decay(&profile, 6).unwrap();
        assert_eq!((d.beta, d.zero_from, d.percent), (0.0, Some(4), Some(4.0)));
    }
}
