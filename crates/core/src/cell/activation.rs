//! Activations φ, each with its derivative.

use super::{Lanes, OnnxActivation};
use elman_kernels::Value;

/// An activation φ.
pub trait Activation: Copy + Send + Sync + 'static {
    /// Its name.
    const NAME: &'static str;
    /// Whether |φ| ≤ 1.
    const BOUNDED: bool;
    /// `nonlinearity` of `torch.nn.RNN`, where that has it.
    const TORCH: Option<&'static str> = None;
    /// Its name in ONNX, where that has it.
    const ONNX: Option<OnnxActivation> = None;
    /// What φ′(z) needs beside φ(z): nothing, where it follows from that; z itself for GELU or SiLU.
    type Kept<V: Value>: Lanes<V>;

    /// φ(z), and what [`slope`](Activation::slope) needs beside it.
    fn apply<V: Value>(z: V) -> (V, Self::Kept<V>);
    /// φ′(z), given φ(z) and what was kept.
    fn slope<V: Value>(phi: V, kept: Self::Kept<V>) -> V;
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
    const NAME: &'static str = "tanh";
    const BOUNDED: bool = true;
    const TORCH: Option<&'static str> = Some("tanh");
    const ONNX: Option<OnnxActivation> = Some(OnnxActivation {
        name: "Tanh",
        alpha_beta: None,
    });
    type Kept<V: Value> = [V; 0];
    #[inline(always)]
    fn apply<V: Value>(z: V) -> (V, [V; 0]) {
        (z.tanh(), [])
    }
    #[inline(always)]
    fn slope<V: Value>(phi: V, _: [V; 0]) -> V {
        V::ONE - phi * phi
    }
}

impl Activation for Relu {
    const NAME: &'static str = "relu";
    const BOUNDED: bool = false;
    const TORCH: Option<&'static str> = Some("relu");
    const ONNX: Option<OnnxActivation> = Some(OnnxActivation {
        name: "Relu",
        alpha_beta: None,
    });
    type Kept<V: Value> = [V; 0];
    #[inline(always)]
    fn apply<V: Value>(z: V) -> (V, [V; 0]) {
        (z.max(V::ZERO), [])
    }
    #[inline(always)]
    fn slope<V: Value>(phi: V, _: [V; 0]) -> V {
        phi.positive()
    }
}

impl Activation for Linear {
    const NAME: &'static str = "linear";
    const BOUNDED: bool = false;
    // α z + β with α = 1 and β = 0.
    const ONNX: Option<OnnxActivation> = Some(OnnxActivation {
        name: "Affine",
        alpha_beta: Some((1.0, 0.0)),
    });
    type Kept<V: Value> = [V; 0];
    #[inline(always)]
    fn apply<V: Value>(z: V) -> (V, [V; 0]) {
        (z, [])
    }
    #[inline(always)]
    fn slope<V: Value>(_: V, _: [V; 0]) -> V {
        V::ONE
    }
}
