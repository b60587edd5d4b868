//! Everything that the next step of training depends on.

use crate::{Optimiser, Rate, Sum};
use elman_core::{Params, State};
use elman_flow::LightFlow;
use serde::{Deserialize, Serialize};

/// A run so far. Saved whole in a checkpoint, and restored to the same bits.
#[derive(Clone, Debug)]
pub struct Progress {
    /// The parameters of the last step.
    pub params: Params<f32>,
    /// Those with the lowest validation loss after any epoch, or the last where nothing is validated; before the first
    /// epoch, the initial ones.
    pub best: Params<f32>,
    /// Their validation loss; infinite where there is none.
    pub best_loss: f64,
    /// The epoch they are of, from 1; 0 before the first.
    pub best_epoch: usize,
    /// The optimiser with its moments.
    pub optimiser: Optimiser<f32>,
    /// The schedule of the learning rate.
    pub rate: Rate,
    /// Epochs made.
    pub epochs: Vec<Epoch>,
    /// The epoch under way.
    pub running: Running,
}

/// One epoch, a line of `metrics.jsonl`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// From 1.
    pub epoch: usize,
    /// Mean loss per counted number, while the weights changed.
    pub train_loss: f64,
    /// Mean loss on the validation part after it; none where there is no such part.
    pub validation_loss: Option<f64>,
    /// Median norm of the gradient before clipping.
    pub gradient_norm: f64,
    /// Largest norm of the gradient before clipping.
    pub gradient_norm_max: f64,
    /// Share of the steps that were clipped.
    pub clipped: f64,
    /// Learning rate of its last step.
    pub learning_rate: f64,
    /// Optimiser's steps per second.
    pub steps_per_second: f64,
    /// Whether its weights are the best so far.
    pub best: bool,
    /// Steps that each loss reached back at least, where `--window auto` picked them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<usize>,
    /// The gradient by lag after it, in epochs in which it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flow: Option<LightFlow>,
}

/// An epoch under way.
#[derive(Clone, Debug, Default)]
pub struct Running {
    /// The batch that comes next.
    pub batch: usize,
    /// The window of that batch that comes next.
    pub span: usize,
    /// Steps made.
    pub steps: usize,
    /// The state carried into that window.
    pub state: Option<State<f32>>,
    /// Loss so far.
    pub sum: Sum,
    /// Norms of the gradient before clipping.
    pub norms: Vec<f64>,
    /// Steps that were clipped.
    pub clipped: usize,
    /// Steps that each loss reaches back at least, where `--window auto` picked them.
    pub window: Option<usize>,
    /// Whether a value that is about to break was told of in this epoch.
    pub warned: bool,
}

impl Progress {
    pub(crate) fn new(params: Params<f32>, optimiser: Optimiser<f32>, rate: Rate) -> Progress {
        Progress {
            best: params.clone(),
            params,
            best_loss: f64::INFINITY,
            best_epoch: 0,
            optimiser,
            rate,
            epochs: Vec::new(),
            running: Running::default(),
        }
    }
}

impl Running {
    pub(crate) fn next_batch(&mut self) {
        (self.batch, self.span, self.state) = (self.batch + 1, 0, None);
    }
    pub(crate) fn saw(&mut self, sum: Sum, norm: f64, limit: f64) {
        self.sum.add(sum);
        self.norms.push(norm);
        self.clipped += usize::from(limit > 0.0 && norm > limit);
    }
    pub(crate) fn ended(
        mut self,
        epoch: usize,
        validation_loss: Option<f64>,
        learning_rate: f64,
        steps_per_second: f64,
        best: bool,
        flow: Option<LightFlow>,
    ) -> Epoch {
        self.norms.sort_by(f64::total_cmp);
        let n = self.norms.len();
        Epoch {
            epoch,
            train_loss: self.sum.mean(),
            validation_loss,
            gradient_norm: self.norms.get(n / 2).copied().unwrap_or(0.0),
            gradient_norm_max: self.norms.last().copied().unwrap_or(0.0),
            clipped: self.clipped as f64 / n.max(1) as f64,
            learning_rate,
            steps_per_second,
            best,
            window: self.window,
            flow,
        }
    }
}
