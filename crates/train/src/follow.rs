//! Gradient flow while a network trains: how far back the gradient reaches, at a bounded cost.

use crate::look::{Rows, look};
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
    let looked = look(source, config.burn_in, options.rows, steps)?;
    if looked.is_empty() {
        return Ok(None);
    }
    if config.flow == Follow::Auto {
        let epoch_steps: usize = lengths.iter().sum();
        // Carrying the state to the first step that is looked at is forward alone; an epoch is forward and backward.
        let carried: usize = looked.iter().map(|l| l.from).sum();
        let share = light_share(network, steps, epoch_steps, &options)
            + carried as f64 / (3.0 * epoch_steps.max(1) as f64);
        let every = (share / SHARE).ceil().max(1.0) as usize;
        // The first epoch too: where training starts from is what the later ones are compared with.
        if !(epoch - 1).is_multiple_of(every) {
            return Ok(None);
        }
    }
    let rows = Rows::run(network, params, config, source, &looked)?;
    let (batch, state) = (&rows.piece.batch, &rows.state);
    match light(network, params, batch, state, &rows.d_outputs, &options) {
        Ok(flow) => Ok(Some(flow)),
        Err(elman_flow::Error::Nothing(_)) => Ok(None),
        Err(other) => Err(other.into()),
    }
}
