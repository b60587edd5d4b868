//! What the options leave open, task by task.

use crate::data::{Missing, Scaling, Symbols};
use crate::{Config, Error, Follow, Initial, Loss, Method, Reach, Read, Schedule};

/// The names of the tasks.
const TASKS: [&str; 7] = [
    "forecast", "text", "classify", "regress", "label", "caption", "seq2seq",
];

/// What the options leave open, task by task.
pub fn defaults(task: &str) -> Result<Config, Error> {
    let forecast = Config {
        data: None,
        task: "forecast".into(),
        missing: Missing::Refuse,
        scale: Scaling::Standard,
        change: true,
        validation: 0.15,
        test: 0.15,
        source_symbols: Symbols::Characters,
        target_symbols: Symbols::Characters,
        split_seed: 1,
        sequence: 48,
        hop: 1,
        batch: 16,
        cell: "elman".into(),
        hidden: 32,
        layers: 1,
        bidirectional: false,
        read: Read::Last,
        attention: false,
        learned_state: false,
        init: Initial::Orthogonal,
        gain: 0.9,
        window: Reach::Steps(0),
        stride: 0,
        burn_in: 12,
        clip: 1.0,
        clip_value: 0.0,
        own_words: 0.0,
        beam: 1,
        length_penalty: 0.6,
        max_output: 0,
        loss: Loss::Mse,
        optimiser: Method::AdamW,
        learning_rate: 0.005,
        momentum: 0.9,
        weight_decay: 0.01,
        schedule: Schedule::Cosine,
        warm_up: 0.05,
        epochs: 60,
        patience: 20,
        seed: 1,
        target: None,
        features: None,
        test_data: None,
        label: None,
        id: None,
        order: None,
        channels: None,
        labels: None,
        test_labels: None,
        memory: None,
        forget_bias: None,
        layer_norm: false,
        dropout: 0.0,
        input_dropout: 0.0,
        state_dropout: 0.0,
        zoneout: 0.0,
        shared_leak: false,
        fixed_leak: false,
        flow: Follow::Auto,
        checkpoint: false,
        window_bias: None,
        minutes: None,
    };
    match task {
        "forecast" => Ok(forecast),
        "text" => Ok(Config {
            task: "text".into(),
            change: false,
            validation: 0.05,
            test: 0.05,
            batch: 32,
            hidden: 256,
            gain: 1.0,
            window: Reach::Steps(64),
            burn_in: 0,
            loss: Loss::CrossEntropy,
            learning_rate: 0.002,
            epochs: 20,
            patience: 5,
            ..forecast
        }),
        "classify" => Ok(Config {
            read: Read::Mean,
            ..labelled(forecast, task, Loss::CrossEntropy)
        }),
        "regress" => Ok(labelled(forecast, task, Loss::Mse)),
        "label" => Ok(labelled(forecast, task, Loss::CrossEntropy)),
        "caption" => Ok(Config {
            cell: "gru".into(),
            ..labelled(forecast, task, Loss::CrossEntropy)
        }),
        "seq2seq" => Ok(Config {
            cell: "gru".into(),
            bidirectional: true,
            attention: true,
            validation: 0.05,
            test: 0.05,
            hidden: 128,
            batch: 64,
            beam: 5,
            learning_rate: 0.002,
            epochs: 20,
            patience: 5,
            ..labelled(forecast, task, Loss::CrossEntropy)
        }),
        other => Err(Error::Config(format!(
            "there is no task {other:?}; there are {}",
            TASKS.join(", ")
        ))),
    }
}

/// For sequences with labels.
fn labelled(forecast: Config, task: &str, loss: Loss) -> Config {
    Config {
        task: task.into(),
        change: false,
        hidden: 64,
        gain: 1.0,
        burn_in: 0,
        loss,
        learning_rate: 0.003,
        ..forecast
    }
}

/// For the series that the program ships: chosen by forecasting the 30 years before 1801, 1831, … 1921 from those before
/// them (`bench/sunspots_cv.py`), never by the years from 1921 on. So short a series has no years to spare for early
/// stopping: it trains for a fixed number of epochs.
pub(crate) fn for_sunspots(forecast: Config) -> Config {
    Config {
        change: false,
        validation: 0.0,
        patience: 0,
        sequence: 16,
        burn_in: 6,
        batch: 8,
        gain: 0.5,
        learning_rate: 0.006,
        weight_decay: 0.3,
        hidden: 12,
        ..forecast
    }
}
