//! A matrix laid out as the product streams it.

use crate::{Element, Rows};

/// The right-hand matrix `[k, n]` of a [`product`](crate::product), packed once and streamed at every step.
#[derive(Clone, Debug)]
pub struct Packed<E> {
    pub(crate) k: usize,
    pub(crate) n: usize,
    pub(crate) data: Vec<E>,
}

impl<E: Element> Packed<E> {
    /// All zeros.
    pub fn zeros(k: usize, n: usize) -> Self {
        Packed {
            k,
            n,
            data: vec![E::ZERO; k * n],
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
    /// Sets columns `at..at + b.cols()` from `b` `[k, cols]`. Panics where it does not fit.
    pub fn pack(&mut self, at: usize, b: Rows<'_, E>) {
        assert!(b.rows() == self.k && at + b.cols() <= self.n);
        for i in 0..self.k {
            self.data[i * self.n + at..][..b.cols()].copy_from_slice(b.row(i));
        }
    }
    /// Sets columns `at..at + b.rows()` from the transpose of `b` `[cols, k]`. Panics where it does not fit.
    pub fn pack_transposed(&mut self, at: usize, b: Rows<'_, E>) {
        assert!(b.cols() == self.k && at + b.rows() <= self.n);
        for j in 0..b.rows() {
            for (i, &x) in b.row(j).iter().enumerate() {
                self.data[i * self.n + at + j] = x;
            }
        }
    }
}
