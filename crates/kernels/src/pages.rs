//! Large pages for large memory.

/// Bytes from which memory is worth it: those of a large page.
const LARGE: usize = 2 << 20;

/// Asks the system to back `memory` with large pages, where it is large and not yet used.
///
/// A step's rows and a matrix's panels lie on many small pages, and finding those costs what streams them up to a tenth
/// of its time (docs/speed.md). A wish only: nothing else changes, and systems other than Linux do not hear it.
pub fn prefer_large_pages<T>(memory: &[T]) {
    if size_of_val(memory) >= LARGE {
        advise(memory.as_ptr().cast(), size_of_val(memory));
    }
}

#[cfg(all(target_os = "linux", not(miri)))]
fn advise(memory: *const u8, bytes: usize) {
    // SAFETY: a question to the system.
    let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096);
    // Whole pages: what else lies on the first and the last does not mind.
    let before = memory.addr() % page;
    let start = memory.wrapping_sub(before).cast_mut().cast();
    let whole = (before + bytes).next_multiple_of(page);
    // SAFETY: the pages hold memory that is in use, and this advice changes none of it. Where it is not taken, for
    // want of such pages, all is as before.
    unsafe { libc::madvise(start, whole, libc::MADV_HUGEPAGE) };
}

#[cfg(any(not(target_os = "linux"), miri))]
fn advise(_: *const u8, _: usize) {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_keeps_what_it_holds() {
        for len in [0, 1, 1000, LARGE / 8 - 1, LARGE / 8, 3 * LARGE / 8 + 5] {
            let numbers: Vec<u64> = (0..len as u64).collect();
            prefer_large_pages(&numbers);
            prefer_large_pages(&numbers[len / 3..]);
            assert!(numbers.iter().copied().eq(0..len as u64));
        }
    }
}
