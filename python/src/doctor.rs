//! The microscope's figures on layers and arrays.

use crate::{errors, serial};
use elman::core::{Batch, Element, Network, Params, State};
use elman::flow::{
    FixedPointOptions, Flow, LagOptions, Options, Training, Verdict, measure, verdict,
};
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
