//! The page of the gradient microscope.

mod lags;
mod matrix;
mod render;
mod tables;

use serde::{Deserialize, Serialize};

pub use lags::{Contributions, LagProfile, LagShares, Truncation};
pub use matrix::{Lyapunov, NamedCurve, SingularValues};
pub use render::flow_page;
pub use tables::{FixedPoint, Saturation};

use crate::chart::Eigenvalue;
use crate::parts::{Command, Fact, FlowHistory, Headline, KeyFigure};

/// Everything the gradient microscope's page shows. Every section may be left empty.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FlowReport {
    /// Whose gradients, e.g. the run's name.
    pub title: String,
    /// Cell, sizes, the data looked at.
    pub subtitle: String,
    /// The verdict in words.
    pub headline: Headline,
    /// What the verdict rests on, a sentence each.
    pub evidence: Vec<String>,
    /// The change proposed, as a command with its reason; `None` when nothing is to be changed.
    pub proposal: Option<Command>,
    /// Over how many sequences and loss times all this was measured.
    pub measured_over: String,
    /// Horizon, decay rate, spectral radius and the like.
    pub key_figures: Vec<KeyFigure>,
    /// Gradient by lag.
    pub lag_profile: Option<LagProfile>,
    /// Each lag's share of ∂L/∂W_hh.
    pub lag_shares: Option<LagShares>,
    /// Window against truncation bias.
    pub truncation: Option<Truncation>,
    /// Contribution of each time step to ∂L/∂W_hh.
    pub contributions: Option<Contributions>,
    /// Gradient by lag over the epochs of training.
    pub history: Option<FlowHistory>,
    /// The recurrent matrix as a formula; empty for W_hh.
    pub map: String,
    /// Its eigenvalues.
    pub eigenvalues: Vec<Eigenvalue>,
    /// Its radius, norm, non-normality and transient peak.
    pub matrix: Vec<KeyFigure>,
    /// Singular values of the Jacobians' product against its length.
    pub singular_values: Option<SingularValues>,
    /// The Lyapunov spectrum.
    pub lyapunov: Option<Lyapunov>,
    /// Saturation, one row a layer (and gate).
    pub saturation: Vec<Saturation>,
    /// Fixed and slow points.
    pub fixed_points: Vec<FixedPoint>,
    /// Settings and circumstances of the measurement.
    pub facts: Vec<Fact>,
    /// Commands to go on with.
    pub commands: Vec<Command>,
}
