//! Memory that begins at a cache line.

use crate::{Element, prefer_large_pages};
use core::ops::{Deref, DerefMut};
use std::cell::Cell;

/// Numbers at an address that is a multiple of 64 bytes: vectors of rows whose width is one of 16 cross no cache line,
/// and threads that have rows of their own share none.
#[derive(Clone, Debug, Default)]
pub struct Buffer<E> {
    lines: Vec<Line<E>>,
    len: usize,
}

#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line<E>([E; 16]);

impl<E: Copy + Default> Buffer<E> {
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
    pub fn resize(&mut self, len: usize) {
        let lines = len.div_ceil(16);
        if lines > self.lines.len() {
            self.lines.reserve_exact(lines - self.lines.len());
            prefer_large_pages(self.lines.spare_capacity_mut());
            self.lines.resize(lines, Line([E::default(); 16]));
        }
        self.len = len;
    }
}

impl<E> Deref for Buffer<E> {
    type Target = [E];
    fn deref(&self) -> &[E] {
        // SAFETY: a `Line` is sixteen numbers without gaps (its size, 64 or 128 bytes, is a multiple of its
        // alignment), and `len` is at most those of all lines.
        unsafe { core::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }
}

impl<E> DerefMut for Buffer<E> {
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
    let needs = (len * size_of::<E>()).div_ceil(size_of::<f64>());
    buffer.resize(needs.max(buffer.len()));
    let whole = &mut *buffer;
    assert!(len * size_of::<E>() <= size_of_val(whole));
    // SAFETY: an `Element` is `f32` or `f64` (the trait cannot be implemented elsewhere), for which every bit
    // pattern is a number; the buffer is long enough, and aligned for both.
    let room = unsafe { core::slice::from_raw_parts_mut(whole.as_mut_ptr().cast::<E>(), len) };
    let result = work(room);
    SCRATCH.set(buffer);
    result
}
