//! Every option of training: one list makes the flag, the key in TOML, its help and the effective configuration.

use crate::data::{Missing, Scaling, Symbols};
use crate::{Error, Follow, Loss, Method, Reach, Read, Schedule};
use elman_core::{CellKind, Init, Recurrent, Window};
use serde::{Deserialize, Serialize};

/// How W_hh starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
#[serde(rename_all = "kebab-case")]
pub enum Initial {
    /// A random orthogonal matrix times the gain.
    Orthogonal,
    /// The identity times the gain; with elman-relu, the IRNN.
    Identity,
    /// Uniform over ±1/√H, every weight and bias, as PyTorch starts.
    Uniform,
    /// Xavier (Glorot).
    Xavier,
}

/// Recurrent weights that a run may have: half a gigabyte, several times over with gradient, moments and checkpoint.
const MOST_WEIGHTS: usize = 1 << 27;

macro_rules! options {
    (set { $($(#[doc = $set_doc:literal])* #[flag($($set_flag:tt)*)] $set:ident: $set_type:ty,)* }
     off { $($(#[doc = $off_doc:literal])* #[flag($($off_flag:tt)*)] $off:ident: $off_type:ty,)* }
     optional { $($(#[doc = $opt_doc:literal])* #[flag($($opt_flag:tt)*)] $opt:ident: $opt_type:ty,)* }) => {
        /// Options as a user gives them, on the command line or in TOML: all may be left out.
        #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
        #[cfg_attr(feature = "cli", derive(clap::Args))]
        #[serde(deny_unknown_fields, default)]
        pub struct Options {
            $($(#[doc = $set_doc])*
            #[cfg_attr(feature = "cli", arg($($set_flag)*))]
            #[serde(skip_serializing_if = "Option::is_none")]
            pub $set: Option<$set_type>,)*
            $($(#[doc = $off_doc])*
            #[cfg_attr(feature = "cli", arg($($off_flag)*))]
            #[serde(skip_serializing_if = "Option::is_none")]
            pub $off: Option<$off_type>,)*
            $($(#[doc = $opt_doc])*
            #[cfg_attr(feature = "cli", arg($($opt_flag)*))]
            #[serde(skip_serializing_if = "Option::is_none")]
            pub $opt: Option<$opt_type>,)*
        }

        /// The effective configuration of a run: written as `config.toml` and into the model.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Config {
            $($(#[doc = $set_doc])* pub $set: $set_type,)*
            // Off is the default of their type, so that configurations from before there was such an option still load.
            $($(#[doc = $off_doc])* #[serde(default)] pub $off: $off_type,)*
            $($(#[doc = $opt_doc])* #[serde(default, skip_serializing_if = "Option::is_none")] pub $opt: Option<$opt_type>,)*
        }

        impl Options {
            /// These options, and where they say nothing, those of `other`.
            pub fn or(self, other: Options) -> Options {
                Options { $($set: self.$set.or(other.$set),)* $($off: self.$off.or(other.$off),)* $($opt: self.$opt.or(other.$opt),)* }
            }
            /// The configuration that these options make of a task's defaults.
            pub fn over(self, defaults: Config) -> Config {
                Config { $($set: self.$set.unwrap_or(defaults.$set),)* $($off: self.$off.unwrap_or(defaults.$off),)*
                    $($opt: self.$opt.or(defaults.$opt),)* }
            }
        }
    };
}

options! {
    set {
        /// What to learn: forecast (a series), text (the next character), classify or regress (whole sequences), label
        /// (every step), caption (a vector in, symbols out) or seq2seq (symbols in, symbols out)
        #[flag(long, help_heading = "Data")]
        task: String,
        /// What to do with missing values: refuse, interpolate or drop
        #[flag(long, help_heading = "Data")]
        missing: Missing,
        /// How columns are scaled, fitted on the training part only: standard, min-max or none
        #[flag(long, help_heading = "Data")]
        scale: Scaling,
        /// Forecast the change from the last value instead of the value
        #[flag(long, help_heading = "Data", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
        change: bool,
        /// Share of the rows, before the test part, that early stopping watches
        #[flag(long, help_heading = "Data", value_name = "SHARE")]
        validation: f64,
        /// Share of the rows, the last, that training never sees
        #[flag(long, help_heading = "Data", value_name = "SHARE")]
        test: f64,
        /// How sources are cut into symbols (seq2seq): characters or words
        #[flag(long, help_heading = "Data")]
        source_symbols: Symbols,
        /// How targets are cut into symbols (seq2seq, caption): characters or words
        #[flag(long, help_heading = "Data")]
        target_symbols: Symbols,
        /// Seed of the random choice of which sequences or pairs train, validate and test
        #[flag(long, help_heading = "Data", value_name = "SEED")]
        split_seed: u64,
        /// Steps in each training sequence cut from a series
        #[flag(long, help_heading = "Data", value_name = "STEPS")]
        sequence: usize,
        /// Steps between the starts of neighbouring training sequences
        #[flag(long, help_heading = "Data", value_name = "STEPS")]
        hop: usize,
        /// Sequences (for text: streams) that are learned from at once
        #[flag(long, help_heading = "Data", value_name = "ROWS")]
        batch: usize,

        /// elman, elman-relu, elman-linear, leaky, leaky-relu, lstm, gru or gru-before
        #[flag(long, help_heading = "Network")]
        cell: String,
        /// Units of each layer
        #[flag(long, help_heading = "Network", value_name = "UNITS")]
        hidden: usize,
        /// Layers
        #[flag(long, help_heading = "Network")]
        layers: usize,
        /// Also read each sequence from its end to its start (for tasks that see it whole)
        #[flag(long, help_heading = "Network", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
        bidirectional: bool,
        /// How one answer for a whole sequence is read: last (at its last step) or mean (over all of them)
        #[flag(long, help_heading = "Network")]
        read: Read,
        /// Let the decoder look at every step of the source (seq2seq)
        #[flag(long, help_heading = "Network", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
        attention: bool,
        /// Learn the state before the first step
        #[flag(long, help_heading = "Network", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
        learned_state: bool,
        /// How W_hh starts: orthogonal, identity, uniform or xavier
        #[flag(long, help_heading = "Network")]
        init: Initial,
        /// What an orthogonal or identity W_hh is multiplied by
        #[flag(long, help_heading = "Network")]
        gain: f64,

        /// How far back gradients go, in steps; 0 for whole sequences; auto picks before each epoch how far every loss
        /// has to reach for --window-bias
        #[flag(long, help_heading = "Backpropagation through time", value_name = "STEPS|auto")]
        window: Reach,
        /// Steps between backward passes, at most the window; 0 for as many as the window (auto: as every loss reaches)
        #[flag(long, help_heading = "Backpropagation through time", value_name = "STEPS")]
        stride: usize,
        /// First steps of a sequence that count in no loss
        #[flag(long, help_heading = "Backpropagation through time", value_name = "STEPS")]
        burn_in: usize,
        /// Largest norm of the gradient, which is shortened to it; 0 for no limit
        #[flag(long, help_heading = "Backpropagation through time", value_name = "NORM")]
        clip: f64,
        /// Largest size of each number of the gradient; 0 for no limit
        #[flag(long, help_heading = "Backpropagation through time", value_name = "SIZE")]
        clip_value: f64,

        /// Share of the decoder's inputs that by the last epoch are its own words, rising from none (seq2seq, caption)
        #[flag(long, help_heading = "Training", value_name = "SHARE")]
        own_words: f64,
        /// Hypotheses kept while searching for what to say; 1 takes the likeliest symbol each time (seq2seq, caption)
        #[flag(long, help_heading = "Search", value_name = "COUNT")]
        beam: usize,
        /// How far the search makes up for length, from 0
        #[flag(long, help_heading = "Search", value_name = "ALPHA")]
        length_penalty: f64,
        /// Symbols after which an output ends in any case; 0 for twice the longest of training and 5 more
        #[flag(long, help_heading = "Search", value_name = "SYMBOLS")]
        max_output: usize,

        /// mse, huber, cross-entropy or binary-cross-entropy
        #[flag(long, help_heading = "Training")]
        loss: Loss,
        /// sgd, rms-prop, adam or adam-w
        #[flag(long, help_heading = "Training")]
        optimiser: Method,
        /// Learning rate, the highest of the schedule
        #[flag(long, help_heading = "Training", value_name = "RATE")]
        learning_rate: f64,
        /// Momentum of SGD
        #[flag(long, help_heading = "Training")]
        momentum: f64,
        /// Weight decay of weight matrices (biases, leaks and states are left alone)
        #[flag(long, help_heading = "Training", value_name = "LAMBDA")]
        weight_decay: f64,
        /// constant, cosine (with warm-up) or plateau
        #[flag(long, help_heading = "Training")]
        schedule: Schedule,
        /// Share of all steps over which the learning rate rises from 0
        #[flag(long, help_heading = "Training", value_name = "SHARE")]
        warm_up: f64,
        /// Times to go through the training part, at most
        #[flag(long, help_heading = "Training")]
        epochs: usize,
        /// Epochs without a better validation loss after which training ends; 0 for no early stopping
        #[flag(long, help_heading = "Training", value_name = "EPOCHS")]
        patience: usize,
        /// Seed of everything random
        #[flag(long, help_heading = "Training")]
        seed: u64,
    }
    off {
        /// Normalise each gate over its units before the cell's arithmetic
        #[flag(long, help_heading = "Network", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
        layer_norm: bool,
        /// Share of what each layer gives to the next, and to the readout, that is dropped at each step of training
        #[flag(long, help_heading = "Network", value_name = "SHARE")]
        dropout: f64,
        /// Share of the inputs that is dropped, the same at every step of a sequence (for symbols: whole symbols)
        #[flag(long, help_heading = "Network", value_name = "SHARE")]
        input_dropout: f64,
        /// Share of the state that W_hh does not see, the same units at every step of a sequence
        #[flag(long, help_heading = "Network", value_name = "SHARE")]
        state_dropout: f64,
        /// Share of units that keep their state at each step of training (zoneout)
        #[flag(long, help_heading = "Network", value_name = "SHARE")]
        zoneout: f64,
        /// One leak for all units of a leaky layer, instead of one for each
        #[flag(long, help_heading = "Network", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
        shared_leak: bool,
        /// Leave the leaks of a leaky layer as they start, instead of learning them
        #[flag(long, help_heading = "Network", value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
        fixed_leak: bool,
        /// Record how far back the gradient reaches: auto (in as many epochs as cost less than 5 %), on (in each) or off
        #[flag(long, help_heading = "Training", num_args = 0..=1, default_missing_value = "on")]
        flow: Follow,
        /// Keep the states of every √T-th step only and run the steps between again for the gradient: memory for √T of the
        /// T steps of a window, for a third more time
        #[flag(long, help_heading = "Backpropagation through time", num_args = 0..=1, default_missing_value = "true")]
        checkpoint: bool,
    }
    optional {
        /// What to learn from: a table (.csv, .tsv), a text or a folder of texts (.txt); the yearly sunspot numbers where there is none
        #[flag(value_name = "FILE")]
        data: String,
        /// The column to forecast
        #[flag(long, help_heading = "Data", value_name = "COLUMN")]
        target: String,
        /// A file of the same kind to test on, instead of a part of the first
        #[flag(long, help_heading = "Data", value_name = "FILE")]
        test_data: String,
        /// Column of the labels (classify, regress, label)
        #[flag(long, help_heading = "Data", value_name = "COLUMN")]
        label: String,
        /// Column that names the sequence of each row; without it, a row is a whole sequence
        #[flag(long, help_heading = "Data", value_name = "COLUMN")]
        id: String,
        /// Column that orders the steps of a sequence; the file's order where there is none
        #[flag(long, help_heading = "Data", value_name = "COLUMN")]
        order: String,
        /// Values of one step, where a row is a whole sequence: 28 reads a 28 by 28 image row by row
        #[flag(long, help_heading = "Data", value_name = "COUNT")]
        channels: usize,
        /// The .npy file that holds the labels of a .npy file
        #[flag(long, help_heading = "Data", value_name = "FILE")]
        labels: String,
        /// The same for --test-data
        #[flag(long, help_heading = "Data", value_name = "FILE")]
        test_labels: String,
        /// Further columns to read, separated by commas
        #[flag(long, help_heading = "Data", value_name = "COLUMNS", value_delimiter = ',')]
        features: Vec<String>,
        /// Shortest and longest time constant in steps, as SHORT,LONG: spread over leaky units; chrono for LSTM and GRU
        #[flag(long, help_heading = "Network", value_name = "STEPS", value_delimiter = ',')]
        memory: Vec<f64>,
        /// Bias at which an LSTM's forget gate starts, where --memory does not say it; 1 where nothing is said
        #[flag(long, help_heading = "Network", value_name = "BIAS", allow_negative_numbers = true)]
        forget_bias: f64,
        /// Bias that --window auto may put into the gradient by cutting it off, as a share of its norm; 0.1 where nothing
        /// is said
        #[flag(long, help_heading = "Backpropagation through time", value_name = "SHARE")]
        window_bias: f64,
        /// Minutes after which training ends, whatever the epochs
        #[flag(long, help_heading = "Training")]
        minutes: f64,
    }
}

impl Options {
    /// Options from TOML; `file` is for messages.
    pub fn from_toml(file: &str, text: &str) -> Result<Options, Error> {
        toml::from_str(text).map_err(|e| {
            let line = e.span().map_or(1, |s| {
                1 + text[..s.start.min(text.len())].matches('\n').count()
            });
            Error::Config(format!(
                "{file}, line {line}: {}",
                e.message().replace('\n', "; ")
            ))
        })
    }
}

impl Config {
    /// As TOML.
    pub fn to_toml(&self) -> Result<String, Error> {
        toml::to_string(self).map_err(|e| Error::Internal(e.to_string()))
    }
    /// From what [`to_toml`](Config::to_toml) wrote; `file` is for messages.
    pub fn from_toml(file: &str, text: &str) -> Result<Config, Error> {
        toml::from_str(text)
            .map_err(|e| Error::Config(format!("{file}: {}", e.message().replace('\n', "; "))))
    }
    /// The kind of cell.
    pub fn cell(&self) -> Result<CellKind, Error> {
        CellKind::by_name(&self.cell).ok_or_else(|| {
            let names: Vec<_> = CellKind::ALL.iter().map(|k| k.name()).collect();
            let all = names.join(", ");
            Error::Config(format!("there is no cell {:?}; there are {all}", self.cell))
        })
    }
    /// Starting values.
    pub fn initial(&self) -> Result<Init, Error> {
        let memory = match self.memory.as_deref() {
            None => None,
            Some(&[short, long]) if 0.0 < short && short <= long && long.is_finite() => {
                Some((short, long))
            }
            Some(other) => {
                return Err(Error::Config(format!(
                    "memory is {other:?}; it takes two numbers of steps, the shorter first, as in 2,200"
                )));
            }
        };
        Ok(Init {
            recurrent: match self.init {
                Initial::Orthogonal => Recurrent::Orthogonal(self.gain),
                Initial::Identity => Recurrent::Identity(self.gain),
                Initial::Uniform => Recurrent::Uniform,
                Initial::Xavier => Recurrent::Xavier,
            },
            memory,
            forget_bias: self.forget_bias.unwrap_or(Init::default().forget_bias),
        })
    }
    /// The truncation window for sequences of at most `longest` steps.
    ///
    /// `reach` is what [`Reach::Auto`] picked, the steps that each loss has to reach back at least: the first loss
    /// after a stride of s has length − s + 1 steps behind it. Without a pick it is whole sequences.
    pub fn window(&self, reach: Option<usize>, longest: usize) -> Window {
        let stride_or = |other| match self.stride {
            0 => other,
            s => s,
        };
        let (length, stride) = match (self.window, reach) {
            (Reach::Steps(w), _) if w > 0 => (w, stride_or(w)),
            (Reach::Auto, Some(k)) if k < longest => (k + stride_or(k) - 1, stride_or(k)),
            _ => (longest, stride_or(longest)),
        };
        Window {
            length,
            stride,
            burn_in: self.burn_in,
        }
    }
    /// That every number is within its range.
    pub fn check(&self) -> Result<(), Error> {
        self.cell()?;
        self.initial()?;
        self.check_network()?;
        let positive = [
            ("hidden", self.hidden),
            ("layers", self.layers),
            ("batch", self.batch),
            ("sequence", self.sequence),
            ("hop", self.hop),
            ("epochs", self.epochs),
            ("beam", self.beam),
        ];
        if let Some((name, _)) = positive.iter().find(|(_, n)| *n == 0) {
            return Err(Error::Config(format!(
                "{name} is 0, and must be at least 1"
            )));
        }
        // Beyond these, products of them would overflow; TOML has no larger integers.
        const MOST: usize = 1_000_000_000;
        let limits = [
            ("hidden", self.hidden, 65_536),
            ("layers", self.layers, 64),
            ("batch", self.batch, MOST),
            ("sequence", self.sequence, MOST),
            ("hop", self.hop, MOST),
            ("window", self.window.steps().unwrap_or(0), MOST),
            ("stride", self.stride, MOST),
            ("burn-in", self.burn_in, MOST),
            ("epochs", self.epochs, MOST),
            ("patience", self.patience, MOST),
            ("beam", self.beam, 1000),
            ("max-output", self.max_output, MOST),
        ];
        if let Some((name, is, most)) = limits.iter().find(|(_, n, most)| n > most) {
            return Err(Error::Config(format!(
                "{name} is {is}, and may be at most {most}"
            )));
        }
        if self.seed > i64::MAX as u64 {
            return Err(Error::Config(format!(
                "seed is {}, and may be at most {}",
                self.seed,
                i64::MAX
            )));
        }
        // A cell without a recurrent product has as many input weights in the layers above.
        let sizes = self.cell()?.sizes();
        let gates = sizes.from_h.len().max(sizes.from_x.len());
        let recurrent = gates * self.layers * self.hidden * self.hidden;
        if recurrent > MOST_WEIGHTS {
            return Err(Error::Config(format!(
                "hidden is {} in {} layers, which makes {recurrent} recurrent weights; at most {MOST_WEIGHTS} fit: \
                 choose fewer",
                self.hidden, self.layers
            )));
        }
        let ranges = [
            ("validation", self.validation, 0.0, 0.9),
            ("test", self.test, 0.0, 0.9),
            ("gain", self.gain, 0.0, 1e3),
            ("clip", self.clip, 0.0, f64::MAX),
            ("clip-value", self.clip_value, 0.0, f64::MAX),
            ("learning-rate", self.learning_rate, f64::MIN_POSITIVE, 1e3),
            ("momentum", self.momentum, 0.0, 1.0),
            ("weight-decay", self.weight_decay, 0.0, 1e3),
            ("warm-up", self.warm_up, 0.0, 1.0),
            ("own-words", self.own_words, 0.0, 1.0),
            ("length-penalty", self.length_penalty, 0.0, 10.0),
            ("dropout", self.dropout, 0.0, 0.95),
            ("input-dropout", self.input_dropout, 0.0, 0.95),
            ("state-dropout", self.state_dropout, 0.0, 0.95),
            ("zoneout", self.zoneout, 0.0, 0.95),
            (
                "forget-bias",
                self.forget_bias.unwrap_or(1.0),
                -100.0,
                100.0,
            ),
            (
                "window-bias",
                self.window_bias.unwrap_or(crate::reach::BIAS),
                1e-6,
                0.9,
            ),
            (
                "minutes",
                self.minutes.unwrap_or(1.0),
                f64::MIN_POSITIVE,
                1e9,
            ),
        ];
        for (name, is, low, high) in ranges {
            if !(low..=high).contains(&is) {
                return Err(Error::Config(match (low, high) {
                    (_, f64::MAX) => format!("{name} is {is}, and must be a number not below 0"),
                    (l, _) if l > 0.0 => {
                        format!("{name} is {is}, and must be above 0 and at most {high}")
                    }
                    _ => format!("{name} is {is}, and must be from {low} to {high}"),
                }));
            }
        }
        if self.validation + self.test > 0.95 {
            return Err(Error::Config(format!(
                "validation and test are {} and {}, and must leave at least 0.05 to train on",
                self.validation, self.test
            )));
        }
        self.window(None, usize::MAX)
            .check()
            .map_err(|e| Error::Config(e.to_string()))
    }
}

impl Config {
    /// That the cell has what is asked of the network.
    fn check_network(&self) -> Result<(), Error> {
        let cell = self.cell()?;
        if (self.shared_leak || self.fixed_leak) && !cell.has_leak() {
            return Err(Error::Config(format!(
                "shared-leak and fixed-leak are for cells with a leak, and {} has none: choose --cell leaky or leaky-relu",
                self.cell
            )));
        }
        if self.state_dropout > 0.0 && cell.sizes().from_h.is_empty() {
            return Err(Error::Config(format!(
                "state-dropout is {}, and {} has no recurrent product whose reading of h could be dropped: leave it at 0",
                self.state_dropout, self.cell
            )));
        }
        if self.bidirectional && self.window == Reach::Auto {
            return Err(Error::Config(
                "a bidirectional network needs whole sequences: leave --window at 0".into(),
            ));
        }
        if self.checkpoint
            && (self.bidirectional || ["caption", "seq2seq"].contains(&self.task.as_str()))
        {
            return Err(Error::Config(
                "checkpoint is for networks that read forwards only, and not for the tasks caption and seq2seq: leave it \
                 out, and make the batch smaller where memory is short"
                    .into(),
            ));
        }
        if self.window_bias.is_some() && self.window != Reach::Auto {
            return Err(Error::Config(
                "window-bias is for --window auto, and the window is given in steps".into(),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_task_or_the_cell_cannot_do_is_refused() {
        let config = crate::defaults("forecast").unwrap();
        let refused = |change: fn(&mut Config)| {
            let mut config = config.clone();
            change(&mut config);
            config.check().unwrap_err().to_string()
        };
        assert!(refused(|c| c.fixed_leak = true).contains("elman has none"));
        assert!(refused(|c| c.forget_bias = Some(1e3)).contains("forget-bias"));
        let mut leaky = config.clone();
        (leaky.cell, leaky.shared_leak) = ("leaky".into(), true);
        leaky.check().unwrap();
    }
    #[test]
    fn a_configuration_from_before_an_option_has_it_off() {
        let config = crate::defaults("forecast").unwrap();
        let text = config.to_toml().unwrap();
        let older = text.replace("shared_leak = false\n", "");
        assert_ne!(older, text);
        assert_eq!(Config::from_toml("config.toml", &older).unwrap(), config);
    }
    #[test]
    fn a_key_that_is_not_there_names_its_line() {
        let error = Options::from_toml("my.toml", "hidden = 3\nhiden = 4\n").unwrap_err();
        let text = error.to_string();
        assert!(
            text.contains("my.toml, line 2") && text.contains("hiden"),
            "{text}"
        );
    }
}
