//! One factor of a long sum of outer products: where it lies, how it is packed, and how it is asked for ahead.

use crate::Element;
use crate::packed::panel;
use crate::simd::Simd;

/// Which rows of a matrix take part, in order.
#[derive(Clone, Copy, Debug)]
pub enum Pick<'a> {
    /// Row `i` is row `i`.
    All,
    /// Row `i` is row `these[i]`.
    These(&'a [usize]),
}

/// One of the two factors, `len` numbers for each s.
#[derive(Clone, Copy)]
pub(crate) struct Side<'a, E> {
    pub from: *const E,
    pub stride: usize,
    pub pick: Pick<'a>,
    pub len: usize,
    /// Numbers that may be read from `from` on.
    pub end: usize,
}

impl<E> Side<'_, E> {
    /// Where the numbers of `s` begin, counted from the first.
    ///
    /// # Safety
    /// There must be such a row, and where `pick` names rows, one for `s`.
    #[inline(always)]
    unsafe fn at(&self, s: usize) -> usize {
        let row = match self.pick {
            Pick::All => s,
            // SAFETY: `outer_add` checked that there is one for each s.
            Pick::These(these) => unsafe { *these.get_unchecked(s) },
        };
        row * self.stride
    }
    /// Whether the rows lie so close that they are best read where they are.
    #[inline(always)]
    pub fn close(&self) -> bool {
        matches!(self.pick, Pick::All) && self.stride * size_of::<E>() <= CLOSE
    }
}

/// Bytes from one row to the next up to which a block of them is best read where it lies: packing costs more
/// than it saves (measured: at 512 bytes 115 against 101 GFLOP/s, at 1024 the other way round).
const CLOSE: usize = 512;

/// Part of a side that will be packed soon: its cache lines are asked for one by one between blocks, since packing
/// all at once would wait for memory.
pub(crate) struct Soon<'a, E> {
    side: Side<'a, E>,
    /// Next row, and the row after the last.
    s: usize,
    last: usize,
    /// Next column; first, and the one after the last.
    at: usize,
    from: usize,
    to: usize,
    /// Lines at a time.
    lines: usize,
}

impl<'a, E: Element> Soon<'a, E> {
    /// Columns `from..to` of rows `s..last`, asked for in `times` goes.
    ///
    /// # Safety
    /// Those rows must be there, as long as this is.
    pub unsafe fn new(
        side: Side<'a, E>,
        (s, last): (usize, usize),
        (from, to): (usize, usize),
        times: usize,
    ) -> Self {
        let lines = (last - s) * ((to - from) * size_of::<E>()).div_ceil(64);
        Soon {
            side,
            s,
            last,
            at: from,
            from,
            to,
            lines: lines.div_ceil(times),
        }
    }
    /// Asks for the next few lines.
    #[inline(always)]
    pub fn ask<S: Simd<Element = E>>(&mut self) {
        for _ in 0..self.lines {
            if self.s == self.last {
                return;
            }
            // SAFETY: `new`'s caller promises that the row is there.
            S::prefetch_far(
                self.side
                    .from
                    .wrapping_add(unsafe { self.side.at(self.s) } + self.at),
            );
            self.at += 64 / size_of::<E>();
            if self.at >= self.to {
                self.at = self.from;
                self.s += 1;
            }
        }
    }
}

/// Numbers from one strip to the next: `rows` for each of k, and slack for writing whole vectors.
#[inline(always)]
pub(crate) fn strip<S: Simd>(k: usize, rows: usize) -> usize {
    k * rows + S::LANES
}

/// Strips of `rows` numbers from `at` on, for s to s + k: strip after strip, in each the numbers of one s together.
///
/// # Safety
/// The side must have those rows and numbers, and `to` room for the [`strip`]s.
#[inline(always)]
pub(crate) unsafe fn pack_strips<S: Simd>(
    side: &Side<'_, S::Element>,
    s: usize,
    k: usize,
    at: usize,
    rows: usize,
    strips: usize,
    to: *mut S::Element,
) {
    // All strips at once where they are not too many: what is read lies in one piece, which the processor sees and
    // fetches ahead, and their ends all stay in the level-1 cache.
    const AT_ONCE: usize = 48;
    let mut first = 0;
    while first < strips {
        let last = strips.min(first + AT_ONCE);
        for p in 0..k {
            // SAFETY: `at + strips * rows` is at most the side's length, and whole vectors are read only before its
            // end; they are written only where the strip's own later numbers or its slack are.
            unsafe {
                let from = side.at(s + p) + at;
                let whole = from + last * rows + S::LANES <= side.end;
                for t in first..last {
                    let to = to.add(t * strip::<S>(k, rows) + p * rows);
                    let from = side.from.add(from + t * rows);
                    let mut i = 0;
                    while i < rows {
                        let from = from.add(i);
                        let v = if whole {
                            S::read(from)
                        } else {
                            S::read_first(from, (rows - i).min(S::LANES))
                        };
                        v.write(to.add(i));
                        i += S::LANES;
                    }
                }
            }
        }
        first = last;
    }
}

/// Panels of the columns `at..at + cols`, for s to s + k, the last filled up with zeros.
///
/// # Safety
/// The side must have those rows and columns, and `to` room for the panels.
#[inline(always)]
pub(crate) unsafe fn pack_panels<S: Simd>(
    side: &Side<'_, S::Element>,
    s: usize,
    k: usize,
    at: usize,
    cols: usize,
    to: *mut S::Element,
) {
    let width = panel::<S::Element>();
    for p in 0..k {
        // SAFETY: columns `at..at + cols` are the side's; panels are whole.
        unsafe {
            let from = side.from.add(side.at(s + p) + at);
            let mut c = 0;
            while c < cols {
                let to = to.add(c / width * width * k + p * width + c % width);
                let v = if c + S::LANES <= cols {
                    S::read(from.add(c))
                } else {
                    S::read_first(from.add(c), cols - c)
                };
                v.write(to);
                c += S::LANES;
            }
            while !c.is_multiple_of(width) {
                S::ZERO.write(to.add(c / width * width * k + p * width + c % width));
                c += S::LANES;
            }
        }
    }
}
