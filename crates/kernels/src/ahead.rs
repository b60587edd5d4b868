//! Asking for memory before it is needed, so that a product hides the wait.

use crate::RowsMut;

/// Bytes of a cache line.
const LINE: usize = 64;
/// Bytes of rows beyond which nothing is asked for: they would push out what the product reads.
const MOST: usize = 32 * 1024;

/// Asks for rows that will soon be written.
///
/// For rows that another core has read last: it must give their cache lines up first, which takes longer than the
/// arithmetic of a small step.
#[inline]
pub fn expect_writes<E>(rows: &RowsMut<'_, E>) {
    let rows = rows.view();
    // Without rows, any number of columns is allowed.
    let wide = rows.cols().saturating_mul(size_of::<E>());
    if rows.rows().saturating_mul(wide) > MOST {
        return;
    }
    for r in 0..rows.rows() {
        let row = rows.row(r).as_ptr();
        for at in (0..wide).step_by(LINE) {
            own(row.wrapping_byte_add(at));
        }
    }
}

#[cfg(all(target_arch = "x86_64", not(miri)))]
#[inline(always)]
fn own<E>(line: *const E) {
    // Not the intrinsic: it asks for reading only, unless the whole crate is compiled for processors with `prfchw`. The
    // instruction is there, or does nothing, on every processor of 64 bits.
    // SAFETY: a prefetch may name any address, and changes nothing.
    unsafe {
        core::arch::asm!("prefetchw byte ptr [{}]", in(reg) line,
            options(nostack, preserves_flags, readonly));
    }
}

#[cfg(any(not(target_arch = "x86_64"), miri))]
#[inline(always)]
fn own<E>(_: *const E) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_changes_whatever_the_shape() {
        for (rows, cols) in [(0, 0), (0, 5), (3, 0), (1, 1), (7, 33), (100, 1000)] {
            let mut data: Vec<f32> = (0..rows * cols).map(|i| i as f32).collect();
            let before = data.clone();
            expect_writes(&RowsMut::new(&mut data, rows, cols));
            assert_eq!(data, before);
        }
    }
}
