//! Independently recurrent cell — S. Li, W. Li, C. Cook, C. Zhu and Y. Gao, "Independently recurrent neural network
//! (IndRNN): building a longer and deeper RNN", CVPR (2018): each unit sees its own past alone, so that W_hh is a vector
//! w, and each unit's gradient is a product of numbers.
//!
//! ```text
//! forward    z_t = W_xh x_t + b_h + w ⊙ h_{t-1}           h_t = φ(z_t)
//! tangent    ḣ_t = φ′(z_t) ⊙ (W_xh ẋ_t + w ⊙ ḣ_{t-1})     J_t = diag(φ′(z_t) ⊙ w)
//! backward   δz_t = φ′(z_t) ⊙ δh_t      δh_{t-1} = w ⊙ δz_t      δw = Σ_t h_{t-1} ⊙ δz_t
//! ```
//!
//! The driver forms W_xh x + b_h and applies no recurrent matrix; units mix in the layer above only.

use super::{About, Activation, Cell, Recurrence, Special, StepOf};
use core::marker::PhantomData;
use elman_kernels::Value;

/// The independently recurrent cell with activation `A`.
#[derive(Clone, Copy, Debug)]
pub struct IndRnn<A>(PhantomData<A>);

impl<A: Activation> Cell for IndRnn<A> {
    const ABOUT: About = About {
        recurrence: Recurrence::Diagonal,
        torch: None,
        onnx: None,
        ..About::elman::<A>()
    };
    const FROM_X: &'static [usize] = &[0];
    const FROM_H: &'static [usize] = &[];
    const UNIT: &'static [&'static str] = &["weight_hh"];
    type Drive<V: Value> = [V; 1]; // W_xh x + b_h
    type State<V: Value> = [V; 1]; // h
    type Saved<V: Value> = A::Kept<V>;
    type Unit<V: Value> = [V; 1]; // w

    #[inline(always)]
    fn forward<V: Value>([z]: [V; 1], [h]: [V; 1], [w]: [V; 1]) -> ([V; 1], A::Kept<V>) {
        let (h, kept) = A::apply(z + w * h);
        ([h], kept)
    }
    #[inline(always)]
    fn tangent<V: Value>(at: StepOf<Self, V>, [dz]: [V; 1], [dh]: [V; 1]) -> [V; 1] {
        let [w] = at.unit;
        [Self::slope(at.after, at.saved) * (dz + w * dh)]
    }
    #[inline(always)]
    fn backward<V: Value>(at: StepOf<Self, V>, [dh]: [V; 1]) -> ([V; 1], [V; 1], [V; 1]) {
        let ([before], [w]) = (at.before, at.unit);
        let dz = Self::slope(at.after, at.saved) * dh;
        ([dz], [w * dz], [before * dz])
    }
    #[inline(always)]
    fn slope<V: Value>([h]: [V; 1], kept: A::Kept<V>) -> V {
        A::slope(h, kept)
    }

    /// w uniform from 0 to 1, as in the paper; or e^(−1/τ) for time constants τ over the range asked for.
    fn start(mut special: Special<'_>) {
        for i in 0..special.unit.len() {
            special.unit[i] = match special.memory {
                None => (special.uniform)(),
                Some(range) => (-1.0 / special.time_constant(range)).exp(),
            };
        }
    }
}
