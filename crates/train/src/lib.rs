//! From data to a trained network: data, tasks, losses, optimisers, the trainer and its run folder.
//!
//! ```
//! use elman_core::{Batch, CellKind, Init, Input, Network, Unrolled};
//! use elman_train::{Loss, Method, Optimiser, Target};
//!
//! // One step ahead on a sine of 50 steps.
//! let x: Vec<f32> = (0..51).map(|t| (t as f32 * 0.3).sin()).collect();
//! let batch = Batch::features(&x[..50], [50, 1, 1], None)?;
//! let target = Target::Numbers(x[1..].to_vec());
//!
//! let network = Network::new(CellKind::Elman, Input::Features(1), 8, 1);
//! let mut params = Init::default().params::<f32>(&network, 1)?;
//! let mut optimiser = Optimiser::new(Method::Adam, 0.0, 0.0, vec![], params.data().len());
//! let mut unrolled = Unrolled::new(&network, &params)?;
//! let (mut losses, mut d_y) = (vec![], [0.0; 50]);
//! for _ in 0..50 {
//!     let y = unrolled.forward(&batch)?;
//!     losses.push(Loss::Mse.evaluate(y, 1, &target, &[1.0; 50], &mut d_y)?.mean());
//!     let mut gradient = unrolled.gradient(&d_y)?;
//!     optimiser.step(0.01, params.data_mut(), gradient.data_mut());
//!     unrolled.refresh(&params)?;
//! }
//! assert!(losses[49] < 0.5 * losses[0]);
//! # Ok::<(), elman_train::Error>(())
//! ```
#![forbid(unsafe_code)]

pub mod data;
pub mod task;

mod by_name;
mod checkpoint;
mod config;
mod defaults;
mod error;
mod evaluate;
mod follow;
mod learner;
mod look;
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
pub use look::Looked;
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

/// The code of the README, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
