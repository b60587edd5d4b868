//! How rows of unequal length are stored: sorted, step by step, without padding.
//!
//! Rows are sorted by length, longest first, and stored step by step: block t holds the rows that are still alive
//! at step t. So no mask is needed anywhere, and no padded step can touch anything.

use crate::Error;
use crate::network::Sweep;

/// The order and the places of the rows of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Packing {
    /// Sorted position → the caller's row.
    pub order: Vec<usize>,
    /// The caller's row → sorted position.
    pub position: Vec<usize>,
    /// Lengths in sorted order.
    pub lengths: Vec<usize>,
    /// Where block t begins, in rows; T + 1 entries.
    pub offsets: Vec<usize>,
    /// The same for states, whose first block is the state before the first step; T + 2 entries.
    pub state_offsets: Vec<usize>,
}

impl Packing {
    /// Of `rows` rows of at most `steps` steps: of as many as `lengths` says, or all.
    pub fn new(steps: usize, rows: usize, lengths: Option<&[usize]>) -> Result<Packing, Error> {
        if let Some((what, is)) = [("the number of steps", steps), ("the number of rows", rows)]
            .into_iter()
            .find(|&(_, n)| n == 0)
        {
            return Err(Error::Zero { what, is });
        }
        Error::fits("the batch", &[steps, rows])?;
        let given = match lengths {
            Some(l) if l.len() != rows => {
                return Err(Error::size(
                    "lengths",
                    l.len(),
                    rows,
                    format!("[{rows} rows]"),
                ));
            }
            Some(l) => l.to_vec(),
            None => vec![steps; rows],
        };
        if let Some((row, &length)) = given
            .iter()
            .enumerate()
            .find(|&(_, &l)| l == 0 || l > steps)
        {
            return Err(Error::Length { row, length, steps });
        }
        let mut order: Vec<usize> = (0..rows).collect();
        order.sort_by_key(|&r| std::cmp::Reverse(given[r]));
        let mut position = vec![0; rows];
        for (p, &r) in order.iter().enumerate() {
            position[r] = p;
        }
        let lengths: Vec<usize> = order.iter().map(|&r| given[r]).collect();
        let longest = lengths[0];
        let mut offsets = vec![0; longest + 1];
        let mut alive = rows;
        for t in 0..longest {
            while lengths[alive - 1] <= t {
                alive -= 1;
            }
            offsets[t + 1] = offsets[t] + alive;
        }
        let mut state_offsets = vec![0];
        state_offsets.extend(offsets.iter().map(|o| o + rows));
        Ok(Packing {
            order,
            position,
            lengths,
            offsets,
            state_offsets,
        })
    }
    /// T: steps of the longest row.
    pub fn steps(&self) -> usize {
        self.offsets.len() - 1
    }
    /// B.
    pub fn rows(&self) -> usize {
        self.order.len()
    }
    /// Σ lengths: steps of all rows together.
    pub fn total(&self) -> usize {
        self.offsets[self.steps()]
    }
    /// Rows that are alive at step `t`.
    pub fn alive(&self, t: usize) -> usize {
        self.offsets[t + 1] - self.offsets[t]
    }
    /// Place of the caller's row `row` at step `t` in packed buffers; `None` past its end.
    pub fn at(&self, t: usize, row: usize) -> Option<usize> {
        let p = *self.position.get(row)?;
        (t < self.lengths[p]).then(|| self.offsets[t] + p)
    }
    /// The step of row `p` (sorted) that a sweep visits as its `s`-th: a reverse sweep starts at the row's own end. Its
    /// own inverse.
    #[inline]
    pub fn visited(&self, sweep: Sweep, s: usize, p: usize) -> usize {
        match sweep.reverse {
            false => s,
            true => self.lengths[p] - 1 - s,
        }
    }
    /// For each place `(s, p)` of a sweep's buffers, the place of the step that it visits.
    pub fn visits(&self, sweep: Sweep) -> Vec<usize> {
        let mut places = Vec::with_capacity(self.total());
        for s in 0..self.steps() {
            places.extend((0..self.alive(s)).map(|p| self.offsets[self.visited(sweep, s, p)] + p));
        }
        places
    }
    /// For each place `(t, p)`, the row of the state before that step, in a buffer laid out by `state_offsets`.
    pub fn previous(&self) -> Vec<usize> {
        let mut places = Vec::with_capacity(self.total());
        for t in 0..self.steps() {
            let first = self.state_offsets[t];
            places.extend((0..self.alive(t)).map(|p| first + p));
        }
        places
    }
    /// Whether all rows have the same length.
    pub fn even(&self) -> bool {
        self.lengths[self.rows() - 1] == self.steps()
    }
    /// Cuts sorted rows into `parts` ranges with about the same number of steps each: the ends of all of them.
    pub fn shares(&self, parts: usize) -> Vec<usize> {
        let parts = parts.clamp(1, self.rows());
        let mut cuts = vec![0];
        let mut sum = 0;
        for (p, &length) in self.lengths.iter().enumerate() {
            sum += length;
            let enough = sum * parts >= self.total() * cuts.len();
            if enough && cuts.len() < parts && p + 1 < self.rows() {
                cuts.push(p + 1);
            }
        }
        cuts.push(self.rows());
        cuts
    }
}
