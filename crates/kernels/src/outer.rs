//! The gradient of a weight matrix: a long sum of outer products, as one product over all steps and rows.

use crate::buffer::with_scratch;
use crate::packed::panel;
use crate::side::{Pick, Side, Soon, pack_panels, pack_strips, strip};
use crate::simd::{Kernel, Simd};
use crate::tile::{First, Sheet};
use crate::{Element, Level, Rows, RowsMut};

/// `out += aᵀ · b`, with `a` `[s, m]`, `b` `[≥ s, n]` read through `pick`, `out` `[m, n]`.
///
/// Each output is one chain of fused multiply-adds over `s` in order, hence the same whichever rows and columns of
/// `out` are computed together. A chain loses digits as it grows: from thousands of summands on,
/// [`outer_add_compensated`] is the better.
///
/// The same, plainly:
/// ```
/// # use elman_kernels::Rows;
/// # fn outer_add(a: Rows<f32>, b: Rows<f32>, these: &[usize], out: &mut [f32]) {
/// for s in 0..a.rows() {
///     for (i, &x) in a.row(s).iter().enumerate() {
///         for (j, &y) in b.row(these[s]).iter().enumerate() {
///             out[i * b.cols() + j] += x * y;
///         }
///     }
/// }
/// # }
/// ```
///
/// # Panics
/// Where the shapes disagree.
pub fn outer_add<E: Element>(
    level: Level,
    a: Rows<'_, E>,
    b: Rows<'_, E>,
    pick: Pick<'_>,
    out: RowsMut<'_, E>,
) {
    add(level, a, b, pick, out, None);
}

/// [`outer_add`] for long sums: every [`SUM_BLOCK`] summands are one chain, and the chains' sums are added with
/// compensation, so that the error does not grow with their number.
///
/// `lost`, of the shape of `out`, is what the sums in `out` have lost by rounding: zeros at first. A sum may be made by
/// several calls: where all but the last have a multiple of [`SUM_BLOCK`] summands, its bits are those of one call.
///
/// # Panics
/// Where the shapes disagree.
pub fn outer_add_compensated<E: Element>(
    level: Level,
    a: Rows<'_, E>,
    b: Rows<'_, E>,
    pick: Pick<'_>,
    out: RowsMut<'_, E>,
    lost: RowsMut<'_, E>,
) {
    assert!(lost.rows() == out.rows() && lost.cols() == out.cols());
    add(level, a, b, pick, out, Some(lost));
}

fn add<E: Element>(
    level: Level,
    a: Rows<'_, E>,
    b: Rows<'_, E>,
    pick: Pick<'_>,
    mut out: RowsMut<'_, E>,
    lost: Option<RowsMut<'_, E>>,
) {
    assert!(out.rows() == a.cols() && out.cols() == b.cols());
    match pick {
        Pick::All => assert!(a.rows() <= b.rows()),
        Pick::These(these) => {
            assert!(these.len() >= a.rows());
            assert!(these[..a.rows()].iter().all(|&row| row < b.rows()));
        }
    }
    let (s, m, n) = (a.rows(), out.rows(), out.cols());
    if s == 0 || m == 0 || n == 0 {
        return;
    }
    let tall = Side {
        from: a.data().as_ptr(),
        stride: a.stride(),
        pick: Pick::All,
        len: m,
        end: a.data().len(),
    };
    let wide = Side {
        from: b.data().as_ptr(),
        stride: b.stride(),
        pick,
        len: n,
        end: b.data().len(),
    };
    let out = Place::of(&mut out);
    let lost = lost.map(|mut lost| Place::of(&mut lost));
    let turned = m * n.min(NARROW) * if lost.is_some() { 2 } else { 1 };
    with_scratch(room::<E>(m.max(n)) + turned, |scratch| {
        let outer = Outer {
            s,
            tall,
            wide,
            out,
            lost,
            scratch,
        };
        E::outer(level, outer);
    });
}

/// Summands of one chain in a long sum: the least that keeps the level-1 cache busy (see `S_BLOCK`).
pub const SUM_BLOCK: usize = S_BLOCK;
/// Summands at once: a panel of so many (32 KiB) passes from the level-2 cache through the level-1 cache, and each
/// block of outputs is loaded and stored once for all of them.
const S_BLOCK: usize = 256;
/// Rows at once: their part (504 KiB of f32) stays in the level-2 cache while all panels pass over it.
const M_BLOCK: usize = 504;
/// Panels packed at once (128 KiB), so that what is read together lies together.
const PANELS: usize = 4;
/// An output of no more columns is computed transposed where that fills the vectors better.
const NARROW: usize = 16;

/// Scratch for packing, at any level.
fn room<E>(len: usize) -> usize {
    let rows = len.min(M_BLOCK);
    // A vector of slack for each strip, of which there are no more than one for two rows.
    S_BLOCK * (rows + PANELS * panel::<E>()) + (rows / 2 + 2) * 16 + 16
}

/// Where a matrix begins, and from row to row.
#[derive(Clone, Copy)]
struct Place<E> {
    at: *mut E,
    stride: usize,
}

impl<E: Element> Place<E> {
    fn of(rows: &mut RowsMut<'_, E>) -> Self {
        Place {
            at: rows.data().as_mut_ptr(),
            stride: rows.stride(),
        }
    }
    /// Writes its transpose, `[n, m]`, to `turned`.
    ///
    /// # Safety
    /// It must have `m` rows of `n` numbers, and nobody else may write them.
    #[inline(always)]
    unsafe fn turn(self, (m, n): (usize, usize), turned: &mut [E]) -> Place<E> {
        let mut i = 0;
        while i < m * n {
            // SAFETY: row i / n is one of m, column i % n one of n.
            turned[i % n * m + i / n] = unsafe { *self.at.add(i / n * self.stride + i % n) };
            i += 1;
        }
        let at = turned.as_mut_ptr();
        Place { at, stride: m }
    }
    /// Writes the transpose of `turned`, `[n, m]`, to it.
    ///
    /// # Safety
    /// As for [`turn`](Place::turn).
    #[inline(always)]
    unsafe fn turn_back(self, (m, n): (usize, usize), turned: &[E]) {
        let mut i = 0;
        while i < m * n {
            // SAFETY: as in `turn`.
            unsafe { *self.at.add(i / n * self.stride + i % n) = turned[i % n * m + i / n] };
            i += 1;
        }
    }
}

/// Sizes are checked: both sides have `s` rows, `out` and `lost` have as many rows and columns as they are long.
pub struct Outer<'a, E> {
    s: usize,
    tall: Side<'a, E>,
    wide: Side<'a, E>,
    out: Place<E>,
    lost: Option<Place<E>>,
    scratch: &'a mut [E],
}

impl<E: Element> Kernel<E> for Outer<'_, E> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd<Element = E>>(self) {
        let (m, n) = (self.tall.len, self.wide.len);
        if n > NARROW || n * m.div_ceil(S::LANES) >= m * n.div_ceil(S::LANES) {
            // SAFETY: `add` checked all sizes.
            return unsafe { self.add::<S>() };
        }
        let (rest, turned) = self.scratch.split_at_mut(room::<E>(m.max(n)));
        let (turned, turned_lost) = turned.split_at_mut(m * n);
        // SAFETY: `add` checked that `out` and `lost` have m rows and n columns; the factors are checked too, and the
        // transposes have n rows of m.
        unsafe {
            let swapped = Outer {
                s: self.s,
                tall: self.wide,
                wide: self.tall,
                out: self.out.turn((m, n), turned),
                lost: self.lost.map(|lost| lost.turn((m, n), turned_lost)),
                scratch: rest,
            };
            swapped.add::<S>();
            self.out.turn_back((m, n), turned);
            if let Some(lost) = self.lost {
                lost.turn_back((m, n), turned_lost);
            }
        }
    }
}

impl<E: Element> Outer<'_, E> {
    /// # Safety
    /// The sizes must be those of the operands.
    #[inline(always)]
    unsafe fn add<S: Simd<Element = E>>(mut self) {
        let mut s = 0;
        while s < self.s {
            let k = S_BLOCK.min(self.s - s);
            let mut top = 0;
            while top < self.tall.len {
                let rows = M_BLOCK.min(self.tall.len - top);
                // SAFETY: rows and summands are counted within the whole.
                unsafe { self.block::<S>((s, k), (top, rows)) };
                top += rows;
            }
            s += k;
        }
    }

    /// Adds summands `s..s + k` to rows `top..top + rows`.
    ///
    /// # Safety
    /// There must be such summands and rows.
    #[inline(always)]
    unsafe fn block<S: Simd<Element = E>>(
        &mut self,
        (s, k): (usize, usize),
        (top, rows): (usize, usize),
    ) {
        let width = panel::<E>();
        let (panels, strips) = self.scratch.split_at_mut(S_BLOCK * PANELS * width);
        let (panels, strips) = (panels.as_mut_ptr(), strips.as_mut_ptr());
        let groups = rows.div_ceil(S::TALL);
        let (low, taller) = (rows / groups, rows % groups);
        let split = taller * (low + 1);
        let (tall, wide, n) = (self.tall, self.wide, self.wide.len);
        // SAFETY: the caller promises the rows and summands, `outer_add` the columns; `room`
        // has place for a block's strips and panels.
        unsafe {
            let mut sheet = Sheet::<E, true> {
                k,
                a: tall.from.wrapping_add(s * tall.stride + top),
                a_stride: low + 1,
                a_step: tall.stride,
                b: wide.from.wrapping_add(s * wide.stride),
                b_panel: width,
                b_step: wide.stride,
                out: self.out.at.add(top * self.out.stride),
                out_stride: self.out.stride,
                lost: core::ptr::null_mut(),
                lost_stride: 0,
                first: First::Keep,
                ahead: false,
            };
            if let Some(lost) = self.lost {
                sheet.lost = lost.at.add(top * lost.stride);
                sheet.lost_stride = lost.stride;
                sheet.first = First::Zero;
            }
            let mut rest = sheet;
            rest.skip(split, 0);
            if tall.close() {
                rest.a = sheet.a.add(split);
                rest.a_stride = low;
            } else {
                sheet.a = strips;
                sheet.a_step = low + 1;
                sheet.a_stride = strip::<S>(k, low + 1);
                let second = strips.add(taller * sheet.a_stride);
                rest.a = second;
                rest.a_step = low;
                rest.a_stride = strip::<S>(k, low);
                pack_strips::<S>(&tall, s, k, top, low + 1, taller, strips);
                pack_strips::<S>(&tall, s, k, top + split, low, groups - taller, second);
            }
            if wide.close() && n.is_multiple_of(S::LANES) {
                sheet.run::<S>((0, low + 1, taller), (0, n), &mut []);
                return rest.run::<S>((0, low, groups - taller), (0, n), &mut []);
            }
            (sheet.b, rest.b) = (panels, panels);
            (sheet.b_step, rest.b_step) = (width, width);
            (sheet.b_panel, rest.b_panel) = (k * width, k * width);
            let at_once = PANELS * width;
            // What comes after this block: more rows of the same summands, or the next summands.
            let more = top + rows < tall.len;
            let next = if more {
                (s, s + k)
            } else {
                (s + k, self.s.min(s + k + S_BLOCK))
            };
            let next_rows = if more {
                (top + rows, tall.len.min(top + 2 * rows))
            } else {
                (0, rows)
            };
            let mut left = 0;
            let next_strips = if tall.close() { (next.1, next.1) } else { next };
            let mut soon = [
                Soon::new(tall, next_strips, next_rows, groups * n.div_ceil(width)),
                Soon::new(wide, next, (0, 0), 1),
            ];
            while left < n {
                let cols = at_once.min(n - left);
                pack_panels::<S>(&wide, s, k, left, cols, panels);
                let tiles = groups * cols.div_ceil(width);
                soon[1] = match left + cols {
                    end if end == n => Soon::new(wide, next, (0, at_once.min(n)), tiles),
                    end => Soon::new(wide, (s, s + k), (end, n.min(end + at_once)), tiles),
                };
                sheet.run::<S>((0, low + 1, taller), (0, cols), &mut soon);
                rest.run::<S>((0, low, groups - taller), (0, cols), &mut soon);
                sheet.skip(0, cols);
                rest.skip(0, cols);
                left += cols;
            }
        }
    }
}
