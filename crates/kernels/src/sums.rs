//! Sums of columns.

use crate::simd::{Kernel, Simd};
use crate::tile::kahan;
use crate::{Element, Level, Rows};

/// `out += Σ_rows a`, one chain for each column in the order of the rows. A chain loses digits as it grows: from
/// thousands of rows on, [`column_sum_add_compensated`] is the better.
///
/// # Panics
/// Where the widths disagree.
pub fn column_sum_add<E: Element>(level: Level, a: Rows<'_, E>, out: &mut [E]) {
    assert!(out.len() == a.cols());
    E::sums(
        level,
        Sums {
            a,
            out,
            lost: &mut [],
        },
    );
}

/// [`column_sum_add`] for long sums: every 32 rows are one chain, and the chains' sums are added with compensation,
/// so that the error does not grow with their number.
///
/// `lost`, as long as `out`, is what the sums in `out` have lost by rounding: zeros at first. A sum may be made by
/// several calls: where all but the last have a multiple of 32 rows, its bits are those of one call.
///
/// # Panics
/// Where the widths disagree.
pub fn column_sum_add_compensated<E: Element>(
    level: Level,
    a: Rows<'_, E>,
    out: &mut [E],
    lost: &mut [E],
) {
    assert!(out.len() == a.cols() && lost.len() == out.len());
    E::sums(level, Sums { a, out, lost });
}

/// Rows of one chain in a long sum: few, since even rows that are all alike, whose roundings all go one way, lose no more
/// than half a millionth in so many.
const CHAIN: usize = 32;

/// As many columns as `out` has numbers, and `lost` as well, or none for a single chain.
pub struct Sums<'a, E> {
    a: Rows<'a, E>,
    out: &'a mut [E],
    lost: &'a mut [E],
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
            let out = &mut self.out[at..];
            let lost = self.lost.get_mut(at..).filter(|lost| !lost.is_empty());
            at += if left >= WIDE * S::LANES {
                columns::<S, WIDE>(a, out, lost)
            } else if left > S::LANES {
                columns::<S, 2>(a, out, lost)
            } else {
                columns::<S, 1>(a, out, lost)
            };
        }
    }
}

/// Adds the first `N` vectors of columns, the last perhaps not whole; how many columns those were.
#[inline(always)]
fn columns<S: Simd, const N: usize>(
    a: Rows<'_, S::Element>,
    out: &mut [S::Element],
    lost: Option<&mut [S::Element]>,
) -> usize {
    let cols = out.len().min(N * S::LANES);
    let (a, out) = (a.columns(0, cols), &mut out[..cols]);
    let mut sums = load::<S, N>(out);
    match lost {
        None => chain::<S, N>(a, &mut sums),
        Some(lost) => {
            let lost = &mut lost[..cols];
            let mut rest = load::<S, N>(lost);
            let mut from = 0;
            while from < a.rows() {
                let to = a.rows().min(from + CHAIN);
                let mut some = [S::ZERO; N];
                chain::<S, N>(a.slice(from, to), &mut some);
                let mut v = 0;
                while v < N {
                    (sums[v], rest[v]) = kahan(sums[v], rest[v], some[v]);
                    v += 1;
                }
                from = to;
            }
            store::<S, N>(rest, lost);
        }
    }
    store::<S, N>(sums, out);
    cols
}

/// Adds the rows one by one.
#[inline(always)]
fn chain<S: Simd, const N: usize>(a: Rows<'_, S::Element>, sums: &mut [S; N]) {
    let last = a.cols() - (N - 1) * S::LANES;
    for r in 0..a.rows() {
        let row = a.row(r);
        let mut v = 0;
        while v < N - 1 {
            sums[v] = sums[v] + S::load(&row[v * S::LANES..]);
            v += 1;
        }
        let end = &row[v * S::LANES..][..last];
        // SAFETY: `end` has `last` numbers, at most a vector's.
        sums[v] = sums[v] + unsafe { S::read_first(end.as_ptr(), last) };
    }
}

#[inline(always)]
fn load<S: Simd, const N: usize>(from: &[S::Element]) -> [S; N] {
    let mut all = [S::ZERO; N];
    let mut v = 0;
    while v < N - 1 {
        all[v] = S::load(&from[v * S::LANES..]);
        v += 1;
    }
    all[v] = S::load_part(&from[v * S::LANES..]);
    all
}

#[inline(always)]
fn store<S: Simd, const N: usize>(all: [S; N], to: &mut [S::Element]) {
    let mut v = 0;
    while v < N - 1 {
        all[v].store(&mut to[v * S::LANES..]);
        v += 1;
    }
    all[v].store_part(&mut to[v * S::LANES..]);
}
