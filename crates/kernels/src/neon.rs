//! NEON, which every 64-bit Arm processor has.

use crate::Value;
use crate::simd::{Kernel, Pieces, Simd, vector};
use core::arch::aarch64::*;

/// Runs a kernel compiled for this instruction set.
///
/// # Safety
/// The processor must have NEON.
#[target_feature(enable = "neon")]
pub unsafe fn run<S: Simd, K: Kernel<S::Element>>(kernel: K) -> K::Out {
    kernel.run::<S>()
}

vector!(F32x4: f32, float32x4_t, 4, vdupq_n_f32, vaddq_f32, vsubq_f32, vmulq_f32, vdivq_f32, vsqrtq_f32,
|a, b| vbslq_f32(vcltq_f32(a, b), b, a), |a, b, c| vfmaq_f32(c, a, b),
|a| vbslq_f32(
    vceqq_f32(a, a),
    vreinterpretq_f32_u32(vandq_u32(vcgtq_f32(a, vdupq_n_f32(0.0)), vreinterpretq_u32_f32(vdupq_n_f32(1.0)))),
    a
));
vector!(F64x2: f64, float64x2_t, 2, vdupq_n_f64, vaddq_f64, vsubq_f64, vmulq_f64, vdivq_f64, vsqrtq_f64,
|a, b| vbslq_f64(vcltq_f64(a, b), b, a), |a, b, c| vfmaq_f64(c, a, b),
|a| vbslq_f64(
    vceqq_f64(a, a),
    vreinterpretq_f64_u64(vandq_u64(vcgtq_f64(a, vdupq_n_f64(0.0)), vreinterpretq_u64_f64(vdupq_n_f64(1.0)))),
    a
));

macro_rules! rest {
    ($name:ident: $element:ty, $bits:ty, $load:ident, $store:ident, $less:ident, $select:ident,
     $to_bits:ident, $from_bits:ident, $splat_bits:ident, $xor:ident, $shift_left:ident, $shift:literal,
     $add_bits:ident) => {
        impl $name {
            #[inline(always)]
            pub(super) fn flip(self, other: Self) -> Self {
                // SAFETY: vectors exist only where the processor has the instructions.
                $name(unsafe { $from_bits($xor($to_bits(self.0), $to_bits(other.0))) })
            }
        }
        // SAFETY of all blocks below: vectors exist only inside `run`; pointers are the callers' promise.
        impl Pieces for $name {
            #[inline(always)]
            fn min(self, other: Self) -> Self {
                // SAFETY: see above.
                $name(unsafe { $select($less(other.0, self.0), other.0, self.0) })
            }
            #[inline(always)]
            fn with_sign(self, sign: Self) -> Self {
                const SIGN: $bits = 1 << (<$bits>::BITS - 1);
                // SAFETY: see above.
                $name(unsafe { $select($splat_bits(SIGN), sign.0, self.0) })
            }
            #[inline(always)]
            fn power_of_two(t: Self) -> Self {
                // SAFETY: see above.
                $name(unsafe {
                    $from_bits($add_bits(
                        $shift_left::<$shift>($to_bits(t.0)),
                        $to_bits(Self::ONE.0),
                    ))
                })
            }
            #[inline(always)]
            fn scale(self, n: Self) -> Self {
                crate::math::scale_in_two(self, n)
            }
        }
        impl Simd for $name {
            const TALL: usize = 12;
            const REGISTERS: usize = 32;

            #[inline(always)]
            unsafe fn read(from: *const $element) -> Self {
                // SAFETY: see above.
                $name(unsafe { $load(from) })
            }
            #[inline(always)]
            unsafe fn write(self, to: *mut $element) {
                // SAFETY: see above.
                unsafe { $store(to, self.0) }
            }
            #[inline(always)]
            unsafe fn read_first(from: *const $element, count: usize) -> Self {
                let mut all = [0.0; Self::LANES];
                // SAFETY: the caller promises `count` numbers, at most as many as the array has.
                unsafe {
                    core::ptr::copy_nonoverlapping(from, all.as_mut_ptr(), count);
                    Self::read(all.as_ptr())
                }
            }
            #[inline(always)]
            unsafe fn write_first(self, to: *mut $element, count: usize) {
                let mut all = [0.0; Self::LANES];
                // SAFETY: the caller promises `count` places, at most as many as the array has.
                unsafe {
                    self.write(all.as_mut_ptr());
                    core::ptr::copy_nonoverlapping(all.as_ptr(), to, count);
                }
            }
            #[inline(always)]
            fn call<K: Kernel<$element>>(kernel: K) -> K::Out {
                // SAFETY: whoever has this type is already inside `run`.
                unsafe { run::<Self, K>(kernel) }
            }
        }
    };
}
rest!(F32x4: f32, u32, vld1q_f32, vst1q_f32, vcltq_f32, vbslq_f32,
    vreinterpretq_u32_f32, vreinterpretq_f32_u32, vdupq_n_u32, veorq_u32, vshlq_n_u32, 23, vaddq_u32);
rest!(F64x2: f64, u64, vld1q_f64, vst1q_f64, vcltq_f64, vbslq_f64,
    vreinterpretq_u64_f64, vreinterpretq_f64_u64, vdupq_n_u64, veorq_u64, vshlq_n_u64, 52, vaddq_u64);
