//! The arithmetic that a cell is written in.

use crate::Element;
use core::ops::{Add, Div, Mul, Neg, Sub};

/// Several numbers side by side, one for each of neighbouring units, computed alike.
///
/// A cell is written once over this trait; the same source trains in `f32` at full vector width and is checked
/// in `f64`. Values are made only inside [`Job::run`](crate::Job::run).
pub trait Value:
    Copy
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// `f32` or `f64`.
    type Element: Element;
    /// Two of these as one, for chains of operations that would leave the processor waiting one by one.
    type Twice: Value<Element = Self::Element>;
    /// How many numbers.
    const LANES: usize;
    /// 0 everywhere.
    const ZERO: Self;
    /// 1 everywhere.
    const ONE: Self;

    /// `x` everywhere.
    fn splat(x: Self::Element) -> Self;
    /// The constant nearest to `x`, everywhere.
    #[inline(always)]
    fn of(x: f64) -> Self {
        Self::splat(Self::Element::of(x))
    }
    /// The first [`LANES`](Value::LANES) numbers of `from`.
    ///
    /// # Panics
    /// Where there are fewer.
    fn load(from: &[Self::Element]) -> Self;
    /// All of `from`, then zeros.
    ///
    /// # Panics
    /// Where there are more than [`LANES`](Value::LANES).
    fn load_part(from: &[Self::Element]) -> Self;
    /// Writes into the first [`LANES`](Value::LANES) places of `to`.
    ///
    /// # Panics
    /// Where there are fewer.
    fn store(self, to: &mut [Self::Element]);
    /// Fills `to` with the first numbers.
    ///
    /// # Panics
    /// Where there are more than [`LANES`](Value::LANES).
    fn store_part(self, to: &mut [Self::Element]);
    /// `self * a + b`; one rounding where the machine has it.
    fn mul_add(self, a: Self, b: Self) -> Self;
    /// The larger of two; NaN in `self` passes.
    fn max(self, other: Self) -> Self;
    /// 1 where `self > 0`, else 0: the derivative of [`Value::max`] with zero. NaN passes, so that a gradient through it
    /// is NaN too.
    fn positive(self) -> Self;
    /// The square root, rounded to nearest; NaN below 0.
    fn sqrt(self) -> Self;
    /// eˣ, within 1.2 units in the last place; monotone; NaN passes.
    fn exp(self) -> Self;
    /// Hyperbolic tangent, within 2.5 units: odd, monotone, exact at 0, ±1 at the ends; NaN passes.
    fn tanh(self) -> Self;
    /// 1 / (1 + e⁻ˣ), within 2.5 units: monotone from 0 to 1; NaN passes.
    fn sigmoid(self) -> Self;
}
