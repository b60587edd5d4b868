//! What crosses a step.

use crate::sum::{add_compensated, is_long};
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
    ///
    /// # Panics
    /// Where no memory could hold as many numbers.
    pub fn zeros(network: &Network, rows: usize) -> State<E> {
        let (sweeps, width) = (network.sweep_count(), network.state_width());
        let numbers = Error::fits("the state", &[sweeps, rows, width]);
        State {
            data: vec![E::ZERO; numbers.unwrap_or_else(|e| panic!("{e}"))],
            sweeps,
            rows,
            width,
        }
    }
    /// The learned state in every row, or zeros where the network learns none. An error where the parameters are another
    /// network's.
    pub fn initial(network: &Network, params: &Params<E>, rows: usize) -> Result<State<E>, Error> {
        let mut state = State::zeros(network, rows);
        params.layout().check(network)?;
        for row in 0..rows {
            state.set_initial(network, params, row);
        }
        Ok(state)
    }
    /// Sets one row back to the learned state, or to zeros. An error where there is no such row, and where state or
    /// parameters are another network's.
    pub fn reset(
        &mut self,
        network: &Network,
        params: &Params<E>,
        row: usize,
    ) -> Result<(), Error> {
        self.check_row(network, row)?;
        params.layout().check(network)?;
        self.set_initial(network, params, row);
        Ok(())
    }
    fn set_initial(&mut self, network: &Network, params: &Params<E>, row: usize) {
        for sweep in network.sweeps() {
            let to = self.row_mut(sweep.index, row);
            match params.layout().sweep(sweep).state {
                Some(view) => to.copy_from_slice(params.slice(view)),
                None => to.fill(E::ZERO),
            }
        }
    }
    /// Adds the gradient of the state before (`self`) to that of the learned state, for the rows in `started`:
    /// those whose state was the learned one. Nothing where none is learned; an error where state or gradient are
    /// another network's.
    pub fn add_to_learned(
        &self,
        network: &Network,
        started: impl Fn(usize) -> bool,
        gradient: &mut Params<E>,
    ) -> Result<(), Error> {
        self.check(network, self.rows)?;
        gradient.layout().check(network)?;
        for sweep in network.sweeps() {
            let Some(view) = gradient.layout().sweep(sweep).state else {
                return Ok(());
            };
            let range = gradient.layout().views()[view].range();
            let mut lost = vec![E::ZERO; self.width];
            for row in (0..self.rows).filter(|&r| started(r)) {
                let to = &mut gradient.data_mut()[range.clone()];
                let d = self.row(sweep.index, row);
                match is_long(self.rows) {
                    false => to.iter_mut().zip(d).for_each(|(g, &d)| *g += d),
                    true => add_compensated(to, &mut lost, d),
                }
            }
        }
        Ok(())
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
    ///
    /// # Panics
    /// Where there is no such row or sweep, as indexing a slice does.
    pub fn row(&self, sweep: usize, row: usize) -> &[E] {
        assert!(
            row < self.rows,
            "the state has {} rows, not {row}",
            self.rows
        );
        &self.data[(sweep * self.rows + row) * self.width..][..self.width]
    }
    /// The same, to write.
    ///
    /// # Panics
    /// As [`row`](State::row).
    pub fn row_mut(&mut self, sweep: usize, row: usize) -> &mut [E] {
        assert!(
            row < self.rows,
            "the state has {} rows, not {row}",
            self.rows
        );
        &mut self.data[(sweep * self.rows + row) * self.width..][..self.width]
    }
    /// The first `rows` rows, or all where there are fewer.
    pub fn first(&self, rows: usize) -> State<E> {
        let rows = rows.min(self.rows);
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
        let (sweeps, width) = (network.sweep_count(), network.state_width());
        if (self.sweeps, self.width, self.rows) == (sweeps, width, rows) {
            return Ok(());
        }
        Err(Error::Mismatch {
            what: "the state",
            why: format!(
                "it has {} sweeps of {} rows of {} numbers; the network and the batch need {} of {rows} of {}",
                self.sweeps, self.rows, self.width, sweeps, width
            ),
        })
    }
}
