//! Tasks: what the target is, where in time the loss stands, how the output is read.
//!
//! The engine knows none of this; the trainer knows only [`Task`].

mod forecast;
mod forecast_stepper;
mod labels;
mod pairs;
mod streams;
mod text;

pub use forecast::{Forecast, ForecastModel, PartForecast};
pub use forecast_stepper::ForecastStepper;
pub use labels::{Answer, LabelModel, LabelTask, Question};
pub(crate) use labels::{ENDINGS, LabelPart, labelled, largest, unlabelled};
pub(crate) use pairs::{Given, PairPart, part};
pub use pairs::{PairModel, PairSource, PairTask, Search, Spoken};
pub use text::{CharacterModel, Sampling, TextTask};

use crate::{Config, Error, Learner, Recurrent, Source, Sum};
use elman_core::{Companions, Network, Params, Team};
use std::collections::BTreeMap;

/// Data made ready for training, with what else is needed to use the network later.
pub trait Task {
    /// Its name in the configuration.
    fn name(&self) -> &'static str;
    /// The network that the configuration asks for, with the widths that the data have.
    fn network(&self, config: &Config) -> Result<Network, Error>;
    /// The rows to learn from.
    fn source(&self) -> &dyn Source;
    /// What stands beside the network and learns with it.
    fn companions(&self, _: &Config) -> Result<Companions, Error> {
        Ok(Companions::default())
    }
    /// What learns from the rows.
    fn learner<'a>(
        &'a self,
        network: &'a Network,
        config: &'a Config,
        params: &Params<f32>,
    ) -> Result<Box<dyn Learner + 'a>, Error> {
        let learner = Recurrent::new(network, config, self.source(), params)?;
        Ok(Box::new(learner))
    }
    /// The loss on the part that early stopping watches; none where there is no such part.
    fn validate(
        &self,
        network: &Network,
        params: &Params<f32>,
        team: &Team,
    ) -> Result<Option<Sum>, Error>;
    /// What is stored with the weights: scaling, vocabulary, names; and `data`, to tell the data from others.
    fn knowledge(&self) -> Result<BTreeMap<String, String>, Error>;
}

/// Something of a model's knowledge that must be there.
pub(crate) fn known<T: serde::de::DeserializeOwned>(
    knowledge: &BTreeMap<String, String>,
    key: &str,
) -> Result<T, Error> {
    let text = knowledge.get(key).ok_or_else(|| {
        Error::Config(format!(
            "the model does not say its {key:?}: it was not trained for this task"
        ))
    })?;
    serde_json::from_str(text)
        .map_err(|e| Error::Config(format!("the model's {key:?} cannot be read: {e}")))
}

/// What tells some data from others.
fn digest(bytes: impl IntoIterator<Item = u8>) -> String {
    format!("{:08x}", elman_io::crc32(bytes))
}

pub(crate) fn json<T: serde::Serialize>(value: &T) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|e| Error::Internal(e.to_string()))
}
