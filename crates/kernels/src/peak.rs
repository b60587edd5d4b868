//! How fast one core multiplies and adds at best: what the products are measured against.

use crate::simd::{Kernel, Simd};
use crate::{Element, Level};
use std::hint::black_box;
use std::time::Instant;

/// Multiply-adds under way at once: more than latency times units of any processor known.
const SUMS: usize = 10;
const ROUNDS: usize = 20_000;

struct Sums<E>(E);

impl<E: Element> Kernel<E> for Sums<E> {
    /// Floating-point operations done.
    type Out = f64;
    #[inline(always)]
    fn run<S: Simd<Element = E>>(self) -> f64 {
        let (x, y) = (S::splat(self.0), S::splat(E::ONE));
        let mut sums = [S::ZERO; SUMS];
        for _ in 0..ROUNDS {
            let mut i = 0;
            while i < SUMS {
                sums[i] = sums[i].mul_add(x, y);
                i += 1;
            }
        }
        let mut total = S::ZERO;
        for sum in sums {
            total = total + sum;
        }
        let mut first = [E::ZERO];
        // SAFETY: one number of the vector, one place.
        unsafe { total.write_first(first.as_mut_ptr(), 1) };
        black_box(first);
        (2 * ROUNDS * SUMS * S::LANES) as f64
    }
}

/// GFLOP/s of one core with operands in registers: the most that any product can reach. Takes about `seconds`; the
/// best of many short runs, so that other work on the core disturbs it little.
pub fn fma_peak<E: Element>(level: Level, seconds: f64) -> f64 {
    let begin = Instant::now();
    let mut best = 0.0_f64;
    while begin.elapsed().as_secs_f64() < seconds {
        let run = Instant::now();
        let operations = level.kernel(Sums(black_box(E::of(0.5))));
        best = best.max(operations / run.elapsed().as_secs_f64());
    }
    best * 1e-9
}
