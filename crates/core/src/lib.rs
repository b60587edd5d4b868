//! The engine of elman: recurrent cells, forward, backpropagation through time, one step at a time.
//!
//! ```
//! use elman_core::{Batch, CellKind, Init, Input, Network, Unrolled};
//!
//! let network = Network::new(CellKind::Elman, Input::Features(2), 16, 1);
//! let params = Init::default().params::<f32>(&network, 1)?;
//! let mut unrolled = Unrolled::new(&network, &params)?;
//! let batch = Batch::features(&[0.1; 5 * 3 * 2], [5, 3, 2], None)?; // 5 steps, 3 rows, 2 features
//! let y = unrolled.forward(&batch)?;
//! let d_y: Vec<f32> = y.iter().map(|y| 2.0 * y).collect(); // of the loss Σ y²
//! let gradient = unrolled.gradient(&d_y)?;
//! assert_eq!(gradient.get("weight_hh_l0")?.len(), 16 * 16);
//! # Ok::<(), elman_core::Error>(())
//! ```
//!
//! [`Unrolled`] is a network and its last run. Beneath it are two arrows, and all else composes them:
//!
//! - [`forward`]`(weights, batch, state) → trace`: outputs, the state after, and what backward needs;
//! - [`backward`]`(weights, trace, cotangent) → deltas, gradient`: the gradients of the inputs, of the state
//!   before, and of every parameter. It may be called again on the same trace with another cotangent. The trace knows the
//!   batch and the weights that made it.
//!
//! Equations use these letters, here and in all the crates above: h hidden state, x input, y output, z what a
//! cell's activation is applied to, W_hh, W_xh, W_hy, b_h, b_y, δ a gradient of the loss. T steps, B rows,
//! F input features, H units.
//!
//! No files, no clocks, no printing. Wrong sizes, lengths and orders are an [`Error`]; the few accessors that index as a
//! slice does say so under `# Panics`.
//!
//! Features: `serde` (networks and cells as data), `ndarray` (batches and parameters as arrays).
#![forbid(unsafe_code)]

pub mod cell;

#[cfg(feature = "ndarray")]
mod arrays;
mod attention;
mod backward;
mod batch;
mod dense;
mod drive;
mod error;
mod forward;
mod gradcheck;
mod gradients;
mod init;
mod layout;
mod network;
mod noise;
mod packing;
mod pullback;
mod row_step;
mod segments;
mod shared_stepper;
mod shares;
mod stamp;
mod state;
mod step;
mod stepper;
mod sum;
mod tangent;
mod trace;
mod transducer;
mod unrolled;
mod weights;
mod window;

pub use backward::{Cotangent, Deltas, backward};
pub use batch::Batch;
pub use cell::{About, CellKind, Recurrence};
pub use elman_kernels::{Element, Job, Level, LevelError, Rows, RowsMut, Team, Value, fma_peak};
pub use error::Error;
pub use forward::forward;
pub use gradcheck::{GradientCheck, check_gradient};
pub use gradients::step_contributions;
pub use init::{Init, Recurrent};
pub use layout::{Companions, Layout, Params, View};
pub use network::{Input, Leak, Network, Sweep};
pub use noise::{Draw, Dropout};
pub use pullback::{Pullback, pull_back};
pub use segments::Segments;
pub use shared_stepper::SharedStepper;
pub use state::State;
pub use stepper::Stepper;
pub use tangent::{Tangent, tangent};
pub use trace::{SweepTrace, Trace};
pub use transducer::{Given, Plan, Reads, Transducer, TransducerTrace};
pub use unrolled::Unrolled;
pub use weights::Weights;
pub use window::{Span, Window};

/// The code of the README, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
