//! The only matrix type: rows at a fixed stride in a slice.
//!
//! The kernels read and write through pointers on the strength of what [`extent`] checks, for every number of rows: a
//! row never reaches into the next one (`cols ≤ stride`), and the last row ends within the slice. So the parts of a
//! [`RowsMut::split`] never share a number, and neither do two matrices in slices that do not overlap.

/// A read-only matrix `[rows, cols]`, row `r` at `r * stride`.
#[derive(Clone, Copy, Debug)]
pub struct Rows<'a, E> {
    data: &'a [E],
    rows: usize,
    cols: usize,
    stride: usize,
}

/// A writable matrix `[rows, cols]`, row `r` at `r * stride`.
#[derive(Debug)]
pub struct RowsMut<'a, E> {
    data: &'a mut [E],
    rows: usize,
    cols: usize,
    stride: usize,
}

/// Checks the invariant, and gives the stride to keep: with a single row or none there is no next row, so it is the
/// width there, whatever was asked for, and `rows * stride` never overflows in the kernels.
#[inline]
fn extent(len: usize, rows: usize, cols: usize, stride: usize) -> usize {
    assert!(
        cols <= stride,
        "{cols} columns do not fit a stride of {stride}"
    );
    // Products that overflow must not pass: the kernels rely on this.
    let need = match rows {
        0 => Some(0),
        _ => (rows - 1)
            .checked_mul(stride)
            .and_then(|before| before.checked_add(cols)),
    };
    assert!(
        need.is_some_and(|need| need <= len),
        "a matrix of {rows} by {cols} at stride {stride} does not fit {len} numbers"
    );
    if rows <= 1 { cols } else { stride }
}

impl<'a, E> Rows<'a, E> {
    /// A dense matrix.
    ///
    /// # Panics
    /// Where `data` is too short.
    #[inline]
    pub fn new(data: &'a [E], rows: usize, cols: usize) -> Self {
        Self::strided(data, rows, cols, cols)
    }
    /// A matrix whose rows stand `stride` apart.
    ///
    /// # Panics
    /// Where `data` is too short, and where `cols` is more than `stride`, even for a single row.
    #[inline]
    pub fn strided(data: &'a [E], rows: usize, cols: usize, stride: usize) -> Self {
        let stride = extent(data.len(), rows, cols, stride);
        Rows {
            data,
            rows,
            cols,
            stride,
        }
    }
    /// Number of rows.
    #[inline]
    pub fn rows(&self) -> usize {
        self.rows
    }
    /// Number of columns.
    #[inline]
    pub fn cols(&self) -> usize {
        self.cols
    }
    /// Distance between rows; with fewer than two, the number of columns.
    #[inline]
    pub fn stride(&self) -> usize {
        self.stride
    }
    /// The slice behind it, from its first number.
    #[inline]
    pub fn data(&self) -> &'a [E] {
        self.data
    }
    /// Row `r`.
    ///
    /// # Panics
    /// Where there is no such row.
    #[inline]
    pub fn row(&self, r: usize) -> &'a [E] {
        assert!(r < self.rows);
        &self.data[r * self.stride..][..self.cols]
    }
    /// Columns `from..to` of every row.
    ///
    /// # Panics
    /// Where `from` is more than `to`, or `to` more than [`cols`](Self::cols).
    #[inline]
    pub fn columns(&self, from: usize, to: usize) -> Rows<'a, E> {
        assert!(from <= to && to <= self.cols);
        let data = if self.rows == 0 {
            self.data
        } else {
            &self.data[from..]
        };
        Rows {
            data,
            rows: self.rows,
            cols: to - from,
            stride: self.stride,
        }
    }
    /// Rows `from..to`.
    ///
    /// # Panics
    /// Where `from` is more than `to`, or `to` more than [`rows`](Self::rows).
    #[inline]
    pub fn slice(&self, from: usize, to: usize) -> Rows<'a, E> {
        assert!(from <= to && to <= self.rows);
        let data = if from == to {
            &self.data[..0]
        } else {
            &self.data[from * self.stride..]
        };
        Rows {
            data,
            rows: to - from,
            cols: self.cols,
            stride: self.stride,
        }
    }
}

impl<'a, E> RowsMut<'a, E> {
    /// A dense matrix.
    ///
    /// # Panics
    /// Where `data` is too short.
    #[inline]
    pub fn new(data: &'a mut [E], rows: usize, cols: usize) -> Self {
        Self::strided(data, rows, cols, cols)
    }
    /// A matrix whose rows stand `stride` apart.
    ///
    /// # Panics
    /// Where `data` is too short, and where `cols` is more than `stride`, even for a single row.
    #[inline]
    pub fn strided(data: &'a mut [E], rows: usize, cols: usize, stride: usize) -> Self {
        let stride = extent(data.len(), rows, cols, stride);
        RowsMut {
            data,
            rows,
            cols,
            stride,
        }
    }
    /// Number of rows.
    #[inline]
    pub fn rows(&self) -> usize {
        self.rows
    }
    /// Number of columns.
    #[inline]
    pub fn cols(&self) -> usize {
        self.cols
    }
    /// Distance between rows; with fewer than two, the number of columns.
    #[inline]
    pub fn stride(&self) -> usize {
        self.stride
    }
    /// The slice behind it, from its first number.
    #[inline]
    pub fn data(&mut self) -> &mut [E] {
        self.data
    }
    /// Row `r`.
    ///
    /// # Panics
    /// Where there is no such row.
    #[inline]
    pub fn row(&mut self, r: usize) -> &mut [E] {
        assert!(r < self.rows);
        &mut self.data[r * self.stride..][..self.cols]
    }
    /// The same matrix for a shorter while.
    #[inline]
    pub fn reborrow(&mut self) -> RowsMut<'_, E> {
        RowsMut {
            data: self.data,
            rows: self.rows,
            cols: self.cols,
            stride: self.stride,
        }
    }
    /// The same matrix, to read.
    #[inline]
    pub fn view(&self) -> Rows<'_, E> {
        Rows {
            data: self.data,
            rows: self.rows,
            cols: self.cols,
            stride: self.stride,
        }
    }
    /// Columns `from..to` of every row.
    ///
    /// # Panics
    /// Where `from` is more than `to`, or `to` more than [`cols`](Self::cols).
    #[inline]
    pub fn columns(self, from: usize, to: usize) -> RowsMut<'a, E> {
        assert!(from <= to && to <= self.cols);
        let data = if self.rows == 0 {
            self.data
        } else {
            &mut self.data[from..]
        };
        RowsMut {
            data,
            rows: self.rows,
            cols: to - from,
            stride: self.stride,
        }
    }
    /// Rows `..at` and rows `at..`.
    ///
    /// # Panics
    /// Where `at` is more than [`rows`](Self::rows).
    #[inline]
    pub fn split(self, at: usize) -> (RowsMut<'a, E>, RowsMut<'a, E>) {
        assert!(at <= self.rows);
        // The last row need not be followed by a whole stride.
        let cut = at.saturating_mul(self.stride).min(self.data.len());
        let (head, tail) = self.data.split_at_mut(cut);
        (
            RowsMut {
                data: head,
                rows: at,
                cols: self.cols,
                stride: self.stride,
            },
            RowsMut {
                data: tail,
                rows: self.rows - at,
                cols: self.cols,
                stride: self.stride,
            },
        )
    }
}
