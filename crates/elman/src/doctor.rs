//! The gradient microscope on a trained network and data: the one path of `elman doctor` and of Python's
//! `elman.doctor(model)`, with the same defaults and what the training tells.
//!
//! ```no_run
//! use elman::doctor::{Asked, Doctor};
//! use elman::train::Trained;
//!
//! let run = std::path::Path::new("runs/sunspots");
//! let trained = Trained::load(run)?;
//! let found = Doctor::new(&trained, Some(run), &Asked::default())?.examine()?;
//! println!("{}", found.verdict.summary);
//! # Ok::<(), elman::train::Error>(())
//! ```

use elman_flow::{
    Clipping, Cost, FixedPointInput, FixedPointOptions, Flow, LagOptions, LyapunovOptions, Options,
    Scope, Training, Verdict, cost, measure_scope, verdict,
};
use elman_train::{Error, Looked, Loss, Probe, Run, Trained};
use serde::Serialize;
use std::path::Path;

/// Longest lag that is followed unless another is asked for.
pub const LAGS: usize = 200;

/// What is asked of the microscope.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// The file to look at; `None` for the data that the network was trained on.
    pub data: Option<String>,
    /// Rows to look at, evenly chosen.
    pub sequences: usize,
    /// Steps of each row to look at, at most; `None` for twice the longest lag, or four times the truncation window where
    /// that is more.
    pub steps: Option<usize>,
    /// The longest lag; `None` for [`LAGS`].
    pub max_lag: Option<usize>,
    /// The input under which fixed points are looked for; `None` to leave them out.
    pub fixed_points: Option<FixedPointInput>,
    /// Lyapunov exponents, from the largest; `usize::MAX` for all.
    pub exponents: usize,
    /// The relative bias of the gradient for which a window is proposed.
    pub bias: f64,
    /// Of everything drawn at random.
    pub seed: u64,
    /// The truncation window; `None` for that of the training.
    pub window: Option<usize>,
    /// The clip limit; `None` for that of the training.
    pub clip: Option<f64>,
}

impl Default for Asked {
    fn default() -> Self {
        Asked {
            data: None,
            sequences: Options::default().sequences,
            steps: None,
            max_lag: None,
            fixed_points: None,
            exponents: LyapunovOptions::default().count,
            bias: 0.1,
            seed: 0,
            window: None,
            clip: None,
        }
    }
}

impl Asked {
    fn options(&self) -> Options {
        Options {
            sequences: self.sequences,
            lag: LagOptions {
                max_lag: Some(self.max_lag.unwrap_or(LAGS)),
                ..LagOptions::default()
            },
            lyapunov: Some(LyapunovOptions {
                count: self.exponents,
                ..LyapunovOptions::default()
            }),
            fixed_points: self.fixed_points.clone().map(|input| FixedPointOptions {
                input,
                seed: self.seed,
                ..FixedPointOptions::default()
            }),
            biases: vec![0.5, self.bias, 0.01],
            seed: self.seed,
            ..Options::default()
        }
    }
}

/// A trained network on the rows that will be looked at.
#[derive(Debug)]
pub struct Doctor {
    scope: Scope,
    probe: Probe,
    training: Training,
    options: Options,
    cost: Cost,
}

/// What was found.
#[derive(Debug, Serialize)]
pub struct Examined {
    /// Which steps of which rows of which data.
    pub data: String,
    /// The same in numbers: row, first step, one past the last, and how many steps the row has.
    pub looked: Vec<Looked>,
    /// The mean loss there; null in JSON where it is not a number.
    pub loss: f64,
    /// 1 − loss/baseline: 1 is perfect, 0 no better than the mean or the frequencies of the classes.
    pub explained: f64,
    /// What the measurement means.
    pub verdict: Verdict,
    /// The verdict's cause, in words.
    pub words: &'static str,
    /// The measurement.
    pub flow: Flow,
    /// The truncation window of the training, where there is one.
    pub window: Option<usize>,
    /// The network on those rows, for further measurements.
    #[serde(skip)]
    pub scope: Scope,
}

impl Doctor {
    /// Reads the data and runs the network. `run` is the run folder, whose metrics tell of the training's gradient norms.
    pub fn new(trained: &Trained, run: Option<&Path>, asked: &Asked) -> Result<Doctor, Error> {
        let training = training(trained, run, asked)?;
        // Twice the lag, so that many loss times reach so far back.
        let steps = asked.steps.unwrap_or(match asked.max_lag {
            Some(lag) => lag.saturating_mul(2),
            None => (2 * LAGS).max(4 * training.window.unwrap_or(0)),
        });
        let probe = trained.probe(asked.data.as_deref(), asked.sequences, steps)?;
        let options = asked.options();
        Ok(Doctor {
            cost: cost(&trained.network, &probe.batch, &options),
            scope: Scope::of_rows(
                &trained.network,
                &trained.params,
                &probe.batch,
                &probe.state,
                &probe.d_outputs,
                asked.sequences,
            )?,
            training: Training {
                explained: Some(probe.explained()).filter(|e| e.is_finite()),
                ..training
            },
            probe,
            options,
        })
    }
    /// Which steps of which rows of which data.
    pub fn about(&self) -> &str {
        &self.probe.about
    }
    /// What the measurement will take.
    pub fn cost(&self) -> Cost {
        self.cost
    }
    /// Measures and judges.
    pub fn examine(self) -> Result<Examined, Error> {
        let flow = measure_scope(&self.scope, &self.options)?;
        let verdict = verdict(&flow, &self.training);
        Ok(Examined {
            loss: self.probe.loss,
            explained: self.probe.explained(),
            data: self.probe.about,
            looked: self.probe.looked,
            words: verdict.cause.words(),
            verdict,
            flow,
            window: self.training.window,
            scope: self.scope,
        })
    }
}

/// What the run tells beside its weights.
fn training(trained: &Trained, run: Option<&Path>, asked: &Asked) -> Result<Training, Error> {
    let config = &trained.config;
    let epochs = match run {
        Some(folder) if folder.is_dir() => Run::open(folder)?.epochs()?,
        _ => Vec::new(),
    };
    let last = epochs.last();
    let norms = last.map(|e| Clipping {
        steps: 0,
        median: e.gradient_norm,
        // Metrics hold the median and the largest.
        p99: f64::NAN,
        largest: e.gradient_norm_max,
        clipped: e.clipped,
        not_finite: 0.0,
    });
    let own_window = config.window.steps().or(last.and_then(|e| e.window));
    Ok(Training {
        window: asked.window.or(own_window),
        clip: asked.clip.or(Some(config.clip)).filter(|&c| c > 0.0),
        norms,
        explained: None,
        cross_entropy: matches!(config.loss, Loss::CrossEntropy | Loss::BinaryCrossEntropy),
        memory: None,
    })
}
