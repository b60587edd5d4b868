//! From data to a trained network: data, tasks, losses, optimisers, the trainer and its run folder.
#![forbid(unsafe_code)]

pub mod data;
pub mod task;

mod checkpoint;
mod config;
mod defaults;
mod error;
mod evaluate;
mod follow;
mod learner;
mod loss;
mod onnx;
mod optimiser;
mod prepare;
mod probe;
mod progress;
mod reach;
mod run;
mod schedule;
mod session;
mod source;
mod trained;
mod trainer;

pub use config::{Config, Initial, Options};
pub use defaults::defaults;
pub use error::Error;
pub use evaluate::{
    ClassScores, Evaluation, ForecastScore, ForecastScores, NumberScores, PairExample, PairScores,
    TextScores,
};
pub use follow::Follow;
pub use learner::{Learner, Lesson, Recurrent, Work};
pub use loss::{Loss, Sum, Target};
pub use onnx::to_onnx;
pub use optimiser::{Method, Optimiser, clip_norm, clip_value, norm};
pub use prepare::{Prepared, frame, prepare};
pub use probe::Probe;
pub use progress::{Epoch, Progress, Running};
pub use reach::Reach;
pub use run::Run;
pub use schedule::{Rate, Schedule};
pub use session::{Pauses, Session};
pub use source::{Piece, Read, Source};
pub use trained::{Trained, Use};
pub use trainer::{Event, Moment, Outcome, Save, Trainer};
