//! Matrix products, with the plain versions they are checked against.

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
pub fn product<E: Element>(
    level: Level,
    a: Rows<'_, E>,
    b: &Packed<E>,
    mut out: RowsMut<'_, E>,
    start: Start<'_, E>,
) {
    assert!(a.cols() == b.k && out.cols() == b.n && a.rows() == out.rows());
    let _ = level;
    for r in 0..a.rows() {
        let to = out.row(r);
        match start {
            Start::Zero => to.fill(E::ZERO),
            Start::Keep => {}
            Start::Row(row) => to.copy_from_slice(row),
        }
        for (i, &x) in a.row(r).iter().enumerate() {
            for (o, &w) in to.iter_mut().zip(&b.data[i * b.n..][..b.n]) {
                *o += x * w;
            }
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
