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
use crate::forward::drop_out;
use crate::gradients::add_gradients;
use crate::shares::Shares;
use crate::step::{Found, Masks, Past, Step};
use crate::sum::BySymbol;
use crate::trace::{Blocks, Ran};
use crate::weights::SweepWeights;
use crate::{Batch, Element, Error, Params, State, Trace, Weights};
use elman_kernels::{Buffer, Rows, RowsMut, Start, StepsMut, Team, expect_writes, product};

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
#[derive(Clone, Debug)]
pub struct Deltas<E> {
    /// Which run of forward they are of; none before the first backward.
    pub(crate) of: Option<Ran<E>>,
    pub(crate) sweeps: Vec<SweepDeltas<E>>,
    /// Gradient of what each layer gives, `[Σ B_t, D·H]`, the readout's part included.
    above: Vec<Buffer<E>>,
    inputs: Buffer<E>,
    wants_inputs: bool,
    /// Rows of the states that each step of a batch of unequal lengths began from.
    pub(crate) previous: Vec<usize>,
    /// Places of the steps of a reverse direction in the row's own order.
    pub(crate) reversed: Vec<usize>,
    /// The places of each symbol, for the forward and the reverse direction.
    pub(crate) by_symbol: [BySymbol; 2],
    /// What long sums lose by rounding, laid out as the gradient.
    pub(crate) lost: Buffer<E>,
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
    /// Σ δz over steps and rows, then what that sum loses by rounding
    pub sums: Vec<E>,
    /// The same sums of `unit`, one after another, where the units share what it is the gradient of
    pub shared: Vec<E>,
}

impl<E: Element> Default for Deltas<E> {
    fn default() -> Self {
        Deltas::new()
    }
}

impl<E: Element> Deltas<E> {
    /// An empty one, to be filled.
    pub fn new() -> Deltas<E> {
        Deltas {
            of: None,
            sweeps: Vec::new(),
            above: Vec::new(),
            inputs: Buffer::new(),
            wants_inputs: false,
            previous: Vec::new(),
            reversed: Vec::new(),
            by_symbol: Default::default(),
            lost: Buffer::new(),
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
    /// The gradient of the state before the first step. An error before the first backward.
    pub fn state_before(&self) -> Result<State<E>, Error> {
        let Some(Ran { network, batch, .. }) = &self.of else {
            return Err(Error::Mismatch {
                what: "the deltas",
                why: "backward has left nothing in them".into(),
            });
        };
        let mut state = State::zeros(network, batch.rows());
        let width = state.width();
        for (index, sweep) in self.sweeps.iter().enumerate() {
            for (p, &row) in batch.packing.order.iter().enumerate() {
                let from = &sweep.state[p * width..][..width];
                state.row_mut(index, row).copy_from_slice(from);
            }
        }
        Ok(state)
    }
    /// δz of a sweep, packed in its own time `[Σ B_t, lanes·H]`; empty before the first backward, and of a sweep that is
    /// not there.
    pub fn drive(&self, sweep: usize) -> &[E] {
        self.sweeps.get(sweep).map_or(&[], |s| &s.drive)
    }
    /// Bytes that the buffers hold.
    pub fn bytes(&self) -> usize {
        let sweeps = self
            .sweeps
            .iter()
            .map(|s| s.drive.len() + s.unit.len() + s.extra.len() + s.state.len());
        let above = self.above.iter().map(|b| b.len());
        (sweeps.chain(above).sum::<usize>() + self.inputs.len() + self.lost.len()) * size_of::<E>()
            + self.by_symbol.iter().map(BySymbol::bytes).sum::<usize>()
            + (self.previous.len() + self.reversed.len()) * size_of::<usize>()
    }

    fn prepare(&mut self, ran: &Ran<E>, state: Option<&State<E>>) -> Result<(), Error> {
        // What fails below leaves nothing that could be taken for a run.
        self.of = None;
        let Ran {
            network,
            batch,
            plan,
            ..
        } = ran;
        let (sizes, h, total) = (network.cell.sizes(), network.hidden, batch.total());
        if self.wants_inputs && matches!(*batch.input, BatchInput::Symbols(..)) {
            return Err(Error::Unsupported(
                "symbols have no gradient: ask for the gradient of the inputs of a network of features".into(),
            ));
        }
        if let Some(state) = state {
            state.check(network, batch.rows())?;
        }
        let most = (sizes.drive + sizes.unit) * h + plan.backward_width + network.input.width();
        Error::fits("the deltas", &[total, most, size_of::<E>()])?;
        self.sweeps
            .resize_with(network.layers * network.directions(), SweepDeltas::new);
        let width = network.state_width();
        for (index, sweep) in self.sweeps.iter_mut().enumerate() {
            sweep.drive.resize(total * sizes.drive * h);
            sweep.unit.resize(total * sizes.unit * h);
            sweep.extra.resize(total * plan.backward_width);
            sweep.sums.resize(2 * sizes.drive * h, E::ZERO);
            sweep.shared.clear();
            sweep.shared.resize(2 * sizes.unit * h, E::ZERO);
            sweep.state.resize(batch.rows() * width);
            sweep.state.fill(E::ZERO);
            let Some(state) = state else { continue };
            for (p, &row) in batch.packing.order.iter().enumerate() {
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
        self.previous = match batch.packing.even() {
            true => Vec::new(),
            false => batch.packing.previous(),
        };
        let reverse = network.sweeps().find(|s| s.reverse);
        self.reversed = reverse.map_or_else(Vec::new, |s| batch.packing.visits(s));
        Ok(())
    }
}

impl<E: Element> SweepDeltas<E> {
    fn new() -> SweepDeltas<E> {
        SweepDeltas {
            drive: Buffer::new(),
            unit: Buffer::new(),
            extra: Buffer::new(),
            state: Buffer::new(),
            sums: Vec::new(),
            shared: Vec::new(),
        }
    }
}

/// Runs the gradient of the loss back through a trace, over all its steps.
///
/// Leaves the gradients of inputs and state in `deltas`, and *adds* those of the parameters to `gradient` where
/// there is one. May be called again on the same trace. Errors where sizes disagree, and where other weights left the
/// trace.
pub fn backward<E: Element>(
    weights: &Weights<E>,
    trace: &Trace<E>,
    cotangent: Cotangent<'_, E>,
    deltas: &mut Deltas<E>,
    gradient: Option<&mut Params<E>>,
    team: &Team,
) -> Result<(), Error> {
    let ran = trace.ran_by(weights)?;
    let batch = &ran.batch;
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
    deltas.prepare(ran, cotangent.state)?;
    let shares = Shares::of(&batch.packing, team.threads());
    let mut shards = shards(weights, ran, &shares, deltas);
    team.each(&mut shards, |shard| {
        shard.run(weights, trace, batch, cotangent.outputs)
    });
    drop(shards);
    if let Some(gradient) = gradient {
        add_gradients(weights, trace, cotangent.outputs, deltas, gradient, team)?;
    }
    deltas.of = Some(ran.clone());
    Ok(())
}

/// Some rows of a batch and their part of every buffer.
struct Shard<'a, E> {
    rows: (usize, usize),
    sweeps: Vec<SweepRows<'a, E>>,
    above: Vec<StepsMut<'a, E>>,
    inputs: Option<StepsMut<'a, E>>,
}

/// Their part of one sweep's deltas.
struct SweepRows<'a, E> {
    drive: StepsMut<'a, E>,
    unit: StepsMut<'a, E>,
    extra: StepsMut<'a, E>,
    /// `[rows, S·H]`
    state: &'a mut [E],
}

fn shards<'a, E: Element>(
    weights: &Weights<E>,
    ran: &Ran<E>,
    shares: &Shares<'a>,
    deltas: &'a mut Deltas<E>,
) -> Vec<Shard<'a, E>> {
    let network = &weights.network;
    let (sizes, h, width) = (network.cell.sizes(), network.hidden, network.state_width());
    let sweeps = deltas.sweeps.iter_mut().map(|sweep| {
        let SweepDeltas {
            drive,
            unit,
            extra,
            state,
            ..
        } = sweep;
        let drive = shares.cut(drive, sizes.drive * h).into_iter();
        let unit = shares.cut(unit, sizes.unit * h);
        let extra = shares.cut(extra, ran.plan.backward_width);
        let mut rest = &mut **state;
        let states = shares.rows().map(|(first, last)| {
            let (own, more) = std::mem::take(&mut rest).split_at_mut((last - first) * width);
            rest = more;
            own
        });
        let each = drive.zip(unit.into_iter().zip(extra)).zip(states);
        let each = each.map(|((drive, (unit, extra)), state)| SweepRows {
            drive,
            unit,
            extra,
            state,
        });
        each.collect()
    });
    let sweeps = shares.deal(sweeps);
    let width = network.directions() * h;
    let above = shares.deal(deltas.above.iter_mut().map(|a| shares.cut(a, width)));
    let inputs = match deltas.wants_inputs {
        true => shares.cut(&mut deltas.inputs, network.input.width()),
        false => Vec::new(),
    };
    let mut inputs = inputs.into_iter();
    let shard = |(rows, (sweeps, above))| Shard {
        rows,
        sweeps,
        above,
        inputs: inputs.next(),
    };
    let parts = sweeps.into_iter().zip(above);
    shares.rows().zip(parts).map(shard).collect()
}

impl<E: Element> Shard<'_, E> {
    fn run(&mut self, weights: &Weights<E>, trace: &Trace<E>, batch: &Batch<E>, d_outputs: &[E]) {
        let network = &weights.network;
        let d = network.directions();
        let noise = batch.noise.as_ref();
        let masks = noise.map_or(&[][..], |n| n.between.as_slice());
        let given = Blocks::new(d_outputs, &batch.packing.offsets, trace.output_width);
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
            for index in layer * d..(layer + 1) * d {
                let run = SweepRun {
                    weights,
                    w: &weights.sweeps[index],
                    trace,
                    batch,
                    rows: self.rows,
                };
                let buffers = &mut self.sweeps[index];
                run.recursion(&above, buffers);
                if let Some(below) = &mut below {
                    run.to_inputs(&buffers.drive, below);
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
    trace: &'s Trace<E>,
    batch: &'s Batch<E>,
    rows: (usize, usize),
}

impl<E: Element> SweepRun<'_, E> {
    /// From the last step down: δz_t from δh_t, then δh_{t-1}. δ of a finished row is unchanged until t is its last
    /// step, so `state` needs no mask.
    fn recursion<'r>(&self, above: &dyn Fn(usize) -> Rows<'r, E>, buffers: &mut SweepRows<'_, E>) {
        let (network, sweep) = (&self.weights.network, self.w.sweep);
        let packing = &self.batch.packing;
        let (h, width) = (network.hidden, network.state_width());
        let swept = &self.trace.sweeps[sweep.index];
        let states = Blocks::new(&swept.states, &packing.state_offsets, width);
        let saved = network.cell.sizes().saved * h;
        let saved = Blocks::new(&swept.saved, &packing.offsets, saved);
        let extra = Blocks::new(&swept.extra, &packing.offsets, swept.plan.width);
        let column = h * usize::from(sweep.reverse);
        // Then another core still holds the cache lines of δz dirty, from the sums of the last backward.
        let shared = self.rows != (0, self.batch.rows());
        let mut gathered = Vec::new();
        for t in (0..self.batch.steps()).rev() {
            let after = states.step(t + 1, self.rows);
            let n = after.rows();
            if n == 0 {
                continue;
            }
            let from_above = match sweep.reverse {
                false => above(t).columns(column, column + h),
                true => {
                    gathered.clear();
                    for r in 0..n {
                        let own = packing.visited(sweep, t, self.rows.0 + r);
                        gathered.extend_from_slice(&above(own).row(r)[column..][..h]);
                    }
                    Rows::new(&gathered, n, h)
                }
            };
            if shared && t > 0 {
                expect_writes(&buffers.drive.step_mut(t - 1));
            }
            let step = Step {
                weights: self.weights,
                w: self.w,
                plan: swept.plan,
                masks: Masks::of(self.batch, sweep, t, (self.rows.0, n), h),
                turned: t % 2 == 1,
            };
            let past = Past {
                before: states.step(t, self.rows).slice(0, n),
                after,
                saved: saved.step(t, self.rows),
                extra: extra.step(t, self.rows),
            };
            let found = Found {
                d_state: RowsMut::new(&mut *buffers.state, n, width),
                d_drive: buffers.drive.step_mut(t),
                d_unit: buffers.unit.step_mut(t),
                d_extra: buffers.extra.step_mut(t),
            };
            step.backward(past, from_above, found);
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
                    let own = self.batch.packing.visited(self.w.sweep, t, self.rows.0 + r);
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
