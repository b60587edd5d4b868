//! Self-contained HTML pages and SVG pictures from plain measurements.
//!
//! ```
//! use elman_report::{training_page, KeyFigure, TrainingReport};
//!
//! let page = training_page(&TrainingReport {
//!     title: "Sunspots".into(),
//!     key_figures: vec![KeyFigure::new("validation loss", "0.0123")],
//!     ..TrainingReport::default()
//! });
//! assert!(page.starts_with("<!DOCTYPE html>"));
//! ```
//!
//! This crate knows nothing of networks. It takes structs of numbers and words that it defines itself
//! ([`TrainingReport`], [`FlowReport`], [`Unrolled`]) and returns a `String`: one HTML page that needs
//! no network, or one SVG. It reads no files, writes none, prints nothing, and the same input gives the
//! same bytes.
//!
//! What every page keeps to:
//!
//! * **Whole without script.** The few lines of script only add read-outs under the pointer and a button
//!   that copies a command. What they show is also in the table folded under each picture.
//! * **Readable without colour.** Series differ by dash and marker besides colour, heat maps by
//!   lightness, and small ones print their numbers.
//! * **Light and dark**, after the reader's own setting.
//! * **Nothing breaks on bad numbers.** A value that is not finite leaves a gap and a dash in the table;
//!   a picture with nothing to show says so.
#![forbid(unsafe_code)]

pub mod chart;
pub mod flow;
mod page;
mod palette;
mod parts;
mod scale;
mod serial;
mod text;
pub mod training;
mod unroll;

pub use flow::{FlowReport, flow_page};
pub use parts::{Command, Fact, FlowHistory, Headline, KeyFigure, Tone};
pub use text::{escape, number};
pub use training::{TrainingReport, training_page};
pub use unroll::{Unrolled, UnrolledStep, unroll_svg};

/// The code of the README, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
