//! Matrix products, with the plain versions they are checked against.

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

/// Which rows of a matrix take part, in order.
#[derive(Clone, Copy, Debug)]
pub enum Pick<'a> {
    /// Row `i` is row `i`.
    All,
    /// Row `i` is row `these[i]`.
    These(&'a [usize]),
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

/// `out += aᵀ · b`, with `a` `[s, m]`, `b` `[≥ s, n]` read through `pick`, `out` `[m, n]`.
///
/// Each output is one chain of fused multiply-adds over `s` in order. Panics where the shapes disagree.
pub fn outer_add<E: Element>(
    level: Level,
    a: Rows<'_, E>,
    b: Rows<'_, E>,
    pick: Pick<'_>,
    mut out: RowsMut<'_, E>,
) {
    assert!(out.rows() == a.cols() && out.cols() == b.cols());
    let _ = level;
    for s in 0..a.rows() {
        let from = match pick {
            Pick::All => b.row(s),
            Pick::These(these) => b.row(these[s]),
        };
        for (i, &x) in a.row(s).iter().enumerate() {
            for (o, &y) in out.row(i).iter_mut().zip(from) {
                *o += x * y;
            }
        }
    }
}

/// `out += Σ_rows a`, in the order of the rows. Panics where the widths disagree.
pub fn column_sum_add<E: Element>(level: Level, a: Rows<'_, E>, out: &mut [E]) {
    assert!(out.len() == a.cols());
    let _ = level;
    for r in 0..a.rows() {
        for (o, &x) in out.iter_mut().zip(a.row(r)) {
            *o += x;
        }
    }
}
