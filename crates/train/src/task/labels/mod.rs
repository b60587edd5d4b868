//! Many sequences with labels: one for each (many to one), or one for every step (many to many, in step).
//!
//! With h_t the states of a row of T steps, y_t = W_hy h_t + b_y is read at the last step, or as the mean over all
//! steps (`--read`); a class is the largest of y, its probability softmax(y).

mod model;
mod read;
mod rows;

pub(crate) use model::largest;
pub use model::{Answer, LabelModel};
pub use read::Question;
pub(crate) use read::{ENDINGS, labelled, unlabelled};
pub(crate) use rows::Rows;

use super::forecast::network;
use super::{Task, digest, json};
use crate::data::sequences::{Label, Sequences};
use crate::data::{Affine, Drawn, Fractions, Scaler, draw};
use crate::{Config, Error, Reach, Read, Source, Sum};
use elman_core::{Input, Network, Params, Team, Weights};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;

/// Sequences with labels, made ready for training.
#[derive(Debug)]
pub struct LabelTask {
    question: Question,
    config: Config,
    sequences: Sequences,
    /// The sequences of the file to test on, where it is another.
    others: Option<Sequences>,
    drawn: Drawn,
    channels: Scaler,
    answer: Affine,
    /// Of the training part's labels, where they are numbers.
    mean: f64,
    train: Rows,
    validation: Rows,
}

/// A part of the data: its name, and what to say about its rows.
pub(crate) struct LabelPart<'a> {
    pub(crate) name: &'static str,
    pub(crate) sequences: &'a Sequences,
    pub(crate) which: Vec<usize>,
}

impl LabelPart<'_> {
    /// Whether training had no share in it.
    pub(crate) fn held_out(&self) -> bool {
        self.name != "training" && self.name != "validation"
    }
}

impl LabelTask {
    /// From the files that the configuration names.
    pub fn new(config: &Config) -> Result<LabelTask, Error> {
        let Some(file) = &config.data else {
            return Err(Error::Config(format!(
                "sequences are needed: elman train FILE --task {}",
                config.task
            )));
        };
        let sequences = labelled(config, file, config.labels.as_deref())?;
        let others = match &config.test_data {
            None => None,
            Some(other) => {
                let mut others = labelled(config, other, config.test_labels.as_deref())?;
                others.require_channels(sequences.channels.len())?;
                others.use_classes(&sequences.classes)?;
                Some(others)
            }
        };
        let question = Question::of(config);
        let drawn = drawn(config, &sequences, others.is_some())?;
        if question.of_classes() {
            require_two_classes(&sequences, &drawn.train)?;
        }
        let (channels, answer, mean) = rows::fit(config.scale, &sequences, &drawn.train)?;
        let make = |which: &[usize]| {
            let asked = (question, config.read);
            Rows::new(&sequences, which, (&channels, &answer), asked)
        };
        let (train, validation) = (make(&drawn.train)?, make(&drawn.validation)?);
        let longest = train.lengths().iter().max().copied().unwrap_or(0);
        let whole = match config.window {
            Reach::Steps(w) => w == 0 || w >= longest,
            Reach::Auto => false,
        };
        if config.read == Read::Mean && !question.every_step() && !whole {
            return Err(Error::Config(format!(
                "--read mean reads whole sequences, of up to {longest} steps, and the window is {}; use --window 0 \
                 or --read last",
                config.window
            )));
        }
        if question.every_step() && config.burn_in >= longest {
            return Err(Error::Config(format!(
                "a burn-in of {} leaves nothing of sequences of up to {longest} steps",
                config.burn_in
            )));
        }
        Ok(LabelTask {
            question,
            config: config.clone(),
            sequences,
            others,
            drawn,
            channels,
            answer,
            mean,
            train,
            validation,
        })
    }
    /// The parts to score a network on: those of its own file, and the file to test on.
    pub(crate) fn parts(&self) -> Vec<LabelPart<'_>> {
        let own = [
            ("training", &self.drawn.train),
            ("validation", &self.drawn.validation),
            ("test", &self.drawn.test),
        ];
        let part = |name, sequences, which| LabelPart {
            name,
            sequences,
            which,
        };
        let own = own.into_iter().filter(|(_, which)| !which.is_empty());
        let own = own.map(|(name, which)| part(name, &self.sequences, which.clone()));
        let others = self.others.iter();
        let others = others.map(|o| part("test", o, (0..o.len()).collect()));
        own.chain(others).collect()
    }
    fn width(&self) -> usize {
        match self.question.of_classes() {
            true => self.sequences.classes.len(),
            false => 1,
        }
    }
}

/// Which sequences train, validate and test: at random, always the same for the same `--split-seed`.
fn drawn(config: &Config, sequences: &Sequences, has_test: bool) -> Result<Drawn, Error> {
    let test = if has_test { 0.0 } else { config.test };
    let shares = Fractions {
        train: 1.0 - config.validation - test,
        validation: config.validation,
        test,
    };
    let mut rng = ChaCha8Rng::seed_from_u64(config.split_seed);
    let ids: Vec<_> = sequences.iter().map(|s| s.id).collect();
    let ids: Vec<&str> = ids.iter().map(|id| &**id).collect();
    Ok(draw(&ids, shares, &mut rng)?)
}

fn require_two_classes(sequences: &Sequences, train: &[usize]) -> Result<(), Error> {
    let mut seen = vec![false; sequences.classes.len()];
    for &row in train {
        match sequences.get(row).label {
            Label::Class(c) => seen[c as usize] = true,
            Label::Classes(all) => all.iter().for_each(|&c| seen[c as usize] = true),
            _ => {}
        }
    }
    if seen.iter().filter(|&&s| s).count() >= 2 {
        return Ok(());
    }
    Err(Error::Config(format!(
        "{}: all sequences of the training part have the same label, so there is nothing to tell apart",
        sequences.file
    )))
}

impl Task for LabelTask {
    fn name(&self) -> &'static str {
        self.question.name()
    }
    fn network(&self, config: &Config) -> Result<Network, Error> {
        let width = self.sequences.channels.len();
        let network = network(config, config.cell()?, Input::Features(width), self.width());
        Ok(Network {
            bidirectional: config.bidirectional,
            ..network
        })
    }
    fn source(&self) -> &dyn Source {
        &self.train
    }
    fn validate(
        &self,
        network: &Network,
        params: &Params<f32>,
        team: &Team,
    ) -> Result<Option<Sum>, Error> {
        if self.validation.lengths().is_empty() {
            return Ok(None);
        }
        let weights = Weights::new(network, params)?;
        let loss = self.config.loss;
        self.validation.loss(loss, &weights, team).map(Some)
    }
    fn knowledge(&self) -> Result<BTreeMap<String, String>, Error> {
        let steps = self.sequences.iter().flat_map(|s| s.steps);
        Ok(BTreeMap::from([
            ("task".into(), json(&self.name())?),
            ("data".into(), digest(steps.flat_map(|x| x.to_le_bytes()))),
            ("question".into(), json(&self.question)?),
            ("read".into(), json(&self.config.read)?),
            ("classes".into(), json(&self.sequences.classes)?),
            ("scaler".into(), json(&self.channels)?),
            ("answer".into(), json(&self.answer)?),
            ("mean".into(), json(&self.mean)?),
        ]))
    }
}
