//! Leaky Elman cell: leaky integration, a time constant for each unit — H. Jaeger and others, "Optimization and
//! applications of echo state networks with leaky-integrator neurons", Neural Networks 20 (2007).
//!
//! ```text
//! forward    α = σ(a)      z_t = W_xh x_t + W_hh h_{t-1} + b_h      p_t = φ(z_t)
//!            h_t = (1 − α) ⊙ h_{t-1} + α ⊙ p_t
//! tangent    ḣ_t = (1 − α) ⊙ ḣ_{t-1} + α ⊙ φ′(z_t) ⊙ ż_t           J_t = diag(1 − α) + diag(α φ′(z_t)) W_hh
//! backward   δz_t = α ⊙ φ′(z_t) ⊙ δh_t                              δh_{t-1} = (1 − α) ⊙ δh_t + W_hhᵀ δz_t
//!            δa = α (1 − α) (p_t − h_{t-1}) ⊙ δh_t, summed over steps and rows
//! ```
//!
//! `a` is each unit's own or one for all units of the layer (then δa is summed over units too), learned or fixed
//! ([`Leak`](crate::Leak)). It is unbounded, so that α stays in (0, 1) whatever the optimiser does. A unit forgets with the time constant
//! −1/ln(1 − α) steps. p is saved: it cannot be had back from h where α is small.

use super::{About, Activation, Cell, Recurrence, Special, StepOf};
use core::marker::PhantomData;
use elman_kernels::Value;

/// The leaky Elman cell with activation `A`.
#[derive(Clone, Copy, Debug)]
pub struct Leaky<A>(PhantomData<A>);

impl<A: Activation> Cell for Leaky<A> {
    const ABOUT: About = About {
        recurrence: Recurrence::Leaky,
        torch: None,
        onnx: None,
        ..About::elman::<A>()
    };
    const FROM_X: &'static [usize] = &[0];
    const FROM_H: &'static [usize] = &[0];
    const UNIT: &'static [&'static str] = &["leak"];
    type Drive<V: Value> = [V; 1]; // z
    type State<V: Value> = [V; 1]; // h
    type Saved<V: Value> = ([V; 1], A::Kept<V>); // p
    type Unit<V: Value> = [V; 1]; // a

    #[inline(always)]
    fn forward<V: Value>([z]: [V; 1], [h]: [V; 1], [a]: [V; 1]) -> ([V; 1], ([V; 1], A::Kept<V>)) {
        let (alpha, (p, kept)) = (a.sigmoid(), A::apply(z));
        ([h + alpha * (p - h)], ([p], kept))
    }
    #[inline(always)]
    fn tangent<V: Value>(at: StepOf<Self, V>, [dz]: [V; 1], [dh]: [V; 1]) -> [V; 1] {
        let [a] = at.unit;
        let alpha = a.sigmoid();
        [(V::ONE - alpha) * dh + alpha * Self::slope(at.after, at.saved) * dz]
    }
    #[inline(always)]
    fn backward<V: Value>(at: StepOf<Self, V>, [dh]: [V; 1]) -> ([V; 1], [V; 1], [V; 1]) {
        let ([before], ([p], _), [a]) = (at.before, at.saved, at.unit);
        let alpha = a.sigmoid();
        let d_a = alpha * (V::ONE - alpha) * (p - before) * dh;
        let slope = Self::slope(at.after, at.saved);
        ([alpha * slope * dh], [(V::ONE - alpha) * dh], [d_a])
    }
    #[inline(always)]
    fn slope<V: Value>(_: [V; 1], ([p], kept): ([V; 1], A::Kept<V>)) -> V {
        A::slope(p, kept)
    }

    /// Time constants log-uniform from 1 to 30 steps, or over the range asked for.
    fn start(mut special: Special<'_>) {
        let range = special.memory.unwrap_or((1.0, 30.0));
        for i in 0..special.unit.len() {
            let alpha = -(-1.0 / special.time_constant(range)).exp_m1();
            special.unit[i] = (alpha / (1.0 - alpha)).ln();
        }
    }
}
