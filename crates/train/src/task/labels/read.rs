//! Which reader a file of sequences needs, by its name and the options.

use crate::data::sequences::{
    JsonlOptions, LabelKind, LongOptions, Sequences, WideOptions, read_jsonl, read_long,
    read_npy_sequences, read_ts, read_wide,
};
use crate::data::{DataError, Missing};
use crate::{Config, Error, Loss};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What is said about sequences.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Question {
    /// One class for each sequence.
    Classify,
    /// One number for each sequence.
    Regress,
    /// One class for every step.
    LabelSteps,
    /// One number for every step.
    RegressSteps,
}

impl Question {
    /// The question of a configuration. What a caption says about a vector is read as its class.
    pub(crate) fn of(config: &Config) -> Question {
        match (config.task.as_str(), config.loss) {
            ("classify" | "caption", _) => Question::Classify,
            ("regress", _) => Question::Regress,
            (_, Loss::CrossEntropy) => Question::LabelSteps,
            _ => Question::RegressSteps,
        }
    }
    /// The task that asks it.
    pub fn name(self) -> &'static str {
        match self {
            Question::Classify => "classify",
            Question::Regress => "regress",
            Question::LabelSteps | Question::RegressSteps => "label",
        }
    }
    /// What the file's labels are.
    fn labels(self) -> LabelKind {
        match self {
            Question::Classify => LabelKind::Class,
            Question::Regress => LabelKind::Number,
            Question::LabelSteps => LabelKind::ClassPerStep,
            Question::RegressSteps => LabelKind::NumberPerStep,
        }
    }
    /// Whether the answer is a class.
    pub fn of_classes(self) -> bool {
        matches!(self, Question::Classify | Question::LabelSteps)
    }
    /// Whether every step has its own answer.
    pub fn every_step(self) -> bool {
        matches!(self, Question::LabelSteps | Question::RegressSteps)
    }
}

/// Endings of the files that hold sequences and nothing else.
pub(crate) const ENDINGS: [&str; 4] = ["ts", "jsonl", "ndjson", "npy"];

/// Sequences with labels, to learn from or to be scored on. `labels` is the second file of a `.npy` file.
pub(crate) fn labelled(
    config: &Config,
    file: &str,
    labels: Option<&str>,
) -> Result<Sequences, Error> {
    let question = Question::of(config);
    let sequences = read(
        config,
        file,
        labels,
        question.labels(),
        config.label.clone(),
    )?;
    if sequences.len() < 2 {
        let what = "there is one sequence in it; to learn and to test takes at least two".into();
        return Err(DataError::File {
            file: sequences.file,
            what,
        }
        .into());
    }
    Ok(sequences)
}

/// Sequences whose labels, where the file has any, are not looked at.
pub(crate) fn unlabelled(config: &Config, file: &str) -> Result<Sequences, Error> {
    let with = read(config, file, None, LabelKind::None, config.label.clone());
    match with {
        // A file to be answered need not hold the answers.
        Err(Error::Data(DataError::NoSuchColumn { name, .. }))
            if Some(&name) == config.label.as_ref() =>
        {
            read(config, file, None, LabelKind::None, None)
        }
        other => other,
    }
}

fn read(
    config: &Config,
    file: &str,
    labels: Option<&str>,
    kind: LabelKind,
    label: Option<String>,
) -> Result<Sequences, Error> {
    let (path, missing) = (Path::new(file), config.missing);
    let ending = path.extension().and_then(|e| e.to_str()).unwrap_or("");
    Ok(match ending.to_ascii_lowercase().as_str() {
        "ts" => labels_of_ts(read_ts(path, missing)?, kind)?,
        "jsonl" | "ndjson" => read_jsonl(path, JsonlOptions { kind, missing })?,
        "npy" => {
            if kind != LabelKind::None && labels.is_none() {
                return Err(Error::Config(format!(
                    "{file}: say which .npy file holds its labels with --labels (and --test-labels)"
                )));
            }
            read_npy_sequences(path, labels.map(Path::new), kind, missing)?
        }
        _ => table(config, path, kind, label, missing)?,
    })
}

/// A `.ts` file says itself what its labels are.
fn labels_of_ts(sequences: Sequences, kind: LabelKind) -> Result<Sequences, Error> {
    let bad = |what: &str| {
        let file = sequences.file.clone();
        let what = what.to_string();
        Err(DataError::File { file, what }.into())
    };
    match kind {
        LabelKind::Class if sequences.classes.is_empty() => {
            bad("it declares no classes (@classLabel true …); use --task regress for numbers")
        }
        LabelKind::Number if !sequences.classes.is_empty() => {
            bad("its labels are classes; use --task classify")
        }
        LabelKind::ClassPerStep | LabelKind::NumberPerStep => {
            bad("a .ts file has no labels for every step; use the long CSV format or JSON lines")
        }
        _ => Ok(sequences),
    }
}

fn table(
    config: &Config,
    path: &Path,
    kind: LabelKind,
    label: Option<String>,
    missing: Missing,
) -> Result<Sequences, Error> {
    if kind != LabelKind::None && label.is_none() {
        return Err(Error::Config(format!(
            "{}: say which column holds the labels with --label",
            path.display()
        )));
    }
    Ok(match &config.id {
        Some(id) => {
            let options = LongOptions {
                id: id.clone(),
                step: config.order.clone(),
                channels: config.features.clone().unwrap_or_default(),
                label,
                kind,
                missing,
            };
            read_long(path, &options)?
        }
        None if matches!(kind, LabelKind::ClassPerStep | LabelKind::NumberPerStep) => {
            return Err(Error::Config(format!(
                "{}: labels for every step need one step a row: say which column names the sequence with --id",
                path.display()
            )));
        }
        None => {
            let options = WideOptions {
                channels: config.channels.unwrap_or(1),
                label,
                kind,
                missing,
            };
            read_wide(path, &options)?
        }
    })
}
