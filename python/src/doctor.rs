//! The microscope's figures, on layers and arrays or on a trained network and its data.

use crate::{errors, serial};
use elman::core::{Batch, Element, Network, Params, State};
use elman::doctor::{Asked as Look, Doctor};
use elman::flow::{
    FixedPointInput, FixedPointOptions, Flow, LagOptions, LyapunovOptions, Options, Training,
    Verdict, measure, verdict,
};
use elman::train::Trained;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What may be asked for.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    sequences: usize,
    max_lag: Option<usize>,
    fixed_points: Option<Held>,
    exponents: Option<usize>,
    seed: u64,
    window: Option<usize>,
    clip: Option<f64>,
    steps: Option<usize>,
}

/// The input under which fixed points are looked for.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Held {
    Mean,
    Zero,
}

impl Held {
    fn input(self) -> FixedPointInput {
        match self {
            Held::Mean => FixedPointInput::Mean,
            Held::Zero => FixedPointInput::Zero,
        }
    }
}

impl Asked {
    /// From JSON.
    pub fn read(text: &str) -> PyResult<Asked> {
        serde_json::from_str(text).map_err(|e| PyValueError::new_err(e.to_string()))
    }
    fn exponents(&self) -> usize {
        self.exponents.unwrap_or(LyapunovOptions::default().count)
    }
    fn options(&self) -> Options {
        Options {
            sequences: self.sequences,
            lag: LagOptions {
                max_lag: self.max_lag,
                ..LagOptions::default()
            },
            lyapunov: Some(LyapunovOptions {
                count: self.exponents(),
                ..LyapunovOptions::default()
            }),
            fixed_points: self.fixed_points.map(|held| FixedPointOptions {
                input: held.input(),
                seed: self.seed,
                ..FixedPointOptions::default()
            }),
            seed: self.seed,
            ..Options::default()
        }
    }
    /// The same of a trained network.
    fn look(&self) -> Look {
        Look {
            sequences: self.sequences,
            steps: self.steps,
            max_lag: self.max_lag,
            fixed_points: self.fixed_points.map(Held::input),
            exponents: self.exponents(),
            seed: self.seed,
            window: self.window,
            clip: self.clip,
            ..Look::default()
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

/// The same for a trained network, on its own data: what `elman doctor` says of the run.
pub fn examine_trained<'py>(
    py: Python<'py>,
    trained: &Trained,
    run: Option<&Path>,
    asked: &Asked,
) -> PyResult<Bound<'py, PyAny>> {
    let found = py
        .detach(|| Doctor::new(trained, run, &asked.look())?.examine())
        .map_err(errors::training)?;
    serial::object(py, &found)
}
