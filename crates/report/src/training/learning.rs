//! Loss, gradient norm and learning rate, epoch by epoch.

use serde::{Deserialize, Serialize};

use crate::chart::{Axis, Lines, Mark, Rule, Series, lines, lines_table};
use crate::page::figure;
use crate::scale::extent;
use crate::serial;
use crate::text::number;

/// What one epoch left.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct EpochPoint {
    /// Its number, from 1 on.
    pub epoch: u64,
    /// Training loss.
    #[serde(deserialize_with = "serial::value")]
    pub train: f64,
    /// Validation loss; NaN when there is none.
    #[serde(deserialize_with = "serial::value")]
    pub validation: f64,
    /// Median norm of the gradient before clipping; NaN when not measured.
    #[serde(deserialize_with = "serial::value")]
    pub gradient_norm: f64,
    /// Largest norm of the gradient before clipping; NaN when not measured.
    #[serde(deserialize_with = "serial::value")]
    pub gradient_norm_max: f64,
    /// Share of the steps that were clipped, 0 to 1; NaN when not measured.
    #[serde(deserialize_with = "serial::value")]
    pub clipped: f64,
    /// Learning rate at the end of the epoch.
    #[serde(deserialize_with = "serial::value")]
    pub learning_rate: f64,
}

impl Default for EpochPoint {
    /// Nothing measured.
    fn default() -> Self {
        let none = f64::NAN;
        Self {
            epoch: 0,
            train: none,
            validation: none,
            gradient_norm: none,
            gradient_norm_max: none,
            clipped: none,
            learning_rate: none,
        }
    }
}

/// The course of a training run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LearningCurves {
    /// What the loss is, e.g. `mean squared error (scaled)`.
    pub loss: String,
    /// The epochs in order.
    pub epochs: Vec<EpochPoint>,
    /// The epoch whose weights were kept.
    pub best_epoch: Option<u64>,
    /// The threshold of clipping by norm.
    pub clip: Option<f64>,
}

pub(super) fn section(curves: &LearningCurves) -> String {
    let figures = [
        losses(curves),
        gradient(curves),
        clipped(curves),
        rate(curves),
    ]
    .concat();
    format!("<div class=\"figures\">{figures}</div>")
}

/// The epochs where a value was measured, and the values; nothing when it never was.
fn course(
    curves: &LearningCurves,
    name: &str,
    slot: usize,
    pick: fn(&EpochPoint) -> f64,
) -> Option<Series> {
    let epochs = curves.epochs.iter();
    let series = Series::line(
        name,
        slot,
        epochs.clone().map(|e| e.epoch as f64).collect(),
        epochs.map(pick).collect(),
    );
    series.y.iter().any(|y| y.is_finite()).then_some(series)
}

/// Whether values are better seen on a log scale: all positive and over more than a factor of `span`.
fn wide(series: &[Series], span: f64) -> bool {
    let all = || series.iter().flat_map(|s| s.y.iter().copied());
    extent(all(), false).is_some_and(|(low, high)| low > 0.0 && high / low > span)
}

fn epoch_axis() -> Axis {
    Axis::new("epoch", "").whole()
}

fn losses(curves: &LearningCurves) -> String {
    let series: Vec<Series> = [
        course(curves, "training", 0, |e| e.train),
        course(curves, "validation", 1, |e| e.validation),
    ]
    .into_iter()
    .flatten()
    .collect();
    let best = curves
        .best_epoch
        .and_then(|best| curves.epochs.iter().find(|e| e.epoch == best));
    let kept = best.map(|e| {
        if e.validation.is_finite() {
            (e, e.validation)
        } else {
            (e, e.train)
        }
    });
    let kept = kept.filter(|(_, y)| y.is_finite());
    let marks = kept.map(|(e, y)| Mark {
        x: e.epoch as f64,
        y,
        label: String::new(),
    });
    let rules = kept.map(|(e, y)| Rule {
        at: e.epoch as f64,
        upright: true,
        label: format!("best: {} at epoch {}", number(y), e.epoch),
    });
    let label = if curves.loss.is_empty() {
        "loss"
    } else {
        &curves.loss
    };
    let log = wide(&series, 12.0);
    let spec = Lines {
        title: "Loss".into(),
        description: "Training and validation loss at the end of each epoch, with the epoch whose weights were kept.".into(),
        x: epoch_axis(),
        y: Axis::new(label, if log { "log scale" } else { "" }).log(log),
        series,
        rules: rules.into_iter().collect(),
        marks: marks.into_iter().collect(),
        ..Lines::default()
    };
    figure(
        "Loss",
        "The weights kept are those of the best epoch.",
        &lines(&spec),
        &lines_table(&spec),
        false,
    )
}

fn gradient(curves: &LearningCurves) -> String {
    let series: Vec<Series> = [
        course(curves, "median", 0, |e| e.gradient_norm),
        course(curves, "largest", 3, |e| e.gradient_norm_max),
    ]
    .into_iter()
    .flatten()
    .collect();
    if series.is_empty() {
        return String::new();
    }
    let rules = curves.clip.map(|at| Rule {
        at,
        upright: false,
        label: format!("clipped above {}", number(at)),
    });
    let log = wide(&series, 5.0);
    let spec = Lines {
        title: "Gradient norm before clipping".into(),
        description: "Norm of the whole gradient in each epoch, with the threshold of clipping."
            .into(),
        x: epoch_axis(),
        y: Axis::new("‖gradient‖", if log { "log scale" } else { "" }).log(log),
        series,
        rules: rules.into_iter().collect(),
        ..Lines::default()
    };
    figure(
        "Gradient norm before clipping",
        "Norm of the whole gradient, over the steps of each epoch.",
        &lines(&spec),
        &lines_table(&spec),
        false,
    )
}

fn clipped(curves: &LearningCurves) -> String {
    let Some(mut series) = course(curves, "steps clipped", 0, |e| e.clipped) else {
        return String::new();
    };
    series.y.iter_mut().for_each(|y| *y *= 100.0);
    let spec = Lines {
        title: "Steps clipped".into(),
        description: "Share of the steps in each epoch whose gradient was clipped.".into(),
        x: epoch_axis(),
        y: Axis::new("steps clipped", "%").from(0.0),
        series: vec![series],
        ..Lines::default()
    };
    figure(
        "Steps clipped",
        "",
        &lines(&spec),
        &lines_table(&spec),
        false,
    )
}

fn rate(curves: &LearningCurves) -> String {
    let Some(series) = course(curves, "learning rate", 0, |e| e.learning_rate) else {
        return String::new();
    };
    let series = vec![series];
    let log = wide(&series, 12.0);
    let y = Axis::new("learning rate", if log { "log scale" } else { "" }).log(log);
    let spec = Lines {
        title: "Learning rate".into(),
        description: "Learning rate at the end of each epoch.".into(),
        x: epoch_axis(),
        y: if log { y } else { y.from(0.0) },
        series,
        ..Lines::default()
    };
    figure(
        "Learning rate",
        "",
        &lines(&spec),
        &lines_table(&spec),
        false,
    )
}
