//! A trained network, ready to be used.

use crate::data::sequences::Sequences;
use crate::data::{Frame, Part, Table, Text};
use crate::evaluate;
use crate::prepare::{Prepared, frame, prepare};
use crate::task::{
    Answer, CharacterModel, ForecastModel, Given, LabelModel, PairModel, PairSource, Sampling,
    Search, Spoken, known, labelled, part, unlabelled,
};
use crate::{Config, Error, Evaluation, Options, Run};
use elman_core::{Network, Params, Team};
use elman_io::Model;
use std::path::Path;

/// A trained network with what is needed to use it.
#[derive(Debug)]
pub struct Trained {
    /// The configuration it was trained with.
    pub config: Config,
    /// The network.
    pub network: Network,
    /// Its parameters.
    pub params: Params<f32>,
    /// What it can do.
    pub used: Use,
}

/// What a trained network can do.
#[derive(Debug)]
pub enum Use {
    /// Forecast a series.
    Forecast(Box<ForecastModel>),
    /// Go on with a text.
    Text(Box<CharacterModel>),
    /// Answer about sequences.
    Labels(Box<LabelModel>),
    /// Say something about sources.
    Pairs(Box<PairModel>),
}

impl Trained {
    /// From a network, its parameters and what was stored with them.
    pub fn new(model: Model, config: Config) -> Result<Trained, Error> {
        let knowledge = &model.extra;
        let (n, p) = (model.network.clone(), model.params.clone());
        let used = match known::<String>(knowledge, "task")?.as_str() {
            "forecast" => Use::Forecast(Box::new(ForecastModel::new(n, p, knowledge)?)),
            "classify" | "regress" | "label" => {
                Use::Labels(Box::new(LabelModel::new(n, p, knowledge)?))
            }
            "caption" | "seq2seq" => Use::Pairs(Box::new(PairModel::new(&model, &config)?)),
            "text" => Use::Text(Box::new(CharacterModel::new(n, p, knowledge)?)),
            other => {
                return Err(Error::Config(format!(
                    "the model is for the task {other:?}, which this elman does not know"
                )));
            }
        };
        Ok(Trained {
            config,
            network: model.network,
            params: model.params,
            used,
        })
    }
    /// From a run folder, or a model file of one.
    pub fn load(path: &Path) -> Result<Trained, Error> {
        let (model, config) = Run::load(path)?;
        let trained = Trained::new(model, config);
        trained.map_err(|e| Error::Run {
            path: path.into(),
            why: format!("{e}; use the version of elman that wrote it"),
        })
    }
    /// The forecaster; an error where it is something else.
    pub fn forecaster(&self) -> Result<&ForecastModel, Error> {
        match &self.used {
            Use::Forecast(model) => Ok(model),
            _ => Err(self.other("a forecaster")),
        }
    }
    /// The character model; an error where it is something else.
    pub fn writer(&self) -> Result<&CharacterModel, Error> {
        match &self.used {
            Use::Text(model) => Ok(model),
            _ => Err(self.other("a model of text")),
        }
    }
    fn other(&self, wanted: &str) -> Error {
        Error::Config(format!(
            "this model was trained for the task {}, and {wanted} is needed; use elman {}",
            self.config.task,
            match self.used {
                Use::Text(_) => "generate",
                _ => "predict",
            }
        ))
    }
    /// The columns it reads, of a file, or of the data it was trained on.
    pub fn frame(&self, file: Option<&str>) -> Result<Frame, Error> {
        let model = self.forecaster()?;
        let Some(file) = file.or(self.config.data.as_deref()) else {
            return frame(&self.config, None);
        };
        let table = Table::read(Path::new(file))?;
        let columns: Vec<&str> = model.columns().iter().map(String::as_str).collect();
        Ok(table.select(&columns, self.config.missing)?)
    }
    /// What it says about the sequences of a file, whose labels are not looked at.
    pub fn answers(&self, file: &str, team: &Team) -> Result<(Sequences, Vec<Answer>), Error> {
        let Use::Labels(model) = &self.used else {
            return Err(self.other("one that classifies, regresses or labels"));
        };
        let sequences = unlabelled(&self.config, file)?;
        let all: Vec<usize> = (0..sequences.len()).collect();
        let answers = model.answers(&sequences, &all, team)?;
        Ok((sequences, answers))
    }
    /// What it says for the sources of a file: a text a line (what stands behind a tab is not looked at), or vectors.
    /// Each with the source's text, or its name.
    pub fn say(
        &self,
        file: &str,
        how: Search,
        team: &Team,
    ) -> Result<Vec<(String, Spoken)>, Error> {
        let Use::Pairs(model) = &self.used else {
            return Err(self.other("one of pairs (caption, seq2seq)"));
        };
        if let PairSource::Vectors(_) = model.source() {
            let given = Given::vectors(unlabelled(&self.config, file)?)?;
            let all: Vec<usize> = (0..given.names.len()).collect();
            let sources = given.sources(model.source(), &all)?;
            let said = model.spoken(&sources, &all, how, team)?;
            return Ok(given.names.iter().map(str::to_owned).zip(said).collect());
        }
        let text = Text::read(Path::new(file))?.text;
        let first = |line: &'_ str| line.split('\t').next().unwrap_or("").trim().to_string();
        let sources: Vec<String> = text.lines().map(first).filter(|l| !l.is_empty()).collect();
        let texts: Vec<&str> = sources.iter().map(String::as_str).collect();
        let said = model.say(&texts, how, team)?;
        Ok(sources.into_iter().zip(said).collect())
    }
    /// Scores it on the parts of the data it was trained on, read again.
    pub fn evaluate(&self, team: &Team) -> Result<Evaluation, Error> {
        let stored = Options::from_toml("config", &self.config.to_toml()?)?;
        let (_, data) = prepare(stored)?;
        self.evaluate_on(&data, team)
    }
    /// Scores it on another file; `labels` is the file of the labels where that is a second one (`.npy`).
    pub fn evaluate_file(
        &self,
        file: &str,
        labels: Option<&str>,
        team: &Team,
    ) -> Result<Evaluation, Error> {
        match &self.used {
            Use::Forecast(model) => {
                evaluate::forecast_elsewhere(model, &self.frame(Some(file))?, team)
            }
            Use::Labels(model) => {
                let mut sequences = labelled(&self.config, file, labels)?;
                evaluate::labels_elsewhere(model, &mut sequences, team)
            }
            Use::Pairs(model) => {
                let given = Given::read(&self.config, file, labels)?;
                let all: Vec<usize> = (0..given.targets.len()).collect();
                let part = part("the whole file", &given, &all, model.source())?;
                evaluate::pairs(model, &[part], model.search(), team)
            }
            Use::Text(model) => {
                let codes = model
                    .vocabulary()
                    .encode(&Text::read(Path::new(file))?.text);
                let stored = Options::from_toml("config", &self.config.to_toml()?)?;
                let (_, data) = prepare(stored)?;
                let Prepared::Text(task) = &data else {
                    return Err(Error::Internal("a model of text without a text".into()));
                };
                let sample = self.sample()?;
                evaluate::text(model, task.training(), (file, &codes), sample, team)
            }
        }
    }
    /// Scores it on data made ready.
    pub(crate) fn evaluate_on(&self, data: &Prepared, team: &Team) -> Result<Evaluation, Error> {
        match (&self.used, data) {
            (Use::Forecast(model), Prepared::Forecast(task)) => {
                let parts: &[Part] = task.split().parts();
                evaluate::forecast(model, task.frame(), parts, team)
            }
            (Use::Labels(model), Prepared::Labels(task)) => {
                evaluate::labels(model, &task.parts(), team)
            }
            (Use::Pairs(model), Prepared::Pairs(task)) => {
                evaluate::pairs(model, &task.parts()?, model.search(), team)
            }
            (Use::Text(model), Prepared::Text(task)) => {
                let held_out = match task.test() {
                    [_, _, ..] => ("the test part", task.test()),
                    _ => ("the validation part", task.validation()),
                };
                evaluate::text(model, task.training(), held_out, self.sample()?, team)
            }
            _ => Err(Error::Internal("the data are for another task".into())),
        }
    }
    fn sample(&self) -> Result<String, Error> {
        let sampling = Sampling {
            length: 400,
            temperature: 0.7,
            top_k: 0,
            seed: self.config.seed,
        };
        let mut sample = String::new();
        self.writer()?.generate("", sampling, |c| sample.push(c))?;
        Ok(sample)
    }
}
