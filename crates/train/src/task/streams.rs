//! Long rows run a few hundred steps at a time, the state carried: memory grows with the piece, not with the rows.

use crate::{Error, Loss, Source, Sum};
use elman_core::{Batch, Team, Trace, Weights, forward};

/// Steps that are run at once.
const PIECE: usize = 256;

/// The loss over all rows of a source, side by side, each from the initial state. Rows must not grow longer:
/// row r + 1 has at most the length of row r.
pub(crate) fn loss(
    source: &dyn Source,
    loss: Loss,
    weights: &Weights<f32>,
    team: &Team,
) -> Result<Sum, Error> {
    let lengths = source.lengths();
    let rows: Vec<usize> = (0..lengths.len()).collect();
    let (mut trace, mut spare, mut sum) = (Trace::new(), Vec::new(), Sum::default());
    let mut state = weights.initial_state(rows.len());
    for from in (0..lengths[0]).step_by(PIECE) {
        let alive = lengths.iter().filter(|&&l| l > from).count();
        let piece = source.piece(&rows[..alive], from, from + PIECE)?;
        forward(weights, &piece.batch, &state.first(alive), &mut trace, team)?;
        state = trace.final_state()?;
        spare.resize(trace.outputs().len(), 0.0);
        let counted = piece
            .counted
            .unwrap_or_else(|| vec![1.0; piece.batch.total()]);
        let width = trace.output_width();
        let part = loss.evaluate(trace.outputs(), width, &piece.target, &counted, &mut spare)?;
        sum.add(part);
    }
    Ok(sum)
}

/// Runs one long row of features `[T, F]`, and calls `each` with every step's output.
pub(crate) fn run(
    weights: &Weights<f32>,
    x: &[f32],
    team: &Team,
    mut each: impl FnMut(usize, &[f32]),
) -> Result<(), Error> {
    let width = weights.network().input.width();
    let mut trace = Trace::new();
    let mut state = weights.initial_state(1);
    let mut step = 0;
    for part in x.chunks(PIECE * width) {
        let batch = Batch::features(part, [part.len() / width, 1, width], None)?;
        forward(weights, &batch, &state, &mut trace, team)?;
        state = trace.final_state()?;
        for y in trace.outputs().chunks_exact(trace.output_width()) {
            each(step, y);
            step += 1;
        }
    }
    Ok(())
}
