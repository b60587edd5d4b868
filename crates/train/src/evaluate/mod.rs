//! How good a trained network is, beside what it has to beat.

mod labels;
mod pairs;

pub use labels::{ClassScores, NumberScores};
pub(crate) use labels::{labels, labels_elsewhere};
pub(crate) use pairs::pairs;
pub use pairs::{PairExample, PairScores};

use crate::Error;
use crate::data::baselines::{self, Accuracy, Bigram, Unigram};
use crate::data::{Frame, Part, TRAIN, VALIDATION};
use crate::task::{CharacterModel, ForecastModel};
use elman_core::Team;
use serde::Serialize;

/// What an evaluation found.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "task", rename_all = "kebab-case")]
pub enum Evaluation {
    /// One-step forecasts, part by part.
    Forecast {
        /// The column forecast.
        target: String,
        /// The parts, in time order.
        parts: Vec<ForecastScores>,
    },
    /// A character model.
    Text(TextScores),
    /// Classes of sequences, or of their steps.
    Classes {
        /// What was asked: classify or label.
        question: String,
        /// The parts.
        parts: Vec<ClassScores>,
    },
    /// What was said in answer to sources.
    Pairs {
        /// Hypotheses kept while searching.
        beam: usize,
        /// What stands between the symbols of a text.
        separator: String,
        /// The parts.
        parts: Vec<PairScores>,
    },
    /// Numbers for sequences, or for their steps.
    Numbers {
        /// What was asked: regress or label.
        question: String,
        /// The parts.
        parts: Vec<NumberScores>,
    },
}

/// Forecasts of one part and their errors.
#[derive(Clone, Debug, Serialize)]
pub struct ForecastScores {
    /// The part's name.
    pub part: String,
    /// Whether training had no share in it.
    pub held_out: bool,
    /// Time label of each row.
    pub labels: Vec<String>,
    /// What was, in the target's units.
    pub truth: Vec<f64>,
    /// What the network said one step before.
    pub forecast: Vec<f64>,
    /// Errors: of the network first, then of each baseline.
    pub scores: Vec<ForecastScore>,
}

/// Errors of one forecaster on one part.
#[derive(Clone, Debug, Serialize)]
pub struct ForecastScore {
    /// `network`, or the baseline's name.
    pub by: String,
    /// Its errors.
    #[serde(flatten)]
    pub accuracy: Accuracy,
}

/// Bits that a character takes.
#[derive(Clone, Debug, Serialize)]
pub struct TextScores {
    /// Which part of the text, and how many characters it has.
    pub part: String,
    /// Characters predicted.
    pub characters: usize,
    /// Bits per character, of the network.
    pub network: f64,
    /// Of the frequencies of single characters in the training part.
    pub unigram: f64,
    /// Of the frequencies of pairs of characters in the training part.
    pub bigram: f64,
    /// What the network writes.
    pub sample: String,
}

/// Order of the linear autoregression that forecasts are compared with: as many past values, at most, as a fifth of
/// the training part allows.
const ORDER: usize = 12;

/// Scores one-step forecasts on `parts` of a frame whose first part is the one that the baselines learn from (with
/// the validation part, where there is one, since the network was chosen by it).
pub fn forecast(
    model: &ForecastModel,
    frame: &Frame,
    parts: &[Part],
    team: &Team,
) -> Result<Evaluation, Error> {
    let series = &frame.columns[0].to_vec();
    let learned = learned(parts);
    let order = ORDER.min(learned.len() / 5).max(1);
    let rivals = baselines::standard(series, learned, order, None)?;
    let variance = baselines::variance(series);
    let ranges: Vec<_> = parts.iter().map(|p| p.rows.clone()).collect();
    let mut scored = Vec::new();
    for (part, said) in parts.iter().zip(model.one_step(frame, &ranges, team)?) {
        let score = |by: String, forecast: &[f64]| -> Result<ForecastScore, Error> {
            let accuracy = Accuracy::of(forecast, &said.truth, variance)?;
            Ok(ForecastScore { by, accuracy })
        };
        let mut scores = vec![score("network".into(), &said.forecast)?];
        for rival in &rivals {
            // A part that begins before the rival has seen enough cannot be compared on.
            if said.rows.start >= baselines::earliest(rival.as_ref(), 1) {
                let forecast = baselines::forecast(rival.as_ref(), series, said.rows.clone(), 1)?;
                scores.push(score(rival.name(), &forecast)?);
            }
        }
        scored.push(ForecastScores {
            part: part.name.clone(),
            held_out: part.name != TRAIN && part.name != VALIDATION,
            labels: frame.labels.part(said.rows.clone()),
            truth: said.truth,
            forecast: said.forecast,
            scores,
        });
    }
    Ok(Evaluation::Forecast {
        target: frame.names[0].clone(),
        parts: scored,
    })
}

/// The rows of the training part and of the validation part behind it.
fn learned(parts: &[Part]) -> std::ops::Range<usize> {
    let of = |name| parts.iter().find(|p| p.name == name).map(|p| &p.rows);
    let train = of(TRAIN).cloned().unwrap_or(0..0);
    let end = of(VALIDATION).map_or(train.end, |v| v.end);
    train.start..end
}

/// Scores a character model on held-out `codes`, beside unigram and bigram frequencies of `train`.
pub fn text(
    model: &CharacterModel,
    train: &[u32],
    (part, codes): (&str, &[u32]),
    sample: String,
    team: &Team,
) -> Result<Evaluation, Error> {
    let known = model.vocabulary().size();
    Ok(Evaluation::Text(TextScores {
        part: part.into(),
        characters: codes.len().saturating_sub(1),
        network: model.bits_per_character(codes, team)?,
        unigram: Unigram::fit(train, known)?.bits_per_character(codes)?,
        bigram: Bigram::fit(train, known)?.bits_per_character(codes)?,
        sample,
    }))
}

/// Scores a forecaster on a whole other frame, beside persistence, which needs no training.
pub fn forecast_elsewhere(
    model: &ForecastModel,
    frame: &Frame,
    team: &Team,
) -> Result<Evaluation, Error> {
    let series = &frame.columns[0].to_vec();
    let variance = baselines::variance(series);
    let whole = 0..frame.rows();
    let said = model
        .one_step(frame, std::slice::from_ref(&whole), team)?
        .remove(0);
    let held = baselines::forecast(&baselines::Persistence, series, said.rows.clone(), 1)?;
    let score = |by: &str, forecast: &[f64]| -> Result<ForecastScore, Error> {
        let accuracy = Accuracy::of(forecast, &said.truth, variance)?;
        let by = by.into();
        Ok(ForecastScore { by, accuracy })
    };
    Ok(Evaluation::Forecast {
        target: frame.names[0].clone(),
        parts: vec![ForecastScores {
            part: "the whole file".into(),
            held_out: true,
            labels: frame.labels.part(said.rows.clone()),
            scores: vec![
                score("network", &said.forecast)?,
                score("persistence", &held)?,
            ],
            truth: said.truth,
            forecast: said.forecast,
        }],
    })
}
