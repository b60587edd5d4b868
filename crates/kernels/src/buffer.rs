//! Memory that begins at a cache line.

/// Numbers at an address that is a multiple of 64 bytes.
#[derive(Clone, Debug)]
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
