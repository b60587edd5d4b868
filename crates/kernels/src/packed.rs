//! A matrix laid out as the product streams it.

use crate::buffer::Buffer;
use crate::{Element, Rows};
use core::ops::Range;

/// Bytes of one row of a panel: two cache lines, hence two vectors of AVX-512, four of AVX2.
pub(crate) const PANEL_BYTES: usize = 128;

const FITS: &str = "a matrix that fits the memory";

/// Columns of a panel.
pub(crate) const fn panel<E>() -> usize {
    PANEL_BYTES / size_of::<E>()
}

/// The right-hand matrix `[k, n]` of a [`product`](crate::product), packed once and streamed at every step.
///
/// Panels of 128 bytes' columns, one after another, each `[k, panel]`; the last is filled up with zeros. The layout
/// is the same for every level.
#[derive(Clone, Debug)]
pub struct Packed<E> {
    k: usize,
    n: usize,
    data: Buffer<E>,
}

impl<E: Element> Packed<E> {
    /// All zeros.
    ///
    /// # Panics
    /// Where there is no memory for as many.
    pub fn zeros(k: usize, n: usize) -> Self {
        // The kernels rely on the size, so that it must not overflow.
        let size = n
            .checked_next_multiple_of(panel::<E>())
            .and_then(|columns| columns.checked_mul(k))
            .expect(FITS);
        Packed {
            k,
            n,
            data: Buffer::zeros(size),
        }
    }
    /// Rows of this matrix: the length of the sums.
    pub fn k(&self) -> usize {
        self.k
    }
    /// Columns of this matrix: the outputs.
    pub fn n(&self) -> usize {
        self.n
    }
    /// The panels, `k · panel` numbers each.
    pub(crate) fn panels(&self) -> *const E {
        self.data.as_ptr()
    }
    /// A matrix of some of the columns: those of each range, one after another.
    ///
    /// # Panics
    /// Where there are fewer columns.
    pub fn select(&self, ranges: &[Range<usize>]) -> Packed<E> {
        // Before anything is made of their sizes.
        assert!(ranges.iter().all(|range| range.end <= self.n));
        let width = panel::<E>();
        let mut some = Packed::zeros(self.k, ranges.iter().map(Range::len).sum());
        let mut to = 0;
        for range in ranges {
            let mut from = range.start;
            while from < range.end {
                let (of, at) = (from % width, to % width);
                let cols = (width - of.max(at)).min(range.end - from);
                let old = &self.data[from / width * self.k * width..];
                let new = &mut some.data[to / width * self.k * width..];
                for (new, old) in new.chunks_mut(width).zip(old.chunks(width)).take(self.k) {
                    new[at..at + cols].copy_from_slice(&old[of..of + cols]);
                }
                from += cols;
                to += cols;
            }
        }
        some
    }
    /// This matrix above another of as many columns.
    ///
    /// # Panics
    /// Where they are not as many.
    pub fn over(&self, below: &Packed<E>) -> Packed<E> {
        assert!(self.n == below.n);
        let k = self.k.checked_add(below.k).expect(FITS);
        let mut both = Packed::zeros(k, self.n);
        let width = panel::<E>();
        for p in 0..self.n.div_ceil(width) {
            let mut at = p * both.k * width;
            for part in [self, below] {
                let size = part.k * width;
                both.data[at..at + size].copy_from_slice(&part.data[p * size..][..size]);
                at += size;
            }
        }
        both
    }
    /// Sets columns `at..at + b.cols()` from `b` `[k, cols]`.
    ///
    /// # Panics
    /// Where it does not fit.
    pub fn pack(&mut self, at: usize, b: Rows<'_, E>) {
        assert!(b.rows() == self.k && b.cols() <= self.n && at <= self.n - b.cols());
        let width = panel::<E>();
        let data = &mut *self.data;
        let mut done = 0;
        while done < b.cols() {
            let (p, c) = ((at + done) / width, (at + done) % width);
            let cols = (width - c).min(b.cols() - done);
            for i in 0..self.k {
                data[(p * self.k + i) * width + c..][..cols]
                    .copy_from_slice(&b.row(i)[done..done + cols]);
            }
            done += cols;
        }
    }
    /// Sets columns `at..at + b.rows()` from the transpose of `b` `[cols, k]`.
    ///
    /// # Panics
    /// Where it does not fit.
    pub fn pack_transposed(&mut self, at: usize, b: Rows<'_, E>) {
        assert!(b.cols() == self.k && b.rows() <= self.n && at <= self.n - b.rows());
        let width = panel::<E>();
        let data = &mut *self.data;
        let mut done = 0;
        while done < b.rows() {
            let (p, c) = ((at + done) / width, (at + done) % width);
            // Eight rows at once, so that neighbours are written together.
            let cols = (width - c).min(b.rows() - done).min(8);
            let to = &mut data[p * self.k * width..][..self.k * width];
            if cols == 8 {
                let rows: [&[E]; 8] = core::array::from_fn(|j| &b.row(done + j)[..self.k]);
                for (i, to) in to.chunks_exact_mut(width).enumerate() {
                    for (to, row) in to[c..c + 8].iter_mut().zip(rows) {
                        *to = row[i];
                    }
                }
            } else {
                for j in 0..cols {
                    let row = b.row(done + j);
                    for (to, &x) in to.chunks_exact_mut(width).zip(row) {
                        to[c + j] = x;
                    }
                }
            }
            done += cols;
        }
    }
}
