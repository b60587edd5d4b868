//! The gradient of the whole loss as it arrives at each step, g_t = ∂L/∂s_t, in the lesson's recursion
//! δ_t = ∂L_t/∂h_t + (∂h_{t+1}/∂h_t)ᵀ δ_{t+1}, kept in logarithms.
//!
//! And Ω of R. Pascanu, T. Mikolov and Y. Bengio, "On the difficulty of training recurrent neural networks" (2013):
//! (‖g_{t+1} J_{t+1}‖/‖g_{t+1}‖ − 1)², 0 where a step keeps the length of the gradient that passes it.

use crate::scaled::{Quantiles, rescale};
use crate::{Error, Scope, dense};
use elman_core::Pullback;
use serde::Serialize;

/// The gradient at every step of every row.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Arrival {
    /// For each row, ln ‖g_t‖ at each of its steps.
    pub ln_norm: Vec<Vec<f64>>,
    /// For each row, ln ‖g_t J_t‖: what step t hands on to the step before it, without the loss there.
    pub ln_passed: Vec<Vec<f64>>,
}

/// Follows the whole gradient back through all rows at once.
pub fn arrival(scope: &Scope) -> Result<Arrival, Error> {
    let (batch, width) = (scope.batch(), scope.width());
    let (rows, steps) = (batch.rows(), batch.steps());
    let mut g = vec![0.0; rows * width];
    let mut ln_scale = vec![0.0; rows];
    let empty = |r: usize| vec![f64::NEG_INFINITY; batch.length(r)];
    let mut arrival = Arrival {
        ln_norm: (0..rows).map(empty).collect(),
        ln_passed: (0..rows).map(empty).collect(),
    };
    let (mut work, mut moving) = (Pullback::new(), Vec::new());
    for t in (0..steps).rev() {
        let alive: Vec<usize> = (0..rows).filter(|&r| t < batch.length(r)).collect();
        moving.clear();
        for &row in &alive {
            let g = &mut g[row * width..][..width];
            add_loss(scope, t, row, g, &mut ln_scale[row]);
            arrival.ln_norm[row][t] = rescale(g, &mut ln_scale[row]);
            moving.extend_from_slice(g);
        }
        let places: Vec<_> = alive.iter().map(|&r| (t, r)).collect();
        scope.pull(&places, &mut moving, &mut work)?;
        for (&row, passed) in alive.iter().zip(moving.chunks_exact(width)) {
            arrival.ln_passed[row][t] = dense::length(passed).ln() + ln_scale[row];
            g[row * width..][..width].copy_from_slice(passed);
        }
    }
    Ok(arrival)
}

/// g += ∂L_t/∂s_t, where g is true up to exp(ln_scale).
fn add_loss(scope: &Scope, t: usize, row: usize, g: &mut [f64], ln_scale: &mut f64) {
    if scope
        .d_output(t, row)
        .is_none_or(|d| d.iter().all(|x| *x == 0.0))
    {
        return;
    }
    // The larger of the two sets the scale, so that neither overflows.
    if *ln_scale < 0.0 {
        let shrink = ln_scale.exp();
        g.iter_mut().for_each(|x| *x *= shrink);
        *ln_scale = 0.0;
    }
    scope.add_direct(t, row, (-*ln_scale).exp(), g);
}

/// Ω at every step but the last of each row.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Omega {
    /// Sequences that it was measured on.
    pub sequences: usize,
    /// Steps of all sequences together at which a gradient arrived.
    pub steps: usize,
    /// Mean over those steps.
    pub mean: f64,
    /// Spread over those steps.
    pub quantiles: Quantiles,
    /// Mean over sequences, for each step, 0 … T − 1; NaN where no gradient arrived.
    pub by_step: Vec<f64>,
}

/// Ω of every step, from the arriving gradients.
pub fn omega(arrival: &Arrival) -> Omega {
    let steps = arrival.ln_norm.iter().map(Vec::len).max().unwrap_or(0);
    let mut by_step = vec![(0.0, 0.0); steps];
    let mut all = Vec::new();
    let mut sequences = 0;
    for (norms, passed) in arrival.ln_norm.iter().zip(&arrival.ln_passed) {
        let before = all.len();
        for (t, (norm, passed)) in norms.iter().zip(passed).enumerate() {
            if norm.is_finite() {
                let value = ((passed - norm).exp() - 1.0).powi(2);
                all.push(value);
                by_step[t].0 += value;
                by_step[t].1 += 1.0;
            }
        }
        sequences += usize::from(all.len() > before);
    }
    Omega {
        sequences,
        steps: all.len(),
        mean: all.iter().sum::<f64>() / all.len() as f64,
        quantiles: Quantiles::of(&all),
        by_step: by_step.iter().map(|(sum, n)| sum / n).collect(),
    }
}
