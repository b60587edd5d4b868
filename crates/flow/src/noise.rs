//! The size of the gradient from step to step of training, how often it was clipped, and how much of it is signal.

use crate::scaled::quantile;
use crate::{Error, Scope, dense};
use elman_core::{Cotangent, Deltas, State, Trace, backward, forward};
use serde::Serialize;

/// Gradient norms of several training steps, before clipping.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Clipping {
    /// Steps counted.
    pub steps: usize,
    /// Median norm.
    pub median: f64,
    /// 99th percentile (nearest rank).
    pub p99: f64,
    /// The largest.
    pub largest: f64,
    /// Share of the steps whose norm was above the limit; 0 where there is no limit.
    pub clipped: f64,
    /// Share of the steps whose norm was not finite.
    pub not_finite: f64,
}

/// Sums up the norms of a run, for a clip limit or none. An error where there is no norm.
pub fn clipping(norms: &[f64], limit: Option<f64>) -> Result<Clipping, Error> {
    if norms.is_empty() {
        return Err(Error::Nothing(
            "there is no training step whose gradient norm is known".into(),
        ));
    }
    let mut sorted = norms.to_vec();
    sorted.sort_by(f64::total_cmp);
    let share = |count: usize| count as f64 / norms.len() as f64;
    let over = |limit: f64| norms.iter().filter(|n| **n > limit || n.is_nan()).count();
    Ok(Clipping {
        steps: norms.len(),
        median: quantile(&sorted, 0.5),
        p99: quantile(&sorted, 0.99),
        largest: sorted.last().copied().unwrap_or(f64::NAN),
        clipped: share(limit.filter(|l| *l > 0.0).map_or(0, over)),
        not_finite: share(norms.iter().filter(|n| !n.is_finite()).count()),
    })
}

/// How much the sequences of a minibatch agree on the gradient.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GradientNoise {
    /// Sequences compared.
    pub sequences: usize,
    /// ‖∂L_r/∂θ‖ of each sequence r alone, all parameters.
    pub norms: Vec<f64>,
    /// ‖ḡ‖, ḡ their mean.
    pub mean_norm: f64,
    /// √(tr Cov): how far one sequence's gradient lies from the mean.
    pub spread: f64,
    /// ‖ḡ‖/√(tr Cov): signal to noise of one sequence; times √B that of a minibatch of B. `None` for one sequence.
    pub signal_to_noise: Option<f64>,
}

/// Compares the gradients of up to `rows` sequences.
pub fn gradient_noise(scope: &Scope, rows: usize) -> Result<GradientNoise, Error> {
    let all: Vec<usize> = (0..scope.batch().rows()).collect();
    let rows = crate::scope::spread(&all, rows);
    let mut gradients = Vec::with_capacity(rows.len());
    for &row in &rows {
        gradients.push(of_row(scope, row)?);
    }
    let n = gradients.len() as f64;
    let mut mean = vec![0.0; scope.params().data().len()];
    for g in &gradients {
        mean.iter_mut().zip(g).for_each(|(m, g)| *m += g / n);
    }
    let squares = |g: &Vec<f64>| {
        g.iter()
            .zip(&mean)
            .map(|(g, m)| (g - m) * (g - m))
            .sum::<f64>()
    };
    let spread = (gradients.iter().map(squares).sum::<f64>() / (n - 1.0).max(1.0)).sqrt();
    let mean_norm = dense::length(&mean);
    Ok(GradientNoise {
        sequences: rows.len(),
        norms: gradients.iter().map(|g| dense::length(g)).collect(),
        mean_norm,
        spread,
        signal_to_noise: (rows.len() > 1 && spread > 0.0).then(|| mean_norm / spread),
    })
}

/// The gradient of one row's losses.
fn of_row(scope: &Scope, row: usize) -> Result<Vec<f64>, Error> {
    let batch = scope.batch().select(&[row], usize::MAX)?;
    let state: State<f64> = scope.state.select(&[row]);
    let d_outputs: Vec<f64> = (0..batch.steps())
        .flat_map(|t| scope.d_output(t, row).unwrap_or_default())
        .copied()
        .collect();
    let (mut trace, mut deltas, mut gradient) =
        (Trace::new(), Deltas::new(), scope.params().zeros_like());
    forward(&scope.weights, &batch, &state, &mut trace, &scope.team)?;
    let cotangent = Cotangent {
        outputs: &d_outputs,
        state: None,
    };
    let into = Some(&mut gradient);
    backward(
        &scope.weights,
        &trace,
        cotangent,
        &mut deltas,
        into,
        &scope.team,
    )?;
    Ok(gradient.data().to_vec())
}
