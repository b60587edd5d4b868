//! Everything that the next step depends on, as safetensors.

use crate::progress::{Epoch, Progress, Running};
use crate::{Error, Rate, Sum};
use elman_core::{Network, State};
use elman_io::{Numbers, Tensor, Tensors};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What is written as JSON into the metadata; floats keep every bit.
#[derive(Serialize, Deserialize)]
struct Rest {
    best_loss: Option<f64>,
    best_epoch: usize,
    optimiser_steps: u64,
    rate: Rate,
    epochs: Vec<Epoch>,
    batch: usize,
    span: usize,
    steps: usize,
    sum: Sum,
    norms: Vec<f64>,
    clipped: usize,
    state_rows: Option<usize>,
    #[serde(default)]
    window: Option<usize>,
}

/// The number of the format, in `checkpoint.format`.
const FORMAT: &str = "1";

/// Where random numbers come from; the place in the stream follows from the epoch.
const GENERATOR: &str =
    "ChaCha8, one stream for each parameter, stream 2^32 + epoch for the order of rows";

/// A checkpoint of `progress` under a configuration.
pub(crate) fn to_tensors(
    progress: &Progress,
    config: &str,
    seed: u64,
    data: Option<&String>,
) -> Result<Tensors, Error> {
    let running = &progress.running;
    let rest = Rest {
        best_loss: progress.best_loss.is_finite().then_some(progress.best_loss),
        best_epoch: progress.best_epoch,
        optimiser_steps: progress.optimiser.steps(),
        rate: progress.rate.clone(),
        epochs: progress.epochs.clone(),
        batch: running.batch,
        span: running.span,
        steps: running.steps,
        sum: running.sum,
        norms: running.norms.clone(),
        clipped: running.clipped,
        state_rows: running.state.as_ref().map(State::rows),
        window: running.window,
    };
    let mut all = Tensors::default();
    let text = serde_json::to_string(&rest).map_err(|e| Error::Internal(e.to_string()))?;
    for (key, value) in [
        ("checkpoint.format", FORMAT),
        ("checkpoint.progress", &text),
        ("checkpoint.config", config),
        ("checkpoint.generator", GENERATOR),
        ("checkpoint.seed", &seed.to_string()),
    ] {
        all.metadata.insert(key.into(), value.into());
    }
    if let Some(data) = data {
        all.metadata.insert("checkpoint.data".into(), data.clone());
    }
    let mut put = |name: String, numbers: &[f32]| {
        all.tensors
            .insert(name, Tensor::f32(&[numbers.len()], numbers));
    };
    put("params".into(), progress.params.data());
    put("best".into(), progress.best.data());
    for (i, moment) in progress.optimiser.moments().iter().enumerate() {
        put(format!("moment.{i}"), moment);
    }
    if let Some(state) = &running.state {
        put("state".into(), state.data());
    }
    Ok(all)
}

/// That it is a checkpoint of this version; else what is wrong and what to do.
pub(crate) fn check_format(all: &Tensors) -> Result<(), String> {
    match all.metadata.get("checkpoint.format").map(String::as_str) {
        Some(FORMAT) => Ok(()),
        Some(other) => Err(format!(
            "it is of format {other}, and this elman reads format {FORMAT}; use the version that wrote it"
        )),
        None => Err(
            "it is no checkpoint of elman; start again from the configuration with --config".into(),
        ),
    }
}

/// Puts a checkpoint into `progress`, freshly started for the same configuration.
pub(crate) fn restore(
    path: &Path,
    all: &Tensors,
    network: &Network,
    data: Option<&String>,
    progress: &mut Progress,
) -> Result<(), Error> {
    let wrong = |why: &str| Error::Run {
        path: path.into(),
        why: format!("{why}; or start again from the configuration with --config"),
    };
    if all.metadata.get("checkpoint.data") != data {
        return Err(wrong(
            "the data are no longer those that the run began with; bring those back",
        ));
    }
    let rest = all.metadata.get("checkpoint.progress");
    let rest = rest.ok_or_else(|| wrong("it does not say how far training was"))?;
    let rest: Rest = serde_json::from_str(rest)
        .map_err(|_| wrong("what it says of the progress cannot be read"))?;
    let get = |name: &str| match all.tensors.get(name).map(|t| &t.numbers) {
        Some(numbers @ Numbers::F32(x)) if numbers.not_finite().is_none() => Ok(x.clone()),
        _ => Err(wrong(&format!(
            "its tensor {name:?} is missing or holds no finite numbers"
        ))),
    };
    let copy = |name: &str, to: &mut [f32]| {
        let from = get(name)?;
        if from.len() != to.len() {
            return Err(wrong(&format!("its tensor {name:?} is of another network")));
        }
        to.copy_from_slice(&from);
        Ok(())
    };
    copy("params", progress.params.data_mut())?;
    copy("best", progress.best.data_mut())?;
    let moments = (0..progress.optimiser.moments().len()).map(|i| get(&format!("moment.{i}")));
    let moments = moments.collect::<Result<Vec<_>, _>>()?;
    if !progress.optimiser.restore(rest.optimiser_steps, moments) {
        return Err(wrong("its optimiser is another"));
    }
    let state = match rest.state_rows {
        None => None,
        Some(rows) => {
            let numbers = get("state")?;
            // Not believed before it is compared with what is there.
            let width = network.layers * network.directions() * network.state_width();
            if rows.checked_mul(width) != Some(numbers.len()) {
                return Err(wrong("its carried state is of another network"));
            }
            let mut state = State::zeros(network, rows);
            state.data_mut().copy_from_slice(&numbers);
            Some(state)
        }
    };
    progress.best_loss = rest.best_loss.unwrap_or(f64::INFINITY);
    progress.best_epoch = rest.best_epoch;
    progress.rate = rest.rate;
    progress.epochs = rest.epochs;
    progress.running = Running {
        batch: rest.batch,
        span: rest.span,
        steps: rest.steps,
        state,
        sum: rest.sum,
        norms: rest.norms,
        clipped: rest.clipped,
        window: rest.window,
        warned: false,
    };
    Ok(())
}
