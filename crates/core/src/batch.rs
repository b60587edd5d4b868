//! Rows of unequal length, sorted and stored without padding.
//!
//! Rows are sorted by length, longest first, and stored step by step: block t holds the rows that are still alive
//! at step t. So no mask is needed anywhere, and no padded step can touch anything.

use crate::noise::Noise;
use crate::{Element, Error, Input};
use elman_kernels::prefer_large_pages;

/// The inputs of B rows, up to T steps each.
#[derive(Clone, Debug)]
pub struct Batch<E> {
    pub(crate) input: BatchInput<E>,
    /// Sorted position → the caller's row.
    pub(crate) order: Vec<usize>,
    /// The caller's row → sorted position.
    pub(crate) position: Vec<usize>,
    /// Lengths in sorted order.
    pub(crate) lengths: Vec<usize>,
    /// Where block t begins, in rows; T + 1 entries.
    pub(crate) offsets: Vec<usize>,
    /// The same for states, whose first block is the state before the first step; T + 2 entries.
    pub(crate) state_offsets: Vec<usize>,
    /// Masks for training, where there are any.
    pub(crate) noise: Option<Noise<E>>,
}

#[derive(Clone, Debug)]
pub(crate) enum BatchInput<E> {
    /// `[Σ B_t, F]`
    Features(Vec<E>, usize),
    /// `[Σ B_t]`, and how many symbols there are
    Symbols(Vec<u32>, usize),
}

impl<E: Element> Batch<E> {
    /// From padded, time-major numbers `[T, B, F]`; `lengths` `[B]` says how many steps each row has (all, where
    /// there is none). What stands in padded steps is never read.
    pub fn features(
        x: &[E],
        [steps, rows, width]: [usize; 3],
        lengths: Option<&[usize]>,
    ) -> Result<Batch<E>, Error> {
        if x.len() != steps * rows * width {
            let shape = format!("[{steps} steps, {rows} rows, {width} features]");
            return Err(Error::size(
                "the input",
                x.len(),
                steps * rows * width,
                shape,
            ));
        }
        if width == 0 {
            return Err(Error::Zero {
                what: "the input width",
                is: 0,
            });
        }
        let mut batch = Batch::empty(steps, rows, lengths)?;
        batch.input = BatchInput::Features(batch.pack(x, width), width);
        Ok(batch)
    }

    /// The same from rows wherever they lie: `row(t, r)` gives the F numbers that row r reads at step t, and is asked
    /// for no step past a row's end.
    pub fn of_rows<'x>(
        row: impl Fn(usize, usize) -> &'x [E],
        [steps, rows, width]: [usize; 3],
        lengths: Option<&[usize]>,
    ) -> Result<Batch<E>, Error> {
        if width == 0 {
            return Err(Error::Zero {
                what: "the input width",
                is: 0,
            });
        }
        let mut batch = Batch::empty(steps, rows, lengths)?;
        let mut packed = Vec::with_capacity(batch.total() * width);
        prefer_large_pages(packed.spare_capacity_mut());
        for t in 0..batch.steps() {
            for &r in &batch.order[..batch.offsets[t + 1] - batch.offsets[t]] {
                let x = row(t, r);
                if x.len() != width {
                    let shape = format!("[{width} features]");
                    return Err(Error::size("a step of the input", x.len(), width, shape));
                }
                packed.extend_from_slice(x);
            }
        }
        batch.input = BatchInput::Features(packed, width);
        Ok(batch)
    }

    /// From padded, time-major symbols `[T, B]`, each below `known`.
    pub fn symbols(
        x: &[u32],
        [steps, rows]: [usize; 2],
        known: usize,
        lengths: Option<&[usize]>,
    ) -> Result<Batch<E>, Error> {
        if x.len() != steps * rows {
            let shape = format!("[{steps} steps, {rows} rows]");
            return Err(Error::size("the input", x.len(), steps * rows, shape));
        }
        let mut batch = Batch::empty(steps, rows, lengths)?;
        let packed = batch.pack(x, 1);
        for t in 0..batch.steps() {
            for (p, &symbol) in packed[batch.offsets[t]..batch.offsets[t + 1]]
                .iter()
                .enumerate()
            {
                if symbol as usize >= known {
                    return Err(Error::Symbol {
                        step: t,
                        row: batch.order[p],
                        symbol,
                        last: known.saturating_sub(1),
                    });
                }
            }
        }
        batch.input = BatchInput::Symbols(packed, known);
        Ok(batch)
    }

    fn empty(steps: usize, rows: usize, lengths: Option<&[usize]>) -> Result<Batch<E>, Error> {
        if let Some((what, is)) = [("the number of steps", steps), ("the number of rows", rows)]
            .into_iter()
            .find(|&(_, n)| n == 0)
        {
            return Err(Error::Zero { what, is });
        }
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
        Ok(Batch {
            input: BatchInput::Symbols(Vec::new(), 0),
            order,
            position,
            lengths,
            offsets,
            state_offsets,
            noise: None,
        })
    }

    /// An error where the batch has masks: Jacobians are those of the network that is used, not of a step of training.
    pub(crate) fn without_noise(&self) -> Result<(), Error> {
        match self.noise {
            None => Ok(()),
            Some(_) => Err(Error::Unsupported(
                "Jacobians are of the network without dropout: run it on the batch without its masks".into(),
            )),
        }
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
    /// The length of the caller's row `row`.
    pub fn length(&self, row: usize) -> usize {
        self.lengths[self.position[row]]
    }
    /// What a network must read.
    pub fn input(&self) -> Input {
        match self.input {
            BatchInput::Features(_, f) => Input::Features(f),
            BatchInput::Symbols(_, n) => Input::Symbols(n),
        }
    }
    /// The place of the caller's row `row` at step `t` in every packed buffer `[Σ B_t, …]`; `None` past its end.
    pub fn at(&self, t: usize, row: usize) -> Option<usize> {
        let p = *self.position.get(row)?;
        (t < *self.lengths.get(p)?).then(|| self.offsets[t] + p)
    }
    /// The caller's row that has place `at` in packed buffers, which must be below [`total`](Batch::total).
    pub fn row_at(&self, at: usize) -> usize {
        let t = self.offsets.partition_point(|&first| first <= at) - 1;
        self.order[at - self.offsets[t]]
    }
    /// The features that the caller's row `row` reads at step `t`; `None` past its end, or where the input is symbols.
    pub fn x(&self, t: usize, row: usize) -> Option<&[E]> {
        let at = self.at(t, row)?;
        match &self.input {
            BatchInput::Features(x, width) => x.get(at * width..(at + 1) * width),
            BatchInput::Symbols(..) => None,
        }
    }
    /// The symbol that the caller's row `row` reads at step `t`; `None` past its end, or where the input is features.
    pub fn symbol(&self, t: usize, row: usize) -> Option<u32> {
        let at = self.at(t, row)?;
        match &self.input {
            BatchInput::Features(..) => None,
            BatchInput::Symbols(x, _) => x.get(at).copied(),
        }
    }
    /// The same rows in another type, rounded to nearest.
    pub fn convert<F: Element>(&self) -> Batch<F> {
        Batch {
            input: match &self.input {
                BatchInput::Features(x, width) => {
                    BatchInput::Features(x.iter().map(|x| F::of(x.to_f64())).collect(), *width)
                }
                BatchInput::Symbols(x, known) => BatchInput::Symbols(x.clone(), *known),
            },
            order: self.order.clone(),
            position: self.position.clone(),
            lengths: self.lengths.clone(),
            offsets: self.offsets.clone(),
            state_offsets: self.state_offsets.clone(),
            noise: self.noise.as_ref().map(Noise::convert),
        }
    }
    /// Some of the caller's rows, in the order given, at most their first `steps` steps; without masks.
    pub fn select(&self, rows: &[usize], steps: usize) -> Result<Batch<E>, Error> {
        if let Some(&row) = rows.iter().find(|&&r| r >= self.rows()) {
            return Err(Error::Mismatch {
                what: "the rows",
                why: format!("row {row} was asked for, and the batch has {}", self.rows()),
            });
        }
        let lengths: Vec<usize> = rows.iter().map(|&r| self.length(r).min(steps)).collect();
        let longest = lengths.iter().max().copied().unwrap_or(0);
        let mut batch = Batch::empty(longest, rows.len(), Some(&lengths))?;
        let places = (0..longest).flat_map(|t| {
            let alive = batch.offsets[t + 1] - batch.offsets[t];
            batch.order[..alive].iter().map(move |&r| (t, rows[r]))
        });
        let places = places.filter_map(|(t, row)| self.at(t, row));
        let input = match &self.input {
            BatchInput::Features(x, width) => BatchInput::Features(
                places
                    .flat_map(|at| &x[at * width..][..*width])
                    .copied()
                    .collect(),
                *width,
            ),
            BatchInput::Symbols(x, known) => {
                BatchInput::Symbols(places.map(|at| x[at]).collect(), *known)
            }
        };
        batch.input = input;
        Ok(batch)
    }
    /// Steps `from..to`, of at least one step, of the rows that reach into them: the sorted rows, with their masks.
    pub(crate) fn part(&self, from: usize, to: usize) -> Result<Batch<E>, Error> {
        let rows = self.offsets[from + 1] - self.offsets[from];
        let lengths: Vec<usize> = self.lengths[..rows]
            .iter()
            .map(|&length| length.min(to) - from)
            .collect();
        let places = self.offsets[from]..self.offsets[to];
        let mut part = Batch::empty(to - from, rows, Some(&lengths))?;
        part.input = match &self.input {
            BatchInput::Features(x, width) => {
                let x = &x[places.start * width..places.end * width];
                BatchInput::Features(x.to_vec(), *width)
            }
            BatchInput::Symbols(x, known) => {
                BatchInput::Symbols(x[places.clone()].to_vec(), *known)
            }
        };
        let noise = self.noise.as_ref();
        part.noise = noise.map(|n| n.part((places, self.total()), (rows, self.rows())));
        Ok(part)
    }
    /// From padded, time-major `[T, B, width]` in the caller's order to packed `[Σ B_t, width]`.
    /// `padded` must have that many numbers for at least as many steps as the longest row.
    pub fn pack<T: Copy>(&self, padded: &[T], width: usize) -> Vec<T> {
        let rows = self.rows();
        let mut packed = Vec::with_capacity(self.total() * width);
        for t in 0..self.steps() {
            for &r in &self.order[..self.offsets[t + 1] - self.offsets[t]] {
                packed.extend_from_slice(&padded[(t * rows + r) * width..][..width]);
            }
        }
        packed
    }
    /// From packed `[Σ B_t, width]` to padded, time-major `[T, B, width]` in the caller's order, `fill` past each
    /// row's end.
    pub fn unpack<T: Copy>(&self, packed: &[T], width: usize, fill: T) -> Vec<T> {
        let rows = self.rows();
        let mut padded = vec![fill; self.steps() * rows * width];
        for t in 0..self.steps() {
            for (p, from) in (self.offsets[t]..self.offsets[t + 1]).enumerate() {
                padded[(t * rows + self.order[p]) * width..][..width]
                    .copy_from_slice(&packed[from * width..][..width]);
            }
        }
        padded
    }
    /// For each place `(t, p)` in own time of a reverse sweep, the place of the step that it reads.
    pub(crate) fn reversed(&self) -> Vec<usize> {
        let mut places = Vec::with_capacity(self.total());
        for t in 0..self.steps() {
            for p in 0..self.offsets[t + 1] - self.offsets[t] {
                places.push(self.offsets[self.lengths[p] - 1 - t] + p);
            }
        }
        places
    }
    /// For each place `(t, p)`, the row of the state before that step, in a buffer laid out by `state_offsets`.
    pub(crate) fn previous(&self) -> Vec<usize> {
        let mut places = Vec::with_capacity(self.total());
        for t in 0..self.steps() {
            let first = self.state_offsets[t];
            places.extend((0..self.offsets[t + 1] - self.offsets[t]).map(|p| first + p));
        }
        places
    }
    /// Whether all rows have the same length.
    pub(crate) fn even(&self) -> bool {
        self.lengths[self.rows() - 1] == self.steps()
    }
    /// Cuts sorted rows into `parts` ranges with about the same number of steps each.
    pub(crate) fn shares(&self, parts: usize) -> Vec<usize> {
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
