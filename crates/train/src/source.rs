//! What a trainer needs of data: rows of sequences, a few steps at a time.

use crate::{Error, Target};
use elman_core::Batch;
use serde::{Deserialize, Serialize};

/// The rows that a network learns from.
pub trait Source: Sync {
    /// The length of every row, in steps.
    fn lengths(&self) -> &[usize];
    /// Whether all rows run side by side from start to end (streams of one text), instead of being shuffled into
    /// batches.
    fn streams(&self) -> bool {
        false
    }
    /// Steps `from..to` of some rows (as far as they go; each has at least one step there).
    fn piece(&self, rows: &[usize], from: usize, to: usize) -> Result<Piece, Error>;
}

/// Some steps of some rows, and what the network should have said.
#[derive(Clone, Debug)]
pub struct Piece {
    /// The inputs.
    pub batch: Batch<f32>,
    /// Packed like the batch's outputs.
    pub target: Target,
    /// 1 for steps with a target, 0 for those without, packed `[Σ B_t]`; none where every step has one.
    pub counted: Option<Vec<f32>>,
    /// How the outputs answer the target.
    pub read: Read,
}

/// How a network's outputs are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Read {
    /// Each output answers for its own step; one label for a whole row is read at the row's last step.
    #[default]
    Last,
    /// The mean over all of a row's steps answers for the row.
    Mean,
}
