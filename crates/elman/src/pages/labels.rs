//! The part of a page that is about answers to sequences.

use super::Run;
use elman_report::training::{Classification, ErrorRow, ErrorTable, Metric};
use elman_report::{Command, Headline, KeyFigure, Tone, TrainingReport, number};
use elman_train::{ClassScores, NumberScores};

/// A share in percent.
fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// The parts that training had no share in; all where there are none.
fn shown<T>(parts: &[T], held_out: impl Fn(&T) -> bool) -> Vec<&T> {
    let held: Vec<&T> = parts.iter().filter(|p| held_out(p)).collect();
    match held.is_empty() {
        true => parts.iter().collect(),
        false => held,
    }
}

pub(super) fn classes(report: &mut TrainingReport, run: &Run<'_>, parts: &[ClassScores]) {
    let shown = shown(parts, |p| p.held_out);
    if let Some(part) = shown.first() {
        let (good, verdict) = match part.accuracy > part.majority {
            true => (Tone::Good, "The network tells the classes apart"),
            false => (Tone::Bad, "The network does not tell the classes apart yet"),
        };
        report.headline = Headline {
            tone: good,
            sentences: vec![
                format!("{verdict} on {}.", part.part),
                format!(
                    "It names {} of {} rightly; always naming the commonest class would be right for {}.",
                    percent(part.accuracy),
                    part.count,
                    percent(part.majority)
                ),
            ],
        };
    }
    for part in parts {
        let name = format!("Accuracy, {}", part.part);
        let f1 = format!("macro-F1 {}", percent(part.macro_f1));
        let figure = KeyFigure::new(name, percent(part.accuracy)).note(f1);
        report.key_figures.push(figure);
    }
    for part in shown {
        report.classification.push(Classification {
            part: part.part.clone(),
            labels: part.classes.clone(),
            counts: part.confusion.clone(),
            accuracy: Some(part.accuracy),
            macro_f1: Some(part.macro_f1),
            majority: Some(part.majority),
        });
    }
    report.commands = commands(run);
}

pub(super) fn numbers(report: &mut TrainingReport, run: &Run<'_>, parts: &[NumberScores]) {
    let shown = shown(parts, |p| p.held_out);
    if let Some(part) = shown.first() {
        let (tone, verdict) = match part.rmse < part.rmse_of_mean {
            true => (Tone::Good, "The network earns its place"),
            false => (Tone::Bad, "The network does not earn its place yet"),
        };
        report.headline = Headline {
            tone,
            sentences: vec![
                format!("{verdict} on {}.", part.part),
                format!(
                    "Its root mean squared error is {}; that of always saying the mean is {}.",
                    number(part.rmse),
                    number(part.rmse_of_mean)
                ),
            ],
        };
    }
    for part in shown {
        let name = format!("RMSE, {}", part.part);
        report
            .key_figures
            .push(KeyFigure::new(name, number(part.rmse)).note("in the label's units"));
        let row = |model: &str, own: bool, values: Vec<f64>| ErrorRow {
            model: model.into(),
            own,
            values,
        };
        report.errors.push(ErrorTable {
            part: part.part.clone(),
            metrics: vec![Metric::new("RMSE", ""), Metric::new("MAE", "")],
            rows: vec![
                row("network", true, vec![part.rmse, part.mae]),
                row("always the mean", false, vec![part.rmse_of_mean, f64::NAN]),
            ],
        });
    }
    report.commands = commands(run);
}

fn commands(run: &Run<'_>) -> Vec<Command> {
    let folder = run.folder;
    vec![
        Command::new("The scores again", format!("elman evaluate {folder}")),
        Command::new(
            "What it says about other sequences",
            format!("elman predict {folder} --data FILE"),
        ),
        Command::new("Go on training", format!("elman train --resume {folder}")),
    ]
}
