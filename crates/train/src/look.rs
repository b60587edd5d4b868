//! Which steps of long rows are looked at: a few hundred, up to a step that has a loss. The state is carried to their
//! first step in chunks, so that memory grows with the steps that are looked at and not with the rows.

use crate::{Config, Error, Piece, Read, Source, Sum, Target};
use elman_core::{Batch, Input, Network, Params, State, Team, Trace, Weights, forward};
use serde::Serialize;

/// Steps that are read at once on the way to those that are looked at.
const CHUNK: usize = 256;

/// Steps `from..to` of a row of `of` steps; a loss stands at the last of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Looked {
    /// The row of the source.
    pub row: usize,
    /// The first step, from 0.
    pub from: usize,
    /// One past the last.
    pub to: usize,
    /// Steps of the whole row.
    pub of: usize,
}

/// Up to `rows` rows that have a loss, evenly chosen, the longest first, and up to `steps` steps of each.
pub(crate) fn look(
    source: &dyn Source,
    burn_in: usize,
    rows: usize,
    steps: usize,
) -> Result<Vec<Looked>, Error> {
    let all = source.lengths().len();
    let count = rows.clamp(1, all.max(1));
    let mut looked = Vec::with_capacity(count);
    for i in 0..count {
        // Where a row has no loss, the next one that has, before the next one's turn.
        for row in i * all / count..(i + 1) * all / count {
            if let Some(one) = in_row(source, burn_in, row, steps.max(2))? {
                looked.push(one);
                break;
            }
        }
    }
    looked.sort_by_key(|l| std::cmp::Reverse(l.of));
    Ok(looked)
}

/// Up to the first loss that has enough steps before it, else up to the last loss; `None` where the row has none.
fn in_row(
    source: &dyn Source,
    burn_in: usize,
    row: usize,
    steps: usize,
) -> Result<Option<Looked>, Error> {
    let of = source.lengths()[row];
    let up_to = |to: usize| {
        let from = to.saturating_sub(steps);
        Some(Looked { row, from, to, of })
    };
    let enough = steps.min(of).saturating_sub(1);
    let mut from = enough;
    while from < of {
        let to = of.min(from + CHUNK);
        let piece = source.piece(&[row], from, to)?;
        if piece.read == Read::Mean {
            // Every step has its share; the answer stands at the last.
            return Ok(up_to(of));
        }
        if let Some(i) = (from..to).position(|t| counts(&piece, t, from, burn_in)) {
            return Ok(up_to(from + i + 1));
        }
        from = to;
    }
    let mut to = enough;
    while to > 0 {
        let from = to.saturating_sub(CHUNK);
        let piece = source.piece(&[row], from, to)?;
        if let Some(i) = (from..to).rposition(|t| counts(&piece, t, from, burn_in)) {
            return Ok(up_to(from + i + 1));
        }
        to = from;
    }
    Ok(None)
}

/// Whether step `t` of the one row of a piece that begins at `from` has a loss.
fn counts(piece: &Piece, t: usize, from: usize, burn_in: usize) -> bool {
    let counted = piece.counted.as_ref();
    t >= burn_in && counted.is_none_or(|c| c.get(t - from).is_some_and(|&c| c > 0.0))
}

/// Some steps of some rows of a source, run.
pub(crate) struct Rows {
    pub piece: Piece,
    /// Before the first step that is looked at.
    pub state: State<f32>,
    /// ∂L/∂y of the mean loss.
    pub d_outputs: Vec<f32>,
    /// The loss.
    pub sum: Sum,
}

impl Rows {
    /// Runs what is looked at, of which there must be something, in a network that reads forwards.
    pub fn run(
        network: &Network,
        params: &Params<f32>,
        config: &Config,
        source: &dyn Source,
        looked: &[Looked],
    ) -> Result<Rows, Error> {
        if network.bidirectional || looked.is_empty() {
            let text = "rows without a loss, or of a network that reads from both ends, were to be looked at";
            return Err(Error::Internal(text.into()));
        }
        let weights = Weights::new(network, params)?;
        let before = Before::of(params, &weights, source, looked)?;
        let piece = join(source, looked, config.burn_in)?;
        let mut trace = Trace::new();
        forward(
            &weights,
            &piece.batch,
            &before.state,
            &mut trace,
            &Team::new(1),
        )?;
        let (y, width) = (trace.outputs(), trace.output_width());
        let mut d_outputs = vec![0.0; y.len()];
        let sum = match piece.read {
            Read::Mean => before.mean_loss(&piece, config, looked, (y, width), &mut d_outputs)?,
            Read::Last => {
                let all = || vec![1.0; piece.batch.total()];
                let counted = piece.counted.clone().unwrap_or_else(all);
                let loss = config.loss;
                loss.evaluate(y, width, &piece.target, &counted, &mut d_outputs)?
            }
        };
        Ok(Rows {
            piece,
            state: before.state,
            d_outputs,
            sum,
        })
    }
}

/// What lies before the steps that are looked at.
struct Before {
    state: State<f32>,
    /// For each row, the sum of its outputs there.
    sums: Vec<Vec<f32>>,
}

impl Before {
    fn of(
        params: &Params<f32>,
        weights: &Weights<f32>,
        source: &dyn Source,
        looked: &[Looked],
    ) -> Result<Before, Error> {
        let network = weights.network();
        let (mut trace, team) = (Trace::new(), Team::new(1));
        let mut before = Before {
            state: State::initial(network, params, looked.len())?,
            sums: vec![vec![0.0; network.output_width()]; looked.len()],
        };
        let mut waiting: Vec<usize> = (0..looked.len()).collect();
        let mut step = 0;
        loop {
            waiting.retain(|&i| looked[i].from > step);
            let Some(next) = waiting.iter().map(|&i| looked[i].from).min() else {
                return Ok(before);
            };
            let end = next.min(step + CHUNK);
            let rows: Vec<usize> = waiting.iter().map(|&i| looked[i].row).collect();
            let batch = source.piece(&rows, step, end)?.batch;
            let state = before.state.select(&waiting);
            forward(weights, &batch, &state, &mut trace, &team)?;
            let after = trace.final_state()?;
            for (from, &to) in waiting.iter().enumerate() {
                for sweep in 0..network.layers {
                    let row = before.state.row_mut(sweep, to);
                    row.copy_from_slice(after.row(sweep, from));
                }
                let outputs = (0..batch.steps()).filter_map(|t| trace.output(t, from));
                outputs.for_each(|y| add(&mut before.sums[to], y));
            }
            step = end;
        }
    }

    /// The loss of the mean over all steps of each row, which end with those looked at.
    fn mean_loss(
        &self,
        piece: &Piece,
        config: &Config,
        looked: &[Looked],
        (outputs, width): (&[f32], usize),
        d_outputs: &mut [f32],
    ) -> Result<Sum, Error> {
        let batch = &piece.batch;
        let places = |row: usize| (0..batch.length(row)).filter_map(move |t| batch.at(t, row));
        let mut means = self.sums.clone();
        for (row, mean) in means.iter_mut().enumerate() {
            places(row).for_each(|at| add(mean, &outputs[at * width..][..width]));
            mean.iter_mut().for_each(|m| *m /= looked[row].of as f32);
        }
        let (means, counted) = (means.concat(), vec![1.0; looked.len()]);
        let mut d_means = vec![0.0; means.len()];
        let targets = piece.row_targets();
        let sum = config
            .loss
            .evaluate(&means, width, &targets, &counted, &mut d_means)?;
        for (row, d_mean) in d_means.chunks_exact(width).enumerate() {
            for at in places(row) {
                let d = d_outputs[at * width..][..width].iter_mut();
                d.zip(d_mean)
                    .for_each(|(d, m)| *d = m / looked[row].of as f32);
            }
        }
        Ok(sum)
    }
}

fn add(sum: &mut [f32], y: &[f32]) {
    sum.iter_mut().zip(y).for_each(|(s, y)| *s += y);
}

/// The steps that are looked at as one piece, each row's from its own first; steps of the burn-in count in no loss.
fn join(source: &dyn Source, looked: &[Looked], burn_in: usize) -> Result<Piece, Error> {
    let pieces: Vec<Piece> = looked
        .iter()
        .map(|l| source.piece(&[l.row], l.from, l.to))
        .collect::<Result<_, _>>()?;
    let first = pieces
        .first()
        .ok_or_else(|| Error::Internal("no row to join".into()))?;
    let lengths: Vec<usize> = looked.iter().map(|l| l.to - l.from).collect();
    let (steps, n) = (lengths.iter().copied().max().unwrap_or(0), pieces.len());
    let batch = match first.batch.input() {
        Input::Features(width) => {
            let x = |t: usize, row: usize| pieces[row].batch.x(t, 0).unwrap_or_default();
            Batch::of_rows(x, [steps, n, width], Some(&lengths))?
        }
        Input::Symbols(known) => {
            let x = |at: usize| pieces[at % n].batch.symbol(at / n, 0).unwrap_or(0);
            let x: Vec<u32> = (0..steps * n).map(x).collect();
            Batch::symbols(&x, [steps, n], known, Some(&lengths))?
        }
    };
    // A piece of one row is packed in the order of time.
    let places = || (0..steps * n).map(|at| (at / n, at % n));
    let target = match &first.target {
        Target::Classes(_) => {
            let class = |(t, row): (usize, usize)| match &pieces[row].target {
                Target::Classes(all) => all.get(t).copied().unwrap_or(0),
                Target::Numbers(_) => 0,
            };
            Target::Classes(batch.pack(&places().map(class).collect::<Vec<u32>>(), 1)?)
        }
        Target::Numbers(all) => {
            let width = all.len() / first.batch.total().max(1);
            let mut padded = vec![0.0; steps * n * width];
            for ((t, row), to) in places().zip(padded.chunks_exact_mut(width.max(1))) {
                if let Target::Numbers(all) = &pieces[row].target
                    && let Some(from) = all.get(t * width..(t + 1) * width)
                {
                    to.copy_from_slice(from);
                }
            }
            Target::Numbers(batch.pack(&padded, width)?)
        }
    };
    let burn_in = if first.read == Read::Mean { 0 } else { burn_in };
    let counted = |(t, row): (usize, usize)| {
        let from = looked[row].from;
        f32::from(u8::from(counts(&pieces[row], from + t, from, burn_in)))
    };
    let counted: Vec<f32> = places().map(counted).collect();
    Ok(Piece {
        counted: Some(batch.pack(&counted, 1)?),
        target,
        read: first.read,
        batch,
    })
}
