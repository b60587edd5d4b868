//! Credit by lag: how much of ∂L/∂W_hh comes over each lag.
//!
//! C_k = Σ_s δz_{s−k} h_{s−k−1}ᵀ, with δz_{s−k} the gradient of the loss L_s alone. Σ_k C_k = ∂L/∂W_hh (the lesson's
//! step 3 sorted by lag instead of by step). W_hh of all layers are taken together, as one long vector.

use crate::dense::{dot, length};
use crate::{Error, Scope};
use elman_core::{Pullback, Recurrence};
use faer::linalg::matmul::matmul;
use faer::{Accum, MatMut, MatRef, Par};
use serde::Serialize;

/// How ∂L/∂W_hh of the followed losses divides among lags. Shares of a gradient G that is zero, or not a number, are NaN
/// (null in JSON).
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Credit {
    /// ⟨C_k, G⟩/‖G‖²: shares that add up, with [`beyond`](Credit::beyond), to 1; negative where a lag pulls back.
    pub share: Vec<f64>,
    /// ‖C_k‖.
    pub norm: Vec<f64>,
    /// The cosine of C_k with G; 0 where one of them is zero.
    pub cosine: Vec<f64>,
    /// ‖G − Σ_{j<k} C_j‖/‖G‖: the true relative bias of a window that reaches lags 0 to k − 1.
    pub missing: Vec<f64>,
    /// The share of all lags past the last.
    pub beyond: f64,
    /// ‖G − Σ_j C_j‖/‖G‖ over all lags followed: rounding, where they reach back to the first step.
    pub left: f64,
    /// ‖Σ_{j≤k} C_j‖.
    pub kept: Vec<f64>,
    /// ‖G‖, G = ∂L/∂W_hh of the followed losses.
    pub whole: f64,
    /// The cosine of G with ∂L/∂W_hh of all losses: how well the followed ones stand for all.
    pub coverage: f64,
}

/// The sums while lags are followed.
pub(crate) struct Crediting {
    whole: Vec<f64>,
    kept: Vec<f64>,
    lag: Vec<f64>,
    drive: Vec<f64>,
    /// What the row blocks of W_hh read, one run of equal blocks after another.
    reads: [Vec<f64>; 2],
    credit: Credit,
}

impl Crediting {
    pub fn new(scope: &Scope, pairs: &[(usize, usize)]) -> Result<Crediting, Error> {
        let mut followed = vec![0.0; scope.d_outputs.len()];
        let width = scope.trace.output_width();
        for &(t, row) in pairs {
            if let (Some(at), Some(d)) = (scope.batch.at(t, row), scope.d_output(t, row)) {
                followed[at * width..][..width].copy_from_slice(d);
            }
        }
        let whole = recurrent(scope, &followed)?;
        let all = recurrent(scope, &scope.d_outputs)?;
        let n = whole.len();
        Ok(Crediting {
            kept: vec![0.0; n],
            lag: vec![0.0; n],
            drive: Vec::new(),
            reads: [Vec::new(), Vec::new()],
            credit: Credit {
                share: Vec::new(),
                norm: Vec::new(),
                cosine: Vec::new(),
                missing: Vec::new(),
                beyond: 1.0,
                left: 1.0,
                kept: Vec::new(),
                whole: length(&whole),
                coverage: cosine(&whole, &all),
            },
            whole,
        })
    }

    /// Adds C_k, from the δz that the pull through `places` left; they are true up to exp(ln_scales). Returns the
    /// largest ‖δz h ᵀ‖/‖u‖, u the cotangents whose logarithmic norms are given.
    pub fn add(
        &mut self,
        scope: &Scope,
        places: &[(usize, usize)],
        ln_scales: &[f64],
        ln_norms: &[f64],
        work: &Pullback<f64>,
    ) -> f64 {
        let (sizes, h) = (scope.network().cell.sizes(), scope.network().hidden);
        let (n, lanes, gates) = (places.len(), sizes.drive * h, sizes.from_h.len());
        let plain = gates - sizes.gated.map_or(0, |g| g.blocks);
        let runs = match plain < gates {
            true => vec![(0, plain), (plain, gates)],
            false => vec![(0, gates)],
        };
        let mut parts = vec![0.0f64; n];
        if scope.network().cell.about().recurrence == Recurrence::Diagonal {
            self.add_diagonal(scope, places, ln_scales, work, &mut parts);
        }
        let matrices = scope.trace.sweeps().iter().enumerate();
        for (layer, swept) in matrices.filter(|_| gates > 0) {
            self.drive.clear();
            self.reads.iter_mut().for_each(Vec::clear);
            let d_z = work.drive(layer).chunks_exact(lanes);
            for (i, (d_z, &(t, row))) in d_z.zip(places).enumerate() {
                let scale = ln_scales[i].exp();
                let start = self.drive.len();
                for &lane in sizes.from_h {
                    let from = &d_z[lane * h..(lane + 1) * h];
                    self.drive.extend(from.iter().map(|d| d * scale));
                }
                for (&(from, to), all) in runs.iter().zip(&mut self.reads) {
                    let read = swept.read(t, row, from);
                    all.extend_from_slice(read);
                    let d_z = &self.drive[start..][from * h..to * h];
                    let unscaled = length(d_z) * (-ln_scales[i]).exp();
                    let part = match scale > 0.0 && unscaled.is_finite() {
                        true => unscaled * length(read),
                        false => 0.0,
                    };
                    parts[i] = parts[i].hypot(part);
                }
            }
            let of_layer = &mut self.lag[layer * gates * h * h..][..gates * h * h];
            let d_z = MatRef::from_row_major_slice(&self.drive, n, gates * h);
            for (&(from, to), reads) in runs.iter().zip(&self.reads) {
                let d_z = d_z.subcols(from * h, (to - from) * h).transpose();
                let reads = MatRef::from_row_major_slice(reads, n, h);
                let to_rows = &mut of_layer[from * h * h..to * h * h];
                let out = MatMut::from_row_major_slice_mut(to_rows, (to - from) * h, h);
                matmul(out, Accum::Replace, d_z, reads, 1.0, Par::Seq);
            }
        }
        self.note();
        let ratios = parts.iter().zip(ln_norms).zip(ln_scales);
        ratios
            .filter(|((_, norm), _)| norm.is_finite())
            .map(|((part, norm), scale)| part * (scale - norm).exp())
            .fold(0.0, f64::max)
    }

    /// C_k where W_hh is a vector: Σ δz ⊙ h.
    fn add_diagonal(
        &mut self,
        scope: &Scope,
        places: &[(usize, usize)],
        ln_scales: &[f64],
        work: &Pullback<f64>,
        parts: &mut [f64],
    ) {
        let h = scope.network().hidden;
        self.lag.fill(0.0);
        for (layer, swept) in scope.trace.sweeps().iter().enumerate() {
            let d_z = work.drive(layer).chunks_exact(h);
            let of_layer = &mut self.lag[layer * h..][..h];
            for (i, (d_z, &(t, row))) in d_z.zip(places).enumerate() {
                let read = swept.read(t, row, 0);
                let products: Vec<f64> = d_z.iter().zip(read).map(|(d, h)| d * h).collect();
                let scale = ln_scales[i].exp();
                let to = of_layer.iter_mut().zip(&products);
                to.for_each(|(lag, p)| *lag += scale * p);
                parts[i] = parts[i].hypot(length(&products));
            }
        }
    }

    /// Enters the lag just computed.
    fn note(&mut self) {
        let credit = &mut self.credit;
        let (inner, norm) = (dot(&self.lag, &self.whole), length(&self.lag));
        let missing: f64 = self
            .whole
            .iter()
            .zip(&self.kept)
            .map(|(w, k)| (w - k) * (w - k))
            .sum();
        credit.missing.push(ratio(missing.sqrt(), credit.whole));
        let share = ratio(ratio(inner, credit.whole), credit.whole);
        credit.share.push(share);
        credit.norm.push(norm);
        credit.cosine.push(match norm == 0.0 {
            true => 0.0,
            false => ratio(inner / norm, credit.whole),
        });
        self.kept
            .iter_mut()
            .zip(&self.lag)
            .for_each(|(k, l)| *k += l);
        credit.kept.push(length(&self.kept));
    }

    pub fn finish(mut self) -> Credit {
        let rest: Vec<f64> = self
            .whole
            .iter()
            .zip(&self.kept)
            .map(|(w, k)| w - k)
            .collect();
        let whole = self.credit.whole;
        self.credit.left = ratio(length(&rest), whole);
        self.credit.beyond = ratio(ratio(dot(&rest, &self.whole), whole), whole);
        self.credit
    }
}

/// ∂L/∂W_hh of all layers, one after another.
pub(crate) fn recurrent(scope: &Scope, d_outputs: &[f64]) -> Result<Vec<f64>, Error> {
    let gradient = scope.gradient_of(d_outputs)?;
    let mut all = Vec::new();
    for sweep in scope.network().sweeps() {
        all.extend_from_slice(gradient.get(&format!("weight_hh{}", sweep.suffix()))?);
    }
    Ok(all)
}

/// a/b; NaN where b is zero or not a number.
fn ratio(a: f64, b: f64) -> f64 {
    if b > 0.0 { a / b } else { f64::NAN }
}

fn cosine(a: &[f64], b: &[f64]) -> f64 {
    ratio(dot(a, b), length(a) * length(b))
}
