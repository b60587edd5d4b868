//! Vectors as plain arrays, for any processor.

use crate::{Element, Value};
use core::ops::{Add, Div, Mul, Neg, Sub};

/// `N` numbers in an array.
#[derive(Clone, Copy)]
pub struct Lanes<E, const N: usize>([E; N]);

impl<E: Element, const N: usize> Lanes<E, N> {
    #[inline(always)]
    fn map(self, f: impl Fn(E) -> E) -> Self {
        Lanes(self.0.map(f))
    }
    #[inline(always)]
    fn zip(self, other: Self, f: impl Fn(E, E) -> E) -> Self {
        Lanes(core::array::from_fn(|i| f(self.0[i], other.0[i])))
    }
}

macro_rules! operator {
    ($trait:ident, $method:ident) => {
        impl<E: Element, const N: usize> $trait for Lanes<E, N> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                self.zip(other, |a, b| a.$method(b))
            }
        }
    };
}
operator!(Add, add);
operator!(Sub, sub);
operator!(Mul, mul);
operator!(Div, div);

impl<E: Element, const N: usize> Neg for Lanes<E, N> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        self.map(|a| -a)
    }
}

impl<E: Element, const N: usize> Value for Lanes<E, N> {
    type Element = E;
    const LANES: usize = N;
    const ZERO: Self = Lanes([E::ZERO; N]);
    const ONE: Self = Lanes([E::ONE; N]);

    #[inline(always)]
    fn splat(x: E) -> Self {
        Lanes([x; N])
    }
    #[inline(always)]
    fn load(from: &[E]) -> Self {
        Lanes(core::array::from_fn(|i| from[i]))
    }
    #[inline(always)]
    fn load_part(from: &[E]) -> Self {
        Lanes(core::array::from_fn(|i| {
            from.get(i).copied().unwrap_or(E::ZERO)
        }))
    }
    #[inline(always)]
    fn store(self, to: &mut [E]) {
        to[..N].copy_from_slice(&self.0);
    }
    #[inline(always)]
    fn store_part(self, to: &mut [E]) {
        to.copy_from_slice(&self.0[..to.len()]);
    }
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        self * a + b
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        self.zip(other, |a, b| if a < b { b } else { a })
    }
    #[inline(always)]
    fn positive(self) -> Self {
        self.map(|a| if a > E::ZERO { E::ONE } else { E::ZERO })
    }
    #[inline(always)]
    fn exp(self) -> Self {
        self.map(|a| E::of(a.to_f64().exp()))
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        self.map(|a| E::of(a.to_f64().tanh()))
    }
    #[inline(always)]
    fn sigmoid(self) -> Self {
        self.map(|a| E::of(1.0 / (1.0 + (-a.to_f64()).exp())))
    }
}
