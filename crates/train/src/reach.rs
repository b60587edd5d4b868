//! How far back gradients go: so many steps, or as many as keep the bias of truncation within what is allowed — C. Aicher,
//! N. J. Foti and E. B. Fox, "Adaptively truncating backpropagation through time to control gradient bias", UAI 2019.

use crate::probe::Rows;
use crate::{Config, Error, Source};
use elman_core::{Network, Params};
use elman_flow::{LagOptions, Scope, decay, default_tau, lag_profile, truncation_bias};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// How far back gradients go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub enum Reach {
    /// So many steps; 0 for whole sequences.
    Steps(usize),
    /// Picked before each epoch.
    Auto,
}

impl Reach {
    /// The steps, where they are given and not 0.
    pub fn steps(self) -> Option<usize> {
        match self {
            Reach::Steps(0) | Reach::Auto => None,
            Reach::Steps(w) => Some(w),
        }
    }
}

/// As it stands in TOML and JSON.
#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "the window must be a number of steps or auto")]
enum Written {
    Steps(usize),
    Word(String),
}

impl From<Reach> for Written {
    fn from(reach: Reach) -> Written {
        match reach {
            Reach::Steps(w) => Written::Steps(w),
            Reach::Auto => Written::Word("auto".into()),
        }
    }
}

impl TryFrom<Written> for Reach {
    type Error = String;
    fn try_from(written: Written) -> Result<Reach, String> {
        match written {
            Written::Steps(w) => Ok(Reach::Steps(w)),
            Written::Word(word) => word.parse(),
        }
    }
}

impl FromStr for Reach {
    type Err = String;
    fn from_str(text: &str) -> Result<Reach, String> {
        match text {
            "auto" => Ok(Reach::Auto),
            number => match number.parse() {
                Ok(w) => Ok(Reach::Steps(w)),
                Err(_) => Err("the window must be a number of steps or auto".into()),
            },
        }
    }
}

impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reach::Steps(w) => write!(f, "{w}"),
            Reach::Auto => f.write_str("auto"),
        }
    }
}

/// The bias allowed where nothing is said.
const BIAS: f64 = 0.1;
/// Rows that are followed, loss times of each, and the longest lag that is measured.
const ROWS: usize = 4;
const TIMES: usize = 8;
const LAGS: usize = 256;
/// The furthest that is picked: memory grows with it.
const FURTHEST: usize = 1024;

/// The smallest number of steps that every loss has to reach back for the bias that the configuration allows, by the
/// bound measured on a few rows of the training part; the furthest there is where the bound allows none.
pub(crate) fn pick(
    network: &Network,
    params: &Params<f32>,
    config: &Config,
    source: &dyn Source,
) -> Result<usize, Error> {
    let longest = source.lengths().iter().copied().max().unwrap_or(1);
    let furthest = longest.clamp(1, FURTHEST);
    let steps = longest.min(2 * LAGS);
    let rows = Rows::of(network, params, config, source, ROWS, steps)?;
    if rows.sum.count == 0.0 {
        return Ok(furthest);
    }
    let (batch, state) = (&rows.piece.batch, &rows.state);
    let scope = Scope::new(network, params, batch, state, &rows.d_outputs)?;
    let options = LagOptions {
        max_lag: Some(LAGS.min(scope.reach(TIMES)?)),
        times: TIMES,
        every: false,
        credit: true,
    };
    let profile = lag_profile(&scope, &options)?;
    let fit = decay(&profile.ln_mean, default_tau(profile.max_lag()))?;
    let bias = truncation_bias(&profile, &fit)?;
    let picked = bias.smallest_window(config.window_bias.unwrap_or(BIAS));
    Ok(picked.unwrap_or(furthest).clamp(1, furthest))
}
