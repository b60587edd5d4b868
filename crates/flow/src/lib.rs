//! The gradient microscope: why a recurrent network learns, or does not.
//!
//! ```
//! use elman_core::{Batch, CellKind, Init, Input, Network, Params, State};
//! use elman_flow::{Options, Requirement, Training, measure, verdict};
//!
//! // A network whose W_hh is too small, a sequence of 100 steps, and a loss at the last of them.
//! let network = Network::new(CellKind::Elman, Input::Features(1), 8, 1);
//! let mut params: Params<f32> = Init::default().params(&network, 1)?;
//! params.get_mut("weight_hh_l0")?.iter_mut().for_each(|w| *w *= 0.5);
//! let x: Vec<f32> = (0..100).map(|t| (t as f32 * 0.3).sin()).collect();
//! let batch = Batch::features(&x, [100, 1, 1], None)?;
//! let mut d_outputs = vec![0.0; 100];
//! d_outputs[99] = 1.0;
//!
//! let state = State::zeros(&network, 1);
//! let flow = measure(&network, &params, &batch, &state, &d_outputs, &Options::default())?;
//! assert!(flow.decay.beta < 0.6 && flow.decay.horizon() < 10.0);
//! let verdict = verdict(&flow, &Training::default());
//! assert_eq!(verdict.cause.words(), "vanishing by weights");
//! assert_eq!(verdict.proposals[0].option, "--init orthogonal --gain 1.0");
//! let requirement: Requirement = "horizon>=50".parse()?;
//! assert!(!requirement.check(&flow).holds);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The lesson's heart is the product of Jacobians. This crate measures it on a network, its parameters and a batch
//! of data, in f64 or in log space so that nothing underflows; says what it means; and proposes what to change.
//!
//! Letters as in `elman-core`: h hidden state, z what the activation is applied to, δ a gradient of the loss,
//! J_t = ∂s_t/∂s_{t−1} with s the joint state of all layers (h, or h and c), P(t, k) = J_t ⋯ J_{t−k+1}.
//!
//! No files, no clocks, no printing.
#![forbid(unsafe_code)]

mod advice;
mod bias;
mod bound;
mod contributions;
mod credit;
mod decay;
mod dense;
mod error;
mod evidence;
mod finite_time;
mod fixed_points;
mod flow;
mod horizon;
mod jacobian;
mod lag;
mod lesson;
mod light;
mod lyapunov;
mod meanfield;
mod noise;
mod not_finite;
mod omega;
mod recurrent;
mod requirement;
pub mod saturation;
mod scaled;
mod scope;
mod unroll;
mod verdict;

pub use bias::{TruncationBias, truncation_bias};
pub use bound::{Bound, lesson_bound};
pub use contributions::{Contribution, contributions};
pub use credit::Credit;
pub use decay::{Decay, decay, default_tau};
pub use dense::Complex;
pub use error::Error;
pub use finite_time::{FiniteTime, finite_time};
pub use fixed_points::{
    FixedPoint, FixedPointInput, FixedPointOptions, FixedPoints, HeldInput, fixed_points,
};
pub use flow::{About, Cost, Flow, Options, WindowFor, cost, measure, measure_scope};
pub use horizon::Horizon;
pub use jacobian::{JacobianProducts, ProductStats, jacobian_products};
pub use lag::{LagOptions, LagProfile, lag_profile};
pub use lesson::{Item, Line, Number, lesson, lesson_on};
pub use light::{Alarm, LightFlow, LightOptions, light, light_share, watch, window_for_bias};
pub use lyapunov::{AlongRow, Dynamics, Lyapunov, LyapunovOptions, Map, lyapunov, lyapunov_of};
pub use meanfield::{MeanField, mean_field, mean_field_of};
pub use noise::{Clipping, GradientNoise, clipping, gradient_noise};
pub use not_finite::NotFinite;
pub use omega::{Arrival, Omega, arrival, omega};
pub use recurrent::{RecurrentMatrix, recurrent_matrices, recurrent_matrix};
pub use requirement::{Outcome, Requirement, requirement_names};
pub use saturation::{Gate, Saturation, saturation};
pub use scaled::Quantiles;
pub use scope::Scope;
pub use unroll::{Unrolled, UnrolledLayer, UnrolledStep, unroll};
pub use verdict::{Cause, Proposal, Training, Verdict, verdict};

/// The code of the README, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
