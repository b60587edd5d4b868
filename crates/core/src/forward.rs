//! Forward: from inputs to outputs, leaving a trace.
//!
//! For each layer: z_t = W_xh x_t + b for several steps at once, where rows are contiguous; then step by step
//! z_t += W_hh h_{t-1} and the cell's own arithmetic. Threads share rows, not steps: each runs its rows through
//! all layers and steps, and meets the others once, at the end.

use crate::batch::BatchInput;
use crate::shares::Shares;
use crate::step::{Masks, Step, StepPlan};
use crate::trace::{Blocks, SweepTrace};
use crate::weights::{InputWeights, SweepWeights};
use crate::{Batch, Element, Error, State, Trace, Weights};
use elman_kernels::{Buffer, Rows, RowsMut, Start, StepsMut, Team, expect_writes, product};

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
    let shares = Shares::of(&batch.packing, team.threads());
    trace.prepare(weights, batch, state, shares.count())?;
    let plan = trace.ran()?.plan;
    let pass = Pass {
        weights,
        batch,
        plan,
    };
    let mut shards = shards(weights, &shares, trace);
    team.each(&mut shards, |shard| shard.run(pass));
    Ok(())
}

/// What all shards run.
#[derive(Clone, Copy)]
struct Pass<'s, E> {
    weights: &'s Weights<E>,
    batch: &'s Batch<E>,
    plan: StepPlan,
}

/// Some rows of a batch and their part of every buffer.
struct Shard<'a, E> {
    rows: (usize, usize),
    sweeps: Vec<SweepRows<'a, E>>,
    joined: Vec<StepsMut<'a, E>>,
    /// None where the states are the outputs.
    outputs: Option<StepsMut<'a, E>>,
    scratch: &'a mut Buffer<E>,
}

/// Their part of one sweep's trace.
struct SweepRows<'a, E> {
    states: StepsMut<'a, E>,
    saved: StepsMut<'a, E>,
    extra: StepsMut<'a, E>,
}

fn shards<'a, E: Element>(
    weights: &Weights<E>,
    shares: &Shares<'a>,
    trace: &'a mut Trace<E>,
) -> Vec<Shard<'a, E>> {
    let network = &weights.network;
    let (sizes, h) = (network.cell.sizes(), network.hidden);
    let sweeps = trace.sweeps.iter_mut().map(|sweep| {
        let SweepTrace {
            states,
            saved,
            extra,
            plan,
            ..
        } = sweep;
        let states = shares.cut_states(states, sizes.state * h).into_iter();
        let saved = shares.cut(saved, sizes.saved * h);
        let extra = shares.cut(extra, plan.width);
        let rest = saved.into_iter().zip(extra);
        let each = states.zip(rest).map(|(states, (saved, extra))| SweepRows {
            states,
            saved,
            extra,
        });
        each.collect()
    });
    let sweeps = shares.deal(sweeps);
    let width = network.directions() * h;
    let joined = shares.deal(trace.joined.iter_mut().map(|j| shares.cut(j, width)));
    let outputs = match trace.shown {
        None => shares.cut(&mut trace.outputs, trace.output_width),
        Some(_) => Vec::new(),
    };
    let mut outputs = outputs.into_iter();
    let parts = sweeps.into_iter().zip(joined).zip(&mut trace.scratch);
    let shard = |(rows, ((sweeps, joined), scratch))| Shard {
        rows,
        sweeps,
        joined,
        outputs: outputs.next(),
        scratch,
    };
    shares.rows().zip(parts).map(shard).collect()
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
    fn run(&mut self, pass: Pass<'_, E>) {
        let (weights, batch) = (pass.weights, pass.batch);
        let network = &weights.network;
        let d = network.directions();
        for layer in 0..network.layers {
            let (done, rest) = self.sweeps.split_at_mut(layer * d);
            let source = match (layer, &*batch.input) {
                (0, BatchInput::Features(x, f)) => {
                    Source::Features(Blocks::new(x, &batch.packing.offsets, *f))
                }
                (0, BatchInput::Symbols(x, _)) => Source::Symbols(x),
                _ if !self.joined.is_empty() => Source::Below(&self.joined[layer - 1], 0),
                _ => Source::Below(&done[layer - 1].states, 1),
            };
            let sweeps = &weights.sweeps[layer * d..][..d];
            for (w, buffers) in sweeps.iter().zip(&mut rest[..d]) {
                let run = SweepRun {
                    pass,
                    w,
                    rows: self.rows,
                    source: &source,
                };
                run.run(buffers, self.scratch);
            }
            if let Some(joined) = self.joined.get_mut(layer) {
                let directions = sweeps.iter().zip(&rest[..d]);
                join(batch, self.rows, network.hidden, directions, joined);
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
            None => (&self.sweeps[network.layers - 1].states, 1),
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
fn join<'s, 'a: 's, E: Element>(
    batch: &Batch<E>,
    (first, _): (usize, usize),
    hidden: usize,
    directions: impl Iterator<Item = (&'s SweepWeights<E>, &'s SweepRows<'a, E>)> + Clone,
    joined: &mut StepsMut<'_, E>,
) {
    for t in 0..batch.steps() {
        let mut to = joined.step_mut(t);
        for r in 0..to.rows() {
            let mut rest = to.row(r);
            for (w, buffers) in directions.clone() {
                let at = batch.packing.visited(w.sweep, t, first + r);
                let (own, more) = rest.split_at_mut(hidden);
                own.copy_from_slice(&buffers.states.step(at + 1).row(r)[..hidden]);
                rest = more;
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
        let mask = Blocks::new(mask, &batch.packing.offsets, to.cols()).step(t, rows);
        for r in 0..to.rows() {
            let numbers = to.row(r).iter_mut();
            numbers.zip(mask.row(r)).for_each(|(x, &m)| *x *= m);
        }
    }
}

/// One sweep over the rows of one shard.
struct SweepRun<'s, 'a, E> {
    pass: Pass<'s, E>,
    w: &'s SweepWeights<E>,
    rows: (usize, usize),
    source: &'s Source<'s, 'a, E>,
}

impl<E: Element> SweepRun<'_, '_, E> {
    fn run(&self, buffers: &mut SweepRows<'_, E>, scratch: &mut Buffer<E>) {
        let Pass {
            weights,
            batch,
            plan,
        } = self.pass;
        let hidden = weights.network.hidden;
        let lanes = self.w.bias.len();
        let stride = apart::<E>(lanes);
        // Then another core still holds these cache lines dirty, from the sums of the last backward.
        let shared = self.rows != (0, batch.rows());
        let mut from = 0;
        while from < batch.steps() && self.alive(from) > 0 {
            let (mut to, mut rows) = (from, 0);
            while to < batch.steps() && (to == from || (rows + self.alive(to)) * lanes <= CHUNK) {
                rows += self.alive(to);
                to += 1;
            }
            scratch.resize((rows * stride).max(scratch.len()));
            let mut rest = RowsMut::strided(scratch, rows, lanes, stride);
            self.project_inputs((from, to), rest.reborrow());
            for t in from..to {
                let n = self.alive(t);
                let (z, next) = rest.split(n);
                rest = next;
                let (before, after) = buffers.states.pair(t);
                let saved = buffers.saved.step_mut(t);
                if shared {
                    expect_writes(&after);
                    expect_writes(&saved);
                }
                let step = Step {
                    weights,
                    w: self.w,
                    plan,
                    masks: Masks::of(batch, self.w.sweep, t, (self.rows.0, n), hidden),
                    turned: t % 2 == 1,
                };
                let extra = buffers.extra.step_mut(t);
                step.forward(z, before.slice(0, n), after, saved, extra);
            }
            from = to;
        }
    }
    /// Rows of this shard that are alive at step `t`.
    fn alive(&self, t: usize) -> usize {
        let rows = self.pass.batch.packing.alive(t);
        self.rows.1.min(rows) - self.rows.0.min(rows)
    }

    /// z = W_ih x + b for steps `from..to`, one block of rows after another.
    fn project_inputs(&self, (from, to): (usize, usize), mut z: RowsMut<'_, E>) {
        let Pass { weights, batch, .. } = self.pass;
        let (level, w) = (weights.level, self.w);
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
            InputWeights::Symbols(table) => return self.look_up(table, (from, to), z),
        };
        let (start, width) = (Start::Row(&w.bias[a..b]), packed.k());
        let whole = self.rows == (0, batch.rows());
        if !w.sweep.reverse
            && let Some(x) = self.source.blocks(from, to, whole, width)
        {
            return product(level, x, packed, z.columns(a, b), start);
        }
        let mut gathered = Vec::new();
        let mut done = 0;
        for t in from..to {
            let n = self.alive(t);
            let x = if w.sweep.reverse {
                gathered.clear();
                for r in 0..n {
                    let at = batch.packing.visited(w.sweep, t, self.rows.0 + r);
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

    fn look_up(&self, table: &[E], (from, to): (usize, usize), mut z: RowsMut<'_, E>) {
        let Source::Symbols(symbols) = self.source else {
            unreachable!("the weights of symbols are for symbols");
        };
        let batch = self.pass.batch;
        let (a, b) = self.w.x_columns;
        let noise = batch.noise.as_ref().map(|n| n.symbols.as_slice());
        let masks = noise.filter(|m| !m.is_empty());
        let mut done = 0;
        for t in from..to {
            for r in 0..self.alive(t) {
                let p = self.rows.0 + r;
                let at = batch.packing.visited(self.w.sweep, t, p);
                let symbol = symbols[batch.packing.offsets[at] + p] as usize;
                let (to, from) = (
                    &mut z.row(done + r)[a..b],
                    &table[symbol * (b - a)..][..b - a],
                );
                to.copy_from_slice(from);
                if let Some(masks) = masks {
                    let kept = masks[p * batch.input().width() + symbol];
                    let bias = &self.w.bias[a..b];
                    to.iter_mut()
                        .zip(bias)
                        .for_each(|(z, &b)| *z = b + kept * (*z - b));
                }
            }
            done += self.alive(t);
        }
    }
}
