//! How far back gradients go: so many steps, or as many as keep the bias of truncation within what is allowed — C. Aicher,
//! N. J. Foti and E. B. Fox, "Adaptively truncating backpropagation through time to control gradient bias", UAI 2019.

use crate::look::{Rows, look};
use crate::{Config, Error, Source};
use elman_core::{Network, Params};
use elman_flow::{LightOptions, window_for_bias};
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
pub(crate) const BIAS: f64 = 0.1;
/// What is followed.
const FOLLOWED: LightOptions = LightOptions {
    rows: 4,
    times: 8,
    max_lag: 256,
};
/// The furthest that is picked: memory grows with it.
const FURTHEST: usize = 1024;

/// The smallest number of steps that every loss has to reach back for the bias that the configuration allows, by the
/// bound measured on a few rows of the training part; the furthest there is where no window keeps it, or nothing can be
/// measured.
pub(crate) fn pick(
    network: &Network,
    params: &Params<f32>,
    config: &Config,
    source: &dyn Source,
) -> Result<usize, Error> {
    let longest = source.lengths().iter().copied().max().unwrap_or(1);
    let furthest = longest.clamp(1, FURTHEST);
    let steps = longest.min(2 * FOLLOWED.max_lag);
    let looked = look(source, config.burn_in, FOLLOWED.rows, steps)?;
    if looked.is_empty() {
        return Ok(furthest);
    }
    let rows = Rows::run(network, params, config, source, &looked)?;
    let (batch, state) = (&rows.piece.batch, &rows.state);
    let bias = config.window_bias.unwrap_or(BIAS);
    let d_outputs = &rows.d_outputs;
    match window_for_bias(network, params, batch, state, d_outputs, bias, &FOLLOWED) {
        Ok(picked) => Ok(picked.unwrap_or(furthest).clamp(1, furthest)),
        Err(elman_flow::Error::Nothing(_)) => Ok(furthest),
        Err(other) => Err(other.into()),
    }
}
