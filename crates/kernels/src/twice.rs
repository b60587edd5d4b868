//! Two vectors as one.

use crate::Value;
use crate::simd::Pieces;
use core::ops::{Add, Div, Mul, Neg, Sub};

/// Two vectors that go through the same operations one after the other.
///
/// A function such as tanh is a chain in which each operation waits for the one before, and a processor looks ahead
/// for other work over a few dozen operations only: written as pairs, there always is some. The results are those of
/// single vectors.
#[derive(Clone, Copy)]
pub struct Twice<V>(V, V);

macro_rules! operator {
    ($trait:ident, $method:ident) => {
        impl<V: Pieces> $trait for Twice<V> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Twice(self.0.$method(other.0), self.1.$method(other.1))
            }
        }
    };
}
operator!(Add, add);
operator!(Sub, sub);
operator!(Mul, mul);
operator!(Div, div);

impl<V: Pieces> Neg for Twice<V> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Twice(-self.0, -self.1)
    }
}

impl<V: Pieces> Value for Twice<V> {
    type Element = V::Element;
    type Twice = Twice<Self>;
    const LANES: usize = 2 * V::LANES;
    const ZERO: Self = Twice(V::ZERO, V::ZERO);
    const ONE: Self = Twice(V::ONE, V::ONE);

    #[inline(always)]
    fn splat(x: V::Element) -> Self {
        Twice(V::splat(x), V::splat(x))
    }
    #[inline(always)]
    fn load(from: &[V::Element]) -> Self {
        let (first, second) = from.split_at(V::LANES);
        Twice(V::load(first), V::load(second))
    }
    #[inline(always)]
    fn load_part(from: &[V::Element]) -> Self {
        let (first, second) = from.split_at(from.len().min(V::LANES));
        Twice(V::load_part(first), V::load_part(second))
    }
    #[inline(always)]
    fn store(self, to: &mut [V::Element]) {
        let (first, second) = to.split_at_mut(V::LANES);
        self.0.store(first);
        self.1.store(second);
    }
    #[inline(always)]
    fn store_part(self, to: &mut [V::Element]) {
        let (first, second) = to.split_at_mut(to.len().min(V::LANES));
        self.0.store_part(first);
        self.1.store_part(second);
    }
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        Twice(self.0.mul_add(a.0, b.0), self.1.mul_add(a.1, b.1))
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        Twice(self.0.max(other.0), self.1.max(other.1))
    }
    #[inline(always)]
    fn positive(self) -> Self {
        Twice(self.0.positive(), self.1.positive())
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Twice(self.0.sqrt(), self.1.sqrt())
    }
    crate::simd::functions!();
}

impl<V: Pieces> Pieces for Twice<V> {
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        Twice(self.0.min(other.0), self.1.min(other.1))
    }
    #[inline(always)]
    fn with_sign(self, sign: Self) -> Self {
        Twice(self.0.with_sign(sign.0), self.1.with_sign(sign.1))
    }
    #[inline(always)]
    fn power_of_two(t: Self) -> Self {
        Twice(V::power_of_two(t.0), V::power_of_two(t.1))
    }
    #[inline(always)]
    fn scale(self, n: Self) -> Self {
        Twice(self.0.scale(n.0), self.1.scale(n.1))
    }
}
