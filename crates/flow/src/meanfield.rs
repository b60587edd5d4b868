//! Where a wide random network of this scale would stand — M. Chen, J. Pennington and S. Schoenholz, "Dynamical
//! isometry and a mean field theory of RNNs" (2018).
//!
//! With W_hh of variance σ_w²/H and everything else adding the variance σ_b² to z: q* = σ_w² E[φ(√q* z)²] + σ_b²,
//! χ = σ_w² E[φ′(√q* z)²], z standard normal. Perturbations and gradients grow where χ > 1 and fade where χ < 1, over
//! −1/ln χ steps. It speaks of weights drawn at random: of a trained network it says where its scale alone would be.

use crate::{Error, Scope};
use elman_core::{CellKind, Recurrence};
use serde::Serialize;

/// Steps that the scale of the input is measured on.
const SAMPLE: usize = 256;

/// A mean-field position.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MeanField {
    /// √(H Var W_hh).
    pub sigma_w: f64,
    /// The standard deviation of all else that z is made of.
    pub sigma_b: f64,
    /// q*, the variance of z at the fixed point; +∞ where there is none.
    pub q: f64,
    /// χ.
    pub chi: f64,
    /// −1/ln χ: steps over which the squared length of a gradient falls by e; `None` where χ ≥ 1.
    pub depth: Option<f64>,
}

/// The position for given scales; `None` for cells that this theory does not cover (leaky and gated ones).
pub fn mean_field(cell: CellKind, sigma_w: f64, sigma_b: f64) -> Result<Option<MeanField>, Error> {
    let sizes = [sigma_w, sigma_b];
    if sizes.iter().any(|s| !s.is_finite() || *s < 0.0) {
        return Err(Error::Option(format!(
            "{sizes:?} are not standard deviations"
        )));
    }
    let (w, b) = (sigma_w * sigma_w, sigma_b * sigma_b);
    let about = cell.about();
    if about.recurrence != Recurrence::Full {
        return Ok(None);
    }
    let (q, chi) = match about.activation {
        "tanh" => {
            let q = tanh_fixed_point(w, b);
            (q, w * gaussian(|z| sech2((q.sqrt() * z).abs()).powi(2)))
        }
        "relu" => (affine_fixed_point(w / 2.0, b), w / 2.0),
        "linear" => (affine_fixed_point(w, b), w),
        _ => return Ok(None),
    };
    Ok(Some(MeanField {
        sigma_w,
        sigma_b,
        q,
        chi,
        depth: (chi < 1.0).then(|| -1.0 / chi.ln()),
    }))
}

/// q = a q + b.
fn affine_fixed_point(a: f64, b: f64) -> f64 {
    match (a < 1.0, b > 0.0) {
        (true, _) => b / (1.0 - a),
        (false, true) => f64::INFINITY,
        (false, false) => 0.0,
    }
}

/// The stable root of q = w E[tanh²(√q z)] + b; the map is concave, so there is one above 0 or none.
fn tanh_fixed_point(w: f64, b: f64) -> f64 {
    let rest = |q: f64| w * gaussian(|z| (q.sqrt() * z).tanh().powi(2)) + b - q;
    let (mut low, mut high) = (1e-12, (w + b).max(2e-12));
    if rest(low) <= 0.0 {
        return if b > 0.0 { b } else { 0.0 };
    }
    for _ in 0..200 {
        let middle = 0.5 * (low + high);
        match rest(middle) > 0.0 {
            true => low = middle,
            false => high = middle,
        }
    }
    0.5 * (low + high)
}

fn sech2(z: f64) -> f64 {
    1.0 - z.tanh().powi(2)
}

/// E[f(z)] by the trapezoidal rule, which for a Gaussian converges faster than any power; divided by the same rule's
/// E[1], so that a constant comes out exactly.
fn gaussian(f: impl Fn(f64) -> f64) -> f64 {
    const STEP: f64 = 0.02;
    let points = -600..=600;
    let (mut sum, mut weight) = (0.0, 0.0);
    for i in points {
        let z = f64::from(i) * STEP;
        let w = (-0.5 * z * z).exp();
        sum += w * f(z);
        weight += w;
    }
    sum / weight
}

/// The position of the first layer as its weights and data have it: σ_w from W_hh, σ_b² the mean square of
/// W_xh x_t + b_h over units and a sample of steps.
pub fn mean_field_of(scope: &Scope) -> Result<Option<MeanField>, Error> {
    let (network, params) = (scope.network(), scope.params());
    let (h, width) = (network.hidden, network.input.width());
    let mean_square = |v: &[f64]| v.iter().map(|x| x * x).sum::<f64>() / v.len().max(1) as f64;
    // The theory is of h = φ(z) with z the plain sum.
    let full = network.cell.about().recurrence == Recurrence::Full;
    if !full || network.layer_norm || network.zoneout > 0.0 {
        return Ok(None);
    }
    let sigma_w = (mean_square(params.get("weight_hh_l0")?) * h as f64).sqrt();
    let w = params.get("weight_ih_l0")?;
    let bias = params
        .get("bias_ih_l0")?
        .iter()
        .zip(params.get("bias_hh_l0")?);
    let bias: Vec<f64> = bias.map(|(a, b)| a + b).collect();
    let mut others = Vec::new();
    for (t, row) in scope.places(SAMPLE, 1) {
        for (w, b) in w.chunks_exact(width).zip(&bias) {
            let from_x = match (scope.batch().x(t, row), scope.batch().symbol(t, row)) {
                (Some(x), _) => w.iter().zip(x).map(|(w, x)| w * x).sum(),
                (None, Some(symbol)) => w[symbol as usize],
                (None, None) => 0.0,
            };
            others.push(b + from_x);
        }
    }
    mean_field(network.cell, sigma_w, mean_square(&others).sqrt())
}
