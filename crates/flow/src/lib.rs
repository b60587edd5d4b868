//! The gradient microscope: why a recurrent network learns, or does not.
//!
//! The lesson's heart is the product of Jacobians. This crate measures it on a network, its parameters and a batch
//! of data, in f64 or in log space so that nothing underflows; says what it means; and proposes what to change.
//!
//! Letters as in `elman-core`: h hidden state, z what the activation is applied to, δ a gradient of the loss,
//! J_t = ∂s_t/∂s_{t−1} with s the joint state of all layers (h, or h and c), P(t, k) = J_t ⋯ J_{t−k+1}.
//!
//! No files, no clocks, no printing.
#![forbid(unsafe_code)]

mod error;
mod lesson;

pub use error::Error;
pub use lesson::{Item, Line, Number, lesson};
