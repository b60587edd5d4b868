//! Text, character by character: the network reads one and says how likely each is to be the next.

use super::forecast::network;
use super::{Task, digest, json, known, streams};
use crate::data::{Encoded, TEST, VALIDATION, Vocabulary};
use crate::loss::softmax;
use crate::{Config, Error, Loss, Piece, Read, Source, Sum, Target};
use elman_core::{Batch, Input, Network, Params, Stepper, Team, Weights};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeMap;
use std::ops::Range;

/// A text made ready for training.
#[derive(Debug)]
pub struct TextTask {
    encoded: Encoded,
    train: Streams,
    validation: Streams,
}

/// Parts of a text of equal length, read side by side.
#[derive(Debug)]
struct Streams {
    codes: Vec<u32>,
    known: usize,
    lengths: Vec<usize>,
}

impl Streams {
    /// Cuts `codes` into `count` streams, or fewer where there are not enough.
    fn new(codes: &[u32], known: usize, count: usize) -> Streams {
        let count = count.min(codes.len() - 1).max(1);
        Streams {
            codes: codes.to_vec(),
            known,
            lengths: vec![(codes.len() - 1) / count; count],
        }
    }
}

impl Source for Streams {
    fn lengths(&self) -> &[usize] {
        &self.lengths
    }
    fn streams(&self) -> bool {
        true
    }
    fn piece(&self, rows: &[usize], from: usize, to: usize) -> Result<Piece, Error> {
        let length = self.lengths[0];
        let steps = from..to.min(length);
        let at = |shift: usize| {
            let steps = steps.clone();
            steps.flat_map(move |t| rows.iter().map(move |r| self.codes[r * length + t + shift]))
        };
        let x: Vec<u32> = at(0).collect();
        let batch = Batch::symbols(&x, [steps.len(), rows.len()], self.known, None)?;
        Ok(Piece {
            batch,
            target: Target::Classes(at(1).collect()),
            counted: None,
            read: Read::Last,
        })
    }
}

impl TextTask {
    /// From an encoded text with a training and a validation part.
    pub fn new(encoded: Encoded, config: &Config) -> Result<TextTask, Error> {
        let known = encoded.vocabulary.size();
        let part =
            |rows: &Range<usize>| Streams::new(&encoded.codes[rows.clone()], known, config.batch);
        let validation = encoded.split.part(VALIDATION).ok_or_else(|| {
            Error::Config("text needs a validation part: give --validation a share above 0".into())
        })?;
        let train = part(encoded.split.train());
        if train.lengths[0] <= config.burn_in {
            return Err(Error::Config(format!(
                "each of {} streams has {} characters, and a burn-in of {} leaves none to learn from; lower --burn-in \
                 or --batch",
                train.lengths.len(),
                train.lengths[0],
                config.burn_in
            )));
        }
        Ok(TextTask {
            train,
            validation: part(validation),
            encoded,
        })
    }
    /// The codes of the part that training never sees; empty where there is none.
    pub fn test(&self) -> &[u32] {
        let rows = self.encoded.split.part(TEST).cloned().unwrap_or(0..0);
        &self.encoded.codes[rows]
    }
    /// The codes of the part that early stopping watches.
    pub fn validation(&self) -> &[u32] {
        &self.validation.codes
    }
    /// The codes of the training part.
    pub fn training(&self) -> &[u32] {
        &self.train.codes
    }
    /// The text's codes, vocabulary and split.
    pub fn encoded(&self) -> &Encoded {
        &self.encoded
    }
}

impl Task for TextTask {
    fn name(&self) -> &'static str {
        "text"
    }
    fn network(&self, config: &Config) -> Result<Network, Error> {
        let known = self.encoded.vocabulary.size();
        Ok(network(
            config,
            config.cell()?,
            Input::Symbols(known),
            known,
        ))
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
        let weights = Weights::new(network, params)?;
        streams::loss(&self.validation, Loss::CrossEntropy, &weights, team).map(Some)
    }
    fn knowledge(&self) -> Result<BTreeMap<String, String>, Error> {
        let codes = self.encoded.codes.iter();
        Ok(BTreeMap::from([
            ("task".into(), json(&self.name())?),
            ("data".into(), digest(codes.flat_map(|c| c.to_le_bytes()))),
            ("vocabulary".into(), json(&self.encoded.vocabulary)?),
        ]))
    }
}

/// A trained model of characters.
#[derive(Debug)]
pub struct CharacterModel {
    network: Network,
    params: Params<f32>,
    vocabulary: Vocabulary,
}

/// How characters are drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampling {
    /// Characters to draw.
    pub length: usize,
    /// Above 0: below 1 bolder, above 1 wilder; 0 always takes the likeliest.
    pub temperature: f64,
    /// Draw among so many of the likeliest; 0 for all.
    pub top_k: usize,
    /// Seed of the draw.
    pub seed: u64,
}

impl CharacterModel {
    /// From a network, its parameters and what [`Task::knowledge`] stored.
    pub fn new(
        network: Network,
        params: Params<f32>,
        knowledge: &BTreeMap<String, String>,
    ) -> Result<CharacterModel, Error> {
        let vocabulary: Vocabulary = known(knowledge, "vocabulary")?;
        if network.input != Input::Symbols(vocabulary.size()) {
            return Err(Error::Config(
                "the model's vocabulary and network do not go together".into(),
            ));
        }
        Ok(CharacterModel {
            network,
            params,
            vocabulary,
        })
    }
    /// Its characters.
    pub fn vocabulary(&self) -> &Vocabulary {
        &self.vocabulary
    }
    /// A text cut into `count` rows, or fewer.
    pub(crate) fn streams(&self, codes: &[u32], count: usize) -> Result<impl Source, Error> {
        if codes.len() < 3 {
            return Err(Error::Config(
                "a text of at least three characters is needed".into(),
            ));
        }
        let count = count.min(codes.len() / 2);
        Ok(Streams::new(codes, self.vocabulary.size(), count))
    }
    /// Bits that each character of `codes` after the first takes, on average; read in one pass from the initial state.
    pub fn bits_per_character(&self, codes: &[u32], team: &Team) -> Result<f64, Error> {
        if codes.len() < 2 {
            return Err(Error::Config(
                "a text of at least two characters is needed".into(),
            ));
        }
        let weights = Weights::new(&self.network, &self.params)?;
        let stream = Streams::new(codes, self.vocabulary.size(), 1);
        let sum = streams::loss(&stream, Loss::CrossEntropy, &weights, team)?;
        Ok(sum.mean() / std::f64::consts::LN_2)
    }
    /// Goes on after `prompt`; calls `each` with every character drawn.
    pub fn generate(
        &self,
        prompt: &str,
        sampling: Sampling,
        mut each: impl FnMut(char),
    ) -> Result<(), Error> {
        let Sampling { temperature, .. } = sampling;
        if !(0.0..=100.0).contains(&temperature) {
            return Err(Error::Config(format!(
                "the temperature is {temperature}, and must be from 0 to 100"
            )));
        }
        let mut rng = ChaCha8Rng::seed_from_u64(sampling.seed);
        let mut stepper = Stepper::new(&self.network, &self.params)?;
        let mut y = vec![0.0f32; self.vocabulary.size()];
        // Without a prompt, what comes after a line's end.
        let prompt = if prompt.is_empty() { "\n" } else { prompt };
        for code in self.vocabulary.encode(prompt) {
            stepper.step_symbol(code, &mut y)?;
        }
        for _ in 0..sampling.length {
            // The unknown symbol is never said.
            y[Vocabulary::UNKNOWN as usize] = f32::NEG_INFINITY;
            let code = draw(
                &mut y,
                temperature as f32,
                sampling.top_k,
                rng.random::<f32>(),
            );
            each(self.vocabulary.char(code));
            stepper.step_symbol(code, &mut y)?;
        }
        Ok(())
    }
}

/// Draws a class from logits by a uniform number in [0, 1).
fn draw(y: &mut [f32], temperature: f32, top_k: usize, uniform: f32) -> u32 {
    let mut order: Vec<usize> = (0..y.len()).collect();
    order.sort_by(|&a, &b| y[b].total_cmp(&y[a]));
    if temperature == 0.0 {
        return order[0] as u32;
    }
    if (1..y.len()).contains(&top_k) {
        order.truncate(top_k);
    }
    softmax(y, temperature);
    let total: f32 = order.iter().map(|&i| y[i]).sum();
    let mut left = uniform * total;
    for &i in &order {
        left -= y[i];
        if left < 0.0 {
            return i as u32;
        }
    }
    order[0] as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_follow_the_odds() {
        let odds = [0.1f32, 0.6, 0.3];
        let mut counts = [0; 3];
        for i in 0..1000 {
            let mut y = odds.map(f32::ln);
            counts[draw(&mut y, 1.0, 0, i as f32 / 1000.0) as usize] += 1;
        }
        assert!(
            (counts[0] - 100i32).abs() < 3 && (counts[1] - 600i32).abs() < 3,
            "{counts:?}"
        );
        let mut y = odds.map(f32::ln);
        assert_eq!(draw(&mut y, 0.0, 0, 0.99), 1);
        let mut y = odds.map(f32::ln);
        assert_ne!(
            draw(&mut y, 1.0, 2, 0.9999),
            0,
            "the least likely is not among the two likeliest"
        );
    }
}
