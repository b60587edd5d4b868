//! AVX2 with FMA.

use crate::Value;
use crate::simd::{Kernel, Pieces, Simd, vector};
use core::arch::x86_64::*;

/// Runs a kernel compiled for this instruction set.
///
/// # Safety
/// The processor must have AVX2 and FMA.
#[target_feature(enable = "avx2,fma")]
pub unsafe fn run<S: Simd, K: Kernel<S::Element>>(kernel: K) -> K::Out {
    kernel.run::<S>()
}

/// Whether the processor has what [`run`] needs.
pub fn available() -> bool {
    is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma")
}

vector!(F32x8: f32, __m256, 8, _mm256_set1_ps, _mm256_add_ps, _mm256_sub_ps, _mm256_mul_ps, _mm256_div_ps, _mm256_sqrt_ps,
// The second operand where either is NaN or both are zero.
|a, b| _mm256_max_ps(b, a), _mm256_fmadd_ps,
|a| _mm256_or_ps(
    _mm256_and_ps(_mm256_cmp_ps::<_CMP_GT_OQ>(a, _mm256_setzero_ps()), _mm256_set1_ps(1.0)),
    // All bits where it is so, which is a NaN.
    _mm256_cmp_ps::<_CMP_UNORD_Q>(a, a)
));
vector!(F64x4: f64, __m256d, 4, _mm256_set1_pd, _mm256_add_pd, _mm256_sub_pd, _mm256_mul_pd, _mm256_div_pd, _mm256_sqrt_pd,
|a, b| _mm256_max_pd(b, a), _mm256_fmadd_pd,
|a| _mm256_or_pd(
    _mm256_and_pd(_mm256_cmp_pd::<_CMP_GT_OQ>(a, _mm256_setzero_pd()), _mm256_set1_pd(1.0)),
    // All bits where it is so, which is a NaN.
    _mm256_cmp_pd::<_CMP_UNORD_Q>(a, a)
));

macro_rules! rest {
    ($name:ident: $element:ty, $int:ty, $loadu:ident, $storeu:ident, $maskload:ident, $maskstore:ident,
     $min:ident, $and:ident, $andnot:ident, $or:ident, $xor:ident,
     $cast_int:ident, $cast_float:ident, $shift_left:ident, $shift:literal, $add_int:ident) => {
        impl $name {
            /// The first `count` lanes.
            #[inline(always)]
            fn first(count: usize) -> __m256i {
                const WINDOW: [$int; 2 * $name::LANES] = {
                    let mut window = [0; 2 * $name::LANES];
                    let mut i = 0;
                    while i < $name::LANES {
                        window[i] = -1;
                        i += 1;
                    }
                    window
                };
                let from = &WINDOW[Self::LANES - count..][..Self::LANES];
                // SAFETY: the slice has as many lanes as the register.
                unsafe { _mm256_loadu_si256(from.as_ptr().cast()) }
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
                crate::math::scale_in_two(self, n)
            }
        }
        impl Simd for $name {
            const TALL: usize = 6;
            const REGISTERS: usize = 16;

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
                $name(unsafe { $maskload(from, Self::first(count)) })
            }
            #[inline(always)]
            unsafe fn write_first(self, to: *mut $element, count: usize) {
                // SAFETY: see above; lanes outside the mask are not touched.
                unsafe { $maskstore(to, Self::first(count), self.0) }
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
rest!(F32x8: f32, i32, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_maskload_ps, _mm256_maskstore_ps,
    _mm256_min_ps, _mm256_and_ps, _mm256_andnot_ps, _mm256_or_ps, _mm256_xor_ps,
    _mm256_castps_si256, _mm256_castsi256_ps, _mm256_slli_epi32, 23, _mm256_add_epi32);
rest!(F64x4: f64, i64, _mm256_loadu_pd, _mm256_storeu_pd, _mm256_maskload_pd, _mm256_maskstore_pd,
    _mm256_min_pd, _mm256_and_pd, _mm256_andnot_pd, _mm256_or_pd, _mm256_xor_pd,
    _mm256_castpd_si256, _mm256_castsi256_pd, _mm256_slli_epi64, 52, _mm256_add_epi64);
