//! From data to a trained network: data, tasks, losses, optimisers, the trainer and its run folder.
#![forbid(unsafe_code)]

pub mod data;
pub mod task;

mod config;
mod error;
mod loss;
mod optimiser;
mod progress;
mod schedule;
mod source;
mod trainer;

pub use config::{Config, Initial, Options};
pub use error::Error;
pub use loss::{Loss, Sum, Target};
pub use optimiser::{Method, Optimiser, clip_norm, clip_value, norm};
pub use progress::{Epoch, Progress, Running};
pub use schedule::{Rate, Schedule};
pub use source::{Piece, Source};
pub use trainer::{Event, Outcome, Save, Trainer, Validate};
