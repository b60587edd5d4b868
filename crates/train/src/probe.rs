//! A network at work on some of its data, for those who look inside: inputs, state before, and the loss's gradient.

use crate::data::Text;
use crate::task::{CharacterModel, ForecastModel, LabelModel, labelled};
use crate::{Config, Error, Piece, Source, Sum, Target, Trained, Use};
use elman_core::{Batch, Network, Params, State, Team, Trace, Weights, forward};
use std::path::Path;

/// Some rows of data, and what the loss says of the network's outputs on them.
#[derive(Clone, Debug)]
pub struct Probe {
    /// The inputs.
    pub batch: Batch<f32>,
    /// The state before the first step.
    pub state: State<f32>,
    /// ∂L/∂y of the mean loss, packed as the outputs are.
    pub d_outputs: Vec<f32>,
    /// The mean loss.
    pub loss: f64,
    /// The loss of always saying the mean, or the classes' frequencies, of these rows.
    pub baseline: f64,
    /// Which rows of what.
    pub about: String,
}

impl Probe {
    /// 1 − loss/baseline: 1 is perfect, 0 no better than the baseline.
    pub fn explained(&self) -> f64 {
        1.0 - self.loss / self.baseline
    }
}

impl Trained {
    /// Up to `rows` rows of up to `steps` steps of a file (or of the data it was trained on), evenly chosen. Errors for
    /// an encoder and a decoder, whose gradient does not pass one recurrence alone.
    pub fn probe(&self, file: Option<&str>, rows: usize, steps: usize) -> Result<Probe, Error> {
        let own = self.config.data.as_deref();
        let name = file.or(own).unwrap_or("the yearly sunspot numbers");
        let needs = |file: Option<&str>| {
            file.or(own)
                .map(String::from)
                .ok_or_else(|| Error::Config("say which data to look at with --data FILE".into()))
        };
        match &self.used {
            Use::Forecast(model) => {
                let frame = self.frame(file)?;
                let source = ForecastModel::segments(model, &frame, steps)?;
                self.of(&source, name, rows, steps)
            }
            Use::Text(model) => {
                let text = Text::read(Path::new(&needs(file)?))?;
                let codes = CharacterModel::vocabulary(model).encode(&text.text);
                let source = model.streams(&codes, rows)?;
                self.of(&source, name, rows, steps)
            }
            Use::Labels(model) => {
                let second = match file {
                    None => self.config.labels.as_deref(),
                    Some(_) => None,
                };
                let sequences = labelled(&self.config, &needs(file)?, second)?;
                let source = LabelModel::rows(model, sequences)?;
                self.of(&source, name, rows, steps)
            }
            Use::Pairs(_) => Err(Error::Config(
                "this is an encoder and a decoder, and the microscope looks at one recurrent network; train one of \
                 the other tasks on the same data, or look at its curves in report.html"
                    .into(),
            )),
        }
    }

    fn of(
        &self,
        source: &dyn Source,
        name: &str,
        rows: usize,
        steps: usize,
    ) -> Result<Probe, Error> {
        let config = &self.config;
        let looked = Rows::of(&self.network, &self.params, config, source, rows, steps)?;
        let Rows {
            piece,
            state,
            d_outputs,
            sum,
        } = looked;
        if sum.count == 0.0 {
            return Err(Error::Config(format!(
                "no step of the first {} of {name} has a loss; look at longer rows with --max-lag",
                piece.batch.steps()
            )));
        }
        Ok(Probe {
            baseline: baseline(&piece, config)?,
            loss: sum.mean(),
            about: format!(
                "{} of {} rows of {name}, up to {} steps",
                piece.batch.rows(),
                source.lengths().len(),
                piece.batch.steps()
            ),
            batch: piece.batch,
            state,
            d_outputs,
        })
    }
}

/// Some rows of a source, run.
pub(crate) struct Rows {
    pub piece: Piece,
    /// Before the first step.
    pub state: State<f32>,
    /// ∂L/∂y of the mean loss.
    pub d_outputs: Vec<f32>,
    /// Of no count where no step of them has a loss.
    pub sum: Sum,
}

impl Rows {
    /// The first `steps` steps of `rows` rows, evenly chosen.
    pub fn of(
        network: &Network,
        params: &Params<f32>,
        config: &Config,
        source: &dyn Source,
        rows: usize,
        steps: usize,
    ) -> Result<Rows, Error> {
        let all = source.lengths().len();
        let count = rows.clamp(1, all.max(1));
        let mut chosen: Vec<usize> = (0..count).map(|i| i * all / count).collect();
        chosen.sort_by_key(|&r| std::cmp::Reverse(source.lengths()[r]));
        let piece = source.piece(&chosen, 0, steps.max(2))?;
        let weights = Weights::new(network, params)?;
        let state = State::initial(network, params, chosen.len());
        let mut trace = Trace::new();
        forward(&weights, &piece.batch, &state, &mut trace, &Team::new(1))?;
        let (y, width) = (trace.outputs(), trace.output_width());
        let mut d_outputs = vec![0.0; y.len()];
        let skipped = match config.burn_in < piece.batch.steps() {
            true => config.burn_in,
            false => 0,
        };
        let sum = piece.loss(config.loss, y, width, skipped, &mut d_outputs)?;
        Ok(Rows {
            piece,
            state,
            d_outputs,
            sum,
        })
    }
}

/// The loss of constant outputs: the mean of the targets, or the logarithms of the classes' frequencies.
fn baseline(piece: &Piece, config: &Config) -> Result<f64, Error> {
    let n = piece.batch.total();
    let counted = piece.counted.clone().unwrap_or_else(|| vec![1.0; n]);
    let (constant, width) = match &piece.target {
        Target::Classes(classes) => {
            let width = classes.iter().max().map_or(1, |&c| c as usize + 1);
            let mut counts = vec![1e-9; width];
            for (&c, &w) in classes.iter().zip(&counted) {
                counts[c as usize] += f64::from(w);
            }
            let odds = counts.iter().map(|c| c.ln() as f32);
            (odds.collect::<Vec<f32>>(), width)
        }
        Target::Numbers(numbers) => {
            let width = numbers.len() / n.max(1);
            let steps: f64 = counted.iter().map(|&c| f64::from(c)).sum();
            let mean = |c: usize| {
                let values = numbers.iter().skip(c).step_by(width).zip(&counted);
                let sum: f64 = values.map(|(&y, &w)| f64::from(y * w)).sum();
                (sum / steps.max(1.0)) as f32
            };
            ((0..width).map(mean).collect(), width)
        }
    };
    let outputs: Vec<f32> = (0..n).flat_map(|_| constant.iter().copied()).collect();
    let mut spare = vec![0.0; outputs.len()];
    let loss = config.loss;
    let sum = loss.evaluate(&outputs, width, &piece.target, &counted, &mut spare)?;
    Ok(sum.mean())
}
