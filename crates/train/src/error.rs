//! What can go wrong in training, by what the user can do about it.

use crate::data::DataError;
use std::path::PathBuf;

/// An error of training: one clear line saying what, where and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An option is not what it must be.
    #[error("{0}")]
    Config(String),
    /// The data cannot be used.
    #[error(transparent)]
    Data(#[from] DataError),
    /// A file cannot be read or written.
    #[error(transparent)]
    Io(#[from] elman_io::Error),
    /// A run folder that is not one, or not of this version, or does not fit.
    #[error("{path}: {why}")]
    Run {
        /// The folder or file.
        path: PathBuf,
        /// What is wrong and what to do.
        why: String,
    },
    /// The loss is no longer a number.
    #[error(
        "the loss became {loss} in epoch {epoch} at step {step}; the weights before it are kept. {found}{advice}"
    )]
    Diverged {
        /// Which epoch, from 1.
        epoch: usize,
        /// Which step of training, from 1.
        step: u64,
        /// The loss.
        loss: f64,
        /// The first value that went wrong, as a sentence, where it was found: its step, layer and cause.
        found: String,
        /// What to try.
        advice: String,
    },
    /// The engine was given something that it cannot take.
    #[error(transparent)]
    Core(#[from] elman_core::Error),
    /// A measurement of the gradient's flow failed.
    #[error(transparent)]
    Flow(#[from] elman_flow::Error),
    /// A fault of this program.
    #[error("this should not happen: {0}")]
    Internal(String),
}
