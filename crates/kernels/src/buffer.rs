//! Memory that begins at a cache line.

use crate::{Element, prefer_large_pages};
use core::ops::{Deref, DerefMut};
use std::cell::Cell;

/// Numbers at an address that is a multiple of 64 bytes: vectors of rows whose width is one of 16 cross no cache line,
/// and threads that have rows of their own share none.
///
/// Of [`Element`]s alone, since only for those is a cache line sixteen numbers without gaps: of smaller numbers, the
/// gaps would be memory that nobody has written.
/// ```compile_fail
/// elman_kernels::Buffer::<u8>::new();
/// ```
#[derive(Clone, Debug, Default)]
pub struct Buffer<E> {
    lines: Vec<Line<E>>,
    len: usize,
}

#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line<E>([E; LINE]);

/// Numbers of a line.
const LINE: usize = 16;

impl<E: Element> Buffer<E> {
    /// Checked when a buffer of this type is compiled.
    const NO_GAPS: () = assert!(size_of::<Line<E>>() == LINE * size_of::<E>());

    /// Of no numbers.
    pub const fn new() -> Self {
        Buffer {
            lines: Vec::new(),
            len: 0,
        }
    }
    /// `len` times zero.
    pub(crate) fn zeros(len: usize) -> Self {
        let mut buffer = Buffer::new();
        buffer.resize(len);
        buffer
    }
    /// Of `len` numbers from now on: those that were there, and any.
    ///
    /// # Panics
    /// Where there is no memory for as many.
    pub fn resize(&mut self, len: usize) {
        let lines = len.div_ceil(LINE);
        if lines > self.lines.len() {
            let more = self.lines.try_reserve_exact(lines - self.lines.len());
            more.expect("memory for the buffer");
            prefer_large_pages(self.lines.spare_capacity_mut());
            self.lines.resize(lines, Line([E::ZERO; LINE]));
        }
        self.len = len;
    }
}

impl<E: Element> Deref for Buffer<E> {
    type Target = [E];
    fn deref(&self) -> &[E] {
        const { Self::NO_GAPS };
        // SAFETY: a `Line` is `LINE` numbers without gaps, all of them written, and `len` is at most those of all
        // lines: `resize` alone sets it, and no line is ever taken away.
        unsafe { core::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }
}

impl<E: Element> DerefMut for Buffer<E> {
    fn deref_mut(&mut self) -> &mut [E] {
        // SAFETY: as above.
        unsafe { core::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}

thread_local! {
    static SCRATCH: Cell<Buffer<f64>> = const { Cell::new(Buffer::new()) };
}

/// Room for `len` numbers, kept by this thread from call to call; what stands there is any earlier work's.
pub(crate) fn with_scratch<E: Element, R>(len: usize, work: impl FnOnce(&mut [E]) -> R) -> R {
    let mut buffer = SCRATCH.take();
    let bytes = len
        .checked_mul(size_of::<E>())
        .expect("scratch that fits the memory");
    buffer.resize(bytes.div_ceil(size_of::<f64>()).max(buffer.len()));
    let whole = &mut *buffer;
    assert!(bytes <= size_of_val(whole));
    // SAFETY: an `Element` is `f32` or `f64` (the trait cannot be implemented elsewhere), for which every bit
    // pattern is a number; the buffer is long enough, and aligned for both.
    let room = unsafe { core::slice::from_raw_parts_mut(whole.as_mut_ptr().cast::<E>(), len) };
    let result = work(room);
    SCRATCH.set(buffer);
    result
}
