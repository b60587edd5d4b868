//! The sums of backpropagation through time: the gradients of the parameters from δz of every step.
//!
//! ```text
//! ∂L/∂W_hh = Σ_t δz_t h_{t-1}ᵀ     ∂L/∂W_xh = Σ_t δz_t x_tᵀ     ∂L/∂b_h = Σ_t δz_t
//! ∂L/∂W_hy = Σ_t ∂L/∂y_t h_tᵀ      ∂L/∂b_y = Σ_t ∂L/∂y_t
//! ```
//!
//! Threads share the gradients' rows: each sum goes over all steps and rows in the same order, whoever adds it up
//! (`sum.rs`).

use crate::backward::Deltas;
use crate::batch::BatchInput;
use crate::network::Sweep;
use crate::sum::{Place, Sum, is_long};
use crate::trace::Blocks;
use crate::weights::plain_and_gated;
use crate::{Batch, Element, Error, Params, Trace, Weights};
use elman_kernels::{Pick, Rows, RowsMut, SUM_BLOCK, Team};

/// Bytes of δz that all sums take before the next, so that they come from memory once: half of a level-2 cache.
const BLOCK: usize = 512 * 1024;

/// The sums over all steps and rows.
pub(crate) fn add_gradients<E: Element>(
    weights: &Weights<E>,
    trace: &Trace<E>,
    d_outputs: &[E],
    deltas: &mut Deltas<E>,
    gradient: &mut Params<E>,
    team: &Team,
) -> Result<(), Error> {
    let (network, batch) = (&weights.network, &trace.ran_by(weights)?.batch);
    let layout = gradient.layout().clone();
    layout.check(network)?;
    let (sizes, h, total) = (network.cell.sizes(), network.hidden, batch.total());
    let mut slices: Vec<Option<&mut [E]>> = gradient.split_mut().into_iter().map(Some).collect();
    // What the long sums lose, beside the gradients themselves.
    let long = is_long(total);
    deltas.lost.resize(if long { layout.len() } else { 0 });
    let mut lost = layout
        .split_mut(&mut deltas.lost)
        .into_iter()
        .map(Some)
        .collect::<Vec<_>>();
    let mut take = |view: usize| Place {
        out: slices[view].take().unwrap_or(&mut []),
        lost: lost.get_mut(view).and_then(Option::take),
    };
    let nowhere = || Place {
        out: &mut [],
        lost: None,
    };
    let mut sums: Vec<Sum<'_, E>> = Vec::new();

    if let Some((weight, bias)) = layout.readout() {
        let (width, reads) = (trace.output_width, network.directions() * h);
        let d_y = Rows::new(d_outputs, total, width);
        let h = given(
            batch,
            trace,
            network.layers - 1,
            reads,
            network.state_width(),
        );
        sums.push(Sum::outer(d_y, h, Pick::All, take(weight)));
        sums.push(Sum::columns(d_y, take(bias)));
    }
    let kept = kept_symbols(batch);
    let (mut biases, mut shared) = (Vec::new(), Vec::new());
    if let BatchInput::Symbols(symbols, known) = &*batch.input {
        let [forward, reverse] = &mut deltas.by_symbol;
        forward.sort(symbols, *known, Pick::All);
        if network.bidirectional {
            reverse.sort(symbols, *known, Pick::These(&deltas.reversed));
        }
    }
    for (w, swept) in weights.sweeps.iter().zip(&mut deltas.sweeps) {
        let views = layout.sweep(w.sweep);
        let drive = Rows::new(&swept.drive, total, sizes.drive * h);
        let run = &trace.sweeps[w.sweep.index];
        let (plan, extra) = (run.plan, Rows::new(&run.extra, total, run.plan.width));
        let (before, pick) = match (plan.read(false), deltas.previous.is_empty()) {
            (Some(columns), _) => (extra.columns(columns.start, columns.end), Pick::All),
            (None, even) => {
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
        let w_hh = views.w_hh.map_or_else(nowhere, &mut take);
        let (w_plain, w_gated) = w_hh.split_at(plain.len() * h * h);
        for (a, to) in by_lanes(drive, plain, h, w_plain, h) {
            sums.push(Sum::outer(a, before, pick, to));
        }
        let reads = plan.read(true).unwrap_or(0..0);
        for (a, to) in by_lanes(drive, gated, h, w_gated, h) {
            let gated = extra.columns(reads.start, reads.end);
            sums.push(Sum::outer(a, gated, Pick::All, to));
        }
        let pick = match w.sweep.reverse {
            true => Pick::These(&deltas.reversed),
            false => Pick::All,
        };
        let reads = network.reads(w.sweep.layer);
        for (a, to) in by_lanes(drive, sizes.from_x, h, take(views.w_ih), reads) {
            sums.push(match (w.sweep.layer, &*batch.input) {
                (0, BatchInput::Symbols(..)) => Sum::Symbols {
                    out: RowsMut::new(to.out, a.cols(), reads),
                    a,
                    order: &deltas.by_symbol[usize::from(w.sweep.reverse)],
                    kept: &kept,
                },
                (0, BatchInput::Features(x, f)) => Sum::outer(a, Rows::new(x, total, *f), pick, to),
                (layer, _) => {
                    let below = given(batch, trace, layer - 1, reads, network.state_width());
                    Sum::outer(a, below, pick, to)
                }
            });
        }
        swept.sums.fill(E::ZERO);
        let to = both(&mut swept.sums, long);
        let a = match views.gain {
            None => drive,
            Some(view) => {
                let found = Rows::new(&swept.extra, total, 2 * sizes.drive * h);
                let half = sizes.drive * h;
                sums.push(Sum::columns(found.columns(half, 2 * half), take(view)));
                found.columns(0, half)
            }
        };
        sums.push(Sum::columns(a, to));
        let units = Rows::new(&swept.unit, total, sizes.unit * h);
        let learned = views.unit.iter().filter(|_| !network.leak.fixed);
        let own = learned.zip(swept.shared.chunks_exact_mut(2 * h));
        for (u, (&view, summed)) in own.enumerate() {
            let to = match network.leak.shared {
                true => {
                    shared.push((w.sweep.index, u, take(view).out));
                    both(summed, long)
                }
                false => take(view),
            };
            let a = units.columns(u * h, (u + 1) * h);
            sums.push(Sum::columns(a, to));
        }
        for (lanes, view) in [(sizes.from_x, Some(views.b_ih)), (sizes.from_h, views.b_hh)] {
            let to = view.map_or_else(nowhere, &mut take);
            biases.push((w.sweep.index, lanes, to.out));
        }
    }

    // Where so few rows fill the cache, nothing is left there for the next sum.
    let block = match BLOCK / (sizes.drive * h * size_of::<E>()) {
        few if few < SUM_BLOCK => total,
        many => many / SUM_BLOCK * SUM_BLOCK,
    };
    let mut shares: Vec<Vec<Sum<'_, E>>> = (0..team.threads()).map(|_| Vec::new()).collect();
    for sum in sums {
        for (share, part) in shares.iter_mut().zip(sum.split(team.threads())) {
            share.push(part);
        }
    }
    team.each(&mut shares, |share| {
        for from in (0..total).step_by(block) {
            let to = total.min(from + block);
            share
                .iter_mut()
                .for_each(|sum| sum.run(weights.level, from, to));
        }
    });
    drop(shares);
    for (index, u, to) in shared {
        let from = &deltas.sweeps[index].shared[2 * u * h..][..h];
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
    match (&*batch.input, masks) {
        (BatchInput::Symbols(symbols, known), Some(masks)) if !masks.is_empty() => {
            let packing = &batch.packing;
            let rows = (0..packing.steps()).flat_map(|t| 0..packing.alive(t));
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

/// A sum in the first half of a buffer, with what it loses in the second.
fn both<E>(buffer: &mut [E], long: bool) -> Place<'_, E> {
    let (out, lost) = buffer.split_at_mut(buffer.len() / 2);
    let lost = long.then_some(lost);
    Place { out, lost }
}

/// Pairs neighbouring row blocks of a weight's gradient with the columns of δz that they come from.
fn by_lanes<'a, E>(
    drive: Rows<'a, E>,
    lanes: &[usize],
    h: usize,
    weight: Place<'a, E>,
    cols: usize,
) -> Vec<(Rows<'a, E>, Place<'a, E>)> {
    let mut rest = weight;
    let mut pairs = Vec::new();
    for run in lanes.chunk_by(|a, b| a + 1 == *b) {
        let (head, tail) = rest.split_at(run.len() * h * cols);
        rest = tail;
        let columns = drive.columns(run[0] * h, (run[0] + run.len()) * h);
        pairs.push((columns, head));
    }
    pairs
}

/// The contribution of each step to ∂L/∂W_hh of one sweep, from what the last [`backward`](crate::backward) left: δz_t h_{t-1}ᵀ
/// summed over rows (lesson, section 4, step 3). Calls `each` with t, from 0, and the matrix `[gates·H, H]`, or the vector
/// `[H]` where W_hh is one; they add up to the gradient.
pub fn step_contributions<E: Element>(
    weights: &Weights<E>,
    trace: &Trace<E>,
    deltas: &Deltas<E>,
    sweep: Sweep,
    mut each: impl FnMut(usize, &[E]),
) -> Result<(), Error> {
    let ran = trace.ran_by(weights)?;
    let (network, batch) = (&ran.network, &ran.batch);
    let (sizes, h) = (network.cell.sizes(), network.hidden);
    if deltas.of.as_ref().map(|of| of.stamp) != Some(ran.stamp) {
        return Err(Error::Mismatch {
            what: "the deltas",
            why: "they are not of this run: call backward on this trace first".into(),
        });
    }
    let Some((swept, run)) = deltas
        .sweeps
        .get(sweep.index)
        .zip(trace.sweeps.get(sweep.index))
    else {
        return Err(Error::Mismatch {
            what: "the sweep",
            why: format!("the network has no sweep {}", sweep.index),
        });
    };
    let packing = &batch.packing;
    let drive = Blocks::new(&swept.drive, &packing.offsets, sizes.drive * h);
    let states = Blocks::new(&run.states, &packing.state_offsets, network.state_width());
    let extra = Blocks::new(&run.extra, &packing.offsets, run.plan.width);
    if let Some(own) = sizes.unit_names.iter().position(|n| *n == "weight_hh") {
        let unit = Blocks::new(&swept.unit, &packing.offsets, sizes.unit * h);
        let mut vector = vec![E::ZERO; h];
        for t in 0..batch.steps() {
            vector.fill(E::ZERO);
            let d_unit = unit.step(t, (0, batch.rows()));
            let to = Place {
                out: &mut vector,
                lost: None,
            };
            let d_own = d_unit.columns(own * h, (own + 1) * h);
            Sum::columns(d_own, to).run(weights.level, 0, d_own.rows());
            each(t, &vector);
        }
        return Ok(());
    }
    let (plain, gated) = plain_and_gated(&sizes);
    let mut matrix = vec![E::ZERO; sizes.from_h.len() * h * h];
    let all = (0, batch.rows());
    let read = |t: usize, gated: bool| match run.plan.read(gated) {
        Some(columns) => extra.step(t, all).columns(columns.start, columns.end),
        None => states.step(t, all).columns(0, h),
    };
    for t in 0..batch.steps() {
        matrix.fill(E::ZERO);
        let whole = Place {
            out: &mut matrix,
            lost: None,
        };
        let (w_plain, w_gated) = whole.split_at(plain.len() * h * h);
        for (lanes, to, reads_gated) in [(plain, w_plain, false), (gated, w_gated, true)] {
            for (a, to) in by_lanes(drive.step(t, all), lanes, h, to, h) {
                Sum::outer(a, read(t, reads_gated), Pick::All, to).run(weights.level, 0, a.rows());
            }
        }
        each(t, &matrix);
    }
    Ok(())
}
