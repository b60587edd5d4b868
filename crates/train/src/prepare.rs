//! From options and a file to a configuration and a task.

use crate::data::{
    DataError, Fractions, Frame, SUNSPOTS_TARGET, Split, Table, Text, random_batches, sunspots,
    sunspots_split,
};
use crate::defaults::{defaults, for_sunspots};
use crate::task::{ENDINGS, Forecast, LabelTask, PairTask, Task, TextTask};
use crate::{Config, Error, Learner, Loss, Options, Source, Sum};
use elman_core::{Companions, Network, Params, Team};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;

/// Data made ready for whichever task.
#[derive(Debug)]
pub enum Prepared {
    /// A series to forecast.
    Forecast(Box<Forecast>),
    /// A text to go on with.
    Text(Box<TextTask>),
    /// Sequences with labels.
    Labels(Box<LabelTask>),
    /// Sources and what to say about them.
    Pairs(Box<PairTask>),
}

impl Prepared {
    /// How many rows are learned from, and the length of the longest in steps.
    pub fn source_rows(&self) -> (usize, usize) {
        let lengths = self.task().source().lengths();
        (lengths.len(), lengths.iter().copied().max().unwrap_or(0))
    }
    /// The share of the first epoch's batches that would be padding, were rows of unequal length stored with any;
    /// none where all rows run side by side.
    pub fn padding(&self, config: &Config) -> Option<f64> {
        let source = self.task().source();
        let size = NonZeroUsize::new(config.batch)?;
        let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
        let batches = || random_batches(source.lengths(), size, &mut rng).padding;
        (!source.streams()).then(batches)
    }
    fn task(&self) -> &dyn Task {
        match self {
            Prepared::Forecast(task) => task.as_ref(),
            Prepared::Text(task) => task.as_ref(),
            Prepared::Labels(task) => task.as_ref(),
            Prepared::Pairs(task) => task.as_ref(),
        }
    }
}

impl Task for Prepared {
    fn name(&self) -> &'static str {
        self.task().name()
    }
    fn network(&self, config: &Config) -> Result<Network, Error> {
        self.task().network(config)
    }
    fn source(&self) -> &dyn Source {
        self.task().source()
    }
    fn companions(&self, config: &Config) -> Result<Companions, Error> {
        self.task().companions(config)
    }
    fn learner<'a>(
        &'a self,
        network: &'a Network,
        config: &'a Config,
        params: &Params<f32>,
    ) -> Result<Box<dyn Learner + 'a>, Error> {
        self.task().learner(network, config, params)
    }
    fn validate(
        &self,
        network: &Network,
        params: &Params<f32>,
        team: &Team,
    ) -> Result<Option<Sum>, Error> {
        self.task().validate(network, params, team)
    }
    fn knowledge(&self) -> Result<BTreeMap<String, String>, Error> {
        self.task().knowledge()
    }
}

/// The task that a file is for, by its name.
fn task_of(file: &str) -> Result<&'static str, Error> {
    let path = Path::new(file);
    let ending = path.extension().and_then(|e| e.to_str()).unwrap_or("");
    match ending.to_ascii_lowercase().as_str() {
        "csv" | "tsv" | "tab" | "dat" => Ok("forecast"),
        "txt" | "md" | "text" => Ok("text"),
        "ts" => Ok("classify"),
        _ if path.is_dir() => Ok("text"),
        _ if !path.exists() => Err(DataError::NotFound { file: file.into() }.into()),
        _ => Err(Error::Config(format!(
            "{file}: its name does not say what to learn from it; add --task {}",
            match ENDINGS.contains(&ending) {
                true => "classify, --task regress or --task label",
                false =>
                    "forecast (a table), --task text, --task classify (sequences) or --task seq2seq (pairs)",
            }
        ))),
    }
}

/// The effective configuration of some options, and their data made ready.
pub fn prepare(options: Options) -> Result<(Config, Prepared), Error> {
    let task = match (&options.task, &options.data) {
        (Some(task), _) => task.clone(),
        (None, Some(file)) => task_of(file)?.to_string(),
        (None, None) => "forecast".into(),
    };
    let defaults = match options.data {
        Some(_) => defaults(&task)?,
        None => for_sunspots(defaults(&task)?),
    };
    let mut config = options.over(defaults);
    config.check()?;
    let losses: &[Loss] = match task.as_str() {
        "text" | "classify" | "caption" | "seq2seq" => &[Loss::CrossEntropy],
        "label" => &[Loss::CrossEntropy, Loss::Mse, Loss::Huber],
        _ => &[Loss::Mse, Loss::Huber],
    };
    if !losses.contains(&config.loss) {
        return Err(Error::Config(format!(
            "the loss {} does not go with the task {task}; use {}",
            config.loss,
            losses
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
                .join(" or ")
        )));
    }
    if config.bidirectional && matches!(task.as_str(), "forecast" | "text" | "caption") {
        return Err(Error::Config(format!(
            "a bidirectional network reads the future, which the task {task} does not have; leave --bidirectional out"
        )));
    }
    let prepared = match task.as_str() {
        "caption" | "seq2seq" => Prepared::Pairs(Box::new(PairTask::new(&config)?)),
        "classify" | "regress" | "label" => Prepared::Labels(Box::new(LabelTask::new(&config)?)),
        "text" => Prepared::Text(Box::new(text(&config)?)),
        _ => {
            let (frame, split) = series(&mut config)?;
            Prepared::Forecast(Box::new(Forecast::new(frame, split, &config)?))
        }
    };
    Ok((config, prepared))
}

/// The chosen columns of the file that the configuration names (the sunspots where it names none), target first.
pub fn frame(config: &Config, file: Option<&str>) -> Result<Frame, Error> {
    let table = match file {
        Some(file) => Table::read(Path::new(file))?,
        None => sunspots()?,
    };
    let target = match &config.target {
        Some(target) => target.clone(),
        None if file.is_none() => SUNSPOTS_TARGET.to_string(),
        None => match table.numeric_names().as_slice() {
            [only] => only.to_string(),
            [] => {
                return Err(Error::Config(format!(
                    "{}: no column is numeric, so there is nothing to forecast",
                    table.file()
                )));
            }
            several => {
                return Err(Error::Config(format!(
                    "{}: say which column to forecast with --target; numeric are {}",
                    table.file(),
                    several.join(", ")
                )));
            }
        },
    };
    let mut wanted = vec![target.as_str()];
    let features = config.features.as_deref().unwrap_or_default();
    wanted.extend(features.iter().map(String::as_str).filter(|f| *f != target));
    Ok(table.select(&wanted, config.missing)?)
}

fn series(config: &mut Config) -> Result<(Frame, Split), Error> {
    let file = config.data.clone();
    let frame = frame(config, file.as_deref())?;
    config.target = Some(frame.names[0].clone());
    let split = match file {
        None => {
            let split = sunspots_split(&frame.labels.to_vec())?;
            match (split.train().len() as f64 * config.validation).round() as usize {
                0 => split,
                years => split.hold_out(years)?,
            }
        }
        Some(_) => {
            let train = 1.0 - config.validation - config.test;
            Split::fractions(
                frame.rows(),
                Fractions {
                    train,
                    validation: config.validation,
                    test: config.test,
                },
            )?
        }
    };
    Ok((frame, split))
}

fn text(config: &Config) -> Result<TextTask, Error> {
    let Some(file) = &config.data else {
        return Err(Error::Config(
            "a text is needed: elman train FILE.txt".into(),
        ));
    };
    let shares = Fractions {
        train: 1.0 - config.validation - config.test,
        validation: config.validation,
        test: config.test,
    };
    let window = config.window.steps().unwrap_or(1);
    let encoded = Text::read(Path::new(file))?.encode(shares, window)?;
    TextTask::new(encoded, config)
}
