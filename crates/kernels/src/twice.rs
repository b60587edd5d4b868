//! Two vectors as one.

use crate::Value;
use crate::simd::{Kernel, Simd};
use core::ops::{Add, Div, Mul, Neg, Sub};

/// Two vectors that go through the same operations one after the other.
///
/// A function such as tanh is a chain in which each operation waits for the one before, and a processor looks ahead
/// for other work over a few dozen operations only: written as pairs, there always is some. The results are those of
/// single vectors.
#[derive(Clone, Copy)]
pub struct Twice<S>(S, S);

macro_rules! operator {
    ($trait:ident, $method:ident) => {
        impl<S: Simd> $trait for Twice<S> {
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

impl<S: Simd> Neg for Twice<S> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        Twice(-self.0, -self.1)
    }
}

impl<S: Simd> Value for Twice<S> {
    type Element = S::Element;
    type Twice = Twice<Self>;
    const LANES: usize = 2 * S::LANES;
    const ZERO: Self = Twice(S::ZERO, S::ZERO);
    const ONE: Self = Twice(S::ONE, S::ONE);

    #[inline(always)]
    fn splat(x: S::Element) -> Self {
        Twice(S::splat(x), S::splat(x))
    }
    #[inline(always)]
    fn load(from: &[S::Element]) -> Self {
        let (first, second) = from.split_at(S::LANES);
        Twice(S::load(first), S::load(second))
    }
    #[inline(always)]
    fn load_part(from: &[S::Element]) -> Self {
        let (first, second) = from.split_at(from.len().min(S::LANES));
        Twice(S::load_part(first), S::load_part(second))
    }
    #[inline(always)]
    fn store(self, to: &mut [S::Element]) {
        let (first, second) = to.split_at_mut(S::LANES);
        self.0.store(first);
        self.1.store(second);
    }
    #[inline(always)]
    fn store_part(self, to: &mut [S::Element]) {
        let (first, second) = to.split_at_mut(to.len().min(S::LANES));
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

impl<S: Simd> Simd for Twice<S> {
    // For products, which know better ways to have enough under way.
    const TALL: usize = S::TALL / 2;
    const REGISTERS: usize = S::REGISTERS / 2;

    #[inline(always)]
    unsafe fn read(from: *const S::Element) -> Self {
        // SAFETY: the caller promises twice as many numbers.
        unsafe { Twice(S::read(from), S::read(from.add(S::LANES))) }
    }
    #[inline(always)]
    unsafe fn write(self, to: *mut S::Element) {
        // SAFETY: as above.
        unsafe {
            self.0.write(to);
            self.1.write(to.add(S::LANES));
        }
    }
    #[inline(always)]
    unsafe fn read_first(from: *const S::Element, count: usize) -> Self {
        // SAFETY: the caller promises `count` numbers.
        Self::load_part(unsafe { core::slice::from_raw_parts(from, count) })
    }
    #[inline(always)]
    unsafe fn write_first(self, to: *mut S::Element, count: usize) {
        // SAFETY: the caller promises `count` places.
        self.store_part(unsafe { core::slice::from_raw_parts_mut(to, count) });
    }
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        Twice(self.0.min(other.0), self.1.min(other.1))
    }
    #[inline(always)]
    fn abs(self) -> Self {
        Twice(self.0.abs(), self.1.abs())
    }
    #[inline(always)]
    fn with_sign(self, sign: Self) -> Self {
        Twice(self.0.with_sign(sign.0), self.1.with_sign(sign.1))
    }
    #[inline(always)]
    fn power_of_two(t: Self) -> Self {
        Twice(S::power_of_two(t.0), S::power_of_two(t.1))
    }
    #[inline(always)]
    fn scale(self, n: Self) -> Self {
        Twice(self.0.scale(n.0), self.1.scale(n.1))
    }
    #[inline(always)]
    fn call<K: Kernel<S::Element>>(kernel: K) -> K::Out {
        S::call(kernel)
    }
}
