//! From what a run measured to its page: plain structs in, HTML out.

mod flow;
mod labels;
mod pairs;

pub use flow::{Look, flow, held_input};

use elman_flow::LightFlow;
use elman_report::training::{
    EpochPoint, ErrorRow, ErrorTable, ForecastPart, LearningCurves, Metric, Sample, Score,
    TextResults,
};
use elman_report::{
    Command, Fact, FlowHistory, Headline, KeyFigure, Tone, TrainingReport, number, training_page,
};
use elman_train::{Config, Epoch, Evaluation, ForecastScores, TextScores};
use std::path::Path;

/// What the page of a training run is made of.
pub struct Run<'a> {
    /// The run folder, as the user would type it.
    pub folder: &'a str,
    /// The effective configuration.
    pub config: &'a Config,
    /// Parameters of the network.
    pub parameters: usize,
    /// The epochs made.
    pub epochs: &'a [Epoch],
    /// The epoch whose weights are kept.
    pub best_epoch: usize,
    /// What the best weights do.
    pub evaluation: &'a Evaluation,
    /// Further facts: the data, the time it took.
    pub facts: Vec<(String, String)>,
}

/// The page of a training run.
pub fn training(run: &Run<'_>) -> String {
    let c = run.config;
    let title = match (&c.data, run.evaluation) {
        (None, _) => "Yearly sunspot numbers".to_string(),
        (Some(file), Evaluation::Forecast { target, .. }) => format!("{target} of {}", name(file)),
        (Some(file), _) => name(file),
    };
    let layers = match c.layers {
        1 => String::new(),
        n => format!("{n} layers of "),
    };
    let subtitle = format!(
        "{} network, {layers}{} units, {} parameters, seed {}",
        c.cell, c.hidden, run.parameters, c.seed
    );
    let mut report = TrainingReport {
        title,
        subtitle,
        curves: Some(curves(run)),
        facts: run.facts.iter().map(|(n, v)| Fact::new(n, v)).collect(),
        config: c.to_toml().unwrap_or_default(),
        reproduce: reproduce(run),
        flow: flow_history(run.epochs),
        ..TrainingReport::default()
    };
    match run.evaluation {
        Evaluation::Forecast { target, parts } => forecast(&mut report, run, target, parts),
        Evaluation::Text(scores) => text(&mut report, run, scores),
        Evaluation::Pairs {
            beam,
            separator,
            parts,
        } => pairs::pairs(&mut report, run, (*beam, separator), parts),
        Evaluation::Classes { parts, .. } => labels::classes(&mut report, run, parts),
        Evaluation::Numbers { parts, .. } => labels::numbers(&mut report, run, parts),
    }
    training_page(&report)
}

/// The last part of a path.
fn name(file: &str) -> String {
    let name = Path::new(file).file_name();
    name.map_or(file.into(), |n| n.to_string_lossy().into_owned())
}

fn reproduce(run: &Run<'_>) -> String {
    format!("elman train --config {}/config.toml", run.folder)
}

fn curves(run: &Run<'_>) -> LearningCurves {
    let point = |e: &Epoch| EpochPoint {
        epoch: e.epoch as u64,
        train: e.train_loss,
        validation: e.validation_loss.unwrap_or(f64::NAN),
        gradient_norm: e.gradient_norm,
        gradient_norm_max: e.gradient_norm_max,
        clipped: e.clipped,
        learning_rate: e.learning_rate,
    };
    let loss = serde_json::to_value(run.config.loss).unwrap_or_default();
    LearningCurves {
        loss: format!("{} loss", loss.as_str().unwrap_or("mean")),
        epochs: run.epochs.iter().map(point).collect(),
        best_epoch: (run.best_epoch > 0).then_some(run.best_epoch as u64),
        clip: (run.config.clip > 0.0).then_some(run.config.clip),
    }
}

/// The gradient by lag over the epochs in which it was measured, all at the lags of the shortest measurement.
fn flow_history(epochs: &[Epoch]) -> Option<FlowHistory> {
    let measured = epochs
        .iter()
        .filter_map(|e| Some((e.epoch, e.flow.as_ref()?)));
    let measured: Vec<_> = measured.collect();
    let (_, last) = measured.last()?;
    let lags = measured.iter().map(|(_, f)| f.ln_mean.len()).min()?;
    let norms = |f: &LightFlow| f.ln_mean[..lags].iter().map(|l| l.exp()).collect();
    Some(FlowHistory {
        epochs: measured.iter().map(|&(e, _)| e as u64).collect(),
        lags: (0..lags as u64).collect(),
        norms: measured.iter().map(|(_, f)| norms(f)).collect(),
        // Beyond what was measured: drawn at the edge.
        horizon: measured.iter().map(|(_, f)| f.horizon.at_least()).collect(),
        measured_over: format!(
            "{} sequences, {} loss times",
            last.sequences, last.loss_times
        ),
    })
}

fn forecast(report: &mut TrainingReport, run: &Run<'_>, target: &str, parts: &[ForecastScores]) {
    let held_out: Vec<&ForecastScores> = parts.iter().filter(|p| p.held_out).collect();
    let shown = match held_out.is_empty() {
        true => parts.iter().collect(),
        false => held_out,
    };
    report.headline = earns_its_place(&shown);
    for part in &shown {
        let own = &part.scores[0].accuracy;
        report.key_figures.push(
            KeyFigure::new(format!("ARV, {}", part.part), number(own.arv))
                .note("mean squared error over the variance of the whole series"),
        );
        report.forecasts.push(ForecastPart {
            label: part.part.clone(),
            quantity: target.into(),
            x_label: "time".into(),
            x: part.labels.clone(),
            truth: part.truth.clone(),
            forecast: part.forecast.clone(),
            note: "each value forecast one step ahead, from all values before it".into(),
            ..ForecastPart::default()
        });
        report.errors.push(ErrorTable {
            part: part.part.clone(),
            metrics: vec![
                Metric::new("RMSE", ""),
                Metric::new("MAE", ""),
                Metric::new("ARV", ""),
            ],
            rows: part
                .scores
                .iter()
                .enumerate()
                .map(|(i, s)| ErrorRow {
                    model: s.by.clone(),
                    own: i == 0,
                    values: vec![s.accuracy.rmse, s.accuracy.mae, s.accuracy.arv],
                })
                .collect(),
        });
    }
    let folder = run.folder;
    report.commands = vec![
        Command::new("The errors again", format!("elman evaluate {folder}")),
        Command::new(
            "What comes next",
            format!("elman predict {folder} --steps 10"),
        ),
        Command::new("Go on training", format!("elman train --resume {folder}")),
    ];
}

/// The verdict: how the network stands to the best of its rivals on the first held-out part.
fn earns_its_place(parts: &[&ForecastScores]) -> Headline {
    let Some(part) = parts.first() else {
        return Headline::default();
    };
    let own = part.scores[0].accuracy.rmse;
    let rivals = part.scores[1..].iter();
    let Some(best) = rivals.min_by(|a, b| a.accuracy.rmse.total_cmp(&b.accuracy.rmse)) else {
        return Headline {
            tone: Tone::Mixed,
            sentences: vec!["No baseline could be fitted to compare with.".into()],
        };
    };
    let theirs = best.accuracy.rmse;
    let percent = 100.0 * (own / theirs - 1.0).abs();
    let (tone, verdict) = match own <= theirs {
        true => (Tone::Good, "The network earns its place"),
        false => (Tone::Bad, "The network does not earn its place yet"),
    };
    let side = if own <= theirs { "below" } else { "above" };
    let mut sentences = vec![
        format!("{verdict} on {}.", part.part),
        format!(
            "Its root mean squared error of {} is {percent:.0} % {side} that of the best simple forecast there, \
             {} ({}).",
            number(own),
            best.by,
            number(theirs)
        ),
    ];
    if own > theirs {
        sentences.push(
            "More data, fewer units, more weight decay or another sequence length may change that; until then \
             use the simple one."
                .into(),
        );
    }
    Headline { tone, sentences }
}

fn text(report: &mut TrainingReport, run: &Run<'_>, scores: &TextScores) {
    let better = scores.network < scores.bigram;
    report.headline = Headline {
        tone: if better { Tone::Good } else { Tone::Bad },
        sentences: vec![
            match better {
                true => "The network has learned more than pairs of letters.".to_string(),
                false => "The network has not learned more than pairs of letters yet.".to_string(),
            },
            format!(
                "It needs {} bits for each character of held-out text; a model of pairs needs {}, of single \
                 characters {}.",
                number(scores.network),
                number(scores.bigram),
                number(scores.unigram)
            ),
        ],
    };
    report.key_figures = vec![
        KeyFigure::new("Bits per character", number(scores.network))
            .note(format!("{}, {} characters", scores.part, scores.characters)),
    ];
    let score = |model: &str, own: bool, bits: f64| Score {
        model: model.into(),
        own,
        bits,
    };
    report.text = Some(TextResults {
        part: scores.part.clone(),
        scores: vec![
            score("network", true, scores.network),
            score("pairs of characters", false, scores.bigram),
            score("single characters", false, scores.unigram),
        ],
        samples: vec![Sample {
            note: "temperature 0.7".into(),
            prompt: String::new(),
            text: scores.sample.clone(),
        }],
    });
    let folder = run.folder;
    report.commands = vec![
        Command::new(
            "More of it",
            format!("elman generate {folder} --length 1000"),
        ),
        Command::new("The figures again", format!("elman evaluate {folder}")),
        Command::new("Go on training", format!("elman train --resume {folder}")),
    ];
}
