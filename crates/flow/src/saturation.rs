//! Saturation: how many units sit where their activation is flat, and pass no gradient.
//!
//! φ′ is read where the cell squashes what it keeps or shows: Elman and leaky cells φ′(z); LSTM 1 − tanh²(c), between
//! c and h; GRU 1 − n², of the candidate.

use crate::Scope;
use elman_core::CellKind;
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
    let (h, layers, bounded) = (network.hidden, network.layers, bounded(network.cell));
    let names = gates(network.cell);
    let mut slopes = vec![vec![0.0; h]; layers];
    let mut saturated = vec![0usize; layers];
    let mut sums = vec![vec![(0.0, 0usize, 0usize); names.len()]; layers];
    slopes_of(scope, |layer, t, row, slope| {
        slopes[layer]
            .iter_mut()
            .zip(slope)
            .for_each(|(sum, s)| *sum += s);
        let swept = &scope.trace.sweeps()[layer];
        let after = &swept.state(&scope.batch, t + 1, row)[..h];
        saturated[layer] += after
            .iter()
            .filter(|x| bounded && x.abs() > SATURATED)
            .count();
        if names.is_empty() {
            return;
        }
        let saved = swept.saved(&scope.batch, t, row);
        for (sum, (_, slot)) in sums[layer].iter_mut().zip(names) {
            for &gate in &saved[slot * h..(slot + 1) * h] {
                sum.0 += gate;
                sum.1 += usize::from(gate < SHUT);
                sum.2 += usize::from(gate > 1.0 - SHUT);
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
            saturated: saturated as f64 / n,
            mean_slope: unit_slopes.iter().sum::<f64>() / h.max(1) as f64,
            dead: (0..h).filter(|&i| unit_slopes[i] < DEAD_SLOPE).collect(),
            unit_slopes,
            gates: names
                .iter()
                .zip(sums)
                .map(|(&(name, _), (sum, shut, open))| Gate {
                    name,
                    mean: sum / n,
                    shut: shut as f64 / n,
                    open: open as f64 / n,
                })
                .collect(),
        }
    });
    measured.collect()
}

/// Whether |h| has a limit of 1.
fn bounded(cell: CellKind) -> bool {
    matches!(
        cell,
        CellKind::Elman | CellKind::Leaky | CellKind::Lstm | CellKind::Gru | CellKind::GruBefore
    )
}

/// Names of a cell's gates, and where they stand among what it saves.
fn gates(cell: CellKind) -> &'static [(&'static str, usize)] {
    match cell {
        CellKind::Lstm => &[("input", 0), ("forget", 1), ("output", 3)],
        CellKind::Gru | CellKind::GruBefore => &[("reset", 0), ("update", 1)],
        _ => &[],
    }
}

/// Calls `each` with layer, step, row and φ′ of every unit there `[H]`.
pub(crate) fn slopes_of(scope: &Scope, mut each: impl FnMut(usize, usize, usize, &[f64])) {
    let (cell, h) = (scope.network().cell, scope.network().hidden);
    let mut slopes = vec![0.0; h];
    for (layer, swept) in scope.trace.sweeps().iter().enumerate() {
        for row in 0..scope.batch.rows() {
            for t in 0..scope.batch.length(row) {
                let after = swept.made(&scope.batch, t, row);
                let saved = swept.saved(&scope.batch, t, row);
                for (i, s) in slopes.iter_mut().enumerate() {
                    *s = slope(cell, i, h, after, saved);
                }
                each(layer, t, row, &slopes);
            }
        }
    }
}

fn slope(cell: CellKind, i: usize, h: usize, after: &[f64], saved: &[f64]) -> f64 {
    let flat = |phi: f64| 1.0 - phi * phi;
    let step = |phi: f64| f64::from(u8::from(phi > 0.0));
    match cell {
        CellKind::Elman => flat(after[i]),
        CellKind::ElmanRelu => step(after[i]),
        CellKind::ElmanLinear => 1.0,
        CellKind::Leaky => flat(saved[i]),
        CellKind::LeakyRelu => step(saved[i]),
        CellKind::Lstm => flat(after[h + i].tanh()),
        CellKind::Gru | CellKind::GruBefore => flat(saved[2 * h + i]),
    }
}
