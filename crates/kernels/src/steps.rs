//! A time-major buffer seen step by step, which threads may split by rows.

use crate::{Rows, RowsMut};
use core::marker::PhantomData;

/// Writable blocks `[rows of block t, cols]`, one after another; block `t` begins at row `offsets[t]`.
///
/// [`split`](StepsMut::split) gives disjoint rows of *every* block to two owners, which no slice can: that is why
/// it is here. Rows past the end of a shorter block simply are not there.
pub struct StepsMut<'a, E> {
    data: *mut E,
    offsets: &'a [usize],
    cols: usize,
    first: usize,
    last: usize,
    owner: PhantomData<&'a mut [E]>,
}

// SAFETY: a StepsMut owns its rows as a `&mut [E]` would; `split` makes disjoint ones.
unsafe impl<E: Send> Send for StepsMut<'_, E> {}

impl<'a, E> StepsMut<'a, E> {
    /// Blocks of `data`; `offsets` has one entry more than there are blocks and never falls.
    ///
    /// # Panics
    /// Where `offsets` is empty or falls, and where `data` is too short.
    pub fn new(data: &'a mut [E], offsets: &'a [usize], cols: usize) -> Self {
        assert!(!offsets.is_empty() && offsets.windows(2).all(|w| w[0] <= w[1]));
        let need = offsets[offsets.len() - 1].checked_mul(cols);
        assert!(need.is_some_and(|need| need <= data.len()));
        StepsMut {
            data: data.as_mut_ptr(),
            offsets,
            cols,
            first: 0,
            last: usize::MAX,
            owner: PhantomData,
        }
    }
    /// Rows `..at` of every block, and rows `at..`.
    ///
    /// # Panics
    /// Where row `at` is not ours, nor the one after our last.
    pub fn split(self, at: usize) -> (Self, Self) {
        assert!(self.first <= at && at <= self.last);
        (
            StepsMut {
                data: self.data,
                offsets: self.offsets,
                cols: self.cols,
                first: self.first,
                last: at,
                owner: PhantomData,
            },
            StepsMut {
                data: self.data,
                offsets: self.offsets,
                cols: self.cols,
                first: at,
                last: self.last,
                owner: PhantomData,
            },
        )
    }
    /// First row and number of rows of block `t` that are ours.
    #[inline]
    fn span(&self, t: usize) -> (usize, usize) {
        let rows = self.offsets[t + 1] - self.offsets[t];
        let (first, last) = (self.first.min(rows), self.last.min(rows));
        (self.offsets[t] + first, last - first)
    }
    /// Our rows of block `t`.
    ///
    /// # Panics
    /// Where there is no such block.
    #[inline]
    pub fn step(&self, t: usize) -> Rows<'_, E> {
        let (first, rows) = self.span(t);
        // SAFETY: `new` checked that all blocks lie in the buffer; these rows are ours alone (`split`), and are
        // borrowed through `&self`.
        let data = unsafe {
            core::slice::from_raw_parts(self.data.add(first * self.cols), rows * self.cols)
        };
        Rows::new(data, rows, self.cols)
    }
    /// Our rows of block `t`, to write.
    ///
    /// # Panics
    /// Where there is no such block.
    #[inline]
    pub fn step_mut(&mut self, t: usize) -> RowsMut<'_, E> {
        let (first, rows) = self.span(t);
        // SAFETY: as in `step`, and borrowed through `&mut self`.
        let data = unsafe {
            core::slice::from_raw_parts_mut(self.data.add(first * self.cols), rows * self.cols)
        };
        RowsMut::new(data, rows, self.cols)
    }
    /// Our rows of block `t` to read and of block `t + 1` to write.
    ///
    /// # Panics
    /// Where there are no such blocks.
    #[inline]
    pub fn pair(&mut self, t: usize) -> (Rows<'_, E>, RowsMut<'_, E>) {
        let ((first, rows), (next, next_rows)) = (self.span(t), self.span(t + 1));
        // SAFETY: as in `step`; two blocks do not overlap, since offsets never fall.
        unsafe {
            (
                Rows::new(
                    core::slice::from_raw_parts(self.data.add(first * self.cols), rows * self.cols),
                    rows,
                    self.cols,
                ),
                RowsMut::new(
                    core::slice::from_raw_parts_mut(
                        self.data.add(next * self.cols),
                        next_rows * self.cols,
                    ),
                    next_rows,
                    self.cols,
                ),
            )
        }
    }
    /// Whether blocks `from..to` are ours from the first row to the last, hence contiguous.
    #[inline]
    fn whole(&self, from: usize, to: usize) -> bool {
        let ours = |t| self.last >= self.offsets[t + 1] - self.offsets[t];
        to == from + 1 || (from <= to && self.first == 0 && (from..to).all(ours))
    }
    /// Our rows of blocks `from..to` as one matrix, where they are contiguous: when we own whole blocks, or `to`
    /// is `from + 1`.
    ///
    /// # Panics
    /// Where there are no such blocks.
    #[inline]
    pub fn blocks(&self, from: usize, to: usize) -> Option<Rows<'_, E>> {
        if !self.whole(from, to) {
            return None;
        }
        let (first, _) = self.span(from);
        let rows: usize = (from..to).map(|t| self.span(t).1).sum();
        // SAFETY: as in `step`; `whole` says that every row between the first and the last is ours.
        let data = unsafe {
            core::slice::from_raw_parts(self.data.add(first * self.cols), rows * self.cols)
        };
        Some(Rows::new(data, rows, self.cols))
    }
    /// As [`blocks`](StepsMut::blocks), to write.
    ///
    /// # Panics
    /// Where there are no such blocks.
    #[inline]
    pub fn blocks_mut(&mut self, from: usize, to: usize) -> Option<RowsMut<'_, E>> {
        if !self.whole(from, to) {
            return None;
        }
        let (first, _) = self.span(from);
        let rows: usize = (from..to).map(|t| self.span(t).1).sum();
        // SAFETY: as in `blocks`, and borrowed through `&mut self`.
        let data = unsafe {
            core::slice::from_raw_parts_mut(self.data.add(first * self.cols), rows * self.cols)
        };
        Some(RowsMut::new(data, rows, self.cols))
    }
}
