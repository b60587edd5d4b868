//! The sums of backpropagation through time: the gradients of the parameters from δz of every step.
//!
//! ```text
//! ∂L/∂W_hh = Σ_t δz_t h_{t-1}ᵀ     ∂L/∂W_xh = Σ_t δz_t x_tᵀ     ∂L/∂b_h = Σ_t δz_t
//! ∂L/∂W_hy = Σ_t ∂L/∂y_t h_tᵀ      ∂L/∂b_y = Σ_t ∂L/∂y_t
//! ```
//!
//! Threads share the gradients' rows: each sum is one chain over all steps and rows, whoever adds it up.

use crate::backward::Deltas;
use crate::batch::BatchInput;
use crate::network::Sweep;
use crate::trace::Blocks;
use crate::weights::plain_and_gated;
use crate::{Batch, Element, Error, Params, Trace, Weights};
use elman_kernels::{Level, Pick, Rows, RowsMut, Team, column_sum_add, outer_add};

/// Bytes of δz that all sums take before the next, so that they come from memory once: half of a level-2 cache.
const BLOCK: usize = 512 * 1024;
/// The kernels take as many summands at once; with fewer, outputs would be loaded and stored more often.
const FEWEST: usize = 256;

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
    /// Adds the summands `from..to`. Those of symbols are all added with the first.
    fn run(&mut self, level: Level, from: usize, to: usize) {
        match self {
            Sum::Outer { a, b, pick, out } => {
                let a = a.slice(from, to);
                match pick {
                    Pick::All => outer_add(level, a, b.slice(from, to), Pick::All, out.reborrow()),
                    Pick::These(these) => {
                        let pick = Pick::These(&these[from..to]);
                        outer_add(level, a, *b, pick, out.reborrow());
                    }
                }
            }
            Sum::Columns { a, out } => column_sum_add(level, a.slice(from, to), out),
            Sum::Symbols { .. } if from > 0 => {}
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
pub(crate) fn add_gradients<E: Element>(
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

    // Where so few rows fill the cache, nothing is left there for the next sum.
    let block = match BLOCK / (sizes.drive * h * size_of::<E>()) {
        few if few < FEWEST => total,
        many => many / FEWEST * FEWEST,
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

/// The contribution of each step to ∂L/∂W_hh of one sweep, from what the last [`backward`](crate::backward) left: δz_t h_{t-1}ᵀ
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
