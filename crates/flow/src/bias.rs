//! What truncation does to the gradient — C. Aicher, N. J. Foti and E. B. Fox, "Adaptively truncating backpropagation
//! through time to control gradient bias", UAI 2019.
//!
//! With φ_k ≤ φ_τ β^(k−τ) from τ on and ‖∂L_s/∂W at lag k‖ ≤ M ‖∂L_s/∂s_{s−k}‖, a window that reaches lags 0 … K−1
//! misses at most
//!
//! ```text
//! E(K) = M (Σ_{k=K}^{τ−1} φ_k + φ_τ β^(max(K,τ)−τ)/(1−β))        absolute
//! δ(K) = E(K)/(‖ĝ_K‖ − E(K))                                     relative to the whole gradient
//! ```
//!
//! M is measured: the largest ratio met. φ_τ is taken on the fitted line lifted until no measured lag lies above.
//! The bound is one-sided; the true bias of the followed losses is beside it.

use crate::scaled::ln_sum_exp;
use crate::{Credit, Decay, Error, LagProfile};
use serde::Serialize;

/// Bias against window.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TruncationBias {
    /// M, see above.
    pub weight_factor: f64,
    /// ln E(K) for each loss time, K = 0 … ; +∞ where β ≥ 1.
    pub ln_absolute: Vec<f64>,
    /// δ(K), the bound on the relative bias; +∞ where it bounds nothing, NaN where there is no gradient.
    pub relative: Vec<f64>,
    /// The true relative bias of the followed losses, ‖ĝ_K − g‖/‖g‖.
    pub measured: Vec<f64>,
    tau: usize,
    ln_beta: f64,
    ln_tail: f64,
    ln_kept: f64,
}

/// The bias at each window up to the longest lag. An error where the profile was measured without credit.
pub fn truncation_bias(profile: &LagProfile, decay: &Decay) -> Result<TruncationBias, Error> {
    let Some(credit) = &profile.credit else {
        let text = "the bias of truncation needs the gradient by lag with credit: set `credit` in its options";
        return Err(Error::Option(text.into()));
    };
    let ln_m = profile.weight_factor.ln();
    let ln_beta = decay.beta.ln();
    let ln_tail = match decay.beta {
        b if b >= 1.0 => f64::INFINITY,
        // Exactly zero from some lag on: nothing is missed there.
        0.0 => f64::NEG_INFINITY,
        b => ln_m + decay.ln_ceiling - (1.0 - b).ln(),
    };
    let n = profile.loss_times as f64;
    let share = |k: usize| profile.ln_mean[k] + (profile.reaching[k] as f64 / n).ln();
    let until = match decay.beta {
        0.0 => profile.ln_mean.len(),
        _ => decay.tau,
    };
    let mut bias = TruncationBias {
        weight_factor: profile.weight_factor,
        ln_absolute: Vec::new(),
        relative: Vec::new(),
        measured: credit.missing.clone(),
        tau: decay.tau,
        ln_beta,
        ln_tail,
        ln_kept: kept(credit, profile.ln_mean.len()).ln() - n.ln(),
    };
    for window in 0..profile.ln_mean.len() {
        let near: Vec<f64> = (window..until.max(window))
            .map(share)
            .map(|ln| ln + ln_m)
            .collect();
        let ln = ln_sum_exp(
            near.into_iter()
                .chain([bias.ln_far(window)])
                .collect::<Vec<_>>(),
        );
        let ln_kept = kept(credit, window).ln() - n.ln();
        bias.ln_absolute.push(ln);
        bias.relative.push(relative(ln, ln_kept));
    }
    Ok(bias)
}

/// ‖ĝ_K‖ of all followed losses together.
fn kept(credit: &Credit, window: usize) -> f64 {
    match window.checked_sub(1) {
        Some(last) => credit
            .kept
            .get(last)
            .or(credit.kept.last())
            .copied()
            .unwrap_or(0.0),
        None => 0.0,
    }
}

fn relative(ln_missed: f64, ln_kept: f64) -> f64 {
    let ratio = (ln_missed - ln_kept).exp();
    match ratio {
        r if r < 1.0 => r / (1.0 - r),
        r if r.is_nan() => f64::NAN,
        _ => f64::INFINITY,
    }
}

impl TruncationBias {
    /// The geometric part of ln E(K).
    fn ln_far(&self, window: usize) -> f64 {
        let beyond = window.saturating_sub(self.tau) as f64;
        match self.ln_tail.is_finite() && beyond > 0.0 {
            true => self.ln_tail + beyond * self.ln_beta,
            false => self.ln_tail,
        }
    }
    /// K(δ): the smallest window whose bound on the relative bias is at most `delta`; past the longest lag it follows
    /// the fitted decay. `None` where no window is long enough because β ≥ 1.
    pub fn smallest_window(&self, delta: f64) -> Option<usize> {
        let longest = self.relative.len();
        // The last window that is still too short, so that a chance dip of the curve is not taken for the end.
        let measured = match self.relative.iter().rposition(|r| *r > delta || r.is_nan()) {
            None => return Some(0),
            Some(last) => last + 1,
        };
        if measured < longest {
            return Some(measured);
        }
        if !self.ln_tail.is_finite() || self.ln_beta >= 0.0 || delta <= 0.0 {
            return None;
        }
        let allowed = (delta / (1.0 + delta)).ln() + self.ln_kept;
        let beyond = ((allowed - self.ln_tail) / self.ln_beta).ceil().max(0.0);
        Some((self.tau + beyond as usize).max(longest))
    }
    /// The smallest window whose measured bias is at most `delta`; `None` where the lags were not followed that far.
    pub fn smallest_measured_window(&self, delta: f64) -> Option<usize> {
        match self.measured.iter().rposition(|b| *b > delta || b.is_nan()) {
            None => Some(0),
            Some(last) => (last + 1 < self.measured.len()).then_some(last + 1),
        }
    }
}
