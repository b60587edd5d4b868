//! How fast the gradient fades: the decay rate β and the effective horizon.
//!
//! ln β is the least-squares slope of ln φ_k for k ≥ τ (C. Aicher, N. Foti and E. Fox 2019).

use crate::horizon::{broken, falls_to};
use crate::{Error, Horizon};
use serde::Serialize;

/// What a lag profile says of the decay. Where the profile is zero at every lag, or a number of it is NaN, the figures
/// are NaN (null in JSON) and the horizons undefined.
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
    /// The horizon at 50 %: steps until φ falls to half of φ_0 and stays below.
    pub half: Horizon,
    /// The horizon at 1 %.
    pub percent: Horizon,
    /// ln 100/(−ln β): the horizon at 1 % if the gradient faded at β from the start; `None` where β is not below 1.
    pub extrapolated: Option<f64>,
    /// The longest lag measured.
    pub measured_to: usize,
}

impl Decay {
    /// The horizon at 1 %, or the longest lag where it lies further; 0 where no gradient reaches the states, NaN where a
    /// number of the profile is.
    pub fn horizon(&self) -> f64 {
        match self.no_gradient() {
            true => 0.0,
            false => self.percent.at_least(),
        }
    }
    /// Whether the gradient is exactly zero at every lag.
    pub fn no_gradient(&self) -> bool {
        self.zero_from == Some(0)
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
        .rposition(|ln| *ln > f64::NEG_INFINITY || ln.is_nan())
        .map_or(Some(0), |last| (last < max_lag).then_some(last + 1));
    if zero_from == Some(0) || ln_mean.iter().any(|ln| broken(*ln)) {
        return Ok(undefined(tau, max_lag, zero_from));
    }
    let (slope, level) = line(&points);
    let beta = match (points.len(), zero_from) {
        (0 | 1, Some(_)) => 0.0,
        // One lag has no slope.
        (0 | 1, None) => f64::NAN,
        _ => slope.exp(),
    };
    let largest = match points.first() {
        Some(first) if points.len() > 1 => points[1..]
            .iter()
            .map(|p| (p.1 - first.1) / (p.0 - first.0))
            .fold(f64::NEG_INFINITY, f64::max)
            .exp(),
        _ => beta,
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

/// The decay of a profile that is zero at every lag, or not a number somewhere.
fn undefined(tau: usize, measured_to: usize, zero_from: Option<usize>) -> Decay {
    Decay {
        tau,
        lags: 0,
        beta: f64::NAN,
        largest: f64::NAN,
        residual: f64::NAN,
        ln_ceiling: f64::NAN,
        peak: f64::NAN,
        peak_lag: 0,
        zero_from,
        half: Horizon::Undefined,
        percent: Horizon::Undefined,
        extrapolated: None,
        measured_to,
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_geometric_profile_is_fitted_exactly() {
        let profile: Vec<f64> = (0..200).map(|k| 3.0 + k as f64 * 0.9f64.ln()).collect();
        let d = decay(&profile, 50).unwrap();
        assert!((d.beta - 0.9).abs() < 1e-12 && (d.largest - 0.9).abs() < 1e-12);
        let horizon = 100f64.ln() / -(0.9f64.ln());
        assert!((d.percent.at_least() - horizon).abs() < 1e-9);
        assert!((d.extrapolated.unwrap() - horizon).abs() < 1e-9);
        assert!((d.half.at_least() - 2f64.ln() / -(0.9f64.ln())).abs() < 1e-9);
        assert_eq!((d.peak, d.peak_lag, d.zero_from), (1.0, 0, None));
    }
    #[test]
    fn growth_has_no_horizon() {
        let profile: Vec<f64> = (0..50).map(|k| k as f64 * 0.1).collect();
        let d = decay(&profile, 10).unwrap();
        assert!(d.beta > 1.1 && d.percent == Horizon::Beyond(49) && d.extrapolated.is_none());
        assert_eq!((d.peak_lag, d.horizon()), (49, 49.0));
    }
    #[test]
    fn exact_zero_ends_it() {
        let mut profile = vec![0.0; 4];
        profile.extend([f64::NEG_INFINITY; 10]);
        let d = decay(&profile, 6).unwrap();
        assert_eq!(
            (d.beta, d.zero_from, d.percent),
            (0.0, Some(4), Horizon::At(4.0))
        );
    }
    #[test]
    fn no_gradient_and_no_number_have_no_decay() {
        let nothing = decay(&[f64::NEG_INFINITY; 9], 2).unwrap();
        assert!(nothing.no_gradient() && nothing.beta.is_nan() && nothing.peak.is_nan());
        assert_eq!(
            (nothing.percent, nothing.horizon()),
            (Horizon::Undefined, 0.0)
        );
        for at in 0..9 {
            let mut profile = [0.0; 9];
            profile[at] = f64::NAN;
            let d = decay(&profile, 2).unwrap();
            assert!(
                !d.no_gradient() && d.beta.is_nan() && d.peak.is_nan(),
                "{at}"
            );
            assert!(d.half == Horizon::Undefined && d.horizon().is_nan(), "{at}");
        }
    }
}
