//! Long short-term memory — S. Hochreiter and J. Schmidhuber, Neural Computation 9 (1997), with the forget gate of
//! F. Gers, J. Schmidhuber and F. Cummins (2000), in PyTorch's gate order i f g o.
//!
//! ```text
//! forward    (i, f, g, o) = (σ, σ, tanh, σ)(W_ih x_t + b_ih + W_hh h_{t-1} + b_hh)
//!            c_t = f ⊙ c_{t-1} + i ⊙ g            h_t = o ⊙ tanh c_t
//! tangent    ċ_t = f ċ_{t-1} + f′ c_{t-1} ż_f + i′ g ż_i + i g′ ż_g
//!            ḣ_t = o′ tanh(c_t) ż_o + o (1 − tanh² c_t) ċ_t
//! backward   δc = δc_t + o (1 − tanh² c_t) δh_t
//!            δz_o = o′ tanh(c_t) δh_t   δz_i = i′ g δc   δz_f = f′ c_{t-1} δc   δz_g = i g′ δc   δc_{t-1} = f δc
//! ```
//!
//! with σ′ = σ (1 − σ) and g′ = 1 − g². The four gates are saved; tanh c_t is computed again.

use super::{About, Cell, Gate, Onnx, Recurrence, Special, StepOf, Torch};
use elman_kernels::Value;

/// The LSTM cell.
#[derive(Clone, Copy, Debug)]
pub struct Lstm;

impl Cell for Lstm {
    const ABOUT: About = About {
        gates: &[
            Gate::open("i", "input", 0),
            Gate::open("f", "forget", 1),
            Gate::candidate("g", "cell"),
            Gate::open("o", "output", 3),
        ],
        state: &["h", "c"],
        activation: "tanh",
        bounded: true,
        recurrence: Recurrence::Gated,
        torch: Some(Torch {
            class: "LSTM",
            nonlinearity: None,
        }),
        // i o f c, of which c is our g.
        onnx: Some(Onnx {
            operator: "LSTM",
            order: &[0, 3, 1, 2],
            activation: None,
            linear_before_reset: None,
        }),
    };
    const FROM_X: &'static [usize] = &[0, 1, 2, 3];
    const FROM_H: &'static [usize] = &[0, 1, 2, 3];
    type Drive<V: Value> = [V; 4]; // i f g o
    type State<V: Value> = [V; 2]; // h c
    type Saved<V: Value> = [V; 4]; // i f g o after their activations
    type Unit<V: Value> = [V; 0];

    #[inline(always)]
    fn forward<V: Value>([i, f, g, o]: [V; 4], [_, c]: [V; 2], _: [V; 0]) -> ([V; 2], [V; 4]) {
        let (i, f, g, o) = (i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid());
        let c = f * c + i * g;
        ([o * c.tanh(), c], [i, f, g, o])
    }
    #[inline(always)]
    fn tangent<V: Value>(at: StepOf<Self, V>, [zi, zf, zg, zo]: [V; 4], [_, dc]: [V; 2]) -> [V; 2] {
        let ([_, before], [_, c], [i, f, g, o]) = (at.before, at.after, at.saved);
        let tanh_c = c.tanh();
        let dc = f * dc + slope(f) * before * zf + slope(i) * g * zi + i * (V::ONE - g * g) * zg;
        let dh = slope(o) * tanh_c * zo + o * (V::ONE - tanh_c * tanh_c) * dc;
        [dh, dc]
    }
    #[inline(always)]
    fn backward<V: Value>(at: StepOf<Self, V>, [dh, dc]: [V; 2]) -> ([V; 4], [V; 2], [V; 0]) {
        let ([_, before], [_, c], [i, f, g, o]) = (at.before, at.after, at.saved);
        let tanh_c = c.tanh();
        let dc = dc + o * (V::ONE - tanh_c * tanh_c) * dh;
        (
            [
                slope(i) * g * dc,
                slope(f) * before * dc,
                i * (V::ONE - g * g) * dc,
                slope(o) * tanh_c * dh,
            ],
            [V::ZERO, f * dc],
            [],
        )
    }
    /// Of tanh c_t.
    #[inline(always)]
    fn slope<V: Value>([_, c]: [V; 2], _: [V; 4]) -> V {
        let tanh_c = c.tanh();
        V::ONE - tanh_c * tanh_c
    }

    /// The forget gate's bias is 1 (Gers and others 2000) or what was asked for, or chrono: ln(τ − 1), and the input gate's its negative.
    fn start(mut special: Special<'_>) {
        let h = special.hidden;
        for i in 0..h {
            match special.memory {
                None => special.bias[h + i] = special.forget_bias,
                Some((short, long)) => {
                    let tau = special.time_constant((short.max(1.01), long.max(1.01)));
                    special.bias[h + i] = (tau - 1.0).ln();
                    special.bias[i] = -(tau - 1.0).ln();
                }
            }
        }
    }
}

/// σ′, given σ.
#[inline(always)]
fn slope<V: Value>(sigma: V) -> V {
    sigma * (V::ONE - sigma)
}
