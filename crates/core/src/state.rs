//! What crosses a step.

use crate::{Element, Error, Network, Params};

/// The state of B rows, for every layer and direction: S slots of `[B, H]`, in the caller's row order.
///
/// Sweep `s`, row `r` has its numbers at `[(s * B + r) * S*H ..]`: h first, then c where there is one.
#[derive(Clone, Debug, PartialEq)]
pub struct State<E> {
    data: Vec<E>,
    sweeps: usize,
    rows: usize,
    width: usize,
}

impl<E: Element> State<E> {
    /// All zeros.
    pub fn zeros(network: &Network, rows: usize) -> State<E> {
        let (sweeps, width) = (network.layers * network.directions(), network.state_width());
        State {
            data: vec![E::ZERO; sweeps * rows * width],
            sweeps,
            rows,
            width,
        }
    }
    /// The learned state in every row, or zeros where the network learns none.
    pub fn initial(network: &Network, params: &Params<E>, rows: usize) -> State<E> {
        let mut state = State::zeros(network, rows);
        for row in 0..rows {
            state.reset(network, params, row);
        }
        state
    }
    /// Sets one row back to the learned state, or to zeros.
    pub fn reset(&mut self, network: &Network, params: &Params<E>, row: usize) {
        for sweep in network.sweeps() {
            let to = self.row_mut(sweep.index, row);
            match params.layout().sweep(sweep).state {
                Some(view) => to.copy_from_slice(params.slice(view)),
                None => to.fill(E::ZERO),
            }
        }
    }
    /// Adds the gradient of the state before (`self`) to that of the learned state, for the rows in `started`:
    /// those whose state was the learned one. Nothing where none is learned.
    pub fn add_to_learned(
        &self,
        network: &Network,
        started: impl Fn(usize) -> bool,
        gradient: &mut Params<E>,
    ) {
        for sweep in network.sweeps() {
            let Some(view) = gradient.layout().sweep(sweep).state else {
                return;
            };
            let range = gradient.layout().views()[view].range();
            for row in (0..self.rows).filter(|&r| started(r)) {
                let to = &mut gradient.data_mut()[range.clone()];
                for (g, &d) in to.iter_mut().zip(self.row(sweep.index, row)) {
                    *g += d;
                }
            }
        }
    }
    /// B.
    pub fn rows(&self) -> usize {
        self.rows
    }
    /// Numbers in one row of one sweep: S·H.
    pub fn width(&self) -> usize {
        self.width
    }
    /// Row `row` of sweep `sweep` (layer by layer, forward before reverse): h, then c where there is one.
    pub fn row(&self, sweep: usize, row: usize) -> &[E] {
        &self.data[(sweep * self.rows + row) * self.width..][..self.width]
    }
    /// The same, to write.
    pub fn row_mut(&mut self, sweep: usize, row: usize) -> &mut [E] {
        &mut self.data[(sweep * self.rows + row) * self.width..][..self.width]
    }
    /// The first `rows` rows.
    pub fn first(&self, rows: usize) -> State<E> {
        let mut data = Vec::with_capacity(self.sweeps * rows * self.width);
        for sweep in 0..self.sweeps {
            data.extend_from_slice(
                &self.data[sweep * self.rows * self.width..][..rows * self.width],
            );
        }
        State {
            data,
            sweeps: self.sweeps,
            rows,
            width: self.width,
        }
    }
    /// Overwrites the first rows with those of `from`, which must have no more rows than this.
    pub(crate) fn set_first(&mut self, from: &State<E>) {
        for sweep in 0..self.sweeps {
            for row in 0..from.rows {
                self.row_mut(sweep, row)
                    .copy_from_slice(from.row(sweep, row));
            }
        }
    }
    /// The rows `rows`, in the order given; a row that is not there is zero.
    pub fn select(&self, rows: &[usize]) -> State<E> {
        let mut data = Vec::with_capacity(self.sweeps * rows.len() * self.width);
        for sweep in 0..self.sweeps {
            for &row in rows {
                match row < self.rows {
                    true => data.extend_from_slice(self.row(sweep, row)),
                    false => data.extend(std::iter::repeat_n(E::ZERO, self.width)),
                }
            }
        }
        State {
            data,
            sweeps: self.sweeps,
            rows: rows.len(),
            width: self.width,
        }
    }
    /// The same numbers in another type, rounded to nearest.
    pub fn convert<F: Element>(&self) -> State<F> {
        State {
            data: self.data.iter().map(|x| F::of(x.to_f64())).collect(),
            sweeps: self.sweeps,
            rows: self.rows,
            width: self.width,
        }
    }
    /// All numbers.
    pub fn data(&self) -> &[E] {
        &self.data
    }
    /// All numbers, to write.
    pub fn data_mut(&mut self) -> &mut [E] {
        &mut self.data
    }
    /// That it is a state of `network`, and has row `row`.
    pub(crate) fn check_row(&self, network: &Network, row: usize) -> Result<(), Error> {
        self.check(network, self.rows)?;
        if row >= self.rows {
            return Err(Error::Mismatch {
                what: "the state",
                why: format!("it has {} rows, and row {row} was asked for", self.rows),
            });
        }
        Ok(())
    }
    pub(crate) fn check(&self, network: &Network, rows: usize) -> Result<(), Error> {
        let needs = State::<E>::zeros(network, 0);
        if (self.sweeps, self.width, self.rows) == (needs.sweeps, needs.width, rows) {
            return Ok(());
        }
        Err(Error::Mismatch {
            what: "the state",
            why: format!(
                "it has {} sweeps of {} rows of {} numbers; the network and the batch need {} of {rows} of {}",
                self.sweeps, self.rows, self.width, needs.sweeps, needs.width
            ),
        })
    }
}
