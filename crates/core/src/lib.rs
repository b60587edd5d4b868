//! The engine of elman: recurrent cells, forward, backpropagation through time, one step at a time.
//!
//! It is two arrows; all else composes them.
//!
//! - [`forward`]`(weights, batch, state) → trace`: outputs, the state after, and what backward needs;
//! - [`backward`]`(weights, batch, trace, cotangent) → deltas, gradient`: the gradients of the inputs, of the state
//!   before, and of every parameter. It may be called again on the same trace with another cotangent.
//!
//! Equations use these letters, here and in all the crates above: h hidden state, x input, y output, z what a
//! cell's activation is applied to, W_hh, W_xh, W_hy, b_h, b_y, δ a gradient of the loss. T steps, B rows,
//! F input features, H units.
//!
//! No files, no clocks, no printing; wrong sizes are an [`Error`], never a panic.
#![forbid(unsafe_code)]

pub mod cell;

mod attention;
mod backward;
mod batch;
mod dense;
mod drive;
mod error;
mod extended;
mod forward;
mod gradcheck;
mod gradients;
mod init;
mod layout;
mod network;
mod noise;
mod norm;
mod pullback;
mod row_step;
mod segments;
mod shared_stepper;
mod state;
mod stepper;
mod tangent;
mod trace;
mod transducer;
mod weights;
mod window;

pub use backward::{Cotangent, Deltas, backward};
pub use batch::Batch;
pub use cell::CellKind;
pub use elman_kernels::{Element, Job, Level, Rows, RowsMut, Team, Value, fma_peak};
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
pub use weights::Weights;
pub use window::{Span, Window};
