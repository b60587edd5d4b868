//! W_hh itself: its eigenvalues, its norm, how far it is from normal, and how much its powers grow before they fade.
//!
//! The spectral radius says what ‖W^k‖ does in the end, the norm what it can do in one step; where they differ much
//! (P. Henrici, Numerische Mathematik 4 (1962): non-normality), gradients may grow for a while although every
//! eigenvalue is below 1.

use crate::{Complex, Error, dense};
use elman_core::{Network, Params};
use faer::Mat;
use serde::Serialize;

/// One square block of W_hh: the whole of an Elman or leaky cell's, one gate's of an LSTM's or GRU's.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RecurrentMatrix {
    /// The parameter.
    pub name: String,
    /// Which gate; `None` where the cell has one block.
    pub gate: Option<&'static str>,
    /// Every eigenvalue, the largest first.
    pub eigenvalues: Vec<Complex>,
    /// max |λ|.
    pub radius: f64,
    /// ‖W‖₂.
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

/// Measures W_hh of every layer (and direction), gate by gate.
pub fn recurrent_matrices<E: elman_core::Element>(
    network: &Network,
    params: &Params<E>,
) -> Result<Vec<RecurrentMatrix>, Error> {
    let h = network.hidden;
    let gates: &[&'static str] = match network.cell.sizes().from_h.len() {
        4 => &["input", "forget", "cell", "output"],
        3 => &["reset", "update", "new"],
        _ => &[],
    };
    let mut all = Vec::new();
    for sweep in network.sweeps() {
        let name = format!("weight_hh{}", sweep.suffix());
        let w: Vec<f64> = params.get(&name)?.iter().map(|x| x.to_f64()).collect();
        for (gate, block) in w.chunks_exact(h * h).enumerate() {
            let mut measured = recurrent_matrix(block, h)?;
            measured.name = name.clone();
            measured.gate = gates.get(gate).copied();
            all.push(measured);
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
