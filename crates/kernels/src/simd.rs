//! What the kernels need of a vector beyond [`Value`], and how they reach the one of a level.

use crate::outer::Outer;
use crate::product::Product;
use crate::sums::Sums;
use crate::{Element, Level, Value};

/// What exp, tanh and sigmoid need of a [`Value`] beyond its arithmetic.
pub trait Pieces: Value {
    /// The smaller of two; NaN in `self` passes.
    fn min(self, other: Self) -> Self;
    /// With the sign of `sign`.
    fn with_sign(self, sign: Self) -> Self;
    /// 2ⁿ from `t = n + MAGIC`, where 2ⁿ is a normal number.
    fn power_of_two(t: Self) -> Self;
    /// `self · 2ⁿ` for whole n, rounded once: to infinity and to subnormal numbers as well.
    fn scale(self, n: Self) -> Self;
}

/// A vector of some instruction set.
///
/// Implementors are private: values of them exist only inside a [`Kernel`] (or a public [`Job`](crate::Job), which
/// is one), and a kernel runs only where the processor has the instructions.
pub trait Simd: Pieces {
    /// Rows of the tallest register block, which is two vectors wide.
    const TALL: usize;
    /// Vector registers.
    const REGISTERS: usize;

    /// Reads `LANES` numbers.
    ///
    /// # Safety
    /// `from` must be valid for reading them.
    unsafe fn read(from: *const Self::Element) -> Self;
    /// Writes `LANES` numbers.
    ///
    /// # Safety
    /// `to` must be valid for writing them.
    unsafe fn write(self, to: *mut Self::Element);
    /// Reads `count` numbers, at most `LANES`, then zeros.
    ///
    /// # Safety
    /// `from` must be valid for reading `count` numbers.
    unsafe fn read_first(from: *const Self::Element, count: usize) -> Self;
    /// Writes the first `count` numbers, at most `LANES`.
    ///
    /// # Safety
    /// `to` must be valid for writing `count` numbers.
    unsafe fn write_first(self, to: *mut Self::Element, count: usize);

    /// Asks for the cache line at an address, which need not be valid.
    #[inline(always)]
    fn prefetch(at: *const Self::Element) {
        let _ = at;
    }

    /// The same, into the level-2 cache.
    #[inline(always)]
    fn prefetch_far(at: *const Self::Element) {
        let _ = at;
    }

    /// Runs a kernel as a function of its own, compiled for this instruction set.
    fn call<K: Kernel<Self::Element>>(kernel: K) -> K::Out;
}

/// Work over the vectors of a level. Mark `run` `#[inline(always)]`.
pub trait Kernel<E: Element> {
    /// What it gives back.
    type Out;
    /// Does it.
    fn run<S: Simd<Element = E>>(self) -> Self::Out;
}

/// The way from an element to its vectors. Functions rather than associated types, so that safe code elsewhere
/// cannot name a vector that this processor may not have.
pub trait Machine: Sized {
    /// 1.5·2^(digits − 1): adding it rounds to a whole number and leaves that in the low bits.
    const MAGIC: f64;

    // The kernels of this crate by element, so that they are compiled here and not in every crate that uses them.
    /// See [`product`](crate::product).
    fn product(level: Level, product: &mut Product<'_, Self>)
    where
        Self: Element;
    /// See [`outer_add`](crate::outer_add).
    fn outer(level: Level, outer: Outer<'_, Self>)
    where
        Self: Element;
    /// See [`column_sum_add`](crate::column_sum_add).
    fn sums(level: Level, sums: Sums<'_, Self>)
    where
        Self: Element;

    /// 2ⁿ from the bits of `n + MAGIC`.
    fn power_of_two(self) -> Self;
    /// With the sign of `sign`.
    fn signed_as(self, sign: Self) -> Self;

    /// # Safety
    /// The processor must have AVX-512 F, DQ, VL and BW.
    #[cfg(target_arch = "x86_64")]
    unsafe fn avx512<K: Kernel<Self>>(kernel: K) -> K::Out
    where
        Self: Element;
    /// # Safety
    /// The processor must have AVX2 and FMA.
    #[cfg(target_arch = "x86_64")]
    unsafe fn avx2<K: Kernel<Self>>(kernel: K) -> K::Out
    where
        Self: Element;
    /// # Safety
    /// The processor must have NEON.
    #[cfg(target_arch = "aarch64")]
    unsafe fn neon<K: Kernel<Self>>(kernel: K) -> K::Out
    where
        Self: Element;
}

macro_rules! machine {
    ($element:ty, $magic:expr, $shift:expr, $avx512:ident, $avx2:ident, $neon:ident) => {
        impl Machine for $element {
            const MAGIC: f64 = $magic;
            fn product(level: Level, product: &mut Product<'_, Self>) {
                level.kernel(product);
            }
            fn outer(level: Level, outer: Outer<'_, Self>) {
                level.kernel(outer);
            }
            fn sums(level: Level, sums: Sums<'_, Self>) {
                level.kernel(sums);
            }
            #[inline(always)]
            fn power_of_two(self) -> Self {
                let one: $element = 1.0;
                <$element>::from_bits((self.to_bits() << $shift).wrapping_add(one.to_bits()))
            }
            #[inline(always)]
            fn signed_as(self, sign: Self) -> Self {
                self.copysign(sign)
            }
            #[cfg(target_arch = "x86_64")]
            #[inline(always)]
            unsafe fn avx512<K: Kernel<Self>>(kernel: K) -> K::Out {
                // SAFETY: the caller promises what `run` asks for.
                unsafe { crate::avx512::run::<crate::avx512::$avx512, K>(kernel) }
            }
            #[cfg(target_arch = "x86_64")]
            #[inline(always)]
            unsafe fn avx2<K: Kernel<Self>>(kernel: K) -> K::Out {
                // SAFETY: the caller promises what `run` asks for.
                unsafe { crate::avx2::run::<crate::avx2::$avx2, K>(kernel) }
            }
            #[cfg(target_arch = "aarch64")]
            #[inline(always)]
            unsafe fn neon<K: Kernel<Self>>(kernel: K) -> K::Out {
                // SAFETY: the caller promises what `run` asks for.
                unsafe { crate::neon::run::<crate::neon::$neon, K>(kernel) }
            }
        }
    };
}
machine!(f32, 12_582_912.0, 23, F32x16, F32x8, F32x4);
machine!(f64, 6_755_399_441_055_744.0, 52, F64x8, F64x4, F64x2);

/// Implements [`Value`] and the operators of a register type from its intrinsics; the rest of [`Simd`] is each
/// file's own.
macro_rules! vector {
    ($name:ident: $element:ty, $register:ty, $lanes:literal,
     $splat:ident, $add:ident, $sub:ident, $mul:ident, $div:ident, $sqrt:ident, $max:expr, $fma:expr, $positive:expr) => {
        #[doc = concat!(stringify!($lanes), " `", stringify!($element), "` in a register.")]
        #[derive(Clone, Copy)]
        #[repr(transparent)]
        pub struct $name($register);

        crate::simd::operator!($name, Add, add, $add);
        crate::simd::operator!($name, Sub, sub, $sub);
        crate::simd::operator!($name, Mul, mul, $mul);
        crate::simd::operator!($name, Div, div, $div);

        impl core::ops::Neg for $name {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                <Self as Value>::splat(-0.0).flip(self)
            }
        }

        impl Value for $name {
            type Element = $element;
            type Twice = crate::twice::Twice<Self>;
            const LANES: usize = $lanes;
            // SAFETY: an array of floats has the size of the register, and every bit pattern is one.
            const ZERO: Self = $name(unsafe {
                core::mem::transmute::<[$element; $lanes], $register>([0.0 as $element; $lanes])
            });
            // SAFETY: as above.
            const ONE: Self = $name(unsafe {
                core::mem::transmute::<[$element; $lanes], $register>([1.0 as $element; $lanes])
            });

            #[inline(always)]
            fn splat(x: $element) -> Self {
                // SAFETY: vectors exist only where the processor has the instructions (see `Simd`).
                $name(unsafe { $splat(x) })
            }
            #[inline(always)]
            fn load(from: &[$element]) -> Self {
                assert!(from.len() >= $lanes);
                // SAFETY: the slice is that long.
                unsafe { Self::read(from.as_ptr()) }
            }
            #[inline(always)]
            fn load_part(from: &[$element]) -> Self {
                assert!(from.len() <= $lanes);
                // SAFETY: the slice is that long.
                unsafe { Self::read_first(from.as_ptr(), from.len()) }
            }
            #[inline(always)]
            fn store(self, to: &mut [$element]) {
                assert!(to.len() >= $lanes);
                // SAFETY: the slice is that long.
                unsafe { self.write(to.as_mut_ptr()) }
            }
            #[inline(always)]
            fn store_part(self, to: &mut [$element]) {
                assert!(to.len() <= $lanes);
                // SAFETY: the slice is that long.
                unsafe { self.write_first(to.as_mut_ptr(), to.len()) }
            }
            #[inline(always)]
            fn mul_add(self, a: Self, b: Self) -> Self {
                // SAFETY: vectors exist only where the processor has the instructions.
                $name(unsafe { $fma(self.0, a.0, b.0) })
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                // SAFETY: vectors exist only where the processor has the instructions.
                $name(unsafe { $max(self.0, other.0) })
            }
            #[inline(always)]
            fn positive(self) -> Self {
                // SAFETY: vectors exist only where the processor has the instructions.
                $name(unsafe { $positive(self.0) })
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                // SAFETY: vectors exist only where the processor has the instructions.
                $name(unsafe { $sqrt(self.0) })
            }
            crate::simd::functions!();
        }
    };
}
macro_rules! operator {
    ($name:ident, $trait:ident, $method:ident, $intrinsic:ident) => {
        impl core::ops::$trait for $name {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                // SAFETY: vectors exist only where the processor has the instructions (see `Simd`).
                $name(unsafe { $intrinsic(self.0, other.0) })
            }
        }
    };
}
/// The functions of a [`Value`] that has the [`Pieces`] for them.
macro_rules! functions {
    () => {
        #[inline(always)]
        fn exp(self) -> Self {
            crate::math::exp(self)
        }
        #[inline(always)]
        fn tanh(self) -> Self {
            crate::math::tanh(self)
        }
        #[inline(always)]
        fn sigmoid(self) -> Self {
            crate::math::sigmoid(self)
        }
    };
}
pub(crate) use {functions, operator, vector};
