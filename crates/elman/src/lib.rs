//! Recurrent neural networks on ordinary CPUs: train, explain, ship.
//!
//! The crates beneath, under one roof:
//!
//! - [`core`] has cells, networks, forward, backpropagation through time, one step at a time;
//! - [`flow`] has the gradient microscope;
//! - [`io`] reads and writes files;
//! - [`train`] has data, tasks, the trainer, run folders;
//! - [`report`] has pages and pictures;
//! - [`pages`] goes from a run or a measurement to its page;
//! - [`mod@bench`] tells how fast it all is on this machine.
#![forbid(unsafe_code)]

pub use elman_core as core;
pub use elman_flow as flow;
pub use elman_io as io;
pub use elman_report as report;
pub use elman_train as train;

pub mod bench;
pub mod pages;

/// The code of the README, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
