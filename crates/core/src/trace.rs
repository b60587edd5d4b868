//! What forward leaves, for backward and for analysis.

use crate::packing::Packing;
use crate::stamp::Stamp;
use crate::step::StepPlan;
use crate::{Batch, Element, Error, Network, State, Weights, drive};
use elman_kernels::{Buffer, Level, Rows, RowsMut};
use std::sync::Arc;

/// Everything that one run of [`forward`](crate::forward) computed. Its buffers are used again by the next run.
///
/// It knows the batch and the weights that made it, so that nothing else can be taken for them. Packed buffers hold
/// the rows of step t at places [`Batch::at`]`(t, row)`.
#[derive(Clone, Debug)]
pub struct Trace<E> {
    pub(crate) ran: Option<Ran<E>>,
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

/// What a trace is of.
#[derive(Clone, Debug)]
pub(crate) struct Ran<E> {
    pub network: Network,
    pub batch: Batch<E>,
    pub plan: StepPlan,
    /// Of this run.
    pub stamp: Stamp,
    /// Of the weights.
    weights: Stamp,
}

/// What one layer in one direction computed, in its own time: step s of a reverse sweep is step
/// `length − 1 − s` of the row.
#[derive(Clone, Debug)]
pub struct SweepTrace<E> {
    packing: Arc<Packing>,
    network: Network,
    pub(crate) plan: StepPlan,
    /// `[B + Σ B_t, S·H]`: block 0 is the state before the first step, block t + 1 the state after step t.
    pub(crate) states: Buffer<E>,
    /// `[Σ B_t, saved·H]`
    pub(crate) saved: Buffer<E>,
    /// `[Σ B_t, …]`: what [`StepPlan`] says; empty for most networks.
    pub(crate) extra: Buffer<E>,
}

impl<E: Element> Default for Trace<E> {
    fn default() -> Self {
        Trace::new()
    }
}

impl<E: Element> Trace<E> {
    /// An empty one, to be filled.
    pub fn new() -> Trace<E> {
        Trace {
            ran: None,
            sweeps: Vec::new(),
            joined: Vec::new(),
            outputs: Buffer::new(),
            shown: None,
            output_width: 0,
            scratch: Vec::new(),
        }
    }
    /// The batch that was run; an error before the first run.
    pub fn batch(&self) -> Result<&Batch<E>, Error> {
        Ok(&self.ran()?.batch)
    }
    /// What the network gave, packed `[Σ B_t, output width]`: the readout's y, or the last layer's h. Empty before the
    /// first run.
    pub fn outputs(&self) -> &[E] {
        match (&self.ran, self.shown, self.sweeps.last()) {
            (None, ..) => &[],
            (_, Some(first), Some(last)) => &last.states[first..],
            _ => &self.outputs,
        }
    }
    /// Columns of [`outputs`](Trace::outputs).
    pub fn output_width(&self) -> usize {
        self.output_width
    }
    /// y of the caller's row `row` at step `t`; `None` past the row's end.
    pub fn output(&self, t: usize, row: usize) -> Option<&[E]> {
        let at = self.ran.as_ref()?.batch.at(t, row)?;
        Some(&self.outputs()[at * self.output_width..][..self.output_width])
    }
    /// Each sweep's states.
    pub fn sweeps(&self) -> &[SweepTrace<E>] {
        &self.sweeps
    }
    /// The state after `steps` steps of every row (rows that are shorter: after their last). An error before the first
    /// run.
    pub fn state_after(&self, steps: usize) -> Result<State<E>, Error> {
        let Ran { network, batch, .. } = self.ran()?;
        let mut state = State::zeros(network, batch.rows());
        for (index, sweep) in self.sweeps.iter().enumerate() {
            for row in 0..batch.rows() {
                let after = steps.min(batch.length(row));
                state
                    .row_mut(index, row)
                    .copy_from_slice(sweep.state(after, row));
            }
        }
        Ok(state)
    }
    /// The state after each row's last step. An error before the first run.
    pub fn final_state(&self) -> Result<State<E>, Error> {
        self.state_after(usize::MAX)
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

    /// Room for a run; checks all that is run.
    pub(crate) fn prepare(
        &mut self,
        weights: &Weights<E>,
        batch: &Batch<E>,
        state: &State<E>,
        threads: usize,
    ) -> Result<(), Error> {
        // What fails below leaves nothing that could be taken for a run.
        self.ran = None;
        let network = weights.network();
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
        let plan = StepPlan::of(network, batch);
        let (sizes, h) = (network.cell.sizes(), network.hidden);
        let (total, rows) = (batch.total(), batch.rows());
        let width = network.state_width();
        let most = width + sizes.saved * h + plan.width + network.output_width();
        Error::fits("the trace", &[rows + total, most, size_of::<E>()])?;
        let empty = || SweepTrace {
            packing: batch.packing.clone(),
            network: network.clone(),
            plan,
            states: Buffer::new(),
            saved: Buffer::new(),
            extra: Buffer::new(),
        };
        self.sweeps
            .resize_with(network.layers * network.directions(), empty);
        for (index, sweep) in self.sweeps.iter_mut().enumerate() {
            sweep.packing = batch.packing.clone();
            sweep.network = network.clone();
            sweep.plan = plan;
            sweep.states.resize((rows + total) * width);
            sweep.saved.resize(total * sizes.saved * h);
            sweep.extra.resize(total * plan.width);
            for (p, &row) in batch.packing.order.iter().enumerate() {
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
        self.ran = Some(Ran {
            network: network.clone(),
            batch: batch.clone(),
            plan,
            stamp: Stamp::new(),
            weights: weights.stamp,
        });
        Ok(())
    }
    pub(crate) fn ran(&self) -> Result<&Ran<E>, Error> {
        self.ran.as_ref().ok_or_else(|| Error::Mismatch {
            what: "the trace",
            why: "forward has left nothing in it".into(),
        })
    }
    /// What was run, where these weights ran it.
    pub(crate) fn ran_by(&self, weights: &Weights<E>) -> Result<&Ran<E>, Error> {
        let ran = self.ran()?;
        match ran.weights == weights.stamp {
            true => Ok(ran),
            false => Err(Error::Mismatch {
                what: "the trace",
                why:
                    "other weights left it: another network's, or these before they were refreshed"
                        .into(),
            }),
        }
    }
    /// That these weights left it, and that there is a recurrent Jacobian at these steps of these rows: one direction, and
    /// no masks.
    pub(crate) fn has_jacobians(
        &self,
        weights: &Weights<E>,
        places: &[(usize, usize)],
    ) -> Result<(), Error> {
        let ran = self.ran()?;
        ran.batch.without_noise()?;
        if ran.network.bidirectional {
            let text =
                "a bidirectional network has no single recurrent Jacobian: ask for one direction";
            return Err(Error::Unsupported(text.into()));
        }
        let missing = places
            .iter()
            .find(|&&(t, row)| ran.batch.at(t, row).is_none());
        match missing {
            None => self.ran_by(weights).map(|_| ()),
            Some((t, row)) => Err(Error::Mismatch {
                what: "the step",
                why: format!("row {row} of the batch has no step {t}"),
            }),
        }
    }
}

impl<E: Element> SweepTrace<E> {
    /// The state of the caller's row `row` after `steps` steps (0: before the first): h, then c where there is one.
    ///
    /// # Panics
    /// Where the row is shorter, or not there, as indexing a slice does.
    pub fn state(&self, steps: usize, row: usize) -> &[E] {
        let (packing, width) = (&self.packing, self.network.state_width());
        let p = packing.position[row];
        assert!(steps <= packing.lengths[p], "row {row} has no step {steps}");
        &self.states[(packing.state_offsets[steps] + p) * width..][..width]
    }
    /// What row block `block` of W_hh read of the caller's row `row` at step `t` `[H]`: h_{t-1}, masked where there is
    /// variational dropout, and gated where a gate stands before it.
    ///
    /// # Panics
    /// As [`state`](SweepTrace::state).
    pub fn read(&self, t: usize, row: usize, block: usize) -> &[E] {
        let sizes = self.network.cell.sizes();
        let gated = sizes.gated.map_or(0, |g| g.blocks);
        let gated = block + gated >= sizes.from_h.len();
        match self.plan.read(gated) {
            Some(columns) => &self.extra_of(t, row)[columns],
            None => &self.state(t, row)[..self.network.hidden],
        }
    }
    /// The state that the cell made for the caller's row `row` at step `t`, before zoneout kept some of the state
    /// before: without zoneout, the state after step t.
    ///
    /// # Panics
    /// As [`state`](SweepTrace::state).
    pub fn made(&self, t: usize, row: usize) -> &[E] {
        match self.plan.candidate() {
            Some(columns) => &self.extra_of(t, row)[columns],
            None => self.state(t + 1, row),
        }
    }
    /// φ′ of every unit of the caller's row `row` at step `t` `[H]`, of the activation that
    /// [`About::activation`](crate::About) names.
    ///
    /// # Panics
    /// As [`state`](SweepTrace::state).
    pub fn slopes(&self, t: usize, row: usize) -> Vec<E> {
        let h = self.network.hidden;
        let (made, saved) = (self.made(t, row), self.saved(t, row));
        let mut slopes = vec![E::ZERO; h];
        let work = drive::Slopes {
            hidden: h,
            after: Rows::new(made, 1, made.len()),
            saved: Rows::new(saved, 1, saved.len()),
            slopes: RowsMut::new(&mut slopes, 1, h),
        };
        work.run(Level::best(), self.network.cell);
        slopes
    }
    /// What the cell saved of the caller's row `row` at step `t`.
    ///
    /// # Panics
    /// As [`state`](SweepTrace::state).
    pub fn saved(&self, t: usize, row: usize) -> &[E] {
        let width = self.network.cell.sizes().saved * self.network.hidden;
        self.of_step(&self.saved, width, t, row)
    }
    pub(crate) fn extra_of(&self, t: usize, row: usize) -> &[E] {
        self.of_step(&self.extra, self.plan.width, t, row)
    }
    fn of_step<'a>(&self, packed: &'a [E], width: usize, t: usize, row: usize) -> &'a [E] {
        let at = self.packing.at(t, row);
        let at = at.unwrap_or_else(|| panic!("row {row} has no step {t}"));
        &packed[at * width..][..width]
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
