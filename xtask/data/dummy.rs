//! A cell that nothing was written for, to show that a cell is one file and one line: a leaky step whose rate is a gate,
//! with an activation whose slope needs z, and a scale for each unit.
//!
//! ```text
//! forward    f = σ(z_f)      p = SiLU(z)      h_t = h_{t-1} + f ⊙ (u ⊙ p − h_{t-1})
//! tangent    ḣ_t = (1 − f) ḣ_{t-1} + f u SiLU′(z) ż + f (1 − f) (u p − h_{t-1}) ż_f
//! backward   δz = f u SiLU′(z) δh_t      δz_f = f (1 − f) (u p − h_{t-1}) δh_t      δu = f p δh_t
//! ```

use super::{About, Activation, Cell, Gate, Recurrence, Special, StepOf};
use elman_kernels::Value;

/// The dummy cell.
#[derive(Clone, Copy, Debug)]
pub struct Dummy;

/// z σ(z), whose derivative does not follow from its value.
#[derive(Clone, Copy, Debug)]
pub struct Silu;

impl Activation for Silu {
    const NAME: &'static str = "silu";
    const BOUNDED: bool = false;
    type Kept<V: Value> = [V; 1]; // z
    #[inline(always)]
    fn apply<V: Value>(z: V) -> (V, [V; 1]) {
        (z * z.sigmoid(), [z])
    }
    #[inline(always)]
    fn slope<V: Value>(phi: V, [z]: [V; 1]) -> V {
        let s = z.sigmoid();
        s + phi * (V::ONE - s)
    }
}

impl Cell for Dummy {
    const ABOUT: About = About {
        gates: &[
            Gate::candidate("z", "candidate"),
            Gate::open("f", "forget", 0),
        ],
        recurrence: Recurrence::Gated,
        torch: None,
        onnx: None,
        ..About::elman::<Silu>()
    };
    const FROM_X: &'static [usize] = &[0, 1];
    const FROM_H: &'static [usize] = &[0, 1];
    const UNIT: &'static [&'static str] = &["scale"];
    type Drive<V: Value> = [V; 2]; // z z_f
    type State<V: Value> = [V; 1]; // h
    type Saved<V: Value> = ([V; 2], [V; 1]); // f p, and what SiLU keeps
    type Unit<V: Value> = [V; 1]; // u

    #[inline(always)]
    fn forward<V: Value>(
        [z, f]: [V; 2],
        [h]: [V; 1],
        [u]: [V; 1],
    ) -> ([V; 1], ([V; 2], [V; 1])) {
        let (f, (p, kept)) = (f.sigmoid(), Silu::apply(z));
        ([h + f * (u * p - h)], ([f, p], kept))
    }
    #[inline(always)]
    fn tangent<V: Value>(at: StepOf<Self, V>, [zz, zf]: [V; 2], [dh]: [V; 1]) -> [V; 1] {
        let ([h], ([f, p], _), [u]) = (at.before, at.saved, at.unit);
        let by_gate = f * (V::ONE - f) * (u * p - h) * zf;
        let slope = Self::slope(at.after, at.saved);
        [(V::ONE - f) * dh + f * u * slope * zz + by_gate]
    }
    #[inline(always)]
    fn backward<V: Value>(at: StepOf<Self, V>, [dh]: [V; 1]) -> ([V; 2], [V; 1], [V; 1]) {
        let ([h], ([f, p], _), [u]) = (at.before, at.saved, at.unit);
        let d_f = f * (V::ONE - f) * (u * p - h) * dh;
        let slope = Self::slope(at.after, at.saved);
        (
            [f * u * slope * dh, d_f],
            [(V::ONE - f) * dh],
            [f * p * dh],
        )
    }
    #[inline(always)]
    fn slope<V: Value>(_: [V; 1], ([_, p], kept): ([V; 2], [V; 1])) -> V {
        Silu::slope(p, kept)
    }

    fn start(special: Special<'_>) {
        special.unit.fill(1.0);
    }
}
