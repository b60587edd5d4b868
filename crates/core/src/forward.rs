//! Forward: from inputs to outputs, leaving a trace.
//!
//! For each layer: z_t = W_xh x_t + b for several steps at once, where rows are contiguous; then step by step
//! z_t += W_hh h_{t-1} and the cell's own arithmetic. Threads share rows, not steps: each runs its rows through
//! all layers and steps, and meets the others once, at the end.

use crate::batch::BatchInput;
use crate::extended::{Extended, Masks, Step};
use crate::trace::Blocks;
use crate::weights::{InputWeights, SweepWeights};
use crate::{Batch, Element, Error, State, Trace, Weights, drive};
use elman_kernels::{
    Buffer, Rows, RowsMut, Start, StepsMut, Team, expect_writes, product, product_in_turns,
};

/// The distance between rows of z. One that is a multiple of many cache lines would put all rows into the same few
/// places of the caches.
fn apart<E>(lanes: usize) -> usize {
    let line = 64 / size_of::<E>();
    match lanes.is_multiple_of(32 * line) {
        true => lanes + line,
        false => lanes,
    }
}

/// Numbers of z that are computed at once: half of a small level-2 cache.
const CHUNK: usize = 64 * 1024;

/// Runs `batch` from `state` through the network; the outputs, the state after and all that backward needs are
/// left in `trace`.
///
/// Each row gets the result that it would have alone, bit for bit, whatever the other rows, their lengths and the
/// number of threads. Errors where the batch or the state is not one for this network.
pub fn forward<E: Element>(
    weights: &Weights<E>,
    batch: &Batch<E>,
    state: &State<E>,
    trace: &mut Trace<E>,
    team: &Team,
) -> Result<(), Error> {
    let cuts = batch.shares(team.threads());
    trace.prepare(&weights.network, batch, state, cuts.len() - 1)?;
    let mut shards = shards(weights, batch, trace, &cuts);
    team.each(&mut shards, |shard| shard.run(weights, batch));
    Ok(())
}

/// Some rows of a batch and their part of every buffer.
struct Shard<'a, E> {
    rows: (usize, usize),
    states: Vec<StepsMut<'a, E>>,
    saved: Vec<StepsMut<'a, E>>,
    extra: Vec<StepsMut<'a, E>>,
    joined: Vec<StepsMut<'a, E>>,
    /// None where the states are the outputs.
    outputs: Option<StepsMut<'a, E>>,
    scratch: &'a mut Buffer<E>,
}

/// A buffer cut into the rows of each shard.
pub(crate) fn cut<'a, E>(
    data: &'a mut [E],
    offsets: &'a [usize],
    cols: usize,
    cuts: &[usize],
) -> Vec<StepsMut<'a, E>> {
    let mut rest = StepsMut::new(data, offsets, cols);
    let mut parts = Vec::with_capacity(cuts.len() - 1);
    for &at in &cuts[1..cuts.len() - 1] {
        let (head, tail) = rest.split(at);
        parts.push(head);
        rest = tail;
    }
    parts.push(rest);
    parts
}

fn shards<'a, E: Element>(
    weights: &Weights<E>,
    batch: &'a Batch<E>,
    trace: &'a mut Trace<E>,
    cuts: &[usize],
) -> Vec<Shard<'a, E>> {
    let (sizes, h) = (weights.network.cell.sizes(), weights.network.hidden);
    let width = trace.output_width;
    let outputs = match trace.shown {
        None => cut(&mut trace.outputs, &batch.offsets, width, cuts),
        Some(_) => Vec::new(),
    };
    let mut outputs = outputs.into_iter();
    let mut shards: Vec<_> = trace
        .scratch
        .iter_mut()
        .zip(cuts.windows(2))
        .map(|(scratch, ends)| Shard {
            rows: (ends[0], ends[1]),
            states: Vec::new(),
            saved: Vec::new(),
            extra: Vec::new(),
            joined: Vec::new(),
            outputs: outputs.next(),
            scratch,
        })
        .collect();
    for sweep in &mut trace.sweeps {
        let states = cut(
            &mut sweep.states,
            &batch.state_offsets,
            sizes.state * h,
            cuts,
        );
        let saved = cut(&mut sweep.saved, &batch.offsets, sizes.saved * h, cuts);
        for (shard, (states, saved)) in shards.iter_mut().zip(states.into_iter().zip(saved)) {
            shard.states.push(states);
            shard.saved.push(saved);
        }
        let width = sweep.columns.width;
        let extra = cut(&mut sweep.extra, &batch.offsets, width, cuts);
        for (shard, extra) in shards.iter_mut().zip(extra) {
            shard.extra.push(extra);
        }
    }
    let d = weights.network.directions();
    for joined in &mut trace.joined {
        for (shard, part) in shards
            .iter_mut()
            .zip(cut(joined, &batch.offsets, d * h, cuts))
        {
            shard.joined.push(part);
        }
    }
    shards
}

/// What a layer reads: the rows of one shard.
enum Source<'s, 'a, E> {
    Features(Blocks<'s, E>),
    Symbols(&'s [u32]),
    /// The states of the layer below (block t + 1 is step t), or both directions joined (block t is step t).
    Below(&'s StepsMut<'a, E>, usize),
}

impl<E: Element> Source<'_, '_, E> {
    fn step(&self, t: usize, rows: (usize, usize), width: usize) -> Rows<'_, E> {
        match self {
            Source::Features(blocks) => blocks.step(t, rows),
            Source::Below(steps, shift) => steps.step(t + shift).columns(0, width),
            Source::Symbols(_) => unreachable!("symbols are looked up, not multiplied"),
        }
    }
    fn blocks(&self, from: usize, to: usize, whole: bool, width: usize) -> Option<Rows<'_, E>> {
        match self {
            Source::Features(blocks) => whole.then(|| blocks.blocks(from, to)),
            Source::Below(steps, shift) => steps
                .blocks(from + shift, to + shift)
                .map(|b| b.columns(0, width)),
            Source::Symbols(_) => None,
        }
    }
}

impl<E: Element> Shard<'_, E> {
    fn run(&mut self, weights: &Weights<E>, batch: &Batch<E>) {
        let network = &weights.network;
        let d = network.directions();
        for layer in 0..network.layers {
            let (done, rest) = self.states.split_at_mut(layer * d);
            let source = match (layer, &batch.input) {
                (0, BatchInput::Features(x, f)) => {
                    Source::Features(Blocks::new(x, &batch.offsets, *f))
                }
                (0, BatchInput::Symbols(x, _)) => Source::Symbols(x),
                _ if !self.joined.is_empty() => Source::Below(&self.joined[layer - 1], 0),
                _ => Source::Below(&done[layer - 1], 1),
            };
            for (direction, states) in rest[..d].iter_mut().enumerate() {
                let index = layer * d + direction;
                SweepRun {
                    weights,
                    w: &weights.sweeps[index],
                    batch,
                    rows: self.rows,
                    source: &source,
                }
                .run(
                    states,
                    &mut self.saved[index],
                    &mut self.extra[index],
                    self.scratch,
                );
            }
            if let Some(joined) = self.joined.get_mut(layer) {
                join(batch, self.rows, &rest[..d], joined);
                let noise = batch.noise.as_ref();
                if let Some(mask) = noise.and_then(|n| n.between.get(layer)) {
                    drop_out(batch, self.rows, mask, joined);
                }
            }
        }
        self.read_out(weights, batch);
    }

    /// y_t = W_hy h_t + b_y, or the hidden states where there is no readout.
    fn read_out(&mut self, weights: &Weights<E>, batch: &Batch<E>) {
        let Some(outputs) = &mut self.outputs else {
            return;
        };
        let network = &weights.network;
        let reads = network.directions() * network.hidden;
        let (steps, shift) = match self.joined.last() {
            Some(joined) => (joined, 0),
            None => (&self.states[network.layers - 1], 1),
        };
        let t = batch.steps();
        if let (Some(h), Some(y)) = (steps.blocks(shift, t + shift), outputs.blocks_mut(0, t)) {
            return weights.read_out(h.columns(0, reads), y);
        }
        for t in 0..t {
            weights.read_out(steps.step(t + shift).columns(0, reads), outputs.step_mut(t));
        }
    }
}

/// h of one direction, or of both side by side, in the row's own order.
fn join<E: Element>(
    batch: &Batch<E>,
    (first, _): (usize, usize),
    directions: &[StepsMut<'_, E>],
    joined: &mut StepsMut<'_, E>,
) {
    for t in 0..batch.steps() {
        let mut to = joined.step_mut(t);
        let h = to.cols() / directions.len();
        for r in 0..to.rows() {
            let own = batch.lengths[first + r] - 1 - t;
            // The first direction runs forward, the second from the row's end.
            let places = directions.iter().zip([t, own]);
            for ((states, at), to) in places.zip(to.row(r).chunks_exact_mut(h)) {
                to.copy_from_slice(&states.step(at + 1).row(r)[..h]);
            }
        }
    }
}

/// Multiplies rows by a mask packed as the batch; backward masks the gradient just so.
pub(crate) fn drop_out<E: Element>(
    batch: &Batch<E>,
    rows: (usize, usize),
    mask: &[E],
    given: &mut StepsMut<'_, E>,
) {
    for t in 0..batch.steps() {
        let mut to = given.step_mut(t);
        let mask = Blocks::new(mask, &batch.offsets, to.cols()).step(t, rows);
        for r in 0..to.rows() {
            let numbers = to.row(r).iter_mut();
            numbers.zip(mask.row(r)).for_each(|(x, &m)| *x *= m);
        }
    }
}

/// One sweep over the rows of one shard.
struct SweepRun<'s, 'a, E> {
    weights: &'s Weights<E>,
    w: &'s SweepWeights<E>,
    batch: &'s Batch<E>,
    rows: (usize, usize),
    source: &'s Source<'s, 'a, E>,
}

impl<E: Element> SweepRun<'_, '_, E> {
    fn run(
        &self,
        states: &mut StepsMut<'_, E>,
        saved: &mut StepsMut<'_, E>,
        extra: &mut StepsMut<'_, E>,
        scratch: &mut Buffer<E>,
    ) {
        let batch = self.batch;
        let columns = Extended::of(&self.weights.network, batch);
        let (kind, hidden) = (self.weights.network.cell, self.weights.network.hidden);
        let lanes = self.w.bias.len();
        let stride = apart::<E>(lanes);
        let alive = |t: usize| {
            let rows = batch.offsets[t + 1] - batch.offsets[t];
            self.rows.1.min(rows) - self.rows.0.min(rows)
        };
        // Then the sums of the last backward have left these lines with another core.
        let shared = self.rows != (0, batch.rows());
        let mut from = 0;
        while from < batch.steps() && alive(from) > 0 {
            let (mut to, mut rows) = (from, 0);
            while to < batch.steps() && (to == from || (rows + alive(to)) * lanes <= CHUNK) {
                rows += alive(to);
                to += 1;
            }
            scratch.resize((rows * stride).max(scratch.len()));
            let mut rest = RowsMut::strided(scratch, rows, lanes, stride);
            self.project_inputs((from, to), rest.reborrow(), &alive);
            for t in from..to {
                let n = alive(t);
                let (mut z, next) = rest.split(n);
                rest = next;
                let (before, after) = states.pair(t);
                let before = before.slice(0, n);
                if columns.width > 0 {
                    let index = self.w.sweep.index;
                    let masks = Masks::of(batch, index, t, self.rows.0, n, hidden);
                    let step = Step {
                        weights: self.weights,
                        w: self.w,
                        columns,
                        masks,
                    };
                    step.forward(z, before, after, saved.step_mut(t), extra.step_mut(t));
                    continue;
                }
                let saved = saved.step_mut(t);
                if shared {
                    expect_writes(&after);
                    expect_writes(&saved);
                }
                let (a, b) = self.w.h_columns;
                product_in_turns(
                    self.weights.level,
                    before.columns(0, hidden),
                    &self.w.recurrent,
                    z.reborrow().columns(a, b),
                    Start::Keep,
                    t % 2 == 1,
                );
                let step = drive::Forward {
                    hidden,
                    drive: z.view(),
                    unit: &self.w.unit,
                    before,
                    after,
                    saved,
                };
                step.run(self.weights.level, kind);
            }
            from = to;
        }
    }

    /// z = W_ih x + b for steps `from..to`, one block of rows after another.
    fn project_inputs(
        &self,
        (from, to): (usize, usize),
        mut z: RowsMut<'_, E>,
        alive: &impl Fn(usize) -> usize,
    ) {
        let (level, w) = (self.weights.level, self.w);
        let (a, b) = w.x_columns;
        for r in 0..z.rows() {
            if a > 0 {
                z.row(r)[..a].copy_from_slice(&w.bias[..a]);
            }
            if b < w.bias.len() {
                z.row(r)[b..].copy_from_slice(&w.bias[b..]);
            }
        }
        let packed = match &w.input {
            InputWeights::Features(packed) => packed,
            InputWeights::Symbols(table) => return self.look_up(table, (from, to), z, alive),
        };
        let (start, width) = (Start::Row(&w.bias[a..b]), packed.k());
        let whole = self.rows == (0, self.batch.rows());
        if !w.sweep.reverse
            && let Some(x) = self.source.blocks(from, to, whole, width)
        {
            return product(level, x, packed, z.columns(a, b), start);
        }
        let mut gathered = Vec::new();
        let mut done = 0;
        for t in from..to {
            let n = alive(t);
            let x = if w.sweep.reverse {
                gathered.clear();
                for r in 0..n {
                    let at = self.batch.lengths[self.rows.0 + r] - 1 - t;
                    let step = self.source.step(at, self.rows, width);
                    gathered.extend_from_slice(step.row(r));
                }
                Rows::new(&gathered, n, width)
            } else {
                self.source.step(t, self.rows, width)
            };
            let (_, rest) = z.reborrow().split(done);
            product(level, x, packed, rest.split(n).0.columns(a, b), start);
            done += n;
        }
    }

    fn look_up(
        &self,
        table: &[E],
        (from, to): (usize, usize),
        mut z: RowsMut<'_, E>,
        alive: &impl Fn(usize) -> usize,
    ) {
        let Source::Symbols(symbols) = self.source else {
            unreachable!("the weights of symbols are for symbols");
        };
        let (a, b) = self.w.x_columns;
        let noise = self.batch.noise.as_ref().map(|n| n.symbols.as_slice());
        let masks = noise.filter(|m| !m.is_empty());
        let mut done = 0;
        for t in from..to {
            for r in 0..alive(t) {
                let p = self.rows.0 + r;
                let at = match self.w.sweep.reverse {
                    true => self.batch.lengths[p] - 1 - t,
                    false => t,
                };
                let symbol = symbols[self.batch.offsets[at] + p] as usize;
                let (to, from) = (
                    &mut z.row(done + r)[a..b],
                    &table[symbol * (b - a)..][..b - a],
                );
                to.copy_from_slice(from);
                if let Some(masks) = masks {
                    let kept = masks[p * self.batch.input().width() + symbol];
                    let bias = &self.w.bias[a..b];
                    to.iter_mut()
                        .zip(bias)
                        .for_each(|(z, &b)| *z = b + kept * (*z - b));
                }
            }
            done += alive(t);
        }
    }
}
