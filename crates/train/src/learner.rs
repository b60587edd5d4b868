//! What the trainer drives: windows of rows in, a loss and its gradient out.

use crate::follow::follow;
use crate::reach::pick;
use crate::{Config, Error, Loss, Piece, Read, Source, Sum, Target};
use elman_core::{
    Batch, Cotangent, Deltas, Draw, Dropout, Network, Params, Segments, Span, State, Team, Trace,
    Weights, backward, forward,
};
use elman_flow::{Alarm, LightFlow, watch};

/// A window of some rows, the longest row first.
#[derive(Clone, Copy, Debug)]
pub struct Work<'a> {
    /// The epoch it belongs to, from 1.
    pub epoch: usize,
    /// Its batch within the epoch, from 0.
    pub batch: usize,
    /// The rows that reach into it.
    pub rows: &'a [usize],
    /// Its steps.
    pub span: Span,
    /// The state carried into it, of at least as many rows; none at the start of the rows.
    pub state: Option<&'a State<f32>>,
}

impl Work<'_> {
    /// A batch of this work with the masks of dropout and zoneout: the same for the same seed, epoch, batch and window.
    pub fn noisy(
        &self,
        batch: Batch<f32>,
        network: &Network,
        config: &Config,
    ) -> Result<Batch<f32>, Error> {
        let dropout = Dropout {
            between: config.dropout,
            input: config.input_dropout,
            state: config.state_dropout,
        };
        let draw = Draw {
            seed: config.seed,
            epoch: self.epoch as u64,
            batch: self.batch as u64,
            step: self.span.start as u64,
        };
        Ok(batch.with_noise(network, dropout, draw)?)
    }
}

/// What a window taught.
#[derive(Clone, Debug)]
pub struct Lesson {
    /// Its loss; of no count where nothing in it counts, and then there is no gradient.
    pub sum: Sum,
    /// The state to carry into the next window; none for learners that carry none.
    pub state: Option<State<f32>>,
}

/// Something with parameters that learns from rows.
pub trait Learner {
    /// Takes over parameters that have changed.
    fn refresh(&mut self, params: &Params<f32>) -> Result<(), Error>;
    /// The loss of a window and, added to `gradient` (zero before), its gradient.
    fn learn(
        &mut self,
        params: &Params<f32>,
        work: Work<'_>,
        gradient: &mut Params<f32>,
        team: &Team,
    ) -> Result<Lesson, Error>;
    /// The gradient by lag after epoch `epoch`, where this learner can measure it and the configuration asks for it.
    fn flow(&self, _params: &Params<f32>, _epoch: usize) -> Result<Option<LightFlow>, Error> {
        Ok(None)
    }
    /// How many steps back gradients have to reach for the bias that the configuration allows, where this learner can
    /// measure it.
    fn reach(&self, _params: &Params<f32>) -> Result<Option<usize>, Error> {
        Ok(None)
    }
    /// A value of the last window that is not finite or soon will not be, where this learner can find it.
    fn watch(&self) -> Option<Alarm> {
        None
    }
}

/// A recurrent network with a loss on its outputs.
pub struct Recurrent<'a> {
    network: &'a Network,
    config: &'a Config,
    source: &'a dyn Source,
    weights: Weights<f32>,
    passes: Passes,
    d_outputs: Vec<f32>,
    /// The last window, and whether backward has run on it.
    last: Option<(Batch<f32>, bool)>,
}

impl<'a> Recurrent<'a> {
    /// A network with `params` that learns from `source`.
    pub fn new(
        network: &'a Network,
        config: &'a Config,
        source: &'a dyn Source,
        params: &Params<f32>,
    ) -> Result<Recurrent<'a>, Error> {
        Ok(Recurrent {
            network,
            config,
            source,
            weights: Weights::new(network, params)?,
            passes: match config.checkpoint {
                true => Passes::Segments(Segments::new()),
                false => Passes::Whole(Trace::new(), Deltas::new()),
            },
            d_outputs: Vec::new(),
            last: None,
        })
    }
}

impl Learner for Recurrent<'_> {
    fn refresh(&mut self, params: &Params<f32>) -> Result<(), Error> {
        Ok(self.weights.refresh(params)?)
    }
    fn learn(
        &mut self,
        params: &Params<f32>,
        work: Work<'_>,
        gradient: &mut Params<f32>,
        team: &Team,
    ) -> Result<Lesson, Error> {
        let (rows, span) = (work.rows, work.span);
        let before = match work.state {
            Some(state) => state.first(rows.len()),
            None => State::initial(self.network, params, rows.len())?,
        };
        let mut piece = self.source.piece(rows, span.start, span.end)?;
        piece.batch = work.noisy(piece.batch, self.network, self.config)?;
        let batch = &piece.batch;
        let (weights, kept) = (&self.weights, span.keep - span.start);
        self.passes.forward(weights, batch, &before, kept, team)?;
        let (outputs, width) = self.passes.outputs();
        self.d_outputs.resize(outputs.len(), 0.0);
        let skipped = span.counted - span.start;
        let (loss, d_outputs) = (self.config.loss, &mut self.d_outputs);
        let sum = piece.loss(loss, outputs, width, skipped, d_outputs)?;
        let lesson = Lesson {
            sum,
            state: self.passes.state_after(kept)?,
        };
        if sum.count == 0.0 || !sum.loss.is_finite() {
            self.last = Some((piece.batch, false));
            return Ok(lesson);
        }
        let cotangent = Cotangent {
            outputs: &self.d_outputs,
            state: None,
        };
        let passes = &mut self.passes;
        let before = passes.backward(weights, cotangent, gradient, team)?;
        if self.network.learned_state && span.start == 0 {
            before.add_to_learned(self.network, |_| true, gradient)?;
        }
        self.last = Some((piece.batch, true));
        Ok(lesson)
    }
    fn flow(&self, params: &Params<f32>, epoch: usize) -> Result<Option<LightFlow>, Error> {
        follow(self.network, params, self.config, self.source, epoch)
    }
    fn reach(&self, params: &Params<f32>) -> Result<Option<usize>, Error> {
        pick(self.network, params, self.config, self.source).map(Some)
    }
    fn watch(&self) -> Option<Alarm> {
        let (batch, backed) = self.last.as_ref()?;
        match &self.passes {
            Passes::Whole(trace, deltas) => {
                watch(self.network, batch, trace, backed.then_some(deltas))
            }
            // Most steps are forgotten.
            Passes::Segments(_) => None,
        }
    }
}

/// Forward and backward: all steps at once, or in segments of which only the states between are kept.
enum Passes {
    Whole(Trace<f32>, Deltas<f32>),
    Segments(Segments<f32>),
}

impl Passes {
    fn forward(
        &mut self,
        weights: &Weights<f32>,
        batch: &Batch<f32>,
        before: &State<f32>,
        kept: usize,
        team: &Team,
    ) -> Result<(), Error> {
        match self {
            Passes::Whole(trace, _) => forward(weights, batch, before, trace, team)?,
            Passes::Segments(all) => all.forward(weights, batch, before, kept, team)?,
        }
        Ok(())
    }
    /// The outputs, and how many there are in a step of a row.
    fn outputs(&self) -> (&[f32], usize) {
        match self {
            Passes::Whole(trace, _) => (trace.outputs(), trace.output_width()),
            Passes::Segments(all) => (all.outputs(), all.output_width()),
        }
    }
    fn state_after(&self, kept: usize) -> Result<Option<State<f32>>, Error> {
        match self {
            Passes::Whole(trace, _) => Ok(Some(trace.state_after(kept)?)),
            Passes::Segments(all) => Ok(all.state_after(kept)),
        }
    }
    /// Adds to `gradient`; gives the gradient of the state before.
    fn backward(
        &mut self,
        weights: &Weights<f32>,
        cotangent: Cotangent<'_, f32>,
        gradient: &mut Params<f32>,
        team: &Team,
    ) -> Result<State<f32>, Error> {
        Ok(match self {
            Passes::Whole(trace, deltas) => {
                backward(weights, trace, cotangent, deltas, Some(gradient), team)?;
                deltas.state_before()?
            }
            Passes::Segments(all) => all.backward(weights, cotangent, Some(gradient), team)?,
        })
    }
}

impl Piece {
    /// The loss of `outputs` `[Σ B_t, width]` without the first `skipped` steps, and its gradient. The longest row must
    /// be the first.
    pub fn loss(
        &self,
        loss: Loss,
        outputs: &[f32],
        width: usize,
        skipped: usize,
        d_outputs: &mut [f32],
    ) -> Result<Sum, Error> {
        if self.read == Read::Mean {
            return self.mean_loss(loss, outputs, width, d_outputs);
        }
        let batch = &self.batch;
        let all = || vec![1.0; batch.total()];
        let mut counted = self.counted.clone().unwrap_or_else(all);
        let first = batch.at(skipped.min(batch.steps()), 0);
        // Packed step by step: everything before the first counted step stands first.
        let uncounted = match skipped {
            0 => 0,
            _ => first.unwrap_or(batch.total()).min(batch.total()),
        };
        counted[..uncounted].fill(0.0);
        loss.evaluate(outputs, width, &self.target, &counted, d_outputs)
    }

    /// Row by row, the mean of `outputs` `[Σ B_t, width]` over the row's steps: `[B, width]`, in the caller's order.
    pub(crate) fn means(&self, outputs: &[f32], width: usize) -> Vec<f32> {
        let batch = &self.batch;
        let mut means = vec![0.0f32; batch.rows() * width];
        for (row, mean) in means.chunks_exact_mut(width).enumerate() {
            let steps = batch.length(row);
            for at in (0..steps).filter_map(|t| batch.at(t, row)) {
                let y = &outputs[at * width..][..width];
                mean.iter_mut().zip(y).for_each(|(m, y)| *m += y);
            }
            mean.iter_mut().for_each(|m| *m /= steps as f32);
        }
        means
    }

    /// The loss of the rows' mean outputs, whose targets stand at the rows' last steps.
    fn mean_loss(
        &self,
        loss: Loss,
        outputs: &[f32],
        width: usize,
        d_outputs: &mut [f32],
    ) -> Result<Sum, Error> {
        let batch = &self.batch;
        let means = self.means(outputs, width);
        let mut d_means = vec![0.0; means.len()];
        let counted = vec![1.0; batch.rows()];
        let sum = loss.evaluate(&means, width, &self.row_targets(), &counted, &mut d_means)?;
        for (row, d_mean) in d_means.chunks_exact(width).enumerate() {
            let steps = batch.length(row);
            for at in (0..steps).filter_map(|t| batch.at(t, row)) {
                let d = &mut d_outputs[at * width..][..width];
                d.iter_mut()
                    .zip(d_mean)
                    .for_each(|(d, m)| *d = m / steps as f32);
            }
        }
        Ok(sum)
    }

    /// The targets at the rows' last steps, in the caller's order.
    pub(crate) fn row_targets(&self) -> Target {
        let batch = &self.batch;
        let lasts = (0..batch.rows()).filter_map(|r| batch.at(batch.length(r) - 1, r));
        match &self.target {
            Target::Classes(classes) => Target::Classes(lasts.map(|at| classes[at]).collect()),
            Target::Numbers(numbers) => {
                let width = numbers.len() / batch.total();
                let numbers = lasts.flat_map(|at| &numbers[at * width..][..width]);
                Target::Numbers(numbers.copied().collect())
            }
        }
    }
}
