//! Layer normalisation inside the cell — J. L. Ba, J. R. Kiros and G. E. Hinton, "Layer normalization" (2016).
//!
//! For each lane of a step, over its H units, with a = W_xh x_t + W_hh h_{t-1} (one of the two where only one feeds it):
//!
//! ```text
//! forward    n = (a − mean a) / √(var a + ε)         z = γ ⊙ n + b
//! tangent    ż = γ ⊙ s (ȧ − mean ȧ − n mean(n ȧ))     with s = 1/√(var a + ε)
//! backward   δn = γ ⊙ δz      δa = s (δn − mean δn − n mean(n δn))      δγ = δz ⊙ n      δb = δz
//! ```

use crate::Element;

/// ε, as in the paper's own code and PyTorch's `LayerNorm`.
const EPSILON: f64 = 1e-5;

/// γ and b of one sweep, lane by lane `[lanes·H]`.
#[derive(Clone, Debug)]
pub(crate) struct Norm<E> {
    pub gain: Vec<E>,
    pub bias: Vec<E>,
}

/// Replaces a by z; leaves n in `normal` and gives s.
pub(crate) fn forward<E: Element>(gain: &[E], bias: &[E], z: &mut [E], normal: &mut [E]) -> E {
    let mean = mean(z, |x, _| x, z);
    for (n, &a) in normal.iter_mut().zip(z.iter()) {
        *n = a - mean;
    }
    let variance = self::mean(normal, |x, y| x * y, normal);
    let scale = E::of(1.0 / (variance.to_f64() + EPSILON).sqrt());
    for (i, n) in normal.iter_mut().enumerate() {
        *n *= scale;
        z[i] = gain[i] * *n + bias[i];
    }
    scale
}

/// Replaces δz by δa; adds to nothing: leaves δz in `d_bias` and δγ of this step in `d_gain`.
pub(crate) fn backward<E: Element>(
    gain: &[E],
    normal: &[E],
    scale: E,
    d: &mut [E],
    d_bias: &mut [E],
    d_gain: &mut [E],
) {
    for (i, d) in d.iter_mut().enumerate() {
        (d_bias[i], d_gain[i]) = (*d, *d * normal[i]);
        *d *= gain[i];
    }
    project(normal, scale, d);
}

/// Replaces ȧ by ż.
pub(crate) fn tangent<E: Element>(gain: &[E], normal: &[E], scale: E, d: &mut [E]) {
    project(normal, scale, d);
    d.iter_mut().zip(gain).for_each(|(d, &g)| *d *= g);
}

/// d ← s (d − mean d − n mean(n d)), which is its own transpose.
fn project<E: Element>(normal: &[E], scale: E, d: &mut [E]) {
    let (plain, along) = (mean(d, |x, _| x, d), mean(d, |x, n| x * n, normal));
    for (d, &n) in d.iter_mut().zip(normal) {
        *d = scale * (*d - plain - n * along);
    }
}

/// The mean of `f(x, y)`; eight sums side by side, whatever the machine.
fn mean<E: Element>(x: &[E], f: impl Fn(E, E) -> E, y: &[E]) -> E {
    let mut sums = [E::ZERO; 8];
    for (x8, y8) in x.chunks(8).zip(y.chunks(8)) {
        for ((s, &x), &y) in sums.iter_mut().zip(x8).zip(y8) {
            *s += f(x, y);
        }
    }
    sums.into_iter().sum::<E>() / E::of(x.len() as f64)
}
