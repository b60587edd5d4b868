//! The inputs of rows of unequal length, packed without padding.

use crate::noise::Noise;
use crate::packing::Packing;
use crate::{Element, Error, Input};
use elman_kernels::prefer_large_pages;
use std::sync::Arc;

/// The inputs of B rows, up to T steps each. A clone shares them.
#[derive(Clone, Debug)]
pub struct Batch<E> {
    pub(crate) input: Arc<BatchInput<E>>,
    pub(crate) packing: Arc<Packing>,
    /// Masks for training, where there are any.
    pub(crate) noise: Option<Arc<Noise<E>>>,
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
        let shape = || format!("[{steps} steps, {rows} rows, {width} features]");
        Error::check_size("the input", x.len(), &[steps, rows, width], shape)?;
        Batch::of_rows(
            |t, r| &x[(t * rows + r) * width..][..width],
            [steps, rows, width],
            lengths,
        )
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
        let packing = Packing::new(steps, rows, lengths)?;
        let numbers = Error::fits("the batch", &[packing.total(), width, size_of::<E>()])?;
        let mut packed = Vec::with_capacity(numbers / size_of::<E>());
        prefer_large_pages(packed.spare_capacity_mut());
        for t in 0..packing.steps() {
            for &r in &packing.order[..packing.alive(t)] {
                let x = row(t, r);
                if x.len() != width {
                    let shape = format!("[{width} features]");
                    return Err(Error::size("a step of the input", x.len(), width, shape));
                }
                packed.extend_from_slice(x);
            }
        }
        Ok(Batch::of(BatchInput::Features(packed, width), packing))
    }

    /// From padded, time-major symbols `[T, B]`, each below `known`.
    pub fn symbols(
        x: &[u32],
        [steps, rows]: [usize; 2],
        known: usize,
        lengths: Option<&[usize]>,
    ) -> Result<Batch<E>, Error> {
        let shape = || format!("[{steps} steps, {rows} rows]");
        Error::check_size("the input", x.len(), &[steps, rows], shape)?;
        let packing = Packing::new(steps, rows, lengths)?;
        let mut packed = Vec::with_capacity(packing.total());
        for t in 0..packing.steps() {
            for &row in &packing.order[..packing.alive(t)] {
                let symbol = x[t * rows + row];
                if symbol as usize >= known {
                    return Err(Error::Symbol {
                        step: t,
                        row,
                        symbol,
                        last: known.saturating_sub(1),
                    });
                }
                packed.push(symbol);
            }
        }
        Ok(Batch::of(BatchInput::Symbols(packed, known), packing))
    }

    fn of(input: BatchInput<E>, packing: Packing) -> Batch<E> {
        Batch {
            input: Arc::new(input),
            packing: Arc::new(packing),
            noise: None,
        }
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
        self.packing.steps()
    }
    /// B.
    pub fn rows(&self) -> usize {
        self.packing.rows()
    }
    /// Σ lengths: steps of all rows together.
    pub fn total(&self) -> usize {
        self.packing.total()
    }
    /// The length of the caller's row `row`.
    ///
    /// # Panics
    /// Where there is no such row, as indexing a slice does.
    pub fn length(&self, row: usize) -> usize {
        self.packing.lengths[self.packing.position[row]]
    }
    /// What a network must read.
    pub fn input(&self) -> Input {
        match *self.input {
            BatchInput::Features(_, f) => Input::Features(f),
            BatchInput::Symbols(_, n) => Input::Symbols(n),
        }
    }
    /// The place of the caller's row `row` at step `t` in every packed buffer `[Σ B_t, …]`; `None` past its end.
    pub fn at(&self, t: usize, row: usize) -> Option<usize> {
        self.packing.at(t, row)
    }
    /// The caller's row that has place `at` in packed buffers; `None` where `at` is not below
    /// [`total`](Batch::total).
    pub fn row_at(&self, at: usize) -> Option<usize> {
        let packing = &self.packing;
        let t = packing.offsets.partition_point(|&first| first <= at) - 1;
        let p = at - packing.offsets[t];
        (t < self.steps()).then(|| packing.order[p])
    }
    /// The features that the caller's row `row` reads at step `t`; `None` past its end, or where the input is symbols.
    pub fn x(&self, t: usize, row: usize) -> Option<&[E]> {
        let at = self.at(t, row)?;
        match &*self.input {
            BatchInput::Features(x, width) => x.get(at * width..(at + 1) * width),
            BatchInput::Symbols(..) => None,
        }
    }
    /// The symbol that the caller's row `row` reads at step `t`; `None` past its end, or where the input is features.
    pub fn symbol(&self, t: usize, row: usize) -> Option<u32> {
        let at = self.at(t, row)?;
        match &*self.input {
            BatchInput::Features(..) => None,
            BatchInput::Symbols(x, _) => x.get(at).copied(),
        }
    }
    /// The same rows in another type, rounded to nearest.
    pub fn convert<F: Element>(&self) -> Batch<F> {
        let input = match &*self.input {
            BatchInput::Features(x, width) => {
                BatchInput::Features(x.iter().map(|x| F::of(x.to_f64())).collect(), *width)
            }
            BatchInput::Symbols(x, known) => BatchInput::Symbols(x.clone(), *known),
        };
        Batch {
            input: Arc::new(input),
            packing: self.packing.clone(),
            noise: self.noise.as_ref().map(|n| Arc::new(n.convert())),
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
        let packing = Packing::new(longest, rows.len(), Some(&lengths))?;
        let places = (0..longest).flat_map(|t| {
            let alive = &packing.order[..packing.alive(t)];
            alive.iter().map(move |&r| (t, rows[r]))
        });
        let places = places.filter_map(|(t, row)| self.at(t, row));
        let input = match &*self.input {
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
        Ok(Batch::of(input, packing))
    }
    /// Steps `from..to`, of at least one step, of the rows that reach into them: the sorted rows, with their masks.
    pub(crate) fn part(&self, from: usize, to: usize) -> Result<Batch<E>, Error> {
        let packing = &self.packing;
        let rows = packing.alive(from);
        let lengths: Vec<usize> = packing.lengths[..rows]
            .iter()
            .map(|&length| length.min(to) - from)
            .collect();
        let places = packing.offsets[from]..packing.offsets[to];
        let input = match &*self.input {
            BatchInput::Features(x, width) => {
                let x = &x[places.start * width..places.end * width];
                BatchInput::Features(x.to_vec(), *width)
            }
            BatchInput::Symbols(x, known) => {
                BatchInput::Symbols(x[places.clone()].to_vec(), *known)
            }
        };
        let mut part = Batch::of(input, Packing::new(to - from, rows, Some(&lengths))?);
        let noise = self.noise.as_ref();
        let (total, all) = (self.total(), self.rows());
        part.noise = noise.map(|n| Arc::new(n.part((places, total), (rows, all))));
        Ok(part)
    }
    /// From padded, time-major `[T, B, width]` in the caller's order, of at least as many steps as the longest row, to
    /// packed `[Σ B_t, width]`. An error where `padded` is shorter.
    pub fn pack<T: Copy>(&self, padded: &[T], width: usize) -> Result<Vec<T>, Error> {
        let (steps, rows) = (self.steps(), self.rows());
        let needs = Error::fits("the padded numbers", &[steps, rows, width])?;
        if padded.len() < needs {
            let shape = format!("[{steps} steps, {rows} rows, {width}]");
            return Err(Error::size(
                "the padded numbers",
                padded.len(),
                needs,
                shape,
            ));
        }
        let mut packed = Vec::with_capacity(self.total() * width);
        for t in 0..steps {
            for &r in &self.packing.order[..self.packing.alive(t)] {
                packed.extend_from_slice(&padded[(t * rows + r) * width..][..width]);
            }
        }
        Ok(packed)
    }
    /// From packed `[Σ B_t, width]` to padded, time-major `[T, B, width]` in the caller's order, `fill` past each
    /// row's end. An error where `packed` has another length.
    pub fn unpack<T: Copy>(&self, packed: &[T], width: usize, fill: T) -> Result<Vec<T>, Error> {
        let (steps, rows, total) = (self.steps(), self.rows(), self.total());
        let shape = || format!("[{total} steps of all rows, {width}]");
        Error::check_size("the packed numbers", packed.len(), &[total, width], shape)?;
        let numbers = Error::fits("the padded numbers", &[steps, rows, width])?;
        let mut padded = vec![fill; numbers];
        for t in 0..steps {
            for p in 0..self.packing.alive(t) {
                let from = self.packing.offsets[t] + p;
                padded[(t * rows + self.packing.order[p]) * width..][..width]
                    .copy_from_slice(&packed[from * width..][..width]);
            }
        }
        Ok(padded)
    }
}
