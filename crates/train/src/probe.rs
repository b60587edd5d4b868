//! A network at work on some of its data, for those who look inside: inputs, state before, and the loss's gradient.

use crate::data::Text;
use crate::look::{Rows, look};
use crate::task::{CharacterModel, ForecastModel, LabelModel, labelled};
use crate::{Config, Error, Looked, Piece, Source, Target, Trained, Use};
use elman_core::{Batch, State};
use std::path::Path;

/// Some rows of data, and what the loss says of the network's outputs on them.
#[derive(Clone, Debug)]
pub struct Probe {
    /// The inputs.
    pub batch: Batch<f32>,
    /// The state before the first step that is looked at.
    pub state: State<f32>,
    /// ∂L/∂y of the mean loss, packed as the outputs are.
    pub d_outputs: Vec<f32>,
    /// The mean loss.
    pub loss: f64,
    /// The loss of always saying the mean, or the classes' frequencies, of these rows.
    pub baseline: f64,
    /// Which steps of which rows of what.
    pub about: String,
    /// The same in numbers, a row of the batch each.
    pub looked: Vec<Looked>,
}

impl Probe {
    /// 1 − loss/baseline: 1 is perfect, 0 no better than the baseline.
    pub fn explained(&self) -> f64 {
        1.0 - self.loss / self.baseline
    }
}

impl Trained {
    /// Up to `rows` rows of a file (or of the data it was trained on), evenly chosen, and up to `steps` steps of each, the
    /// last of which has a loss. Errors for a network that reads from both ends, for an encoder and a decoder, whose gradient
    /// does not pass one recurrence alone, and where no row has a loss.
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
                // A burn-in leaves no loss on shorter rows.
                let length = steps.max(self.config.burn_in + 2);
                let source = ForecastModel::segments(model, &frame, length)?;
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
        if self.network.bidirectional {
            return Err(Error::Config(
                "this network reads from both ends, so that no gradient runs back through time alone; the microscope looks \
                 at networks of one direction"
                    .into(),
            ));
        }
        let looked = look(source, config.burn_in, rows, steps)?;
        if looked.is_empty() {
            let lengths = source.lengths();
            return Err(Error::Config(format!(
                "none of the {} rows of {name} has a step with a loss: the longest has {} steps, and the burn-in is {}; look \
                 at data with longer rows",
                lengths.len(),
                lengths.iter().max().unwrap_or(&0),
                config.burn_in
            )));
        }
        let run = Rows::run(&self.network, &self.params, config, source, &looked)?;
        Ok(Probe {
            baseline: baseline(&run.piece, config)?,
            loss: run.sum.mean(),
            about: about(&looked, source.lengths().len(), name),
            batch: run.piece.batch,
            state: run.state,
            d_outputs: run.d_outputs,
            looked,
        })
    }
}

/// Which steps of which rows, in words.
fn about(looked: &[Looked], rows: usize, name: &str) -> String {
    let most = |of: fn(&Looked) -> usize| looked.iter().map(of).max().unwrap_or(0);
    let least = |of: fn(&Looked) -> usize| looked.iter().map(of).min().unwrap_or(0);
    let (from, to, of) = (least(|l| l.from), most(|l| l.to), most(|l| l.of));
    let text = format!("{} of {rows} rows of {name}", looked.len());
    let whole = looked.iter().all(|l| l.from == 0 && l.to == l.of);
    let alike = looked
        .iter()
        .all(|l| (l.from, l.to, l.of) == (from, to, of));
    match (whole, alike) {
        (true, true) => format!("{text}, all {of} steps of each"),
        (true, false) => format!("{text}, all steps of each (up to {of})"),
        (false, true) => format!("{text}, steps {} to {to} of {of}", from + 1),
        (false, false) => format!(
            "{text}, up to {} steps of each before and at a loss, between steps {} and {to} of up to {of}",
            most(|l| l.to - l.from),
            from + 1
        ),
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
