//! The rows of a batch shared among threads: each has its own part of every buffer.

use crate::packing::Packing;
use elman_kernels::StepsMut;

/// Sorted rows cut into one range for each thread.
pub(crate) struct Shares<'a> {
    packing: &'a Packing,
    /// The ends of all ranges, from 0.
    ends: Vec<usize>,
}

impl<'a> Shares<'a> {
    /// For at most `threads` threads.
    pub fn of(packing: &'a Packing, threads: usize) -> Self {
        let ends = packing.shares(threads);
        Shares { packing, ends }
    }
    pub fn count(&self) -> usize {
        self.ends.len() - 1
    }
    /// The range of each.
    pub fn rows(&self) -> impl Iterator<Item = (usize, usize)> {
        self.ends.windows(2).map(|ends| (ends[0], ends[1]))
    }
    /// Each one's rows of a packed buffer `[Σ B_t, cols]`.
    pub fn cut<E>(&self, data: &'a mut [E], cols: usize) -> Vec<StepsMut<'a, E>> {
        self.cut_at(data, &self.packing.offsets, cols)
    }
    /// Each one's rows of states `[B + Σ B_t, cols]`.
    pub fn cut_states<E>(&self, data: &'a mut [E], cols: usize) -> Vec<StepsMut<'a, E>> {
        self.cut_at(data, &self.packing.state_offsets, cols)
    }
    fn cut_at<E>(
        &self,
        data: &'a mut [E],
        offsets: &'a [usize],
        cols: usize,
    ) -> Vec<StepsMut<'a, E>> {
        let mut rest = StepsMut::new(data, offsets, cols);
        let mut parts = Vec::with_capacity(self.count());
        for &at in &self.ends[1..self.count()] {
            let (head, tail) = rest.split(at);
            parts.push(head);
            rest = tail;
        }
        parts.push(rest);
        parts
    }
    /// From the parts of each buffer to the buffers of each part.
    pub fn deal<T>(&self, buffers: impl Iterator<Item = Vec<T>>) -> Vec<Vec<T>> {
        let mut dealt: Vec<Vec<T>> = (0..self.count()).map(|_| Vec::new()).collect();
        for parts in buffers {
            dealt
                .iter_mut()
                .zip(parts)
                .for_each(|(to, part)| to.push(part));
        }
        dealt
    }
}
