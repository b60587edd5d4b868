//! The lesson's bound on the product of Jacobians (section 5): ‖∂h_t/∂h_k‖ ≤ (‖W_hh‖ · max φ′)^(t−k).
//!
//! It holds from above only. For the cells whose step is linear in φ′,
//!
//! ```text
//! Elman     J_t = diag(φ′) W_hh                      ‖J_t‖ ≤ ‖W_hh‖ max φ′
//! leaky     J_t = diag(1−a) + diag(φ′) diag(a) W_hh  ‖J_t‖ ≤ max (1−a) + ‖diag(a) W_hh‖ max φ′
//! zoneout   z I + (1−z) J_t of the above, in expectation
//! ```
//!
//! There is none for gated cells, several layers and layer normalisation: their Jacobians have other factors.

use crate::recurrent::StepMap;
use crate::saturation::slopes_of;
use crate::{Error, LagProfile, Scope, dense};
use serde::Serialize;

/// The bound on the product of Jacobians: `per_step = kept + passed · norm · largest_slope`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Bound {
    /// ‖W_hh‖₂; of leaky cells ‖diag(a) W_hh‖₂.
    pub norm: f64,
    /// What a step keeps of the state without W_hh: 0, or by the leak and zoneout's rate z.
    pub kept: f64,
    /// The factor before the norm: 1 − z.
    pub passed: f64,
    /// The largest φ′ met on these sequences.
    pub largest_slope: f64,
    /// The k-th power bounds ‖∂h_t/∂h_{t−k}‖ on these sequences, from above only.
    pub per_step: f64,
    /// The same for any sequence: with φ′ = 1.
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
    /// ln of the bound on φ_k at every lag k of a profile.
    pub fn ln_profile(&self, lag: &LagProfile) -> Vec<f64> {
        let first = lag.ln_start.iter().enumerate();
        first.map(|(k, &first)| self.ln_at(k, first)).collect()
    }
}

/// The bound for a network of one layer; `None` where no bound of this form is known (see above).
pub fn lesson_bound(scope: &Scope) -> Result<Option<Bound>, Error> {
    let network = scope.network();
    if network.layers > 1 || network.layer_norm {
        return Ok(None);
    }
    let Some(map) = StepMap::of(network, scope.params(), "_l0")? else {
        return Ok(None);
    };
    let h = network.hidden;
    let norm = dense::norm(dense::rows(&map.passing, h, h))?;
    let mut largest_slope = 0.0f64;
    slopes_of(scope, |_, _, _, slopes| {
        largest_slope = slopes.iter().fold(largest_slope, |m, s| m.max(*s));
    });
    let z = network.zoneout;
    let kept = z + (1.0 - z) * map.kept.iter().copied().fold(0.0, f64::max);
    let per_step = |slope: f64| kept + (1.0 - z) * norm * slope;
    Ok(Some(Bound {
        norm,
        kept,
        passed: 1.0 - z,
        largest_slope,
        per_step: per_step(largest_slope),
        any_sequence: per_step(1.0),
    }))
}
