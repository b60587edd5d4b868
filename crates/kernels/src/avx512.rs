//! AVX-512 (F, DQ, VL, BW).

use crate::Value;
use crate::simd::{Kernel, Pieces, Simd, vector};
use core::arch::x86_64::*;

/// Runs a kernel compiled for this instruction set.
///
/// # Safety
/// The processor must have AVX-512 F, DQ, VL and BW.
#[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw,avx2,fma,bmi1,bmi2")]
pub unsafe fn run<S: Simd, K: Kernel<S::Element>>(kernel: K) -> K::Out {
    kernel.run::<S>()
}

/// Whether the processor has what [`run`] needs.
pub fn available() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
}

vector!(F32x16: f32, __m512, 16, _mm512_set1_ps, _mm512_add_ps, _mm512_sub_ps, _mm512_mul_ps, _mm512_div_ps, _mm512_sqrt_ps,
// The second operand where either is NaN or both are zero.
|a, b| _mm512_max_ps(b, a), _mm512_fmadd_ps,
|a| _mm512_mask_mov_ps(
    _mm512_maskz_mov_ps(_mm512_cmp_ps_mask::<_CMP_GT_OQ>(a, _mm512_setzero_ps()), _mm512_set1_ps(1.0)),
    _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(a, a),
    a
));
vector!(F64x8: f64, __m512d, 8, _mm512_set1_pd, _mm512_add_pd, _mm512_sub_pd, _mm512_mul_pd, _mm512_div_pd, _mm512_sqrt_pd,
|a, b| _mm512_max_pd(b, a), _mm512_fmadd_pd,
|a| _mm512_mask_mov_pd(
    _mm512_maskz_mov_pd(_mm512_cmp_pd_mask::<_CMP_GT_OQ>(a, _mm512_setzero_pd()), _mm512_set1_pd(1.0)),
    _mm512_cmp_pd_mask::<_CMP_UNORD_Q>(a, a),
    a
));

macro_rules! rest {
    ($name:ident: $element:ty, $mask:ty, $loadu:ident, $storeu:ident, $maskz_loadu:ident, $mask_storeu:ident,
     $min:ident, $and:ident, $andnot:ident, $or:ident, $xor:ident, $scalef:ident,
     $cast_int:ident, $cast_float:ident, $shift_left:ident, $shift:literal, $add_int:ident) => {
        impl $name {
            /// The first `count` lanes.
            #[inline(always)]
            fn first(count: usize) -> $mask {
                debug_assert!(count <= Self::LANES);
                ((1u32 << count) - 1) as $mask
            }
            #[inline(always)]
            pub(super) fn flip(self, other: Self) -> Self {
                // SAFETY: vectors exist only where the processor has the instructions.
                $name(unsafe { $xor(self.0, other.0) })
            }
        }
        // SAFETY of all blocks below: vectors exist only inside `run`; pointers are the callers' promise.
        impl Pieces for $name {
            #[inline(always)]
            fn min(self, other: Self) -> Self {
                // SAFETY: see above. The second operand where either is NaN.
                $name(unsafe { $min(other.0, self.0) })
            }
            #[inline(always)]
            fn with_sign(self, sign: Self) -> Self {
                let bit = Self::splat(-0.0).0;
                // SAFETY: see above.
                $name(unsafe { $or($andnot(bit, self.0), $and(bit, sign.0)) })
            }
            #[inline(always)]
            fn power_of_two(t: Self) -> Self {
                // SAFETY: see above.
                $name(unsafe {
                    $cast_float($add_int(
                        $shift_left::<$shift>($cast_int(t.0)),
                        $cast_int(Self::ONE.0),
                    ))
                })
            }
            #[inline(always)]
            fn scale(self, n: Self) -> Self {
                // SAFETY: see above.
                $name(unsafe { $scalef(self.0, n.0) })
            }
        }
        impl Simd for $name {
            const TALL: usize = 12;
            const REGISTERS: usize = 32;

            #[inline(always)]
            unsafe fn read(from: *const $element) -> Self {
                // SAFETY: see above.
                $name(unsafe { $loadu(from) })
            }
            #[inline(always)]
            unsafe fn write(self, to: *mut $element) {
                // SAFETY: see above.
                unsafe { $storeu(to, self.0) }
            }
            #[inline(always)]
            unsafe fn read_first(from: *const $element, count: usize) -> Self {
                // SAFETY: see above; lanes outside the mask are not touched.
                $name(unsafe { $maskz_loadu(Self::first(count), from) })
            }
            #[inline(always)]
            unsafe fn write_first(self, to: *mut $element, count: usize) {
                // SAFETY: see above; lanes outside the mask are not touched.
                unsafe { $mask_storeu(to, Self::first(count), self.0) }
            }
            #[inline(always)]
            fn prefetch(at: *const $element) {
                // SAFETY: a prefetch may name any address.
                unsafe { _mm_prefetch::<_MM_HINT_T0>(at.cast()) }
            }
            #[inline(always)]
            fn prefetch_far(at: *const $element) {
                // SAFETY: as above.
                unsafe { _mm_prefetch::<_MM_HINT_T1>(at.cast()) }
            }
            #[inline(always)]
            fn call<K: Kernel<$element>>(kernel: K) -> K::Out {
                // SAFETY: whoever has this type is already inside `run`.
                unsafe { run::<Self, K>(kernel) }
            }
        }
    };
}
rest!(F32x16: f32, __mmask16, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_maskz_loadu_ps, _mm512_mask_storeu_ps,
    _mm512_min_ps, _mm512_and_ps, _mm512_andnot_ps, _mm512_or_ps, _mm512_xor_ps, _mm512_scalef_ps,
    _mm512_castps_si512, _mm512_castsi512_ps, _mm512_slli_epi32, 23, _mm512_add_epi32);
rest!(F64x8: f64, __mmask8, _mm512_loadu_pd, _mm512_storeu_pd, _mm512_maskz_loadu_pd, _mm512_mask_storeu_pd,
    _mm512_min_pd, _mm512_and_pd, _mm512_andnot_pd, _mm512_or_pd, _mm512_xor_pd, _mm512_scalef_pd,
    _mm512_castpd_si512, _mm512_castsi512_pd, _mm512_slli_epi64, 52, _mm512_add_epi64);
