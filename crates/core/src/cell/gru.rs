//! Gated recurrent unit — K. Cho and others (2014), in the form that PyTorch and cuDNN compute (ONNX:
//! `linear_before_reset = 1`): the reset gate acts on W_hn h + b_hn, not on h. Gate order r z n.
//!
//! ```text
//! forward    r = σ(W_ir x_t + b_ir + W_hr h_{t-1} + b_hr)     z = σ(W_iz x_t + b_iz + W_hz h_{t-1} + b_hz)
//!            q = W_hn h_{t-1} + b_hn                          n = tanh(W_in x_t + b_in + r ⊙ q)
//!            h_t = (1 − z) ⊙ n + z ⊙ h_{t-1}
//! tangent    ṅ = n′ (ẋ_n + r q̇ + r′ q ż_r)                   ḣ_t = (1 − z) ṅ + z ḣ_{t-1} + z′ (h_{t-1} − n) ż_z
//! backward   δn = n′ (1 − z) δh_t     δx_n = δn    δq = r δn    δz_r = r′ q δn
//!            δz_z = z′ (h_{t-1} − n) δh_t             δh_{t-1} = z ⊙ δh_t + the products
//! ```
//!
//! with σ′ = σ (1 − σ) and n′ = 1 − n². q must stay apart from W_in x, hence a lane of its own: the lanes are
//! x_n r z q, of which x feeds the first three and h the last three.

use super::{About, Cell, Gate, Onnx, Recurrence, Special, StepOf, Torch};
use elman_kernels::Value;

/// The GRU cell.
#[derive(Clone, Copy, Debug)]
pub struct Gru;

impl Cell for Gru {
    const ABOUT: About = About {
        gates: &[
            Gate::open("r", "reset", 0),
            Gate::open("z", "update", 1),
            Gate::candidate("n", "new"),
        ],
        state: &["h"],
        activation: "tanh",
        bounded: true,
        recurrence: Recurrence::Gated,
        torch: Some(Torch {
            class: "GRU",
            nonlinearity: None,
        }),
        // z r h, of which h is our n.
        onnx: Some(Onnx {
            operator: "GRU",
            order: &[1, 0, 2],
            activation: None,
            linear_before_reset: Some(true),
        }),
    };
    const FROM_X: &'static [usize] = &[1, 2, 0];
    const FROM_H: &'static [usize] = &[1, 2, 3];
    type Drive<V: Value> = [V; 4]; // x_n r z q
    type State<V: Value> = [V; 1]; // h
    type Saved<V: Value> = [V; 4]; // r z n after their activations, q
    type Unit<V: Value> = [V; 0];

    #[inline(always)]
    fn forward<V: Value>([x_n, r, z, q]: [V; 4], [h]: [V; 1], _: [V; 0]) -> ([V; 1], [V; 4]) {
        let (r, z) = (r.sigmoid(), z.sigmoid());
        let n = (x_n + r * q).tanh();
        ([n + z * (h - n)], [r, z, n, q])
    }
    #[inline(always)]
    fn tangent<V: Value>(at: StepOf<Self, V>, [x_n, zr, zz, dq]: [V; 4], [dh]: [V; 1]) -> [V; 1] {
        let ([h], [r, z, n, q]) = (at.before, at.saved);
        let dn = (V::ONE - n * n) * (x_n + r * dq + slope(r) * q * zr);
        [(V::ONE - z) * dn + z * dh + slope(z) * (h - n) * zz]
    }
    #[inline(always)]
    fn backward<V: Value>(at: StepOf<Self, V>, [dh]: [V; 1]) -> ([V; 4], [V; 1], [V; 0]) {
        let ([h], [r, z, n, q]) = (at.before, at.saved);
        let dn = (V::ONE - n * n) * (V::ONE - z) * dh;
        (
            [dn, slope(r) * q * dn, slope(z) * (h - n) * dh, r * dn],
            [z * dh],
            [],
        )
    }
    /// Of the candidate n.
    #[inline(always)]
    fn slope<V: Value>(_: [V; 1], [_, _, n, _]: [V; 4]) -> V {
        V::ONE - n * n
    }

    /// The update gate's bias is 0, or chrono: ln(τ − 1), so that z keeps h for about τ steps.
    fn start(mut special: Special<'_>) {
        let Some((short, long)) = special.memory else {
            return;
        };
        for i in 0..special.hidden {
            let tau = special.time_constant((short.max(1.01), long.max(1.01)));
            special.bias[special.hidden + i] = (tau - 1.0).ln();
        }
    }
}

/// σ′, given σ.
#[inline(always)]
fn slope<V: Value>(sigma: V) -> V {
    sigma * (V::ONE - sigma)
}
