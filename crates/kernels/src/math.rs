//! exp, tanh and sigmoid, written once for every vector of every level.
//!
//! All three round x to a whole number n of (half) binary orders, so that the rest r is small, and take a
//! polynomial in r fitted by Remez' exchange to the least largest relative error.
//!
//! Largest errors in units in the last place: `f32` over all 2³² patterns (`cargo run --release -p elman-kernels
//! --example every_f32`), where all three are monotone and tanh is odd bit for bit; `f64` on a dense sample against
//! 32-digit arithmetic (`tests/functions.rs`).
//!
//! | | exp | tanh | sigmoid |
//! |---|---|---|---|
//! | f32, AVX-512 and AVX2 | 1.17 | 2.50 | 2.49 |
//! | f32, portable | 1.14 | 2.50 | 2.49 |
//! | f64 | 1.1 | 2.5 | 2.2 |

use crate::simd::{Machine, Pieces};

/// What the functions need to know about an element.
pub trait Fit: Machine {
    /// ln 2 in two parts, the first with so few digits that n times it is exact.
    const LN2: [f64; 2];
    /// Beyond these, exp is infinite and zero.
    const EXP_ENDS: [f64; 2];
    /// Beyond the first, sigmoid is 0; beyond the second, 1.
    const SIGMOID_ENDS: [f64; 2];
    /// From here on tanh is 1.
    const TANH_END: f64;
    /// (eʳ − 1 − r) / r² for |r| ≤ ½ ln 2, from the highest power down.
    const EXP: &'static [f64];
    /// (e²ʳ − 1 − 2r) / r² for |r| ≤ ¼ ln 2, from the highest power down.
    const EXPM1: &'static [f64];
}

impl Fit for f32 {
    const LN2: [f64; 2] = [0.693359375, -2.12194440e-4];
    const EXP_ENDS: [f64; 2] = [-104.0, 89.0];
    const SIGMOID_ENDS: [f64; 2] = [-104.0, 20.0];
    const TANH_END: f64 = 9.02;
    // Relative error 2^-29.
    const EXP: &'static [f64] = &[
        1.383679104e-3,
        8.374856785e-3,
        4.166822881e-2,
        0.166664198,
        0.49999991059303284,
    ];
    // Relative error 2^-26.4.
    const EXPM1: &'static [f64] = &[
        8.888880163e-2,
        0.2678113281726837,
        0.6666741967201233,
        1.3333204984664917,
        1.9999998807907104,
    ];
}

impl Fit for f64 {
    const LN2: [f64; 2] = [0.6931471803691238, 1.9082149292705877e-10];
    const EXP_ENDS: [f64; 2] = [-746.0, 710.0];
    const SIGMOID_ENDS: [f64; 2] = [-746.0, 40.0];
    const TANH_END: f64 = 20.0;
    // Relative error 2^-58.
    const EXP: &'static [f64] = &[
        2.4994248455100405e-8,
        2.763236690656822e-7,
        2.7557623126838343e-6,
        2.480148632381012e-5,
        0.00019841269431474575,
        0.0013888888951407057,
        0.008333333333560159,
        0.04166666666649209,
        0.16666666666666166,
        0.5000000000000018,
    ];
    // Relative error 2^-61.
    const EXPM1: &'static [f64] = &[
        8.551116554451849e-6,
        5.142532487597081e-5,
        0.00028218777656929453,
        0.001410930738340882,
        0.006349206316058488,
        0.025396825459149792,
        0.08888888888937882,
        0.2666666666662287,
        0.6666666666666639,
        1.3333333333333344,
        2.0,
    ];
}

#[inline(always)]
fn horner<V: Pieces>(r: V, coefficients: &'static [f64]) -> V {
    let mut sum = V::of(coefficients[0]);
    let mut i = 1;
    while i < coefficients.len() {
        sum = sum.mul_add(r, V::of(coefficients[i]));
        i += 1;
    }
    sum
}

/// eʳ = 1 + (r + r² (½ + …)): the inner sum is nearly exact, which keeps the whole monotone.
#[inline(always)]
fn exp_of_rest<V: Pieces>(r: V) -> V {
    (r * r).mul_add(horner(r, V::Element::EXP), r) + V::ONE
}

/// `p · 2ⁿ` in two exact halves, where there is no instruction for it.
#[inline(always)]
pub fn scale_in_two<V: Pieces>(p: V, n: V) -> V {
    let magic = V::of(<V::Element as Machine>::MAGIC);
    let half = n.mul_add(V::of(0.5), magic);
    let rest = n - (half - magic) + magic;
    p * V::power_of_two(half) * V::power_of_two(rest)
}

/// eˣ.
///
/// x = n ln 2 + r, eˣ = 2ⁿ eʳ.
#[inline(always)]
pub fn exp<V: Pieces>(x: V) -> V {
    let [low, high] = V::Element::EXP_ENDS;
    let x = x.max(V::of(low)).min(V::of(high));
    let magic = V::of(<V::Element as Machine>::MAGIC);
    let n = x.mul_add(V::of(core::f64::consts::LOG2_E), magic) - magic;
    let [ln2, ln2_rest] = V::Element::LN2;
    let r = n.mul_add(V::of(-ln2_rest), n.mul_add(V::of(-ln2), x));
    exp_of_rest(r).scale(n)
}

/// 1 / (1 + e⁻ˣ).
///
/// x = n ln 2 − r, e⁻ˣ = 2⁻ⁿ eʳ; multiplied by 2ⁿ above and below, so that nothing overflows and small results
/// keep their digits.
#[inline(always)]
pub fn sigmoid<V: Pieces>(x: V) -> V {
    let [low, high] = V::Element::SIGMOID_ENDS;
    let x = x.max(V::of(low)).min(V::of(high));
    let magic = V::of(<V::Element as Machine>::MAGIC);
    let n = x.mul_add(V::of(core::f64::consts::LOG2_E), magic) - magic;
    let [ln2, ln2_rest] = V::Element::LN2;
    let r = n.mul_add(V::of(ln2_rest), n.mul_add(V::of(ln2), -x));
    let power = V::ONE.scale(n);
    power / (power + exp_of_rest(r))
}

/// Hyperbolic tangent.
///
/// −|x| = n ½ ln 2 + r, e^−2|x| − 1 = 2ⁿ (e²ʳ − 1) + (2ⁿ − 1) = m, tanh |x| = −m / (2 + m). As |x| grows, −m does
/// not fall and 2 + m does not rise, however they are rounded: so tanh is monotone where m is. One part of ½ ln 2 is
/// enough: what r loses by it, relative to |x|, weighs less in tanh than in |x| itself.
#[inline(always)]
pub fn tanh<V: Pieces>(x: V) -> V {
    let minus = x.with_sign(V::of(-1.0)).max(V::of(-V::Element::TANH_END));
    let magic = V::of(<V::Element as Machine>::MAGIC);
    let t = minus.mul_add(V::of(2.0 * core::f64::consts::LOG2_E), magic);
    let n = t - magic;
    let r = n.mul_add(V::of(-0.5 * core::f64::consts::LN_2), minus);
    let power = V::power_of_two(t);
    let bend = horner(r, V::Element::EXPM1);
    let m = power.mul_add((r * r).mul_add(bend, r + r), power - V::ONE);
    (m / (m + V::of(2.0))).with_sign(x)
}
