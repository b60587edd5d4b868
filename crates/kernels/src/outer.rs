//! The gradient of a weight matrix: a long sum of outer products, as one product over all steps and rows.

use crate::buffer::with_scratch;
use crate::packed::panel;
use crate::simd::{Kernel, Simd};
use crate::tile::{First, Sheet};
use crate::{Element, Level, Rows, RowsMut};

/// Which rows of a matrix take part, in order.
#[derive(Clone, Copy, Debug)]
pub enum Pick<'a> {
    /// Row `i` is row `i`.
    All,
    /// Row `i` is row `these[i]`.
    These(&'a [usize]),
}

/// `out += aᵀ · b`, with `a` `[s, m]`, `b` `[≥ s, n]` read through `pick`, `out` `[m, n]`.
///
/// Each output is one chain of fused multiply-adds over `s` in order, hence the same whichever rows and columns of
/// `out` are computed together. Panics where the shapes disagree.
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
pub fn outer_add<E: Element>(
    level: Level,
    a: Rows<'_, E>,
    b: Rows<'_, E>,
    pick: Pick<'_>,
    mut out: RowsMut<'_, E>,
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
    };
    let wide = Side {
        from: b.data().as_ptr(),
        stride: b.stride(),
        pick,
        len: n,
    };
    with_scratch(room::<E>(m.max(n)) + m * n.min(NARROW), |scratch| {
        let stride = out.stride();
        let out = out.data().as_mut_ptr();
        level.kernel(Outer {
            s,
            tall,
            wide,
            out,
            stride,
            scratch,
        });
    });
}

/// One of the two factors, `len` numbers for each s.
#[derive(Clone, Copy)]
struct Side<'a, E> {
    from: *const E,
    stride: usize,
    pick: Pick<'a>,
    len: usize,
}

impl<E> Side<'_, E> {
    /// Where the numbers of `s` begin.
    #[inline(always)]
    unsafe fn at(&self, s: usize) -> *const E {
        let row = match self.pick {
            Pick::All => s,
            // SAFETY: `outer_add` checked that there is one for each s.
            Pick::These(these) => unsafe { *these.get_unchecked(s) },
        };
        // SAFETY: `outer_add` checked that every row taken is there.
        unsafe { self.from.add(row * self.stride) }
    }
}

/// Summands at once: a panel of so many (16 KiB) stays in the level-1 cache while all rows pass over it.
const S_BLOCK: usize = 128;
/// Rows at once: their part (512 KiB of f32) stays in the level-2 cache while all panels pass over it.
const M_BLOCK: usize = 1020;
/// Panels packed at once, for blocks of few rows.
const PANELS: usize = 4;
/// An output of no more columns is computed transposed where that fills the vectors better.
const NARROW: usize = 16;

/// Scratch for packing, at any level.
fn room<E>(len: usize) -> usize {
    let rows = len.min(M_BLOCK);
    // A vector of slack for each strip, of which there are no more than one for two rows.
    S_BLOCK * (rows + PANELS * panel::<E>()) + (rows / 2 + 2) * 16 + 16
}

struct Outer<'a, E> {
    s: usize,
    tall: Side<'a, E>,
    wide: Side<'a, E>,
    out: *mut E,
    stride: usize,
    scratch: &'a mut [E],
}

impl<E: Element> Kernel<E> for Outer<'_, E> {
    type Out = ();
    #[inline(always)]
    fn run<S: Simd<Element = E>>(self) {
        let (m, n) = (self.tall.len, self.wide.len);
        if n > NARROW || n * m.div_ceil(S::LANES) >= m * n.div_ceil(S::LANES) {
            // SAFETY: `outer_add` checked all sizes.
            return unsafe { self.add::<S>() };
        }
        let (rest, turned) = self.scratch.split_at_mut(room::<E>(m.max(n)));
        let mut i = 0;
        while i < m * n {
            // SAFETY: `outer_add` checked that `out` has m rows and n columns.
            turned[i % n * m + i / n] = unsafe { *self.out.add(i / n * self.stride + i % n) };
            i += 1;
        }
        let swapped = Outer {
            s: self.s,
            tall: self.wide,
            wide: self.tall,
            out: turned.as_mut_ptr(),
            stride: m,
            scratch: rest,
        };
        // SAFETY: the factors are checked, and `turned` has n rows of m.
        unsafe { swapped.add::<S>() };
        let mut i = 0;
        while i < m * n {
            // SAFETY: as above.
            unsafe { *self.out.add(i / n * self.stride + i % n) = turned[i % n * m + i / n] };
            i += 1;
        }
    }
}

impl<E: Element> Outer<'_, E> {
    #[inline(always)]
    unsafe fn add<S: Simd<Element = E>>(self) {
        let (m, n) = (self.tall.len, self.wide.len);
        let width = panel::<E>();
        let (panels, strips) = self.scratch.split_at_mut(S_BLOCK * PANELS * width);
        let (panels, strips) = (panels.as_mut_ptr(), strips.as_mut_ptr());
        let mut s = 0;
        while s < self.s {
            let k = S_BLOCK.min(self.s - s);
            let mut top = 0;
            while top < m {
                let rows = M_BLOCK.min(m - top);
                let groups = rows.div_ceil(S::TALL);
                let (low, taller) = (rows / groups, rows % groups);
                let split = taller * (low + 1);
                // SAFETY (all of this loop): rows and columns are counted within m and n; `room` has place for a
                // block's strips and panels.
                unsafe {
                    let second = strips.add(taller * strip::<S>(k, low + 1));
                    pack_strips::<S>(&self.tall, s, k, top, low + 1, taller, strips);
                    pack_strips::<S>(&self.tall, s, k, top + split, low, groups - taller, second);
                    let at_once = if rows <= 2 { PANELS } else { 1 } * width;
                    let mut left = 0;
                    while left < n {
                        let cols = at_once.min(n - left);
                        pack_panels::<S>(&self.wide, s, k, left, cols, panels);
                        let mut sheet = Sheet::<E, true> {
                            k,
                            a: strips,
                            a_stride: strip::<S>(k, low + 1),
                            b: panels,
                            b_panel: k * width,
                            out: self.out.add(top * self.stride + left),
                            out_stride: self.stride,
                            first: First::Keep,
                        };
                        if taller > 0 {
                            sheet.run::<S>(low + 1, taller, cols);
                        }
                        sheet.a = second;
                        sheet.a_stride = strip::<S>(k, low);
                        sheet.out = sheet.out.add(split * self.stride);
                        sheet.run::<S>(low, groups - taller, cols);
                        left += cols;
                    }
                }
                top += rows;
            }
            s += k;
        }
    }
}

/// Numbers from one strip to the next: `rows` for each of k, and slack for writing whole vectors.
#[inline(always)]
fn strip<S: Simd>(k: usize, rows: usize) -> usize {
    k * rows + S::LANES
}

/// Strips of `rows` numbers from `at` on, for s to s + k: strip after strip, in each the numbers of one s together.
#[inline(always)]
unsafe fn pack_strips<S: Simd>(
    side: &Side<'_, S::Element>,
    s: usize,
    k: usize,
    at: usize,
    rows: usize,
    strips: usize,
    to: *mut S::Element,
) {
    // A few strips at once, so that what is read together lies together, without writing to many places in turn.
    const AT_ONCE: usize = 4;
    let mut first = 0;
    while first < strips {
        let last = strips.min(first + AT_ONCE);
        for p in 0..k {
            // SAFETY: `at + strips * rows` is at most the side's length; a whole vector is written only where
            // the strip's own later numbers or its slack are.
            unsafe {
                let row = side.at(s + p).add(at);
                for t in first..last {
                    let to = to.add(t * strip::<S>(k, rows) + p * rows);
                    let from = row.add(t * rows);
                    let mut i = 0;
                    while i < rows {
                        S::read_first(from.add(i), (rows - i).min(S::LANES)).write(to.add(i));
                        i += S::LANES;
                    }
                }
            }
        }
        first = last;
    }
}

/// Panels of the columns `at..at + cols`, for s to s + k, the last filled up with zeros.
#[inline(always)]
unsafe fn pack_panels<S: Simd>(
    side: &Side<'_, S::Element>,
    s: usize,
    k: usize,
    at: usize,
    cols: usize,
    to: *mut S::Element,
) {
    let width = panel::<S::Element>();
    let mut done = 0;
    while done < cols {
        let count = width.min(cols - done);
        for p in 0..k {
            // SAFETY: `count` columns from `at + done` on are the side's.
            unsafe {
                let from = side.at(s + p).add(at + done);
                let to = to.add(done * k + p * width);
                let mut c = 0;
                while c < width {
                    let v = if c + S::LANES <= count {
                        S::read(from.add(c))
                    } else if c < count {
                        S::read_first(from.add(c), count - c)
                    } else {
                        S::ZERO
                    };
                    v.write(to.add(c));
                    c += S::LANES;
                }
            }
        }
        done += width;
    }
}
