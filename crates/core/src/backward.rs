//! Backpropagation through time, written out.
//!
//! With δh_t the gradient of the loss for h_t, t from the last step down:
//!
//! ```text
//! δh_t    = W_hyᵀ ∂L/∂y_t + W_hhᵀ δz_{t+1}           (and what the cell itself passes on)
//! δz_t    = φ′(z_t) ⊙ δh_t                             (the cell's `backward`)
//! ∂L/∂x_t = W_xhᵀ δz_t             ∂L/∂h_0 = W_hhᵀ δz_1
//! ```
//!
//! (lesson, section 4, step 2, with the factors in the order in which they are applied). Threads share rows for
//! the recursion; the sums that follow it are `gradients.rs`.

use crate::batch::BatchInput;
use crate::extended::{Extended, Found, Masks, Past, Step};
use crate::forward::{cut, drop_out};
use crate::gradients::add_gradients;
use crate::trace::Blocks;
use crate::weights::SweepWeights;
use crate::{Batch, Element, Error, Params, State, Trace, Weights, drive};
use elman_kernels::{
    Buffer, Rows, RowsMut, Start, StepsMut, Team, expect_writes, product, product_in_turns,
};

/// What the loss says of the results of [`forward`](crate::forward).
#[derive(Clone, Copy, Debug)]
pub struct Cotangent<'a, E> {
    /// ∂L/∂y, packed like [`Trace::outputs`]: `[Σ B_t, output width]`.
    pub outputs: &'a [E],
    /// The gradient of the state after each row's last step; none is zero, as at the end of a truncated window.
    pub state: Option<&'a State<E>>,
}

/// What backward leaves: δz of every step, and the gradients of the inputs and of the state before. Its buffers
/// are used again by the next run.
#[derive(Clone, Debug, Default)]
pub struct Deltas<E> {
    pub(crate) sweeps: Vec<SweepDeltas<E>>,
    /// Gradient of what each layer gives, `[Σ B_t, D·H]`, the readout's part included.
    above: Vec<Buffer<E>>,
    inputs: Buffer<E>,
    wants_inputs: bool,
    /// Rows of the states that each step of a batch of unequal lengths began from.
    pub(crate) previous: Vec<usize>,
    /// Places of the steps of a reverse direction in the row's own order.
    pub(crate) reversed: Vec<usize>,
}

#[derive(Clone, Debug)]
pub(crate) struct SweepDeltas<E> {
    /// δz `[Σ B_t, lanes·H]`
    pub drive: Buffer<E>,
    /// Gradients of the units' own parameters at every step `[Σ B_t, U·H]`
    pub unit: Buffer<E>,
    /// δb and δγ of a normalisation `[Σ B_t, 2·lanes·H]`
    pub extra: Buffer<E>,
    /// In sorted order `[B, S·H]`: at first of the state after, at last of the state before.
    pub state: Buffer<E>,
    /// Σ δz over steps and rows
    pub sums: Vec<E>,
    /// The same sum of `unit`, where the units share what it is the gradient of
    pub shared: Vec<E>,
}

impl<E: Element> Deltas<E> {
    /// An empty one, to be filled.
    pub fn new() -> Deltas<E> {
        Deltas {
            sweeps: Vec::new(),
            above: Vec::new(),
            inputs: Buffer::new(),
            wants_inputs: false,
            previous: Vec::new(),
            reversed: Vec::new(),
        }
    }
    /// One that also takes the gradient of the inputs.
    pub fn with_inputs() -> Deltas<E> {
        Deltas {
            wants_inputs: true,
            ..Deltas::new()
        }
    }
    /// ∂L/∂x, packed `[Σ B_t, F]`; empty unless made by [`with_inputs`](Deltas::with_inputs).
    pub fn inputs(&self) -> &[E] {
        &self.inputs
    }
    /// The gradient of the state before the first step.
    pub fn state_before(&self, weights: &Weights<E>, batch: &Batch<E>) -> State<E> {
        let mut state = State::zeros(&weights.network, batch.rows());
        for (index, sweep) in self.sweeps.iter().enumerate() {
            let width = state.width();
            for (p, &row) in batch.order.iter().enumerate() {
                state
                    .row_mut(index, row)
                    .copy_from_slice(&sweep.state[p * width..][..width]);
            }
        }
        state
    }
    /// δz of a sweep, packed in its own time `[Σ B_t, lanes·H]`.
    pub fn drive(&self, sweep: usize) -> &[E] {
        &self.sweeps[sweep].drive
    }
    /// Bytes that the buffers hold.
    pub fn bytes(&self) -> usize {
        let sweeps = self
            .sweeps
            .iter()
            .map(|s| s.drive.len() + s.unit.len() + s.extra.len() + s.state.len());
        let above = self.above.iter().map(|b| b.len());
        (sweeps.chain(above).sum::<usize>() + self.inputs.len()) * size_of::<E>()
            + (self.previous.len() + self.reversed.len()) * size_of::<usize>()
    }

    fn prepare(
        &mut self,
        weights: &Weights<E>,
        batch: &Batch<E>,
        state: Option<&State<E>>,
    ) -> Result<(), Error> {
        let network = &weights.network;
        let (sizes, h, total) = (network.cell.sizes(), network.hidden, batch.total());
        if self.wants_inputs && matches!(batch.input, BatchInput::Symbols(..)) {
            return Err(Error::Unsupported(
                "symbols have no gradient: ask for the gradient of the inputs of a network of features".into(),
            ));
        }
        if let Some(state) = state {
            state.check(network, batch.rows())?;
        }
        self.sweeps
            .resize_with(network.layers * network.directions(), || SweepDeltas {
                drive: Buffer::new(),
                unit: Buffer::new(),
                extra: Buffer::new(),
                state: Buffer::new(),
                sums: Vec::new(),
                shared: Vec::new(),
            });
        let width = network.state_width();
        for (index, sweep) in self.sweeps.iter_mut().enumerate() {
            sweep.drive.resize(total * sizes.drive * h);
            sweep.unit.resize(total * sizes.unit * h);
            let extra = Extended::backward_width(network);
            sweep.extra.resize(total * extra);
            sweep.sums.resize(sizes.drive * h, E::ZERO);
            sweep.shared.clear();
            sweep.shared.resize(sizes.unit * h, E::ZERO);
            sweep.state.resize(batch.rows() * width);
            sweep.state.fill(E::ZERO);
            let Some(state) = state else { continue };
            for (p, &row) in batch.order.iter().enumerate() {
                sweep.state[p * width..][..width].copy_from_slice(state.row(index, row));
            }
        }
        self.above.resize_with(network.layers, Buffer::new);
        for above in &mut self.above {
            above.resize(total * network.directions() * h);
        }
        if self.wants_inputs {
            self.inputs.resize(total * network.input.width());
        }
        self.previous = match batch.even() {
            true => Vec::new(),
            false => batch.previous(),
        };
        self.reversed = match network.bidirectional {
            true => batch.reversed(),
            false => Vec::new(),
        };
        Ok(())
    }
}

/// Runs the gradient of the loss back through a trace, over all its steps.
///
/// Leaves the gradients of inputs and state in `deltas`, and *adds* those of the parameters to `gradient` where
/// there is one. May be called again on the same trace. Errors where sizes disagree.
pub fn backward<E: Element>(
    weights: &Weights<E>,
    batch: &Batch<E>,
    trace: &Trace<E>,
    cotangent: Cotangent<'_, E>,
    deltas: &mut Deltas<E>,
    gradient: Option<&mut Params<E>>,
    team: &Team,
) -> Result<(), Error> {
    trace.check(&weights.network, batch)?;
    let needs = trace.outputs().len();
    if cotangent.outputs.len() != needs {
        let shape = format!("[{} steps in all, {}]", batch.total(), trace.output_width);
        let has = cotangent.outputs.len();
        return Err(Error::size(
            "the gradient of the outputs",
            has,
            needs,
            shape,
        ));
    }
    deltas.prepare(weights, batch, cotangent.state)?;
    let cuts = batch.shares(team.threads());
    let mut shards = shards(weights, batch, deltas, &cuts);
    team.each(&mut shards, |shard| {
        shard.run(weights, batch, trace, cotangent.outputs)
    });
    drop(shards);
    if let Some(gradient) = gradient {
        add_gradients(
            weights,
            batch,
            trace,
            cotangent.outputs,
            deltas,
            gradient,
            team,
        )?;
    }
    Ok(())
}

/// Some rows of a batch and their part of every buffer.
struct Shard<'a, E> {
    rows: (usize, usize),
    drive: Vec<StepsMut<'a, E>>,
    unit: Vec<StepsMut<'a, E>>,
    extra: Vec<StepsMut<'a, E>>,
    state: Vec<&'a mut [E]>,
    above: Vec<StepsMut<'a, E>>,
    inputs: Option<StepsMut<'a, E>>,
}

fn shards<'a, E: Element>(
    weights: &Weights<E>,
    batch: &'a Batch<E>,
    deltas: &'a mut Deltas<E>,
    cuts: &[usize],
) -> Vec<Shard<'a, E>> {
    let network = &weights.network;
    let (sizes, h, width) = (network.cell.sizes(), network.hidden, network.state_width());
    let mut shards: Vec<_> = cuts
        .windows(2)
        .map(|ends| Shard {
            rows: (ends[0], ends[1]),
            drive: Vec::new(),
            unit: Vec::new(),
            extra: Vec::new(),
            state: Vec::new(),
            above: Vec::new(),
            inputs: None,
        })
        .collect();
    for sweep in &mut deltas.sweeps {
        let drive = cut(&mut sweep.drive, &batch.offsets, sizes.drive * h, cuts);
        let unit = cut(&mut sweep.unit, &batch.offsets, sizes.unit * h, cuts);
        let mut state = &mut *sweep.state;
        for (shard, (drive, unit)) in shards.iter_mut().zip(drive.into_iter().zip(unit)) {
            let (head, tail) = state.split_at_mut((shard.rows.1 - shard.rows.0) * width);
            state = tail;
            shard.drive.push(drive);
            shard.unit.push(unit);
            shard.state.push(head);
        }
        let columns = Extended::backward_width(network);
        let extra = cut(&mut sweep.extra, &batch.offsets, columns, cuts);
        for (shard, extra) in shards.iter_mut().zip(extra) {
            shard.extra.push(extra);
        }
    }
    for above in &mut deltas.above {
        let parts = cut(above, &batch.offsets, network.directions() * h, cuts);
        for (shard, part) in shards.iter_mut().zip(parts) {
            shard.above.push(part);
        }
    }
    if deltas.wants_inputs {
        let width = network.input.width();
        for (shard, part) in
            shards
                .iter_mut()
                .zip(cut(&mut deltas.inputs, &batch.offsets, width, cuts))
        {
            shard.inputs = Some(part);
        }
    }
    shards
}

impl<E: Element> Shard<'_, E> {
    fn run(&mut self, weights: &Weights<E>, batch: &Batch<E>, trace: &Trace<E>, d_outputs: &[E]) {
        let network = &weights.network;
        let d = network.directions();
        let noise = batch.noise.as_ref();
        let masks = noise.map_or(&[][..], |n| n.between.as_slice());
        let given = Blocks::new(d_outputs, &batch.offsets, trace.output_width);
        // Nothing lies between the last layer and the outputs: the gradient of one is that of the other.
        let direct = weights.readout.is_none() && masks.is_empty();
        if !direct {
            self.through_readout(weights, batch, given);
        }
        for layer in (0..network.layers).rev() {
            let (lower, upper) = self.above.split_at_mut(layer);
            let above = &mut upper[0];
            if let Some(mask) = masks.get(layer) {
                drop_out(batch, self.rows, mask, above);
            }
            let (above, rows) = (&*above, self.rows);
            let above = |t| match direct && layer + 1 == network.layers {
                true => given.step(t, rows),
                false => above.step(t),
            };
            let mut below = match layer {
                0 => self.inputs.as_mut(),
                _ => lower.last_mut(),
            };
            for direction in 0..d {
                let index = layer * d + direction;
                let run = SweepRun {
                    weights,
                    w: &weights.sweeps[index],
                    batch,
                    rows: self.rows,
                };
                let swept = &trace.sweeps[index];
                let states =
                    Blocks::new(&swept.states, &batch.state_offsets, network.state_width());
                let saved = network.cell.sizes().saved * network.hidden;
                let saved = Blocks::new(&swept.saved, &batch.offsets, saved);
                let columns = swept.columns;
                let extra = Blocks::new(&swept.extra, &batch.offsets, columns.width);
                run.recursion(
                    (states, saved),
                    (columns, extra, &mut self.extra[index]),
                    &above,
                    self.state[index],
                    (&mut self.drive[index], &mut self.unit[index]),
                );
                if let Some(below) = &mut below {
                    run.to_inputs(&self.drive[index], below);
                }
            }
        }
    }

    /// δh of the last layer: W_hyᵀ ∂L/∂y.
    fn through_readout(&mut self, weights: &Weights<E>, batch: &Batch<E>, d_y: Blocks<'_, E>) {
        let Some(top) = self.above.last_mut() else {
            return;
        };
        let give = |d_y: Rows<'_, E>, mut d_h: RowsMut<'_, E>| match &weights.readout {
            Some(readout) => product(weights.level, d_y, &readout.weight_back, d_h, Start::Zero),
            None => (0..d_y.rows()).for_each(|r| d_h.row(r).copy_from_slice(d_y.row(r))),
        };
        if self.rows == (0, batch.rows())
            && let Some(d_h) = top.blocks_mut(0, batch.steps())
        {
            return give(d_y.blocks(0, batch.steps()), d_h);
        }
        for t in 0..batch.steps() {
            give(d_y.step(t, self.rows), top.step_mut(t));
        }
    }
}

/// One sweep, backward, over the rows of one shard.
struct SweepRun<'s, E> {
    weights: &'s Weights<E>,
    w: &'s SweepWeights<E>,
    batch: &'s Batch<E>,
    rows: (usize, usize),
}

impl<E: Element> SweepRun<'_, E> {
    /// From the last step down: δz_t from δh_t, then δh_{t-1}. A row's δ stands still until t reaches its own last
    /// step, so `state` needs no mask.
    fn recursion<'r>(
        &self,
        (states, saved): (Blocks<'_, E>, Blocks<'_, E>),
        (columns, extra, d_extra): (Extended, Blocks<'_, E>, &mut StepsMut<'_, E>),
        above: &dyn Fn(usize) -> Rows<'r, E>,
        state: &mut [E],
        (drive, unit): (&mut StepsMut<'_, E>, &mut StepsMut<'_, E>),
    ) {
        let network = &self.weights.network;
        let (h, width) = (network.hidden, network.state_width());
        let column = h * usize::from(self.w.sweep.reverse);
        // Then the last run's sums have left the lines of δz with another core.
        let shared = self.rows != (0, self.batch.rows());
        let mut gathered = Vec::new();
        for t in (0..self.batch.steps()).rev() {
            let after = states.step(t + 1, self.rows);
            let n = after.rows();
            if n == 0 {
                continue;
            }
            let from_above = match self.w.sweep.reverse {
                false => above(t).columns(column, column + h),
                true => {
                    gathered.clear();
                    for r in 0..n {
                        let own = self.batch.lengths[self.rows.0 + r] - 1 - t;
                        gathered.extend_from_slice(&above(own).row(r)[column..][..h]);
                    }
                    Rows::new(&gathered, n, h)
                }
            };
            let mut d_state = RowsMut::new(&mut *state, n, width);
            let mut d_drive = drive.step_mut(t);
            if columns.width > 0 {
                let index = self.w.sweep.index;
                let step = Step {
                    weights: self.weights,
                    w: self.w,
                    columns,
                    masks: Masks::of(self.batch, index, t, self.rows.0, n, h),
                };
                let past = Past {
                    before: states.step(t, self.rows).slice(0, n),
                    after,
                    saved: saved.step(t, self.rows),
                    extra: extra.step(t, self.rows),
                };
                let found = Found {
                    d_state,
                    d_drive,
                    d_unit: unit.step_mut(t),
                    d_extra: d_extra.step_mut(t),
                };
                step.backward(past, from_above, found);
                continue;
            }
            let step = drive::Backward {
                hidden: h,
                unit: &self.w.unit,
                before: states.step(t, self.rows).slice(0, n),
                after,
                saved: saved.step(t, self.rows),
                above: from_above,
                d_state: d_state.reborrow(),
                d_drive: d_drive.reborrow(),
                d_unit: unit.step_mut(t),
            };
            step.run(self.weights.level, network.cell);
            if shared && t > 0 {
                expect_writes(&drive.step_mut(t - 1));
            }
            let d_drive = drive.step(t);
            let (a, b) = self.w.h_columns;
            product_in_turns(
                self.weights.level,
                d_drive.columns(a, b),
                &self.w.recurrent_back,
                d_state.columns(0, h),
                Start::Keep,
                t % 2 == 1,
            );
        }
    }

    /// ∂L/∂x_t = W_xhᵀ δz_t; the reverse direction comes second and adds.
    fn to_inputs(&self, drive: &StepsMut<'_, E>, below: &mut StepsMut<'_, E>) {
        let Some(packed) = &self.w.input_back else {
            return;
        };
        let (level, steps) = (self.weights.level, self.batch.steps());
        let (a, b) = self.w.x_columns;
        if self.w.sweep.reverse {
            let mut d_x = Vec::new();
            for t in 0..steps {
                let d_z = drive.step(t).columns(a, b);
                let (n, width) = (d_z.rows(), packed.n());
                d_x.resize(n * width, E::ZERO);
                product(
                    level,
                    d_z,
                    packed,
                    RowsMut::new(&mut d_x, n, width),
                    Start::Zero,
                );
                for (r, from) in d_x.chunks_exact(width).enumerate() {
                    let own = self.batch.lengths[self.rows.0 + r] - 1 - t;
                    for (to, &x) in below.step_mut(own).row(r).iter_mut().zip(from) {
                        *to += x;
                    }
                }
            }
            return;
        }
        if let (Some(d_z), Some(d_x)) = (drive.blocks(0, steps), below.blocks_mut(0, steps)) {
            return product(level, d_z.columns(a, b), packed, d_x, Start::Zero);
        }
        for t in 0..steps {
            let d_z = drive.step(t).columns(a, b);
            product(level, d_z, packed, below.step_mut(t), Start::Zero);
        }
    }
}
