//! Forecasting a series: at every step the network reads all columns and says all columns of the next step.
//!
//! Because it says everything that it reads, it can be fed its own words and so forecast any number of steps.

use super::{ForecastStepper, Task, digest, json, known, streams};
use crate::data::{Frame, Scaler, Split, VALIDATION, Values};
use crate::{Config, Error, Piece, Read, Source, Sum, Target};
use elman_core::{Batch, CellKind, Input, Leak, Network, Params, Stepper, Team, Weights};
use std::collections::BTreeMap;
use std::ops::Range;

/// A series made ready for training.
#[derive(Debug)]
pub struct Forecast {
    frame: Frame,
    split: Split,
    scaler: Scaler,
    config: Config,
    /// Scaled values `[T, F]`.
    x: Vec<f32>,
    rows: Segments,
}

/// Training sequences: segments of the training part.
#[derive(Debug)]
struct Segments {
    x: Vec<f32>,
    width: usize,
    /// Whether the target is the change from the last value.
    change: bool,
    starts: Vec<usize>,
    lengths: Vec<usize>,
}

impl Source for Segments {
    fn lengths(&self) -> &[usize] {
        &self.lengths
    }
    fn piece(&self, rows: &[usize], from: usize, to: usize) -> Result<Piece, Error> {
        let lengths: Vec<usize> = rows
            .iter()
            .map(|&r| self.lengths[r].min(to) - from)
            .collect();
        let steps = lengths.iter().copied().max().unwrap_or(0);
        let (f, n) = (self.width, rows.len());
        let mut x = vec![0.0; steps * n * f];
        let mut next = x.clone();
        for (i, (&row, &length)) in rows.iter().zip(&lengths).enumerate() {
            for t in 0..length {
                let at = (self.starts[row] + from + t) * f;
                x[(t * n + i) * f..][..f].copy_from_slice(&self.x[at..][..f]);
                let said = &mut next[(t * n + i) * f..][..f];
                target(&self.x, (at / f, f), self.change, said);
            }
        }
        let batch = Batch::features(&x, [steps, n, f], Some(&lengths))?;
        let target = Target::Numbers(batch.pack(&next, f)?);
        Ok(Piece {
            batch,
            target,
            counted: None,
            read: Read::Last,
        })
    }
}

/// What the network should say at step `t` of `x` `[T, width]`: the next step, or the change to it.
fn target(x: &[f32], (t, width): (usize, usize), change: bool, to: &mut [f32]) {
    let (now, next) = x[t * width..][..2 * width].split_at(width);
    for ((to, now), next) in to.iter_mut().zip(now).zip(next) {
        *to = if change { next - now } else { *next };
    }
}

impl Forecast {
    /// From chosen columns, the target first, and a split with a training and a validation part. Errors where the
    /// target is constant, or the training part too short for one sequence.
    pub fn new(frame: Frame, split: Split, config: &Config) -> Result<Forecast, Error> {
        let (train, all) = (split.train().clone(), frame.rows());
        let target = frame.names[0].clone();
        frame.require_varying(&target)?;
        let scaler = Scaler::fit(config.scale, &frame, train.clone())?;
        let width = frame.columns.len();
        let x: Vec<f32> = (0..all)
            .flat_map(|t| (0..width).map(move |c| (t, c)))
            .map(|(t, c)| scaler.forward(c, frame.columns[c].get(t)) as f32)
            .collect();
        let steps = config.sequence.min(train.len().saturating_sub(1));
        let needs = config.burn_in + 2;
        if steps < needs {
            return Err(Error::Config(format!(
                "the training part has {} rows, and sequences of {} steps with a burn-in of {} need at least {}; \
                 give a longer file or lower --sequence or --burn-in",
                train.len(),
                config.sequence,
                config.burn_in,
                needs + 1
            )));
        }
        let last = train.end - 1 - steps;
        let mut starts: Vec<usize> = (train.start..=last).step_by(config.hop).collect();
        // The end of the training part is nearest to what comes after it: never leave it out.
        if starts.last() != Some(&last) {
            starts.push(last);
        }
        let rows = Segments {
            lengths: vec![steps; starts.len()],
            x: x.clone(),
            width,
            change: config.change,
            starts,
        };
        Ok(Forecast {
            frame,
            split,
            scaler,
            config: config.clone(),
            x,
            rows,
        })
    }
    /// The columns that were chosen.
    pub fn frame(&self) -> &Frame {
        &self.frame
    }
    /// Which rows train, validate and test.
    pub fn split(&self) -> &Split {
        &self.split
    }
    /// How many sequences are learned from, and their length.
    pub fn sequences(&self) -> (usize, usize) {
        (self.rows.starts.len(), self.rows.lengths[0])
    }
}

impl Task for Forecast {
    fn name(&self) -> &'static str {
        "forecast"
    }
    fn network(&self, config: &Config) -> Result<Network, Error> {
        let width = self.frame.columns.len();
        Ok(network(
            config,
            config.cell()?,
            Input::Features(width),
            width,
        ))
    }
    fn source(&self) -> &dyn Source {
        &self.rows
    }
    fn validate(
        &self,
        network: &Network,
        params: &Params<f32>,
        team: &Team,
    ) -> Result<Option<Sum>, Error> {
        let Some(part) = self.split.part(VALIDATION) else {
            return Ok(None);
        };
        // One pass from the very start, so that the state has seen what it would have seen.
        let width = self.frame.columns.len();
        let mut sum = Sum::default();
        let mut spare = vec![0.0; width];
        let mut wrong = None;
        let known = (part.end - 1) * width;
        let weights = Weights::new(network, params)?;
        streams::run(&weights, &self.x[..known], team, |t, y| {
            if part.contains(&(t + 1)) {
                let mut next = vec![0.0; width];
                target(&self.x, (t, width), self.config.change, &mut next);
                let target = Target::Numbers(next);
                match self
                    .config
                    .loss
                    .evaluate(y, width, &target, &[1.0], &mut spare)
                {
                    Ok(part) => sum.add(part),
                    Err(e) => wrong = Some(e),
                }
            }
        })?;
        wrong.map_or(Ok(Some(sum)), Err)
    }
    fn knowledge(&self) -> Result<BTreeMap<String, String>, Error> {
        let parts: Vec<(&str, [usize; 2])> = self
            .split
            .parts()
            .iter()
            .map(|p| (p.name.as_str(), [p.rows.start, p.rows.end]))
            .collect();
        let numbers = self.frame.columns.iter().flat_map(Values::iter);
        let numbers = numbers.flat_map(|x| x.to_le_bytes());
        Ok(BTreeMap::from([
            ("task".into(), json(&self.name())?),
            ("data".into(), digest(numbers)),
            ("change".into(), json(&self.config.change)?),
            ("columns".into(), json(&self.frame.names)?),
            ("scaler".into(), json(&self.scaler)?),
            ("parts".into(), json(&parts)?),
        ]))
    }
}

pub(crate) fn network(config: &Config, cell: CellKind, input: Input, output: usize) -> Network {
    Network {
        layers: config.layers,
        learned_state: config.learned_state,
        layer_norm: config.layer_norm,
        zoneout: config.zoneout,
        leak: Leak {
            shared: config.shared_leak,
            fixed: config.fixed_leak,
        },
        ..Network::new(cell, input, config.hidden, output)
    }
}

/// A trained forecaster.
#[derive(Debug)]
pub struct ForecastModel {
    network: Network,
    params: Params<f32>,
    columns: Vec<String>,
    scaler: Scaler,
    change: bool,
}

/// One-step forecasts of some rows of a series, in the target's units.
#[derive(Clone, Debug, PartialEq)]
pub struct PartForecast {
    /// The rows.
    pub rows: Range<usize>,
    /// What was.
    pub truth: Vec<f64>,
    /// What the network said one step before.
    pub forecast: Vec<f64>,
}

impl ForecastModel {
    /// From a network, its parameters and what [`Task::knowledge`] stored.
    pub fn new(
        network: Network,
        params: Params<f32>,
        knowledge: &BTreeMap<String, String>,
    ) -> Result<ForecastModel, Error> {
        let columns: Vec<String> = known(knowledge, "columns")?;
        let scaler: Scaler = known(knowledge, "scaler")?;
        let change = known(knowledge, "change")?;
        if scaler.columns.len() != columns.len() || network.input != Input::Features(columns.len())
        {
            return Err(Error::Config(
                "the model's columns, scaling and network do not go together".into(),
            ));
        }
        Ok(ForecastModel {
            network,
            params,
            columns,
            scaler,
            change,
        })
    }
    /// The columns it reads, the target first.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }
    /// The next value, from the last one and what the network said.
    pub(super) fn next(change: bool, now: f32, said: f32) -> f32 {
        if change { now + said } else { said }
    }
    /// The same model, to be fed row by row.
    pub fn stepper(&self) -> Result<ForecastStepper, Error> {
        let stepper = Stepper::new(&self.network, &self.params)?;
        Ok(ForecastStepper::new(
            stepper,
            self.scaler.clone(),
            self.change,
        ))
    }
    fn scaled(&self, frame: &Frame) -> Vec<f32> {
        (0..frame.rows())
            .flat_map(|t| (0..self.columns.len()).map(move |c| (t, c)))
            .map(|(t, c)| self.scaler.forward(c, frame.columns[c].get(t)) as f32)
            .collect()
    }
    /// A series cut into rows of up to `steps` steps, with what should be said at each.
    pub(crate) fn segments(&self, frame: &Frame, steps: usize) -> Result<impl Source, Error> {
        let known = frame.rows().saturating_sub(1);
        if known < 2 {
            return Err(Error::Config(
                "a series of at least three rows is needed".into(),
            ));
        }
        let steps = steps.clamp(2, known);
        let starts: Vec<usize> = (0..=known - steps).step_by(steps).collect();
        Ok(Segments {
            x: self.scaled(frame),
            width: self.columns.len(),
            change: self.change,
            lengths: vec![steps; starts.len()],
            starts,
        })
    }
    /// One-step forecasts of each of some ranges of rows; each row is forecast from all rows before it. Row 0 cannot
    /// be forecast and is left out.
    pub fn one_step(
        &self,
        frame: &Frame,
        parts: &[Range<usize>],
        team: &Team,
    ) -> Result<Vec<PartForecast>, Error> {
        let weights = Weights::new(&self.network, &self.params)?;
        let mut said = vec![f64::NAN; frame.rows() + 1];
        let (x, width) = (self.scaled(frame), self.columns.len());
        streams::run(&weights, &x, team, |t, y| {
            said[t + 1] = self
                .scaler
                .inverse(0, f64::from(Self::next(self.change, x[t * width], y[0])));
        })?;
        let part = |rows: &Range<usize>| {
            let rows = rows.start.max(1)..rows.end.min(frame.rows());
            PartForecast {
                truth: frame.columns[0].part(rows.clone()).unwrap_or_default(),
                forecast: said[rows.clone()].to_vec(),
                rows,
            }
        };
        Ok(parts.iter().map(part).collect())
    }
    /// The next `steps` values of the target after the end of `frame`: the network is fed what it said.
    pub fn ahead(&self, frame: &Frame, steps: usize) -> Result<Vec<f64>, Error> {
        let mut stepper = Stepper::new(&self.network, &self.params)?;
        let width = self.columns.len();
        let (mut x, mut y) = (vec![0.0; width], vec![0.0; width]);
        for now in self.scaled(frame).chunks_exact(width) {
            stepper.step(now, &mut y)?;
            x.copy_from_slice(now);
        }
        let mut values = Vec::with_capacity(steps);
        for _ in 0..steps {
            x.iter_mut()
                .zip(&y)
                .for_each(|(x, &y)| *x = Self::next(self.change, *x, y));
            values.push(self.scaler.inverse(0, f64::from(x[0])));
            stepper.step(&x, &mut y)?;
        }
        Ok(values)
    }
}
