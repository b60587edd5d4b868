//! What each time step adds to ∂L/∂W_hh: ‖δz_t h_{t−1}ᵀ‖ for each layer (lesson, section 4, step 3).

use crate::{Error, Scope, dense};
use elman_core::{Cotangent, Deltas, Trace, Weights, backward, step_contributions};
use serde::Serialize;

/// One layer's part.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Contribution {
    /// The parameter.
    pub name: String,
    /// ‖Σ_rows δz_t h_{t−1}ᵀ‖ for each step t, from the first; the matrices add up to the gradient.
    pub norms: Vec<f64>,
}

/// The contributions of each step, layer by layer.
pub fn contributions(scope: &Scope) -> Result<Vec<Contribution>, Error> {
    let (weights, batch, trace): (&Weights<f64>, _, &Trace<f64>) =
        (&scope.weights, scope.batch(), scope.trace());
    let mut deltas = Deltas::new();
    let cotangent = Cotangent {
        outputs: &scope.d_outputs,
        state: None,
    };
    backward(weights, trace, cotangent, &mut deltas, None, &scope.team)?;
    let layers = scope.network().sweeps().map(|sweep| {
        let mut norms = Vec::with_capacity(batch.steps());
        step_contributions(weights, trace, &deltas, sweep, |_, matrix| {
            norms.push(dense::length(matrix));
        })?;
        Ok(Contribution {
            name: format!("weight_hh{}", sweep.suffix()),
            norms,
        })
    });
    layers.collect()
}
