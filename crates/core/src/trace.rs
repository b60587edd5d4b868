//! What forward leaves, for backward and for analysis.

use crate::extended::Extended;
use crate::{Batch, Element, Error, Network, State};
use elman_kernels::{Buffer, Rows};

/// Everything that one run of [`forward`](crate::forward) computed. Its buffers are used again by the next run.
///
/// Packed buffers hold the rows of step t at places [`Batch::at`]`(t, row)`.
#[derive(Clone, Debug, Default)]
pub struct Trace<E> {
    pub(crate) sweeps: Vec<SweepTrace<E>>,
    /// For each layer, what it gives to the one above, `[Σ B_t, D·H]`: both directions side by side, masked where there
    /// is dropout between layers; empty where the states themselves are that.
    pub(crate) joined: Vec<Buffer<E>>,
    /// Empty where the last layer's states are the outputs.
    pub(crate) outputs: Buffer<E>,
    /// Where in them they begin, then.
    pub(crate) shown: Option<usize>,
    pub(crate) output_width: usize,
    /// One for each thread.
    pub(crate) scratch: Vec<Buffer<E>>,
}

/// What one layer in one direction computed, in its own time: step s of a reverse sweep is step
/// `length − 1 − s` of the row.
#[derive(Clone, Debug, Default)]
pub struct SweepTrace<E> {
    /// `[B + Σ B_t, S·H]`: block 0 is the state before the first step, block t + 1 the state after step t.
    pub(crate) states: Buffer<E>,
    /// `[Σ B_t, saved·H]`
    pub(crate) saved: Buffer<E>,
    /// `[Σ B_t, …]`: what [`Extended`] says; empty for most networks.
    pub(crate) extra: Buffer<E>,
    pub(crate) columns: Extended,
}

impl<E: Element> Trace<E> {
    /// An empty one, to be filled.
    pub fn new() -> Trace<E> {
        Trace {
            sweeps: Vec::new(),
            joined: Vec::new(),
            outputs: Buffer::new(),
            shown: None,
            output_width: 0,
            scratch: Vec::new(),
        }
    }
    /// What the network gave, packed `[Σ B_t, output width]`: the readout's y, or the last layer's h.
    pub fn outputs(&self) -> &[E] {
        match (self.shown, self.sweeps.last()) {
            (Some(first), Some(last)) => &last.states[first..],
            _ => &self.outputs,
        }
    }
    /// Columns of [`outputs`](Trace::outputs).
    pub fn output_width(&self) -> usize {
        self.output_width
    }
    /// y of the caller's row `row` at step `t`; `None` past the row's end.
    pub fn output(&self, batch: &Batch<E>, t: usize, row: usize) -> Option<&[E]> {
        let at = batch.at(t, row)?;
        Some(&self.outputs()[at * self.output_width..][..self.output_width])
    }
    /// Each sweep's states.
    pub fn sweeps(&self) -> &[SweepTrace<E>] {
        &self.sweeps
    }
    /// The state after `steps` steps of every row (rows that are shorter: after their last).
    pub fn state_after(&self, network: &Network, batch: &Batch<E>, steps: usize) -> State<E> {
        let mut state = State::zeros(network, batch.rows());
        for (index, sweep) in self.sweeps.iter().enumerate() {
            for row in 0..batch.rows() {
                let after = steps.min(batch.length(row));
                state
                    .row_mut(index, row)
                    .copy_from_slice(sweep.state(batch, after, row));
            }
        }
        state
    }
    /// The state after each row's last step.
    pub fn final_state(&self, network: &Network, batch: &Batch<E>) -> State<E> {
        self.state_after(network, batch, usize::MAX)
    }
    /// Bytes that the buffers hold.
    pub fn bytes(&self) -> usize {
        let sweeps = self
            .sweeps
            .iter()
            .map(|s| s.states.len() + s.saved.len() + s.extra.len());
        let joined = self.joined.iter().map(|b| b.len());
        let scratch = self.scratch.iter().map(|b| b.len());
        (sweeps.chain(joined).chain(scratch).sum::<usize>() + self.outputs.len()) * size_of::<E>()
    }

    pub(crate) fn prepare(
        &mut self,
        network: &Network,
        batch: &Batch<E>,
        state: &State<E>,
        threads: usize,
    ) -> Result<(), Error> {
        if batch.input() != network.input {
            return Err(Error::Mismatch {
                what: "the batch",
                why: format!(
                    "it holds {:?}, and the network reads {:?}",
                    batch.input(),
                    network.input
                ),
            });
        }
        state.check(network, batch.rows())?;
        if let Some(noise) = &batch.noise {
            noise.fits(network)?;
        }
        let columns = Extended::of(network, batch);
        let (sizes, h, total, rows) = (
            network.cell.sizes(),
            network.hidden,
            batch.total(),
            batch.rows(),
        );
        let width = network.state_width();
        self.sweeps
            .resize_with(network.layers * network.directions(), || SweepTrace {
                states: Buffer::new(),
                saved: Buffer::new(),
                extra: Buffer::new(),
                columns: Extended::default(),
            });
        for (index, sweep) in self.sweeps.iter_mut().enumerate() {
            sweep.states.resize((rows + total) * width);
            sweep.saved.resize(total * sizes.saved * h);
            sweep.columns = columns;
            sweep.extra.resize(total * columns.width);
            for (p, &row) in batch.order.iter().enumerate() {
                sweep.states[p * width..][..width].copy_from_slice(state.row(index, row));
            }
        }
        let dropped = batch.noise.as_ref().map_or(0, |n| n.between.len());
        let joins = match network.bidirectional || dropped > 0 {
            true => network.layers,
            false => 0,
        };
        self.joined.resize_with(joins, Buffer::new);
        for joined in &mut self.joined {
            joined.resize(total * network.directions() * h);
        }
        self.output_width = network.output_width();
        let plain = network.output.is_none() && joins == 0 && sizes.state == 1;
        self.shown = plain.then_some(rows * width);
        self.outputs.resize(match plain {
            true => 0,
            false => total * self.output_width,
        });
        self.scratch.resize_with(threads, Buffer::new);
        Ok(())
    }
    /// Whether this can be a trace of that network on that batch.
    pub(crate) fn check(&self, network: &Network, batch: &Batch<E>) -> Result<(), Error> {
        let (total, width) = (batch.total(), network.state_width());
        let columns = Extended::of(network, batch);
        let fits = self.sweeps.len() == network.layers * network.directions()
            && self.outputs().len() == total * network.output_width()
            && self
                .sweeps
                .iter()
                .all(|s| s.states.len() == (batch.rows() + total) * width && s.columns == columns);
        if fits && batch.input() == network.input {
            return Ok(());
        }
        Err(Error::Mismatch {
            what: "the trace",
            why: "it was left by another network or another batch".into(),
        })
    }
}

impl<E: Element> SweepTrace<E> {
    /// The state of the caller's row `row` after `steps` steps (0: before the first): h, then c where there is one.
    /// Panics where the row is shorter.
    pub fn state(&self, batch: &Batch<E>, steps: usize, row: usize) -> &[E] {
        let p = batch.position[row];
        assert!(steps <= batch.lengths[p], "row {row} has no step {steps}");
        let width = self.states.len() / (batch.rows() + batch.total());
        &self.states[(batch.state_offsets[steps] + p) * width..][..width]
    }
    /// What row block `block` of W_hh read of the caller's row `row` at step `t` `[H]`: h_{t-1}, masked where there is
    /// variational dropout, and gated where a gate stands before it. Panics where the row is shorter.
    pub fn read(
        &self,
        network: &Network,
        batch: &Batch<E>,
        t: usize,
        row: usize,
        block: usize,
    ) -> &[E] {
        let (sizes, h) = (network.cell.sizes(), network.hidden);
        let gated = sizes.gated.map_or(0, |g| g.blocks);
        let extra = self.extra_of(batch, t, row);
        let (entering, gates) = (self.columns.entering, self.columns.gates);
        match (block + gated >= sizes.from_h.len(), entering.0 < entering.1) {
            (true, true) if gated > 0 => &extra[gates.0 + h..gates.1],
            (_, true) => &extra[entering.0..entering.1],
            _ => &self.state(batch, t, row)[..h],
        }
    }
    /// The state that the cell made for the caller's row `row` at step `t`, before zoneout kept some of the state
    /// before: without zoneout, the state after step t. Panics where the row is shorter.
    pub fn made(&self, batch: &Batch<E>, t: usize, row: usize) -> &[E] {
        let made = self.columns.candidate(self.extra_of(batch, t, row));
        made.unwrap_or_else(|| self.state(batch, t + 1, row))
    }
    pub(crate) fn extra_of(&self, batch: &Batch<E>, t: usize, row: usize) -> &[E] {
        let p = batch.position[row];
        assert!(t < batch.lengths[p], "row {row} has no step {t}");
        let width = self.columns.width;
        &self.extra[(batch.offsets[t] + p) * width..][..width]
    }
    /// What the cell saved of the caller's row `row` at step `t`. Panics where the row is shorter.
    pub fn saved(&self, batch: &Batch<E>, t: usize, row: usize) -> &[E] {
        let p = batch.position[row];
        assert!(t < batch.lengths[p], "row {row} has no step {t}");
        let width = self.saved.len() / batch.total();
        &self.saved[(batch.offsets[t] + p) * width..][..width]
    }
}

/// Blocks of rows, step by step, that anyone may read.
#[derive(Clone, Copy)]
pub(crate) struct Blocks<'a, E> {
    data: &'a [E],
    offsets: &'a [usize],
    cols: usize,
}

impl<'a, E> Blocks<'a, E> {
    pub fn new(data: &'a [E], offsets: &'a [usize], cols: usize) -> Self {
        Blocks {
            data,
            offsets,
            cols,
        }
    }
    /// Rows `first..last` of block t, as far as they are there.
    #[inline]
    pub fn step(&self, t: usize, (first, last): (usize, usize)) -> Rows<'a, E> {
        let rows = self.offsets[t + 1] - self.offsets[t];
        let (first, last) = (first.min(rows), last.min(rows));
        let data = &self.data[(self.offsets[t] + first) * self.cols..];
        Rows::new(data, last - first, self.cols)
    }
    /// Whole blocks `from..to`.
    pub fn blocks(&self, from: usize, to: usize) -> Rows<'a, E> {
        let (first, last) = (self.offsets[from], self.offsets[to]);
        Rows::new(&self.data[first * self.cols..], last - first, self.cols)
    }
}
