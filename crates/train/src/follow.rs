//! Gradient flow while a network trains: how far back the gradient reaches, at a bounded cost.

use crate::probe::Rows;
use crate::{Config, Error, Source};
use elman_core::{Network, Params};
use elman_flow::{LightFlow, LightOptions, light, light_share};
use serde::{Deserialize, Serialize};

/// Whether the gradient by lag is recorded while training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Follow {
    /// In as many epochs as cost less than a twentieth of the training.
    #[default]
    Auto,
    /// In every epoch.
    On,
    /// In none.
    Off,
}

/// Share of the training that [`Follow::Auto`] may take, by counts of operations.
const SHARE: f64 = 0.05;

/// The gradient by lag after epoch `epoch` (from 1), on a few rows of the training part; none in epochs in which it is
/// not measured, and for networks that read from both ends.
pub(crate) fn follow(
    network: &Network,
    params: &Params<f32>,
    config: &Config,
    source: &dyn Source,
    epoch: usize,
) -> Result<Option<LightFlow>, Error> {
    if config.flow == Follow::Off || network.bidirectional {
        return Ok(None);
    }
    let options = LightOptions::default();
    let lengths = source.lengths();
    let longest = lengths.iter().copied().max().unwrap_or(0);
    let steps = longest.min(2 * options.max_lag);
    if config.flow == Follow::Auto {
        let share = light_share(network, steps, lengths.iter().sum(), &options);
        let every = (share / SHARE).ceil().max(1.0) as usize;
        // The first epoch too: where training starts from is what the later ones are compared with.
        if !(epoch - 1).is_multiple_of(every) {
            return Ok(None);
        }
    }
    let rows = Rows::of(network, params, config, source, options.rows, steps)?;
    if rows.sum.count == 0.0 {
        return Ok(None);
    }
    let (batch, state) = (&rows.piece.batch, &rows.state);
    match light(network, params, batch, state, &rows.d_outputs, &options) {
        Ok(flow) => Ok(Some(flow)),
        Err(elman_flow::Error::Nothing(_)) => Ok(None),
        Err(other) => Err(other.into()),
    }
}
