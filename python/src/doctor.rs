//! The microscope's figures, on layers and arrays or on a trained network and its data.

use crate::threads::team;
use crate::{errors, serial};
use elman::core::{Batch, Element, Network, Params, State, Trace, Weights, forward};
use elman::flow::{
    FixedPointOptions, Flow, LagOptions, Options, Training, Verdict, measure, verdict,
};
use elman::train::task::Task;
use elman::train::{self, Prepared, Trained, prepare};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use serde::{Deserialize, Serialize};

/// What may be asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    sequences: usize,
    max_lag: Option<usize>,
    fixed_points: bool,
    seed: u64,
    window: Option<usize>,
    clip: Option<f64>,
    steps: usize,
}

impl Asked {
    /// From JSON.
    pub fn read(text: &str) -> PyResult<Asked> {
        serde_json::from_str(text).map_err(|e| PyValueError::new_err(e.to_string()))
    }
    fn options(&self) -> Options {
        Options {
            sequences: self.sequences,
            lag: LagOptions {
                max_lag: self.max_lag,
                ..LagOptions::default()
            },
            fixed_points: self.fixed_points.then(FixedPointOptions::default),
            seed: self.seed,
            ..Options::default()
        }
    }
}

#[derive(Serialize)]
struct Found<'a> {
    verdict: &'a Verdict,
    words: &'static str,
    flow: &'a Flow,
}

/// Measures, judges, and gives both to Python.
pub fn examine<'py, E: Element>(
    py: Python<'py>,
    (network, params): (&Network, &Params<E>),
    batch: &Batch<E>,
    state: &State<E>,
    d_outputs: &[E],
    asked: &Asked,
) -> PyResult<Bound<'py, PyAny>> {
    let options = asked.options();
    let flow = py
        .detach(|| measure(network, params, batch, state, d_outputs, &options))
        .map_err(errors::measurement)?;
    let training = Training {
        window: asked.window,
        clip: asked.clip,
        ..Training::default()
    };
    let verdict = verdict(&flow, &training);
    let found = Found {
        words: verdict.cause.words(),
        verdict: &verdict,
        flow: &flow,
    };
    serial::object(py, &found)
}

/// The same for a trained network, on rows of the data it was trained on, evenly chosen, with the loss and the window
/// it was trained with.
pub fn examine_trained<'py>(
    py: Python<'py>,
    trained: &Trained,
    asked: Asked,
) -> PyResult<Bound<'py, PyAny>> {
    let (batch, state, d_outputs) = py
        .detach(|| lesson(trained, &asked))
        .map_err(errors::training)?;
    let config = &trained.config;
    let asked = Asked {
        window: asked.window.or(config.window.steps()),
        clip: asked.clip.or((config.clip > 0.0).then_some(config.clip)),
        ..asked
    };
    let network = (&trained.network, &trained.params);
    examine(py, network, &batch, &state, &d_outputs, &asked)
}

/// Inputs, the state before them, and ∂L/∂y.
type Looked = (Batch<f32>, State<f32>, Vec<f32>);

/// A batch of the training rows, the state before it, and the gradient of the loss at every output.
fn lesson(trained: &Trained, asked: &Asked) -> Result<Looked, train::Error> {
    let stored = train::Options::from_toml("config", &trained.config.to_toml()?)?;
    let (config, data) = prepare(stored)?;
    if let Prepared::Pairs(_) = data {
        return Err(train::Error::Config(format!(
            "the task {} has an encoder and a decoder, which the microscope does not follow together",
            config.task
        )));
    }
    let lengths = data.source().lengths();
    let wanted = asked.sequences.clamp(1, lengths.len());
    let mut rows: Vec<usize> = (0..wanted).map(|i| i * lengths.len() / wanted).collect();
    rows.sort_by_key(|&row| std::cmp::Reverse(lengths[row]));
    let piece = data.source().piece(&rows, 0, asked.steps)?;
    let state = State::initial(&trained.network, &trained.params, rows.len());
    let weights = Weights::new(&trained.network, &trained.params)?;
    let mut trace = Trace::new();
    forward(&weights, &piece.batch, &state, &mut trace, &team())?;
    let mut d_outputs = vec![0.0; trace.outputs().len()];
    let width = trace.output_width();
    piece.loss(
        config.loss,
        trace.outputs(),
        width,
        config.burn_in,
        &mut d_outputs,
    )?;
    Ok((piece.batch, state, d_outputs))
}
