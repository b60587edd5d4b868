//! A trained network that answers about sequences.

use super::{Question, Rows};
use crate::data::sequences::{Label, Sequences};
use crate::data::{Affine, Scaler};
use crate::loss::softmax;
use crate::task::known;
use crate::{Error, Read, Source};
use elman_core::{Input, Network, Params, Team, Weights};
use std::collections::BTreeMap;

/// A network with what it needs to answer about sequences.
#[derive(Debug)]
pub struct LabelModel {
    network: Network,
    params: Params<f32>,
    question: Question,
    read: Read,
    classes: Vec<String>,
    channels: Scaler,
    answer: Affine,
    mean: f64,
}

/// What a network says about one sequence.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The probability of each class `[classes]`; for every step `[T, classes]`.
    Classes(Vec<f32>),
    /// One number, or one for every step, in the label's units.
    Numbers(Vec<f64>),
}

impl LabelModel {
    /// From a network, its parameters and what was stored with them.
    pub fn new(
        network: Network,
        params: Params<f32>,
        knowledge: &BTreeMap<String, String>,
    ) -> Result<LabelModel, Error> {
        let model = LabelModel {
            question: known(knowledge, "question")?,
            read: known(knowledge, "read")?,
            classes: known(knowledge, "classes")?,
            channels: known(knowledge, "scaler")?,
            answer: known(knowledge, "answer")?,
            mean: known(knowledge, "mean")?,
            network,
            params,
        };
        let says = match model.question.of_classes() {
            true => model.classes.len(),
            false => 1,
        };
        let reads = Input::Features(model.channels.columns.len());
        if model.network.output != Some(says) || model.network.input != reads {
            return Err(Error::Config(
                "the model's classes, scaling and network do not go together".into(),
            ));
        }
        Ok(model)
    }
    /// What it is asked.
    pub fn question(&self) -> Question {
        self.question
    }
    /// Names of the classes; empty where it answers with numbers.
    pub fn classes(&self) -> &[String] {
        &self.classes
    }
    /// The mean of the labels that it learned from, where they are numbers.
    pub fn mean_label(&self) -> f64 {
        self.mean
    }
    /// Names of the channels that it reads.
    pub fn channels(&self) -> Vec<&str> {
        let columns = self.channels.columns.iter();
        columns.map(|c| c.name.as_str()).collect()
    }
    /// Labelled sequences as it reads them.
    pub(crate) fn rows(&self, mut sequences: Sequences) -> Result<impl Source, Error> {
        sequences.require_channels(self.channels.columns.len())?;
        if self.question.of_classes() {
            sequences.use_classes(&self.classes)?;
        }
        let all: Vec<usize> = (0..sequences.len()).collect();
        let scaling = (&self.channels, &self.answer);
        Rows::new(&sequences, &all, scaling, (self.question, self.read))
    }
    /// What it says about each of some sequences, in the order given.
    pub fn answers(
        &self,
        sequences: &Sequences,
        which: &[usize],
        team: &Team,
    ) -> Result<Vec<Answer>, Error> {
        sequences.require_channels(self.channels.columns.len())?;
        let scaling = (&self.channels, &self.answer);
        let rows = Rows::new(sequences, which, scaling, (self.question, self.read))?;
        let weights = Weights::new(&self.network, &self.params)?;
        let mut answers = vec![Answer::Numbers(Vec::new()); which.len()];
        let says = self.network.output_width();
        rows.run(&weights, team, |row, y| {
            answers[row] = match self.question.of_classes() {
                true => {
                    let mut y = y.to_vec();
                    y.chunks_exact_mut(says).for_each(|y| softmax(y, 1.0));
                    Answer::Classes(y)
                }
                false => {
                    let units = |&y: &f32| f64::from(y) * self.answer.scale + self.answer.offset;
                    Answer::Numbers(y.iter().map(units).collect())
                }
            };
        })?;
        Ok(answers)
    }
    /// What it should have said about a sequence: classes, or numbers in the label's units.
    pub(crate) fn truth(label: Label<'_>) -> (Vec<u32>, Vec<f64>) {
        match label {
            Label::None => Default::default(),
            Label::Class(c) => (vec![c], Vec::new()),
            Label::Classes(all) => (all.to_vec(), Vec::new()),
            Label::Number(y) => (Vec::new(), vec![y]),
            Label::Numbers(all) => (Vec::new(), all.to_vec()),
        }
    }
}

/// The place of the largest; the first of equals.
pub(crate) fn largest(y: &[f32]) -> u32 {
    let mut best = 0;
    for (i, v) in y.iter().enumerate() {
        if *v > y[best] {
            best = i;
        }
    }
    best as u32
}
