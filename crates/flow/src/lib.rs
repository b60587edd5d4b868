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

mod bias;
mod credit;
mod decay;
mod dense;
mod error;
mod finite_time;
mod fixed_points;
mod flow;
mod jacobian;
mod lag;
mod lesson;
mod lesson_run;
mod light;
mod lyapunov;
mod meanfield;
mod noise;
mod omega;
mod recurrent;
mod requirement;
pub mod saturation;
mod scaled;
mod scope;
mod unroll;
mod verdict;

pub use bias::{TruncationBias, truncation_bias};
pub use credit::Credit;
pub use decay::{Bound, Decay, decay, default_tau, lesson_bound};
pub use dense::Complex;
pub use error::Error;
pub use finite_time::{FiniteTime, finite_time};
pub use fixed_points::{FixedPoint, FixedPointOptions, FixedPoints, HeldInput, fixed_points};
pub use flow::{About, Cost, Flow, Options, WindowFor, cost, measure, measure_scope};
pub use jacobian::{JacobianProducts, ProductStats, jacobian_products};
pub use lag::{LagOptions, LagProfile, lag_profile};
pub use lesson::{Item, Line, Number, lesson};
pub use lesson_run::lesson_on;
pub use light::{Alarm, LightFlow, LightOptions, light, light_share, watch};
pub use lyapunov::{AlongRow, Dynamics, Lyapunov, LyapunovOptions, Map, lyapunov, lyapunov_of};
pub use meanfield::{MeanField, mean_field, mean_field_of};
pub use noise::{Clipping, GradientNoise, clipping, gradient_noise};
pub use omega::{Arrival, Omega, arrival, omega};
pub use recurrent::{RecurrentMatrix, recurrent_matrices, recurrent_matrix};
pub use requirement::{Outcome, Requirement, requirement_names};
pub use saturation::{Gate, Saturation, saturation};
pub use scaled::Quantiles;
pub use scope::Scope;
pub use unroll::{Unrolled, UnrolledLayer, UnrolledStep, unroll};
pub use verdict::{Cause, Proposal, Training, Verdict, verdict};
