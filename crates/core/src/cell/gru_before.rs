//! Gated recurrent unit — K. Cho and others, "Learning phrase representations using RNN encoder–decoder" (2014), as they
//! wrote it (ONNX: `linear_before_reset = 0`): the reset gate acts on h before the recurrent product. Gate order r z n.
//!
//! ```text
//! forward    r = σ(W_ir x_t + b_ir + W_hr h_{t-1} + b_hr)     z = σ(W_iz x_t + b_iz + W_hz h_{t-1} + b_hz)
//!            n = tanh(W_in x_t + b_in + W_hn (r ⊙ h_{t-1}) + b_hn)
//!            h_t = (1 − z) ⊙ n + z ⊙ h_{t-1}
//! tangent    ḣ_t = (1 − z) n′ ż_n + z ḣ_{t-1} + z′ (h_{t-1} − n) ż_z
//! backward   δz_n = n′ (1 − z) δh_t     δz_z = z′ (h_{t-1} − n) δh_t     δh_{t-1} = z ⊙ δh_t + the products
//! ```
//!
//! with z′ = z (1 − z) and n′ = 1 − n². r reaches h_t by way of the product only: the driver forms r ⊙ h and what flows
//! back through it ([`Gated`]), so that r's lane is nothing to this file but something to save.

use super::{About, Cell, Gated, Onnx, Special, StepOf};
use elman_kernels::Value;

/// The GRU cell whose reset gate comes before the recurrent product.
#[derive(Clone, Copy, Debug)]
pub struct GruBefore;

impl Cell for GruBefore {
    const ABOUT: About = About {
        torch: None,
        onnx: match super::Gru::ABOUT.onnx {
            None => None,
            Some(gru) => Some(Onnx {
                linear_before_reset: Some(false),
                ..gru
            }),
        },
        ..super::Gru::ABOUT
    };
    const FROM_X: &'static [usize] = &[0, 1, 2];
    const FROM_H: &'static [usize] = &[0, 1, 2];
    const GATED: Option<Gated> = Some(Gated { blocks: 1, by: 0 });
    type Drive<V: Value> = [V; 3]; // r z n
    type State<V: Value> = [V; 1]; // h
    type Saved<V: Value> = [V; 3]; // r z n after their activations
    type Unit<V: Value> = [V; 0];

    #[inline(always)]
    fn forward<V: Value>([r, z, n]: [V; 3], [h]: [V; 1], _: [V; 0]) -> ([V; 1], [V; 3]) {
        let (r, z, n) = (r.sigmoid(), z.sigmoid(), n.tanh());
        ([n + z * (h - n)], [r, z, n])
    }
    #[inline(always)]
    fn tangent<V: Value>(at: StepOf<Self, V>, [_, zz, zn]: [V; 3], [dh]: [V; 1]) -> [V; 1] {
        let ([h], [_, z, n]) = (at.before, at.saved);
        let dn = (V::ONE - n * n) * zn;
        [(V::ONE - z) * dn + z * dh + z * (V::ONE - z) * (h - n) * zz]
    }
    #[inline(always)]
    fn backward<V: Value>(at: StepOf<Self, V>, [dh]: [V; 1]) -> ([V; 3], [V; 1], [V; 0]) {
        let ([h], [_, z, n]) = (at.before, at.saved);
        let d_z = z * (V::ONE - z) * (h - n) * dh;
        let d_n = (V::ONE - n * n) * (V::ONE - z) * dh;
        ([V::ZERO, d_z, d_n], [z * dh], [])
    }
    /// Of the candidate n.
    #[inline(always)]
    fn slope<V: Value>(_: [V; 1], [_, _, n]: [V; 3]) -> V {
        V::ONE - n * n
    }

    /// As the other GRU: the update gate's bias is 0, or chrono.
    fn start(special: Special<'_>) {
        super::Gru::start(special);
    }
}
