//! Backpropagation through time, written out.
//!
//! With δh_t the gradient of the loss for h_t, t from the last step down:
//!
//! ```text
//! δh_t    = W_hyᵀ ∂L/∂y_t + W_hhᵀ δz_{t+1}           (and what the cell itself passes on)
//! δz_t    = φ′(z_t) ⊙ δh_t                             (the cell's `backward`)
//! ∂L/∂W_hh = Σ_t δz_t h_{t-1}ᵀ     ∂L/∂W_xh = Σ_t δz_t x_tᵀ     ∂L/∂b_h = Σ_t δz_t
//! ∂L/∂W_hy = Σ_t ∂L/∂y_t h_tᵀ      ∂L/∂b_y = Σ_t ∂L/∂y_t
//! ∂L/∂x_t = W_xhᵀ δz_t             ∂L/∂h_0 = W_hhᵀ δz_1
//! ```
//!
//! (lesson, section 4, step 2, with the factors in the order in which they are applied). Threads share rows for
//! the recursion; then they share the gradients' rows for the sums, each one product over all steps and rows, so
//! that the sums do not depend on how many threads there are.

use crate::batch::BatchInput;
use crate::extended::{Extended, Found, Masks, Past, Step};
use crate::forward::{cut, drop_out};
use crate::network::Sweep;
use crate::trace::Blocks;
use crate::weights::{SweepWeights, plain_and_gated};
use crate::{Batch, Element, Error, Params, State, Trace, Weights, drive};
use elman_kernels::{
    Buffer, Level, Pick, Rows, RowsMut, Start, StepsMut, Team, column_sum_add, outer_add, product,
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
    sweeps: Vec<SweepDeltas<E>>,
    /// Gradient of what each layer gives, `[Σ B_t, D·H]`, the readout's part included.
    above: Vec<Buffer<E>>,
    inputs: Buffer<E>,
    wants_inputs: bool,
    previous: Vec<usize>,
    reversed: Vec<usize>,
}

#[derive(Clone, Debug)]
struct SweepDeltas<E> {
    /// δz `[Σ B_t, lanes·H]`
    drive: Buffer<E>,
    /// Gradients of the units' own parameters at every step `[Σ B_t, U·H]`
    unit: Buffer<E>,
    /// δb and δγ of a normalisation `[Σ B_t, 2·lanes·H]`
    extra: Buffer<E>,
    /// In sorted order `[B, S·H]`: at first of the state after, at last of the state before.
    state: Buffer<E>,
    /// Σ δz over steps and rows
    sums: Vec<E>,
    /// The same sum of `unit`, where the units share what it is the gradient of
    shared: Vec<E>,
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
            let (a, b) = self.w.h_columns;
            product(
                self.weights.level,
                d_drive.view().columns(a, b),
                &self.w.recurrent_back,
                d_state.columns(0, h),
                Start::Keep,
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

/// A part of one parameter's gradient: some of its rows.
enum Sum<'a, E> {
    /// `out += aᵀ b`
    Outer {
        a: Rows<'a, E>,
        b: Rows<'a, E>,
        pick: Pick<'a>,
        out: RowsMut<'a, E>,
    },
    /// The same where b is one-hot
    Symbols {
        a: Rows<'a, E>,
        symbols: &'a [u32],
        /// What each place's one is, where it is not 1.
        kept: &'a [E],
        pick: Pick<'a>,
        out: RowsMut<'a, E>,
    },
    /// `out += Σ_rows a`
    Columns { a: Rows<'a, E>, out: &'a mut [E] },
}

impl<'a, E: Element> Sum<'a, E> {
    fn run(&mut self, level: Level) {
        match self {
            Sum::Outer { a, b, pick, out } => outer_add(level, *a, *b, *pick, out.reborrow()),
            Sum::Columns { a, out } => column_sum_add(level, *a, out),
            Sum::Symbols {
                a,
                symbols,
                kept,
                pick,
                out,
            } => {
                // Row by symbol first, then transposed: the gradient's own rows are far apart.
                let (m, n) = (out.rows(), out.cols());
                let mut by_symbol = vec![E::ZERO; n * m];
                for s in 0..a.rows() {
                    let at = match pick {
                        Pick::All => s,
                        Pick::These(these) => these[s],
                    };
                    let to = &mut by_symbol[symbols[at] as usize * m..][..m];
                    match kept.get(at) {
                        None => to.iter_mut().zip(a.row(s)).for_each(|(t, &x)| *t += x),
                        Some(&k) => to.iter_mut().zip(a.row(s)).for_each(|(t, &x)| *t += k * x),
                    }
                }
                for i in 0..m {
                    for (symbol, o) in out.row(i).iter_mut().enumerate() {
                        *o += by_symbol[symbol * m + i];
                    }
                }
            }
        }
    }
    /// Cuts the rows of the result into `parts`; each part is summed just as the whole would be.
    fn split(self, parts: usize) -> Vec<Sum<'a, E>> {
        let mut rest = self;
        let mut done = Vec::with_capacity(parts);
        for left in (1..=parts).rev() {
            let rows = match &rest {
                Sum::Outer { out, .. } | Sum::Symbols { out, .. } => out.rows(),
                Sum::Columns { out, .. } => out.len(),
            };
            let (head, tail) = rest.split_at(rows / left);
            done.push(head);
            rest = tail;
        }
        done
    }
    fn split_at(self, at: usize) -> (Sum<'a, E>, Sum<'a, E>) {
        let halves = |a: Rows<'a, E>| (a.columns(0, at), a.columns(at, a.cols()));
        match self {
            Sum::Outer { a, b, pick, out } => {
                let ((a0, a1), (o0, o1)) = (halves(a), out.split(at));
                let make = |a, out| Sum::Outer { a, b, pick, out };
                (make(a0, o0), make(a1, o1))
            }
            Sum::Symbols {
                a,
                symbols,
                kept,
                pick,
                out,
            } => {
                let ((a0, a1), (o0, o1)) = (halves(a), out.split(at));
                let make = |a, out| Sum::Symbols {
                    a,
                    symbols,
                    kept,
                    pick,
                    out,
                };
                (make(a0, o0), make(a1, o1))
            }
            Sum::Columns { a, out } => {
                let ((a0, a1), (o0, o1)) = (halves(a), out.split_at_mut(at));
                (
                    Sum::Columns { a: a0, out: o0 },
                    Sum::Columns { a: a1, out: o1 },
                )
            }
        }
    }
}

/// The sums over all steps and rows.
fn add_gradients<E: Element>(
    weights: &Weights<E>,
    batch: &Batch<E>,
    trace: &Trace<E>,
    d_outputs: &[E],
    deltas: &mut Deltas<E>,
    gradient: &mut Params<E>,
    team: &Team,
) -> Result<(), Error> {
    let network = &weights.network;
    let layout = gradient.layout().clone();
    if !layout.begins_with(network) {
        return Err(Error::Mismatch {
            what: "the gradient",
            why: "it has the layout of another network".into(),
        });
    }
    let (sizes, h, total) = (network.cell.sizes(), network.hidden, batch.total());
    let mut slices: Vec<Option<&mut [E]>> = gradient.split_mut().into_iter().map(Some).collect();
    let mut take = |view: usize| slices[view].take().unwrap_or(&mut []);
    let mut sums: Vec<Sum<'_, E>> = Vec::new();

    if let Some((weight, bias)) = layout.readout() {
        let (width, reads) = (trace.output_width, network.directions() * h);
        let d_y = Rows::new(d_outputs, total, width);
        let out = RowsMut::new(take(weight), width, reads);
        sums.push(Sum::Outer {
            a: d_y,
            b: given(
                batch,
                trace,
                network.layers - 1,
                reads,
                network.state_width(),
            ),
            pick: Pick::All,
            out,
        });
        let out = take(bias);
        sums.push(Sum::Columns { a: d_y, out });
    }
    let kept = kept_symbols(batch);
    let (mut biases, mut shared) = (Vec::new(), Vec::new());
    for (w, swept) in weights.sweeps.iter().zip(&mut deltas.sweeps) {
        let views = layout.sweep(w.sweep);
        let drive = Rows::new(&swept.drive, total, sizes.drive * h);
        let run = &trace.sweeps[w.sweep.index];
        let (c, extra) = (run.columns, Rows::new(&run.extra, total, run.columns.width));
        let (before, pick) = match (c.entering.0 < c.entering.1, deltas.previous.is_empty()) {
            (true, _) => (extra.columns(c.entering.0, c.entering.1), Pick::All),
            (false, even) => {
                let rows = batch.rows() + total;
                let states = Rows::new(&run.states, rows, network.state_width());
                let pick = match even {
                    true => Pick::All,
                    false => Pick::These(&deltas.previous),
                };
                (states.columns(0, h), pick)
            }
        };
        let (plain, gated) = plain_and_gated(&sizes);
        let (w_plain, w_gated) = take(views.w_hh).split_at_mut(plain.len() * h * h);
        for (a, out) in by_lanes(drive, plain, h, w_plain, h) {
            sums.push(Sum::Outer {
                a,
                b: before,
                pick,
                out,
            });
        }
        for (a, out) in by_lanes(drive, gated, h, w_gated, h) {
            sums.push(Sum::Outer {
                a,
                b: extra.columns(c.gates.0 + h, c.gates.1),
                pick: Pick::All,
                out,
            });
        }
        let pick = match w.sweep.reverse {
            true => Pick::These(&deltas.reversed),
            false => Pick::All,
        };
        let reads = network.reads(w.sweep.layer);
        for (a, out) in by_lanes(drive, sizes.from_x, h, take(views.w_ih), reads) {
            sums.push(match (w.sweep.layer, &batch.input) {
                (0, BatchInput::Symbols(symbols, _)) => Sum::Symbols {
                    a,
                    symbols,
                    kept: &kept,
                    pick,
                    out,
                },
                (0, BatchInput::Features(x, f)) => Sum::Outer {
                    a,
                    b: Rows::new(x, total, *f),
                    pick,
                    out,
                },
                (layer, _) => Sum::Outer {
                    a,
                    b: given(batch, trace, layer - 1, reads, network.state_width()),
                    pick,
                    out,
                },
            });
        }
        swept.sums.fill(E::ZERO);
        let out = swept.sums.as_mut_slice();
        let a = match views.gain {
            None => drive,
            Some(view) => {
                let found = Rows::new(&swept.extra, total, 2 * sizes.drive * h);
                let (out, half) = (take(view), sizes.drive * h);
                let a = found.columns(half, 2 * half);
                sums.push(Sum::Columns { a, out });
                found.columns(0, half)
            }
        };
        sums.push(Sum::Columns { a, out });
        let units = Rows::new(&swept.unit, total, sizes.unit * h);
        let learned = views.unit.iter().filter(|_| !network.leak.fixed);
        let own = learned.zip(swept.shared.chunks_exact_mut(h));
        for (u, (&view, summed)) in own.enumerate() {
            let out = match network.leak.shared {
                true => {
                    shared.push((w.sweep.index, u, take(view)));
                    summed
                }
                false => take(view),
            };
            let a = units.columns(u * h, (u + 1) * h);
            sums.push(Sum::Columns { a, out });
        }
        for (lanes, view) in [(sizes.from_x, views.b_ih), (sizes.from_h, views.b_hh)] {
            biases.push((w.sweep.index, lanes, take(view)));
        }
    }

    let mut shares: Vec<Vec<Sum<'_, E>>> = (0..team.threads()).map(|_| Vec::new()).collect();
    for sum in sums {
        for (share, part) in shares.iter_mut().zip(sum.split(team.threads())) {
            share.push(part);
        }
    }
    team.each(&mut shares, |share| {
        share.iter_mut().for_each(|sum| sum.run(weights.level))
    });
    drop(shares);
    for (index, u, to) in shared {
        let from = &deltas.sweeps[index].shared[u * h..][..h];
        to.iter_mut()
            .for_each(|g| *g += from.iter().copied().sum::<E>());
    }
    for (index, lanes, bias) in biases {
        for (&lane, to) in lanes.iter().zip(bias.chunks_exact_mut(h)) {
            let from = &deltas.sweeps[index].sums[lane * h..][..h];
            to.iter_mut().zip(from).for_each(|(b, &s)| *b += s);
        }
    }
    Ok(())
}

/// What the mask leaves of the one of each place's symbol; empty where there is no mask.
fn kept_symbols<E: Element>(batch: &Batch<E>) -> Vec<E> {
    let masks = batch.noise.as_ref().map(|n| n.symbols.as_slice());
    match (&batch.input, masks) {
        (BatchInput::Symbols(symbols, known), Some(masks)) if !masks.is_empty() => {
            let rows = batch
                .offsets
                .windows(2)
                .flat_map(|ends| 0..ends[1] - ends[0]);
            rows.zip(symbols)
                .map(|(p, &symbol)| masks[p * known + symbol as usize])
                .collect()
        }
        _ => Vec::new(),
    }
}

/// What layer `layer` gave at every step `[Σ B_t, D·H]`.
fn given<'a, E: Element>(
    batch: &Batch<E>,
    trace: &'a Trace<E>,
    layer: usize,
    cols: usize,
    state_width: usize,
) -> Rows<'a, E> {
    match trace.joined.get(layer) {
        Some(joined) => Rows::new(joined, batch.total(), cols),
        None => {
            let states = &trace.sweeps[layer].states[batch.rows() * state_width..];
            Rows::new(states, batch.total(), state_width).columns(0, cols)
        }
    }
}

/// Pairs neighbouring row blocks of a weight's gradient with the columns of δz that they come from.
fn by_lanes<'a, E>(
    drive: Rows<'a, E>,
    lanes: &[usize],
    h: usize,
    weight: &'a mut [E],
    cols: usize,
) -> Vec<(Rows<'a, E>, RowsMut<'a, E>)> {
    let mut rest = weight;
    let mut pairs = Vec::new();
    for run in lanes.chunk_by(|a, b| a + 1 == *b) {
        let (head, tail) = rest.split_at_mut(run.len() * h * cols);
        rest = tail;
        let columns = drive.columns(run[0] * h, (run[0] + run.len()) * h);
        pairs.push((columns, RowsMut::new(head, run.len() * h, cols)));
    }
    pairs
}

/// The contribution of each step to ∂L/∂W_hh of one sweep, from what the last [`backward`] left: δz_t h_{t-1}ᵀ
/// summed over rows (lesson, section 4, step 3). Calls `each` with t, from 0, and the matrix `[gates·H, H]`; the
/// matrices add up to the gradient.
pub fn step_contributions<E: Element>(
    weights: &Weights<E>,
    batch: &Batch<E>,
    trace: &Trace<E>,
    deltas: &Deltas<E>,
    sweep: Sweep,
    mut each: impl FnMut(usize, &[E]),
) -> Result<(), Error> {
    let network = &weights.network;
    trace.check(network, batch)?;
    let (sizes, h) = (network.cell.sizes(), network.hidden);
    let swept = deltas.sweeps.get(sweep.index).filter(|s| {
        s.drive.len() == batch.total() * sizes.drive * h && sweep.index < trace.sweeps.len()
    });
    let Some(swept) = swept else {
        return Err(Error::Mismatch {
            what: "the deltas",
            why: "they were left by another network or another batch".into(),
        });
    };
    let drive = Blocks::new(&swept.drive, &batch.offsets, sizes.drive * h);
    let states = &trace.sweeps[sweep.index].states;
    let states = Blocks::new(states, &batch.state_offsets, network.state_width());
    let c = trace.sweeps[sweep.index].columns;
    let extra = Blocks::new(&trace.sweeps[sweep.index].extra, &batch.offsets, c.width);
    let (plain, gated) = plain_and_gated(&sizes);
    let mut matrix = vec![E::ZERO; sizes.from_h.len() * h * h];
    let all = (0, batch.rows());
    for t in 0..batch.steps() {
        matrix.fill(E::ZERO);
        let (w_plain, w_gated) = matrix.split_at_mut(plain.len() * h * h);
        let before = match c.entering.0 < c.entering.1 {
            true => extra.step(t, all).columns(c.entering.0, c.entering.1),
            false => states.step(t, all).columns(0, h),
        };
        for (a, out) in by_lanes(drive.step(t, all), plain, h, w_plain, h) {
            outer_add(weights.level, a, before, Pick::All, out);
        }
        for (a, out) in by_lanes(drive.step(t, all), gated, h, w_gated, h) {
            let gated = extra.step(t, all).columns(c.gates.0 + h, c.gates.1);
            outer_add(weights.level, a, gated, Pick::All, out);
        }
        each(t, &matrix);
    }
    Ok(())
}
