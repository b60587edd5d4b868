//! Recurrent neural networks on ordinary CPUs: train, explain, ship.
//!
//! ```
//! use elman::core::{CellKind, Init, Input, Network, Stepper};
//!
//! // A series, one value at a time: nothing is allocated between the steps.
//! let network = Network::new(CellKind::Elman, Input::Features(1), 16, 1);
//! let params = Init::default().params::<f32>(&network, 1)?;
//! let mut stepper = Stepper::new(&network, &params)?;
//! let mut y = [0.0];
//! for t in 0..100 {
//!     stepper.step(&[(t as f32 * 0.3).sin()], &mut y)?;
//! }
//! assert!(y[0].is_finite());
//! # Ok::<(), elman::core::Error>(())
//! ```
//!
//! The crates beneath, under one roof:
//!
//! - [`core`] has cells, networks, forward, backpropagation through time, one step at a time;
//! - [`flow`] has the gradient microscope;
//! - [`io`] reads and writes files;
//! - [`train`] has data, tasks, the trainer, run folders;
//! - [`report`] has pages and pictures;
//! - [`doctor`] looks at a trained network's gradients, and says what is wrong;
//! - [`pages`] goes from a run or a measurement to its page;
//! - [`mod@bench`] tells how fast it all is on this machine.
#![forbid(unsafe_code)]

pub use elman_core as core;
pub use elman_flow as flow;
pub use elman_io as io;
pub use elman_report as report;
pub use elman_train as train;

pub mod bench;
pub mod doctor;
pub mod pages;

/// Errors cross threads and fit in a `Box<dyn Error + Send + Sync>`: that they do not is an error of the compiler.
const _: fn() = || {
    fn error<E: std::error::Error + Send + Sync + 'static>() {}
    error::<core::LevelError>();
    error::<core::Error>();
    error::<flow::Error>();
    error::<io::Error>();
    error::<train::Error>();
    error::<train::data::DataError>();
};

/// The code of the README, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// The code of the project's README: `PROJECT.md` is a link to it, so that the package has it too.
#[cfg(doctest)]
#[doc = include_str!("../PROJECT.md")]
struct Project;
