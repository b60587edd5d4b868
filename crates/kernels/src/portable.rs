//! Vectors as plain arrays, for any processor.

use crate::simd::{Kernel, Machine, Pieces, Simd};
use crate::{Element, Value};
use core::ops::{Add, Div, Mul, Neg, Sub};

/// `N` numbers in an array.
#[derive(Clone, Copy)]
pub struct Lanes<E, const N: usize>([E; N]);

// Loops over indices rather than closures, which the compiler might not inline into the caller's vectors.
macro_rules! each {
    ($n:ident, $i:ident => $x:expr) => {{
        let mut all = [E::ZERO; $n];
        let mut $i = 0;
        while $i < $n {
            all[$i] = $x;
            $i += 1;
        }
        Lanes(all)
    }};
}

macro_rules! operator {
    ($trait:ident, $method:ident) => {
        impl<E: Element, const N: usize> $trait for Lanes<E, N> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                each!(N, i => self.0[i].$method(other.0[i]))
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
        each!(N, i => -self.0[i])
    }
}

impl<E: Element, const N: usize> Value for Lanes<E, N> {
    type Element = E;
    type Twice = crate::twice::Twice<Self>;
    const LANES: usize = N;
    const ZERO: Self = Lanes([E::ZERO; N]);
    const ONE: Self = Lanes([E::ONE; N]);

    #[inline(always)]
    fn splat(x: E) -> Self {
        Lanes([x; N])
    }
    #[inline(always)]
    fn load(from: &[E]) -> Self {
        let from = &from[..N];
        each!(N, i => from[i])
    }
    #[inline(always)]
    fn load_part(from: &[E]) -> Self {
        assert!(from.len() <= N);
        each!(N, i => if i < from.len() { from[i] } else { E::ZERO })
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
        each!(N, i => self.0[i] * a.0[i] + b.0[i])
    }
    #[inline(always)]
    fn max(self, other: Self) -> Self {
        each!(N, i => if self.0[i] < other.0[i] { other.0[i] } else { self.0[i] })
    }
    #[inline(always)]
    fn positive(self) -> Self {
        each!(N, i => if self.0[i] > E::ZERO { E::ONE } else if self.0[i] <= E::ZERO { E::ZERO } else { self.0[i] })
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        // Through f64, which rounds an f32's root as f32 would.
        each!(N, i => E::of(self.0[i].to_f64().sqrt()))
    }
    crate::simd::functions!();
}

impl<E: Element, const N: usize> Pieces for Lanes<E, N> {
    #[inline(always)]
    fn min(self, other: Self) -> Self {
        each!(N, i => if other.0[i] < self.0[i] { other.0[i] } else { self.0[i] })
    }
    #[inline(always)]
    fn with_sign(self, sign: Self) -> Self {
        each!(N, i => self.0[i].signed_as(sign.0[i]))
    }
    #[inline(always)]
    fn power_of_two(t: Self) -> Self {
        each!(N, i => Machine::power_of_two(t.0[i]))
    }
    #[inline(always)]
    fn scale(self, n: Self) -> Self {
        crate::math::scale_in_two(self, n)
    }
}

impl<E: Element, const N: usize> Simd for Lanes<E, N> {
    const TALL: usize = 4;
    const REGISTERS: usize = 16;

    #[inline(always)]
    unsafe fn read(from: *const E) -> Self {
        // SAFETY: the caller promises `N` numbers; an array needs no more alignment than its element.
        Lanes(unsafe { *from.cast::<[E; N]>() })
    }
    #[inline(always)]
    unsafe fn write(self, to: *mut E) {
        // SAFETY: the caller promises `N` places.
        unsafe { *to.cast::<[E; N]>() = self.0 }
    }
    #[inline(always)]
    unsafe fn read_first(from: *const E, count: usize) -> Self {
        // SAFETY: the caller promises `count` numbers.
        Self::load_part(unsafe { core::slice::from_raw_parts(from, count) })
    }
    #[inline(always)]
    unsafe fn write_first(self, to: *mut E, count: usize) {
        // SAFETY: the caller promises `count` places.
        self.store_part(unsafe { core::slice::from_raw_parts_mut(to, count) });
    }
    #[inline(always)]
    fn call<K: Kernel<E>>(kernel: K) -> K::Out {
        kernel.run::<Self>()
    }
}
