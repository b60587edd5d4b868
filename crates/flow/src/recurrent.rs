//! W_hh itself: its eigenvalues, its norm, how far it is from normal, and how much its powers grow before they fade.
//!
//! Where a step keeps a share of the state beside what W_hh makes of it, what is measured is the whole linear map of a step,
//! with φ′ = 1: diag(1−a) + diag(a) W_hh of a leaky cell, z I + (1−z) W_hh with zoneout's rate z, diag(w) where W_hh is a vector w.
//!
//! The spectral radius says what ‖W^k‖ does in the end, the norm what it can do in one step; where they differ much
//! (P. Henrici, Numerische Mathematik 4 (1962): non-normality), gradients may grow for a while although every
//! eigenvalue is below 1.

use crate::{Complex, Error, dense};
use elman_core::{Network, Params, Recurrence};
use faer::Mat;
use serde::Serialize;

/// The linear map of a step, or one gate's square block of W_hh where the cell has gates.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RecurrentMatrix {
    /// The parameter.
    pub name: String,
    /// What was measured: `W_hh`, or the linear map of a step as a formula.
    pub map: &'static str,
    /// The mean share of the state that a step keeps without W_hh; 0 where W_hh is the whole map.
    pub kept: f64,
    /// Which gate; `None` where the cell has one block.
    pub gate: Option<&'static str>,
    /// Every eigenvalue, the largest first.
    pub eigenvalues: Vec<Complex>,
    /// max |λ|.
    pub radius: f64,
    /// ‖W‖₂, of the same map.
    pub norm: f64,
    /// √(‖W‖_F² − Σ|λ|²)/‖W‖_F: 0 for a normal matrix, 1 for a nilpotent one.
    pub non_normality: f64,
    /// ‖W^k‖₂ for k = 0, 1, ….
    pub powers: Vec<f64>,
    /// max_k ‖W^k‖₂ over those.
    pub peak: f64,
    /// The k of the peak.
    pub peak_at: usize,
    /// max_k ‖W^k‖₂/max(1, radius)^k: growth that the eigenvalues do not explain. 1 for a normal matrix with radius
    /// at most 1.
    pub transient: f64,
}

/// Longest power that is looked at.
const POWERS: usize = 256;

/// The linear map of a step of a cell without gates: diag(kept) + passing, the second times φ′.
pub(crate) struct StepMap {
    /// 1 − a of each unit; 0 where the cell has no leak.
    pub kept: Vec<f64>,
    /// diag(a) W_hh, row by row.
    pub passing: Vec<f64>,
    leaky: bool,
}

impl StepMap {
    /// Of the layer (and direction) with this suffix, without zoneout; `None` where the cell has gates.
    pub fn of<E: elman_core::Element>(
        network: &Network,
        params: &Params<E>,
        suffix: &str,
    ) -> Result<Option<StepMap>, Error> {
        let (recurrence, h) = (network.cell.about().recurrence, network.hidden);
        if recurrence == Recurrence::Gated {
            return Ok(None);
        }
        let w = params.get(&format!("weight_hh{suffix}"))?.iter();
        let mut passing: Vec<f64> = w.map(|x| x.to_f64()).collect();
        if recurrence == Recurrence::Diagonal {
            let vector = std::mem::replace(&mut passing, vec![0.0; h * h]);
            vector
                .iter()
                .enumerate()
                .for_each(|(i, &w)| passing[i * h + i] = w);
        }
        let leak = params.get(&format!("leak{suffix}")).ok();
        let a = |unit: usize| match leak {
            // One for each unit, or one for all.
            Some(leak) => {
                let own = leak.get(unit).or(leak.first());
                1.0 / (1.0 + (-own.map_or(f64::NAN, |a| a.to_f64())).exp())
            }
            None => 1.0,
        };
        for (unit, row) in passing.chunks_exact_mut(h).enumerate() {
            row.iter_mut().for_each(|w| *w *= a(unit));
        }
        Ok(Some(StepMap {
            kept: (0..h).map(|unit| 1.0 - a(unit)).collect(),
            passing,
            leaky: leak.is_some(),
        }))
    }
    /// The whole map with zoneout's rate `z`, its formula, and the mean share kept.
    fn whole(self, z: f64) -> (Vec<f64>, &'static str, f64) {
        let h = self.kept.len();
        let kept: Vec<f64> = self.kept.iter().map(|k| z + (1.0 - z) * k).collect();
        let mut map: Vec<f64> = self.passing.iter().map(|w| (1.0 - z) * w).collect();
        (0..h).for_each(|i| map[i * h + i] += kept[i]);
        let formula = match (self.leaky, z > 0.0) {
            (false, false) => W_HH,
            (true, false) => "(1-a)I + aW_hh",
            (false, true) => "zI + (1-z)W_hh",
            (true, true) => "zI + (1-z)((1-a)I + aW_hh)",
        };
        (map, formula, kept.iter().sum::<f64>() / h.max(1) as f64)
    }
}

const W_HH: &str = "W_hh";

/// Measures the linear map of a step of every layer (and direction), or W_hh gate by gate.
pub fn recurrent_matrices<E: elman_core::Element>(
    network: &Network,
    params: &Params<E>,
) -> Result<Vec<RecurrentMatrix>, Error> {
    let h = network.hidden;
    let gates = network.cell.about().gates;
    let mut all = Vec::new();
    for sweep in network.sweeps() {
        let suffix = sweep.suffix();
        let name = format!("weight_hh{suffix}");
        let (w, map, kept) = match StepMap::of(network, params, &suffix)? {
            Some(map) => map.whole(network.zoneout),
            None => {
                let w = params.get(&name)?.iter().map(|x| x.to_f64()).collect();
                (w, W_HH, 0.0)
            }
        };
        for (gate, block) in w.chunks_exact(h * h).enumerate() {
            all.push(RecurrentMatrix {
                name: name.clone(),
                map,
                kept,
                gate: gates.get(gate).map(|g| g.name),
                ..recurrent_matrix(block, h)?
            });
        }
    }
    Ok(all)
}

/// Measures one square matrix, given row by row.
pub fn recurrent_matrix(w: &[f64], n: usize) -> Result<RecurrentMatrix, Error> {
    if n == 0 || w.len() != n * n {
        return Err(Error::Size {
            what: "the matrix",
            has: w.len(),
            needs: n * n,
        });
    }
    let a = dense::rows(w, n, n);
    let eigenvalues = dense::eigenvalues(a)?;
    let radius = eigenvalues.first().map_or(0.0, |l| l.abs());
    let frobenius = dense::length(w);
    let beyond = frobenius * frobenius - eigenvalues.iter().map(|l| l.abs() * l.abs()).sum::<f64>();
    let powers = powers(a, radius, n)?;
    let peak_at =
        (0..powers.len()).fold(0, |best, k| if powers[k] > powers[best] { k } else { best });
    let grown = powers
        .iter()
        .enumerate()
        .map(|(k, p)| p / radius.max(1.0).powi(k as i32));
    Ok(RecurrentMatrix {
        name: String::new(),
        map: W_HH,
        kept: 0.0,
        gate: None,
        radius,
        norm: powers.get(1).copied().unwrap_or(0.0),
        non_normality: match frobenius > 0.0 {
            true => beyond.max(0.0).sqrt() / frobenius,
            false => 0.0,
        },
        peak: powers[peak_at],
        peak_at,
        transient: grown.fold(0.0, f64::max),
        powers,
        eigenvalues,
    })
}

/// ‖W^k‖₂ until it is clear that the peak is past: below a hundredth of it and after n steps, or [`POWERS`].
fn powers(a: faer::MatRef<'_, f64>, radius: f64, n: usize) -> Result<Vec<f64>, Error> {
    let mut power: Mat<f64> = Mat::identity(n, n);
    let (mut norms, mut peak) = (vec![1.0], 1.0f64);
    for k in 1..=POWERS.min(2 * n.max(32)) {
        power = a * &power;
        if !dense::finite(power.as_ref()) {
            break;
        }
        let norm = dense::norm(power.as_ref())?;
        norms.push(norm);
        peak = peak.max(norm);
        let settled = norm < 0.01 * peak && radius < 1.0;
        if norm == 0.0 || (settled && k >= n.min(32)) {
            break;
        }
    }
    Ok(norms)
}
