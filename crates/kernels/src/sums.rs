//! Sums of columns.

use crate::simd::{Kernel, Simd};
use crate::{Element, Level, Rows};

/// `out += Σ_rows a`, in the order of the rows. Panics where the widths disagree.
pub fn column_sum_add<E: Element>(level: Level, a: Rows<'_, E>, out: &mut [E]) {
    assert!(out.len() == a.cols());
    E::sums(level, Sums { a, out });
}

/// As many columns as `out` has numbers.
pub struct Sums<'a, E> {
    a: Rows<'a, E>,
    out: &'a mut [E],
}

/// Vectors of columns summed at once, to hide an addition's latency.
const WIDE: usize = 8;

impl<E: Element> Kernel<E> for Sums<'_, E> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd<Element = E>>(self) {
        let mut at = 0;
        while at < self.out.len() {
            let left = self.out.len() - at;
            let a = self.a.columns(at, self.out.len());
            let taken = if left >= WIDE * S::LANES {
                columns::<S, WIDE>(a, &mut self.out[at..])
            } else if left > S::LANES {
                columns::<S, 2>(a, &mut self.out[at..])
            } else {
                columns::<S, 1>(a, &mut self.out[at..])
            };
            at += taken;
        }
    }
}

/// Adds the first `N` vectors of columns, the last perhaps not whole; how many columns those were.
#[inline(always)]
fn columns<S: Simd, const N: usize>(a: Rows<'_, S::Element>, out: &mut [S::Element]) -> usize {
    let cols = out.len().min(N * S::LANES);
    let out = &mut out[..cols];
    let last = cols - (N - 1) * S::LANES;
    let mut sums = [S::ZERO; N];
    let mut v = 0;
    while v < N - 1 {
        sums[v] = S::load(&out[v * S::LANES..]);
        v += 1;
    }
    sums[v] = S::load_part(&out[v * S::LANES..]);
    for r in 0..a.rows() {
        let row = &a.row(r)[..cols];
        let mut v = 0;
        while v < N - 1 {
            sums[v] = sums[v] + S::load(&row[v * S::LANES..]);
            v += 1;
        }
        // SAFETY: `last` numbers of the row, at most a vector's, begin here.
        sums[v] = sums[v] + unsafe { S::read_first(row.as_ptr().add(v * S::LANES), last) };
    }
    let mut v = 0;
    while v < N - 1 {
        sums[v].store(&mut out[v * S::LANES..]);
        v += 1;
    }
    sums[v].store_part(&mut out[v * S::LANES..]);
    cols
}
