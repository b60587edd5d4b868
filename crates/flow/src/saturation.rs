//! Saturation: how many units sit where their activation is flat, and pass no gradient.
//!
//! φ′ is read where the cell squashes what it keeps or shows: Elman and leaky cells φ′(z); LSTM 1 − tanh²(c), between
//! c and h; GRU 1 − n², of the candidate.

use crate::Scope;
use serde::Serialize;

/// |h| above this counts as saturated.
pub const SATURATED: f64 = 0.99;
/// A unit whose mean φ′ is below this passes no gradient to speak of.
pub const DEAD_SLOPE: f64 = 1e-3;
/// A gate below this is shut, and above one minus this open.
pub const SHUT: f64 = 0.01;

/// Saturation of one layer over all steps of all rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Saturation {
    /// Which layer.
    pub layer: usize,
    /// Sequences that it was measured on.
    pub sequences: usize,
    /// Steps of all sequences together.
    pub steps: usize,
    /// Share of |h| > 0.99, over units and steps. Of activations without limits (relu, linear) this says nothing, and
    /// is 0.
    pub saturated: f64,
    /// Mean φ′ over units and steps.
    pub mean_slope: f64,
    /// Mean φ′ of each unit.
    pub unit_slopes: Vec<f64>,
    /// Units whose mean φ′ is below 0.001.
    pub dead: Vec<usize>,
    /// Gates, where the cell has them.
    pub gates: Vec<Gate>,
}

impl Saturation {
    /// Share of the units that are dead.
    pub fn dead_share(&self) -> f64 {
        self.dead.len() as f64 / self.unit_slopes.len().max(1) as f64
    }
}

/// How one kind of gate stands, over units and steps.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Gate {
    /// Its name.
    pub name: &'static str,
    /// Mean opening, from 0 to 1.
    pub mean: f64,
    /// Share below 0.01.
    pub shut: f64,
    /// Share above 0.99.
    pub open: f64,
}

/// Saturation of every layer.
pub fn saturation(scope: &Scope) -> Vec<Saturation> {
    let network = scope.network();
    let about = network.cell.about();
    let (h, layers, bounded) = (network.hidden, network.layers, about.bounded);
    let gates = about.gates.iter();
    let names: Vec<_> = gates.filter_map(|g| Some((g.name, g.opening?))).collect();
    let mut slopes = vec![vec![0.0; h]; layers];
    let mut saturated = vec![0.0; layers];
    let mut sums = vec![vec![(0.0, 0.0, 0.0); names.len()]; layers];
    slopes_of(scope, |layer, t, row, slope| {
        slopes[layer]
            .iter_mut()
            .zip(slope)
            .for_each(|(sum, s)| *sum += s);
        let swept = &scope.trace.sweeps()[layer];
        let after = &swept.state(t + 1, row)[..h];
        saturated[layer] += after
            .iter()
            .map(|&x| one_if(bounded && x.abs() > SATURATED, x))
            .sum::<f64>();
        if names.is_empty() {
            return;
        }
        let saved = swept.saved(t, row);
        for (sum, (_, slot)) in sums[layer].iter_mut().zip(&names) {
            for &gate in &saved[slot * h..(slot + 1) * h] {
                sum.0 += gate;
                sum.1 += one_if(gate < SHUT, gate);
                sum.2 += one_if(gate > 1.0 - SHUT, gate);
            }
        }
    });
    let steps = scope.batch.total();
    let n = (steps * h).max(1) as f64;
    let layers = slopes.into_iter().zip(saturated).zip(sums).enumerate();
    let measured = layers.map(|(layer, ((slopes, saturated), sums))| {
        let unit_slopes: Vec<f64> = slopes.iter().map(|s| s / steps.max(1) as f64).collect();
        Saturation {
            layer,
            sequences: scope.batch.rows(),
            steps,
            saturated: saturated / n,
            mean_slope: unit_slopes.iter().sum::<f64>() / h.max(1) as f64,
            dead: (0..h).filter(|&i| unit_slopes[i] < DEAD_SLOPE).collect(),
            unit_slopes,
            gates: names
                .iter()
                .zip(sums)
                .map(|(&(name, _), (sum, shut, open))| Gate {
                    name,
                    mean: sum / n,
                    shut: shut / n,
                    open: open / n,
                })
                .collect(),
        }
    });
    measured.collect()
}

/// 1 where something holds of x, else 0; NaN where x is no number, so that a share of such values is none.
fn one_if(holds: bool, x: f64) -> f64 {
    match x.is_nan() {
        true => f64::NAN,
        false => f64::from(u8::from(holds)),
    }
}

/// Calls `each` with layer, step, row and φ′ of every unit there `[H]`.
pub(crate) fn slopes_of(scope: &Scope, mut each: impl FnMut(usize, usize, usize, &[f64])) {
    for (layer, swept) in scope.trace.sweeps().iter().enumerate() {
        for row in 0..scope.batch.rows() {
            for t in 0..scope.batch.length(row) {
                each(layer, t, row, &swept.slopes(t, row));
            }
        }
    }
}
