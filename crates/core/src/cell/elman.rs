//! Elman cell — J. L. Elman, "Finding structure in time", Cognitive Science 14 (1990).
//!
//! ```text
//! forward    z_t = W_xh x_t + W_hh h_{t-1} + b_h          h_t = φ(z_t)
//! tangent    ḣ_t = φ′(z_t) ⊙ ż_t                          J_t = diag(φ′(z_t)) W_hh
//! backward   δz_t = φ′(z_t) ⊙ δh_t                        δh_{t-1} = W_hhᵀ δz_t
//! ```
//!
//! The driver forms z and applies W_hh and its transpose; this file is what happens inside one unit.
//! φ′ follows from h alone, or from what the activation keeps beside it.

use super::{About, Activation, Cell, StepOf};
use core::marker::PhantomData;
use elman_kernels::Value;

/// The Elman cell with activation `A`.
#[derive(Clone, Copy, Debug)]
pub struct Elman<A>(PhantomData<A>);

impl<A: Activation> Cell for Elman<A> {
    const ABOUT: About = About::elman::<A>();
    const FROM_X: &'static [usize] = &[0];
    const FROM_H: &'static [usize] = &[0];
    type Drive<V: Value> = [V; 1]; // z
    type State<V: Value> = [V; 1]; // h
    type Saved<V: Value> = A::Kept<V>;
    type Unit<V: Value> = [V; 0];

    #[inline(always)]
    fn forward<V: Value>([z]: [V; 1], _: [V; 1], _: [V; 0]) -> ([V; 1], A::Kept<V>) {
        let (h, kept) = A::apply(z);
        ([h], kept)
    }
    #[inline(always)]
    fn tangent<V: Value>(at: StepOf<Self, V>, [dz]: [V; 1], _: [V; 1]) -> [V; 1] {
        [Self::slope(at.after, at.saved) * dz]
    }
    #[inline(always)]
    fn backward<V: Value>(at: StepOf<Self, V>, [dh]: [V; 1]) -> ([V; 1], [V; 1], [V; 0]) {
        ([Self::slope(at.after, at.saved) * dh], [V::ZERO], [])
    }
    #[inline(always)]
    fn slope<V: Value>([h]: [V; 1], kept: A::Kept<V>) -> V {
        A::slope(h, kept)
    }
}
