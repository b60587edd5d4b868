//! The product of the forward and backward steps: rows times a packed matrix.

use crate::buffer::with_scratch;
use crate::packed::{PANEL_BYTES, panel};
use crate::simd::{Kernel, Simd};
use crate::tile::{First, Sheet};
use crate::{Element, Level, Packed, Rows, RowsMut};

/// What a product is added to.
#[derive(Clone, Copy, Debug)]
pub enum Start<'a, E> {
    /// Nothing.
    Zero,
    /// What stands in the output.
    Keep,
    /// The same row for every row of the output.
    Row(&'a [E]),
}

/// `out = start + a · b`, with `a` `[m, k]`, `b` `[k, n]`, `out` `[m, n]`.
///
/// Each output is one chain of fused multiply-adds over `k` in order.
///
/// The same, plainly:
/// ```
/// # use elman_kernels::{Packed, Rows, Start};
/// # fn product(a: Rows<f32>, b: Rows<f32>, out: &mut [f32]) {
/// for r in 0..a.rows() {
///     for j in 0..b.cols() {
///         for (i, &x) in a.row(r).iter().enumerate() {
///             out[r * b.cols() + j] += x * b.row(i)[j];
///         }
///     }
/// }
/// # }
/// ```
///
/// # Panics
/// Where the shapes disagree.
pub fn product<E: Element>(
    level: Level,
    a: Rows<'_, E>,
    b: &Packed<E>,
    out: RowsMut<'_, E>,
    start: Start<'_, E>,
) {
    product_in_turns(level, a, b, out, start, false);
}

/// [`product`], for callers that multiply by the same `b` again and again: where every other call is `turned`, a single
/// row begins with the columns of `b` that were read last, which the caches still have. The same bits.
///
/// # Panics
/// Where the shapes disagree.
pub fn product_in_turns<E: Element>(
    level: Level,
    a: Rows<'_, E>,
    b: &Packed<E>,
    mut out: RowsMut<'_, E>,
    start: Start<'_, E>,
    turned: bool,
) {
    assert!(a.cols() == b.k() && out.cols() == b.n() && a.rows() == out.rows());
    if let Start::Row(row) = start {
        assert!(row.len() == b.n());
    }
    if out.rows() == 0 || out.cols() == 0 {
        return;
    }
    if b.k() == 0 {
        return begin(out, start);
    }
    let sheet = Sheet {
        k: b.k(),
        a: a.data().as_ptr(),
        a_stride: a.stride(),
        a_step: 1,
        b: b.panels(),
        b_panel: b.k() * panel::<E>(),
        b_step: panel::<E>(),
        out_stride: out.stride(),
        out: out.data().as_mut_ptr(),
        lost: core::ptr::null_mut(),
        lost_stride: 0,
        first: match start {
            Start::Zero => First::Zero,
            Start::Keep => First::Keep,
            Start::Row(row) => First::Row(row.as_ptr()),
        },
        ahead: size_of::<E>() * b.k() * b.n() > NEAR,
    };
    let (rows, cols) = (a.rows(), b.n());
    let run = |scratch: &mut [E]| {
        let mut product = Product {
            rows,
            cols,
            sheet: &sheet,
            turned,
            scratch,
        };
        // By reference: copying what was just written piece by piece would cost more than a small product.
        E::product(level, &mut product);
    };
    if collides(&a, cols) {
        with_scratch(rows.min(M_BLOCK) * copied_stride::<E>(b.k()), run);
    } else {
        run(&mut []);
    }
}

/// The product where there is nothing to add: `out = start`.
fn begin<E: Element>(mut out: RowsMut<'_, E>, start: Start<'_, E>) {
    for r in 0..out.rows() {
        match start {
            Start::Zero => out.row(r).fill(E::ZERO),
            Start::Keep => {}
            Start::Row(row) => out.row(r).copy_from_slice(row),
        }
    }
}

/// Sizes are checked: `a` has `rows` rows, `b` and `out` have `cols` columns.
pub struct Product<'a, E> {
    rows: usize,
    cols: usize,
    sheet: &'a Sheet<E, false>,
    /// Whether a single row begins with the last panels.
    turned: bool,
    /// Room for copying rows, or none where they are better read where they are.
    scratch: &'a mut [E],
}

/// Most of `k` at once, and most rows: their part of `a` stays in the level-2 cache.
const K_BLOCK: usize = 512;
const M_BLOCK: usize = 240;
/// Bytes of `b` that a step finds in the level-2 cache again, beside all else that it needs.
const NEAR: usize = 512 * 1024;
/// Bytes of `b` that a step finds in the level-1 cache again, beside all else that it needs.
pub const NEAREST: usize = 28 * 1024;
/// Columns, in panels, that all rows take before the next, so that this much of `b` comes from memory once.
const N_PANELS: usize = 8;

impl<E: Element> Kernel<E> for &mut Product<'_, E> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd<Element = E>>(self) {
        let all = self.sheet;
        if self.rows == 1 {
            // SAFETY: `product_in_turns` checked the sizes.
            return unsafe { run_row::<S>(all, self.cols, self.turned) };
        }
        if self.rows <= M_BLOCK && all.k <= K_BLOCK && self.scratch.is_empty() {
            // SAFETY: `product_in_turns` checked the sizes.
            return unsafe { run_rows::<S>(all, self.rows, self.cols) };
        }
        let mut top = 0;
        while top < self.rows {
            let rows = M_BLOCK.min(self.rows - top);
            let (mut sheet, mut done) = (*all, 0);
            loop {
                sheet.k = K_BLOCK.min(all.k - done);
                // SAFETY: `product_in_turns` checked the sizes; `top` rows and `done` numbers of each lie before, and in
                // each panel `done` rows.
                unsafe {
                    sheet.a = all.a.add(top * all.a_stride + done);
                    sheet.b = all.b.add(done * panel::<E>());
                    sheet.out = all.out.add(top * all.out_stride);
                    if !self.scratch.is_empty() {
                        copy_rows::<S>(rows, &mut sheet, self.scratch);
                    }
                    run_rows::<S>(&sheet, rows, self.cols);
                }
                done += sheet.k;
                sheet.a_stride = all.a_stride;
                sheet.first = First::Keep;
                if done == all.k {
                    break;
                }
            }
            top += rows;
        }
    }
}

/// All columns of a single row, some panels after others, with `turned` from the last on.
///
/// Its time is that of reading `b`. Two panels at once hide an addition's latency, with vectors of 512 bits; but where
/// the level-1 cache has no room for two, it is better to read one that it still has at the next step, which is as fast
/// as the level-2 cache gives the others. Where it has not even room for one, four at once are read fastest, and turning
/// helps if the level-2 cache is too small for all. (Limits as measured, on 32 KiB and 1 MiB.)
///
/// # Safety
/// The sheet's operands must have a row, and `cols` columns.
#[inline(always)]
unsafe fn run_row<S: Simd>(sheet: &Sheet<S::Element, false>, cols: usize, turned: bool) {
    let (width, bytes) = (panel::<S::Element>(), sheet.k * PANEL_BYTES);
    let wide = match cols.div_ceil(width) * bytes {
        all if all <= NEAREST => cols,
        _ if bytes <= 16 * 1024 => 2 * width,
        _ if bytes <= 24 * 1024 => width,
        _ => 4 * width,
    };
    let runs = cols.div_ceil(wide);
    for run in 0..runs {
        let from = wide * if turned { runs - 1 - run } else { run };
        // SAFETY: the caller promises one row, and these columns; each run begins a panel.
        unsafe { sheet.run::<S>((0, 1, 1), (from, cols.min(from + wide)), &mut []) };
    }
}

/// All columns of some rows, in blocks as equal as can be.
///
/// # Safety
/// The sheet's operands must have `rows` rows, and `cols` columns.
#[inline(always)]
unsafe fn run_rows<S: Simd>(sheet: &Sheet<S::Element, false>, rows: usize, cols: usize) {
    if rows <= S::TALL {
        // SAFETY: the caller promises these rows and columns.
        return unsafe { sheet.run::<S>((0, rows, 1), (0, cols), &mut []) };
    }
    let groups = rows.div_ceil(S::TALL);
    let (low, taller) = (rows / groups, rows % groups);
    let mut from = 0;
    while from < cols {
        let to = match taller {
            0 => cols,
            _ => cols.min(from + N_PANELS * panel::<S::Element>()),
        };
        // SAFETY: `taller` blocks of `low + 1` rows and the rest of `low` are all rows.
        unsafe {
            sheet.run::<S>((0, low + 1, taller), (from, to), &mut []);
            let top = taller * (low + 1);
            sheet.run::<S>((top, low, groups - taller), (from, to), &mut []);
        }
        from = to;
    }
}

/// Whether the rows of a block would all fall into the same few lines of the level-1 cache, so that they had better
/// be copied to another stride. For few rows there are lines enough, and for few columns it would not pay.
fn collides<E: Element>(a: &Rows<'_, E>, cols: usize) -> bool {
    a.rows() > 6 && cols >= 2 * panel::<E>() && (a.stride() * size_of::<E>()).is_multiple_of(4096)
}

/// The stride of copied rows: a cache line more than a power of two.
fn copied_stride<E>(k: usize) -> usize {
    K_BLOCK.min(k) + 64 / size_of::<E>()
}

/// Copies the rows of `sheet` to `scratch` and points it there.
///
/// # Safety
/// Its `a` must have `rows` rows of `k` numbers.
#[inline(always)]
unsafe fn copy_rows<S: Simd>(
    rows: usize,
    sheet: &mut Sheet<S::Element, false>,
    scratch: &mut [S::Element],
) {
    let stride = copied_stride::<S::Element>(sheet.k);
    for (r, to) in scratch.chunks_exact_mut(stride).take(rows).enumerate() {
        // SAFETY: the caller promises `rows` rows of `k` numbers.
        let from = unsafe { core::slice::from_raw_parts(sheet.a.add(r * sheet.a_stride), sheet.k) };
        to[..sheet.k].copy_from_slice(from);
    }
    sheet.a = scratch.as_ptr();
    sheet.a_stride = stride;
}
