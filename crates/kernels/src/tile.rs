//! The register block: some rows of the output times some vectors, summed over k in registers.
//!
//! Each output is one accumulator that takes one fused multiply-add for each k in order. So its bits depend neither
//! on the shape of the block that it falls in nor, since partial sums pass through the output unrounded, on how k
//! is cut.

use crate::Element;
use crate::packed::{PANEL_BYTES, panel};
use crate::side::Soon;
use crate::simd::{Kernel, Simd};

/// What the accumulators begin with.
#[derive(Clone, Copy)]
pub(crate) enum First<E> {
    Zero,
    Keep,
    /// From the first column on.
    Row(*const E),
}

/// `out = first + a · b` for blocks of rows, one below another, over k.
///
/// Without `STRIPS`, element (r, p) of `a` is at `r * a_stride + p`. With it, `a` is turned: a block of rows is a
/// strip, `a_stride` from one strip to the next, and element (r, p) of one is at `p * a_step + r`. `b` are panels,
/// `b_panel` from one to the next, and `b_step` from row to row in each.
#[derive(Clone, Copy)]
pub(crate) struct Sheet<E, const STRIPS: bool> {
    pub k: usize,
    pub a: *const E,
    pub a_stride: usize,
    /// Only with `STRIPS`.
    pub a_step: usize,
    pub b: *const E,
    pub b_panel: usize,
    /// Only with `STRIPS`; without, a panel's width.
    pub b_step: usize,
    pub out: *mut E,
    pub out_stride: usize,
    /// Only with `STRIPS`, and perhaps null: what the sums in `out` have lost by rounding, laid out as they are, but
    /// `lost_stride` from row to row. Then `first` is `Zero`, and a block's sum is added with compensation.
    pub lost: *mut E,
    pub lost_stride: usize,
    pub first: First<E>,
    /// Only without `STRIPS`: whether to ask for the next panel while one is used, since all of them are too many for
    /// the level-2 cache.
    pub ahead: bool,
}

/// `tiles` blocks of `MR` rows of a sheet, for the columns `from..to`: one or more runs of `NV` vectors, the last
/// perhaps not whole.
struct Blocks<'a, 'b, E, const MR: usize, const NV: usize, const STRIPS: bool> {
    // By reference: copying it piece by piece and reading it at once would cost more than the call.
    sheet: &'a Sheet<E, STRIPS>,
    top: usize,
    tiles: usize,
    from: usize,
    to: usize,
    soon: &'a mut [Soon<'b, E>],
}

/// Whether a level's registers hold this block: its accumulators, a row of b and one number of a.
const fn fits<S: Simd>(rows: usize, vectors: usize) -> bool {
    if rows == 1 {
        vectors + 2 <= S::REGISTERS
    } else {
        rows <= S::TALL && rows * vectors + vectors < S::REGISTERS
    }
}

impl<E: Element, const MR: usize, const NV: usize, const STRIPS: bool> Kernel<E>
    for Blocks<'_, '_, E, MR, NV, STRIPS>
{
    type Out = ();
    #[inline(always)]
    fn run<S: Simd<Element = E>>(self) {
        let block = NV * S::LANES;
        let mut at = self.from;
        while at < self.to {
            let cols = block.min(self.to - at);
            for tile in 0..self.tiles {
                // SAFETY: whoever made this promises that all rows and columns named are in the buffers.
                unsafe {
                    let tile = (tile, self.tiles);
                    self.sheet.tile::<S, MR, NV>(self.top, tile, at, cols)
                };
                if STRIPS {
                    for soon in &mut *self.soon {
                        soon.ask::<S>();
                    }
                }
            }
            at += block;
        }
    }
}

impl<E: Element, const STRIPS: bool> Sheet<E, STRIPS> {
    /// Block number `tile` of `tiles` of `MR` rows below row `top`, columns `at..at + cols`, at most `NV` vectors.
    ///
    /// # Safety
    /// All rows and columns named must be in the buffers, b's rows readable by whole vectors.
    #[inline(always)]
    unsafe fn tile<S: Simd<Element = E>, const MR: usize, const NV: usize>(
        &self,
        top: usize,
        (tile, tiles): (usize, usize),
        at: usize,
        cols: usize,
    ) {
        let full = cols == NV * S::LANES;
        // SAFETY: the maker of `self` promises the operands; panels are padded, so that b may
        // be read by whole vectors.
        unsafe {
            let out = self.out.add((top + tile * MR) * self.out_stride + at);
            let compensated = STRIPS && !self.lost.is_null();
            let lost = match compensated {
                true => self.lost.add((top + tile * MR) * self.lost_stride + at),
                false => self.lost,
            };
            let mut sums = [[S::ZERO; NV]; MR];
            let (from, step) = match self.first {
                First::Zero => (core::ptr::null(), 0),
                First::Keep => (out.cast_const(), self.out_stride),
                First::Row(row) => (row.add(at), 0),
            };
            if !from.is_null() {
                let mut r = 0;
                while r < MR {
                    let mut v = 0;
                    while v < NV {
                        let from = from.add(r * step + v * S::LANES);
                        sums[r][v] = if full {
                            S::read(from)
                        } else {
                            S::read_first(from, part::<S>(cols, v))
                        };
                        v += 1;
                    }
                    r += 1;
                }
            }

            if STRIPS {
                // The next block's outputs, which are far apart.
                let mut r = 0;
                while r < MR {
                    let mut v = 0;
                    while v < NV {
                        let ahead = (MR + r) * self.out_stride + v * S::LANES;
                        S::prefetch(out.wrapping_add(ahead).cast_const());
                        if compensated {
                            let ahead = (MR + r) * self.lost_stride + v * S::LANES;
                            S::prefetch(lost.wrapping_add(ahead).cast_const());
                        }
                        v += 1;
                    }
                    r += 1;
                }
            }

            let rows = if STRIPS { tile } else { top + tile * MR };
            let a = self.a.add(rows * self.a_stride);
            let b = self
                .b
                .add(at / panel::<E>() * self.b_panel + at % panel::<E>());
            let (a_step, b_step) = match STRIPS {
                true => (self.a_step, self.b_step),
                false => (1, panel::<E>()),
            };
            // Each block asks for its share of the next panels; a block alone would ask too much too soon. Blocks of one
            // row or two are alone: their loop does without the question, which takes a twentieth of its time.
            let ahead = !STRIPS && MR > 2 && self.ahead && tiles > 1;
            let (mut next, mut share) = (core::ptr::null::<u8>(), 0);
            if ahead {
                // Only here: a division takes as long as much of a small block.
                let after = at / panel::<E>() + (NV * S::LANES).div_ceil(panel::<E>());
                next = self.b.wrapping_add(after * self.b_panel).cast();
                next = next.wrapping_add(tile * self.k * PANEL_BYTES / tiles);
                share = PANEL_BYTES.div_ceil(tiles);
            }
            for p in 0..self.k {
                // From the first, so that no pointer is ever made beyond the last.
                let (a, b) = (a.add(p * a_step), b.add(p * b_step));
                if ahead {
                    S::prefetch_far(next.cast());
                    next = next.wrapping_add(share);
                }
                let mut row = [S::ZERO; NV];
                let mut v = 0;
                while v < NV {
                    let in_panel = PANEL_BYTES / size_of::<S>();
                    row[v] = S::read(b.add(v / in_panel * self.b_panel + v % in_panel * S::LANES));
                    v += 1;
                }
                let mut r = 0;
                while r < MR {
                    let x = S::splat(*a.add(if STRIPS { r } else { r * self.a_stride }));
                    let mut v = 0;
                    while v < NV {
                        sums[r][v] = row[v].mul_add(x, sums[r][v]);
                        v += 1;
                    }
                    r += 1;
                }
            }

            if compensated {
                return add_compensated(
                    &sums,
                    (out, self.out_stride),
                    (lost, self.lost_stride),
                    cols,
                );
            }
            let mut r = 0;
            while r < MR {
                let mut v = 0;
                while v < NV {
                    let to = out.add(r * self.out_stride + v * S::LANES);
                    if full {
                        sums[r][v].write(to);
                    } else {
                        sums[r][v].write_first(to, part::<S>(cols, v));
                    }
                    v += 1;
                }
                r += 1;
            }
        }
    }
}

/// Adds a block's sums to `out`, with what earlier additions have lost put back, and what this one loses put into `lost`
/// (W. Kahan, "Further remarks on reducing truncation errors", 1965).
///
/// # Safety
/// `out` and `lost` must have `MR` rows and `cols` columns.
#[inline(always)]
unsafe fn add_compensated<S: Simd, const MR: usize, const NV: usize>(
    sums: &[[S; NV]; MR],
    (out, out_stride): (*mut S::Element, usize),
    (lost, lost_stride): (*mut S::Element, usize),
    cols: usize,
) {
    let full = cols == NV * S::LANES;
    let mut r = 0;
    while r < MR {
        let mut v = 0;
        while v < NV {
            // SAFETY: the caller promises `MR` rows and `cols` columns of both.
            unsafe {
                let out = out.add(r * out_stride + v * S::LANES);
                let lost = lost.add(r * lost_stride + v * S::LANES);
                if full {
                    let (sum, rest) = kahan(S::read(out), S::read(lost), sums[r][v]);
                    sum.write(out);
                    rest.write(lost);
                } else {
                    let count = part::<S>(cols, v);
                    let (old, rest) = (S::read_first(out, count), S::read_first(lost, count));
                    let (sum, rest) = kahan(old, rest, sums[r][v]);
                    sum.write_first(out, count);
                    rest.write_first(lost, count);
                }
            }
            v += 1;
        }
        r += 1;
    }
}

/// `sum + x` and what it lost, given what `sum` lost before.
#[inline(always)]
pub(crate) fn kahan<S: Simd>(sum: S, lost: S, x: S) -> (S, S) {
    let x = x + lost;
    let new = sum + x;
    (new, x - (new - sum))
}

/// How many of `cols` columns fall into vector `v`.
#[inline(always)]
fn part<S: Simd>(cols: usize, v: usize) -> usize {
    cols.saturating_sub(v * S::LANES).min(S::LANES)
}

impl<E: Element, const STRIPS: bool> Sheet<E, STRIPS> {
    /// Goes on to the outputs `rows` rows below and `cols` columns to the right.
    ///
    /// # Safety
    /// They must be there, or begin right after the last.
    #[inline(always)]
    pub unsafe fn skip(&mut self, rows: usize, cols: usize) {
        // SAFETY: the caller promises it for `out`, and `lost` has as many.
        unsafe {
            self.out = self.out.add(rows * self.out_stride + cols);
            if !self.lost.is_null() {
                self.lost = self.lost.add(rows * self.lost_stride + cols);
            }
        }
    }
    /// `tiles` blocks of `rows` rows, at most `S::TALL`, from row `top` (0 with `STRIPS`) on, columns `from..cols`; after
    /// each block, some of what is needed `soon` is asked for.
    ///
    /// # Safety
    /// All rows and columns named must be in the buffers, b's rows readable by whole vectors, and `from` the first column
    /// of a panel.
    #[inline(always)]
    pub unsafe fn run<S: Simd<Element = E>>(
        &self,
        (top, rows, tiles): (usize, usize, usize),
        (from, cols): (usize, usize),
        soon: &mut [Soon<'_, E>],
    ) {
        debug_assert!(from.is_multiple_of(panel::<E>()));
        if tiles == 0 {
            return;
        }
        // Wide blocks where rows are few, so that enough sums are under way to hide an addition's latency. Halving
        // keeps every block whole panels from the first column of one, or within one.
        let mut vectors = widest::<S>(rows);
        let mut at = from;
        while at < cols {
            let left = cols - at;
            while vectors > 1 && (vectors - 1) * S::LANES >= left {
                vectors /= 2;
            }
            let block = vectors * S::LANES;
            let to = at
                + if left <= block {
                    left
                } else {
                    left / block * block
                };
            // SAFETY: columns of what the caller promises.
            unsafe { self.columns::<S>((top, rows, tiles), vectors, (at, to), soon) };
            at = to;
        }
    }

    /// # Safety
    /// As for [`run`](Sheet::run).
    #[inline(always)]
    unsafe fn columns<S: Simd<Element = E>>(
        &self,
        (top, rows, tiles): (usize, usize, usize),
        vectors: usize,
        (from, to): (usize, usize),
        soon: &mut [Soon<'_, E>],
    ) {
        macro_rules! blocks {
            ($mr:literal, $nv:literal) => {
                if const { fits::<S>($mr, $nv) } {
                    let sheet = self;
                    S::call(Blocks::<E, $mr, $nv, STRIPS> {
                        sheet,
                        top,
                        tiles,
                        from,
                        to,
                        soon,
                    });
                }
            };
        }
        match (rows, vectors) {
            (1, 8) => blocks!(1, 8),
            (2, 8) => blocks!(2, 8),
            (1, 4) => blocks!(1, 4),
            (2, 4) => blocks!(2, 4),
            (3, 4) => blocks!(3, 4),
            (4, 4) => blocks!(4, 4),
            (5, 4) => blocks!(5, 4),
            (6, 4) => blocks!(6, 4),
            (1, 2) => blocks!(1, 2),
            (2, 2) => blocks!(2, 2),
            (3, 2) => blocks!(3, 2),
            (4, 2) => blocks!(4, 2),
            (5, 2) => blocks!(5, 2),
            (6, 2) => blocks!(6, 2),
            (7, 2) => blocks!(7, 2),
            (8, 2) => blocks!(8, 2),
            (9, 2) => blocks!(9, 2),
            (10, 2) => blocks!(10, 2),
            (11, 2) => blocks!(11, 2),
            (12, 2) => blocks!(12, 2),
            (1, 1) => blocks!(1, 1),
            (2, 1) => blocks!(2, 1),
            (3, 1) => blocks!(3, 1),
            (4, 1) => blocks!(4, 1),
            (5, 1) => blocks!(5, 1),
            (6, 1) => blocks!(6, 1),
            (7, 1) => blocks!(7, 1),
            (8, 1) => blocks!(8, 1),
            (9, 1) => blocks!(9, 1),
            (10, 1) => blocks!(10, 1),
            (11, 1) => blocks!(11, 1),
            (12, 1) => blocks!(12, 1),
            _ => unreachable!("a block of {rows} rows and {vectors} vectors"),
        }
    }
}

/// Vectors in the widest block of `rows` rows.
#[inline(always)]
fn widest<S: Simd>(rows: usize) -> usize {
    let mut vectors = 8;
    while vectors > 1 && !fits::<S>(rows, vectors) {
        vectors /= 2;
    }
    vectors
}
