//! Activations φ, each with its derivative told from its own value.

use elman_kernels::Value;

/// An activation φ.
pub trait Activation: Copy + Send + Sync + 'static {
    /// φ(z).
    fn apply<V: Value>(z: V) -> V;
    /// φ′(z), given φ(z).
    fn slope<V: Value>(phi: V) -> V;
}

/// tanh z, with tanh′ = 1 − tanh².
#[derive(Clone, Copy, Debug)]
pub struct Tanh;

/// max(0, z), with slope 1 where it is positive, 0 elsewhere (at 0 too, as PyTorch has it).
#[derive(Clone, Copy, Debug)]
pub struct Relu;

/// z itself: the linear network, whose gradients are known in closed form.
#[derive(Clone, Copy, Debug)]
pub struct Linear;

impl Activation for Tanh {
    #[inline(always)]
    fn apply<V: Value>(z: V) -> V {
        z.tanh()
    }
    #[inline(always)]
    fn slope<V: Value>(phi: V) -> V {
        V::ONE - phi * phi
    }
}

impl Activation for Relu {
    #[inline(always)]
    fn apply<V: Value>(z: V) -> V {
        z.max(V::ZERO)
    }
    #[inline(always)]
    fn slope<V: Value>(phi: V) -> V {
        phi.positive()
    }
}

impl Activation for Linear {
    #[inline(always)]
    fn apply<V: Value>(z: V) -> V {
        z
    }
    #[inline(always)]
    fn slope<V: Value>(_: V) -> V {
        V::ONE
    }
}
