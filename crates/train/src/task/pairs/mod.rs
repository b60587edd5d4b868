//! Something in, a sequence of symbols out, whose length the network chooses: texts to texts (many to many where
//! lengths differ: `seq2seq`), and vectors to texts (one to many: `caption`).

mod examples;
mod learner;
mod model;
mod search;

pub use model::{PairModel, Spoken};
pub use search::Search;

pub(crate) use examples::{Examples, Sources};
use learner::PairLearner;
pub(crate) use search::Hypothesis;

use super::forecast::network;
use super::{Task, digest, json};
use crate::data::sequences::{Label, Sequences};
use crate::data::{
    DataError, Drawn, Fractions, Pairs, Rising, RowLabels, Scaler, SymbolTable, Texts, draw,
    sorted_batches,
};
use crate::{Config, Error, Learner, Loss, Reach, Source, Sum};
use elman_core::{
    Companions, Input, Network, Params, Plan, Reads, Team, Transducer, TransducerTrace,
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;

/// What a model's sources are.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PairSource {
    /// Texts of these symbols.
    Texts(SymbolTable),
    /// Vectors, scaled number by number.
    Vectors(Scaler),
}

/// Pairs as read: texts, or vectors, and what should be said.
#[derive(Debug)]
pub(crate) struct Given {
    file: String,
    /// The text of each source, or the name of its vector.
    pub(crate) names: Texts,
    /// `[rows, width]`; empty where sources are texts.
    pub(crate) vectors: Vec<f32>,
    pub(crate) width: usize,
    channels: Vec<String>,
    pub(crate) targets: Texts,
}

/// Pairs made ready for training.
#[derive(Debug)]
pub struct PairTask {
    config: Config,
    given: Given,
    others: Option<Given>,
    drawn: Drawn,
    source: PairSource,
    target: SymbolTable,
    longest: usize,
    train: Examples,
    validation: Examples,
}

/// A part of the data: the sources, each once, and all that may be said about each.
pub(crate) struct PairPart {
    pub(crate) name: &'static str,
    pub(crate) names: Vec<String>,
    pub(crate) sources: Sources,
    pub(crate) references: Vec<Vec<String>>,
}

impl Given {
    /// From the file of a configuration's task.
    pub(crate) fn read(config: &Config, file: &str, labels: Option<&str>) -> Result<Given, Error> {
        if config.task == "caption" {
            return Given::vectors(super::labelled(config, file, labels)?);
        }
        let pairs = Pairs::read(Path::new(file))?;
        Ok(Given {
            file: pairs.file,
            names: pairs.sources,
            vectors: Vec::new(),
            width: 0,
            channels: Vec::new(),
            targets: pairs.targets,
        })
    }
    /// From sequences: all steps of one, one after another, are its vector.
    pub(crate) fn vectors(sequences: Sequences) -> Result<Given, Error> {
        let width = sequences.get(0).steps.len();
        let mut given = Given {
            file: sequences.file.clone(),
            names: Texts::default(),
            vectors: Vec::new(),
            width,
            channels: (1..=width).map(|n| format!("number_{n}")).collect(),
            targets: Texts::default(),
        };
        for row in sequences.iter() {
            if row.steps.len() != width {
                return Err(DataError::Line {
                    file: sequences.file.clone(),
                    line: row.line,
                    what: format!(
                        "it has {} numbers and the first has {width}; vectors must be of one size",
                        row.steps.len()
                    ),
                }
                .into());
            }
            given.vectors.extend_from_slice(row.steps);
            given.names.push(&row.id);
            given.targets.push(match row.label {
                Label::Class(c) => &sequences.classes[c as usize],
                _ => "",
            });
        }
        Ok(given)
    }
    /// As a model of `source` reads some of them.
    pub(crate) fn sources(&self, source: &PairSource, rows: &[usize]) -> Result<Sources, Error> {
        Ok(match source {
            PairSource::Texts(table) => {
                let codes = rows.iter().map(|&r| table.encode(self.names.get(r)));
                Sources::Symbols(codes.collect(), table.size())
            }
            PairSource::Vectors(scaler) => {
                if scaler.columns.len() != self.width {
                    return Err(DataError::File {
                        file: self.file.clone(),
                        what: format!(
                            "its vectors have {} numbers and the model reads {}",
                            self.width,
                            scaler.columns.len()
                        ),
                    }
                    .into());
                }
                let of = |r: usize| self.vectors[r * self.width..][..self.width].iter();
                let scaled = rows.iter().flat_map(|&r| of(r).enumerate());
                let scaled = scaled.map(|(c, &x)| scaler.forward(c, f64::from(x)) as f32);
                Sources::Vectors(scaled.collect(), self.width)
            }
        })
    }
}

impl PairTask {
    /// From the files that the configuration names.
    pub fn new(config: &Config) -> Result<PairTask, Error> {
        let Some(file) = &config.data else {
            return Err(Error::Config(format!(
                "pairs are needed: elman train FILE --task {}",
                config.task
            )));
        };
        if config.window != Reach::Steps(0) || config.burn_in != 0 {
            return Err(Error::Config(format!(
                "the task {} learns from whole sequences: leave --window and --burn-in at 0",
                config.task
            )));
        }
        let given = Given::read(config, file, config.labels.as_deref())?;
        let others = match &config.test_data {
            None => None,
            Some(other) => Some(Given::read(config, other, config.test_labels.as_deref())?),
        };
        let drawn = drawn(config, &given, others.is_some())?;
        let train = || drawn.train.iter().copied();
        let target = SymbolTable::of(train().map(|r| given.targets.get(r)), config.target_symbols);
        let source = match given.width {
            0 => PairSource::Texts(SymbolTable::of(
                train().map(|r| given.names.get(r)),
                config.source_symbols,
            )),
            width => PairSource::Vectors(fit(config, &given, width, &drawn.train)?),
        };
        let make = |which: &[usize]| -> Result<Examples, Error> {
            let targets = which.iter().map(|&r| target.encode(given.targets.get(r)));
            let (targets, sources) = (targets.collect(), given.sources(&source, which)?);
            Ok(Examples::new(sources, targets, target.size()))
        };
        let (train, validation) = (make(&drawn.train)?, make(&drawn.validation)?);
        let longest = train.lengths().iter().max().copied().unwrap_or(1);
        Ok(PairTask {
            config: config.clone(),
            longest,
            given,
            others,
            drawn,
            source,
            target,
            train,
            validation,
        })
    }
    fn plan(&self) -> Plan {
        Plan {
            reads: match &self.source {
                PairSource::Texts(table) => Reads::Symbols(table.size()),
                PairSource::Vectors(scaler) => Reads::Vectors(scaler.columns.len()),
            },
            symbols: self.target.size(),
            attention: self.config.attention,
        }
    }
    fn networks(&self, config: &Config) -> Result<(Network, Companions), Error> {
        let known = self.target.size();
        let like = network(config, config.cell()?, Input::Symbols(known), known);
        let like = Network {
            bidirectional: config.bidirectional,
            ..like
        };
        Ok(self.plan().networks(&like)?)
    }
    /// The parts to score on: validation and test, and as many rows of training as of those, at most.
    pub(crate) fn parts(&self) -> Result<Vec<PairPart>, Error> {
        let few = self
            .drawn
            .validation
            .len()
            .max(self.drawn.test.len())
            .max(500);
        let training: Vec<usize> = self.drawn.train.iter().copied().take(few).collect();
        let mut parts = Vec::new();
        for (name, which) in [
            ("training", &training),
            ("validation", &self.drawn.validation),
            ("test", &self.drawn.test),
        ] {
            if !which.is_empty() {
                parts.push(part(name, &self.given, which, &self.source)?);
            }
        }
        if let Some(others) = &self.others {
            let all: Vec<usize> = (0..others.targets.len()).collect();
            parts.push(part("test", others, &all, &self.source)?);
        }
        Ok(parts)
    }
}

/// Some pairs as a part to score on. A text that comes several times is one source with several references.
pub(crate) fn part(
    name: &'static str,
    given: &Given,
    which: &[usize],
    source: &PairSource,
) -> Result<PairPart, Error> {
    let mut place: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut firsts, mut references): (Vec<usize>, Vec<Vec<String>>) = Default::default();
    for &row in which {
        let target = given.targets.get(row).to_owned();
        let own = given.names.get(row);
        match place.get(own) {
            Some(&at) if given.width == 0 => references[at].push(target),
            _ => {
                place.insert(own, firsts.len());
                firsts.push(row);
                references.push(vec![target]);
            }
        }
    }
    Ok(PairPart {
        name,
        names: firsts
            .iter()
            .map(|&r| given.names.get(r).to_owned())
            .collect(),
        sources: given.sources(source, &firsts)?,
        references,
    })
}

fn fit(config: &Config, given: &Given, width: usize, train: &[usize]) -> Result<Scaler, Error> {
    let column = |c: usize| {
        let values = train
            .iter()
            .map(|&r| f64::from(given.vectors[r * width + c]));
        values.collect::<Vec<f64>>().into()
    };
    let frame = crate::data::Frame {
        file: given.file.clone(),
        names: given.channels.clone(),
        columns: (0..width).map(column).collect(),
        labels: RowLabels::default(),
        line_of_row: Rising::default(),
        repaired: 0,
    };
    Ok(Scaler::fit(config.scale, &frame, 0..train.len())?)
}

/// Which pairs train, validate and test; pairs of one source stay together.
fn drawn(config: &Config, given: &Given, has_test: bool) -> Result<Drawn, Error> {
    let test = if has_test { 0.0 } else { config.test };
    let shares = Fractions {
        train: 1.0 - config.validation - test,
        validation: config.validation,
        test,
    };
    let mut rng = ChaCha8Rng::seed_from_u64(config.split_seed);
    let names: Vec<&str> = given.names.iter().collect();
    Ok(draw(&names, shares, &mut rng)?)
}

/// Rows that are run side by side where nothing is learned.
const SIDE_BY_SIDE: NonZeroUsize = NonZeroUsize::new(128).unwrap();

impl Task for PairTask {
    fn name(&self) -> &'static str {
        match self.given.width {
            0 => "seq2seq",
            _ => "caption",
        }
    }
    fn network(&self, config: &Config) -> Result<Network, Error> {
        Ok(self.networks(config)?.0)
    }
    fn companions(&self, config: &Config) -> Result<Companions, Error> {
        Ok(self.networks(config)?.1)
    }
    fn source(&self) -> &dyn Source {
        &self.train
    }
    fn learner<'a>(
        &'a self,
        network: &'a Network,
        config: &'a Config,
        params: &Params<f32>,
    ) -> Result<Box<dyn Learner + 'a>, Error> {
        let companions = self.companions(config)?;
        let learner = PairLearner::new((network, &companions), config, &self.train, params)?;
        Ok(Box::new(learner))
    }
    fn validate(
        &self,
        network: &Network,
        params: &Params<f32>,
        team: &Team,
    ) -> Result<Option<Sum>, Error> {
        let examples = &self.validation;
        if examples.lengths().is_empty() {
            return Ok(None);
        }
        let net = Transducer::new(network, &self.companions(&self.config)?, params)?;
        let (mut trace, mut spare) = (TransducerTrace::default(), Vec::new());
        let mut sum = Sum::default();
        for rows in sorted_batches(examples.lengths(), SIDE_BY_SIDE).batches {
            let given = examples.sources.batch(&rows)?;
            let piece = examples.piece(&rows, 0, usize::MAX)?;
            net.forward(given.view(), &piece.batch, &mut trace, team)?;
            spare.resize(trace.outputs().len(), 0.0);
            let (y, width) = (trace.outputs(), net.symbols());
            sum.add(piece.loss(Loss::CrossEntropy, y, width, 0, &mut spare)?);
        }
        Ok(Some(sum))
    }
    fn knowledge(&self) -> Result<BTreeMap<String, String>, Error> {
        let texts = self.given.names.iter().chain(self.given.targets.iter());
        let bytes = texts.flat_map(|t| t.bytes());
        let numbers = self.given.vectors.iter().flat_map(|x| x.to_le_bytes());
        Ok(BTreeMap::from([
            ("task".into(), json(&self.name())?),
            ("data".into(), digest(bytes.chain(numbers))),
            ("source".into(), json(&self.source)?),
            ("target".into(), json(&self.target)?),
            ("longest".into(), json(&self.longest)?),
        ]))
    }
}
