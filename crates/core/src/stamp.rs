//! Numbers that tell one computation from every other of this process.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Equal to its own copies alone. No result depends on its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp(u64);

impl Stamp {
    pub fn new() -> Stamp {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Stamp(NEXT.fetch_add(1, Relaxed))
    }
}
