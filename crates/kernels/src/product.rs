//! The product of the forward and backward steps: rows times a packed matrix.

use crate::packed::panel;
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
/// Each output is one chain of fused multiply-adds over `k` in order. Panics where the shapes disagree.
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
pub fn product<E: Element>(
    level: Level,
    a: Rows<'_, E>,
    b: &Packed<E>,
    mut out: RowsMut<'_, E>,
    start: Start<'_, E>,
) {
    assert!(a.cols() == b.k() && out.cols() == b.n() && a.rows() == out.rows());
    if let Start::Row(row) = start {
        assert!(row.len() == b.n());
    }
    if out.rows() == 0 || out.cols() == 0 {
        return;
    }
    level.kernel(Product {
        rows: a.rows(),
        cols: b.n(),
        sheet: Sheet {
            k: b.k(),
            a: a.data().as_ptr(),
            a_stride: a.stride(),
            b: b.panels(),
            b_panel: b.k() * panel::<E>(),
            out_stride: out.stride(),
            out: out.data().as_mut_ptr(),
            first: match start {
                Start::Zero => First::Zero,
                Start::Keep => First::Keep,
                Start::Row(row) => First::Row(row.as_ptr()),
            },
        },
    });
}

/// Sizes are checked: `a` has `rows` rows, `b` and `out` have `cols` columns.
struct Product<E> {
    rows: usize,
    cols: usize,
    sheet: Sheet<E, false>,
}

/// Most of `k` at once, so that a panel's part and the rows' stay in the level-1 and level-2 caches.
const K_BLOCK: usize = 512;

impl<E: Element> Kernel<E> for Product<E> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd<Element = E>>(self) {
        let (all, mut sheet) = (self.sheet, self.sheet);
        let mut done = 0;
        loop {
            sheet.k = K_BLOCK.min(all.k - done);
            // SAFETY: `product` checked the sizes; `done` numbers of each row and rows of each panel lie before.
            unsafe {
                sheet.a = all.a.add(done);
                sheet.b = all.b.add(done * panel::<E>());
                self.rows_of::<S>(sheet);
            }
            done += sheet.k;
            sheet.first = First::Keep;
            if done == all.k {
                return;
            }
        }
    }
}

impl<E: Element> Product<E> {
    /// All rows and columns, in blocks of rows as equal as can be.
    #[inline(always)]
    unsafe fn rows_of<S: Simd<Element = E>>(&self, mut sheet: Sheet<E, false>) {
        let groups = self.rows.div_ceil(S::TALL);
        let (low, taller) = (self.rows / groups, self.rows % groups);
        // SAFETY: `taller` blocks of `low + 1` rows and the rest of `low` are all rows.
        unsafe {
            if taller > 0 {
                sheet.run::<S>(low + 1, taller, self.cols);
            }
            sheet.a = sheet.a.add(taller * (low + 1) * sheet.a_stride);
            sheet.out = sheet.out.add(taller * (low + 1) * sheet.out_stride);
            sheet.run::<S>(low, groups - taller, self.cols);
        }
    }
}
