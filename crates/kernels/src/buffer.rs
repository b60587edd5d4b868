//! Memory that begins at a cache line.

use crate::Element;
use std::cell::Cell;

/// Numbers at an address that is a multiple of 64 bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Buffer<E> {
    lines: Vec<Line<E>>,
    len: usize,
}

#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
struct Line<E>([E; 16]);

impl<E: Copy + Default> Buffer<E> {
    /// `len` times zero.
    pub fn zeros(len: usize) -> Self {
        let mut buffer = Buffer {
            lines: Vec::new(),
            len: 0,
        };
        buffer.grow(len);
        buffer
    }
    /// At least `len` numbers from now on.
    pub fn grow(&mut self, len: usize) {
        if len > self.len {
            let line = Line([E::default(); 16]);
            self.lines.resize(len.div_ceil(16), line);
            self.len = self.lines.len() * 16;
        }
    }
    pub fn as_ptr(&self) -> *const E {
        self.lines.as_ptr().cast()
    }
    pub fn as_mut(&mut self) -> &mut [E] {
        // SAFETY: a `Line` is sixteen numbers without gaps (its size, 64 or 128 bytes, is a multiple of its
        // alignment), and `len` counts those of all lines.
        unsafe { core::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}

thread_local! {
    static SCRATCH: Cell<Buffer<f64>> = const { Cell::new(Buffer { lines: Vec::new(), len: 0 }) };
}

/// Room for `len` numbers, kept by this thread from call to call; what stands there is any earlier work's.
pub(crate) fn with_scratch<E: Element, R>(len: usize, work: impl FnOnce(&mut [E]) -> R) -> R {
    let mut buffer = SCRATCH.take();
    buffer.grow((len * size_of::<E>()).div_ceil(size_of::<f64>()));
    let whole = buffer.as_mut();
    assert!(len * size_of::<E>() <= size_of_val(whole));
    // SAFETY: an `Element` is `f32` or `f64` (the trait cannot be implemented elsewhere), for which every bit
    // pattern is a number; the buffer is long enough, and aligned for both.
    let room = unsafe { core::slice::from_raw_parts_mut(whole.as_mut_ptr().cast::<E>(), len) };
    let result = work(room);
    SCRATCH.set(buffer);
    result
}
