//! Classification: the confusion matrix and what follows from it.

use serde::{Deserialize, Serialize};

use super::card;
use crate::chart::{Heatmap, Size, heatmap, heatmap_table};
use crate::page::{Row, figure};
use crate::parts::{KeyFigure, table_of, tiles};
use crate::text::{escape, percent};

/// Results of classification on one part of the data.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Classification {
    /// The part's name, e.g. `test`.
    pub part: String,
    /// The classes.
    pub labels: Vec<String>,
    /// How often, `[true class][predicted class]`.
    pub counts: Vec<Vec<u64>>,
    /// Share that is right, 0 to 1.
    pub accuracy: Option<f64>,
    /// Mean over classes of F1, 0 to 1.
    pub macro_f1: Option<f64>,
    /// Accuracy of always naming the commonest class, 0 to 1.
    pub majority: Option<f64>,
}

pub(super) fn section(results: &Classification) -> String {
    let shares = [
        (
            "Accuracy",
            results.accuracy,
            results
                .majority
                .map(|m| format!("always the commonest class: {}", percent(m))),
        ),
        (
            "Macro-F1",
            results.macro_f1,
            Some("mean of the classes' F1".to_string()),
        ),
    ];
    let figures: Vec<KeyFigure> = shares
        .into_iter()
        .filter_map(|(name, share, note)| {
            Some(KeyFigure::new(name, percent(share?)).note(note.unwrap_or_default()))
        })
        .collect();
    let heading = if results.part.is_empty() {
        String::new()
    } else {
        format!("<h3>{}</h3>", escape(&results.part))
    };
    let matrix = matrix(results);
    let classes = card(&per_class(results));
    format!(
        "{heading}{}<div class=\"pair\">{matrix}{classes}</div>",
        tiles(&figures)
    )
}

fn matrix(results: &Classification) -> String {
    let n = results.labels.len().max(results.counts.len());
    let side = (n as f64 * 34.0 + 150.0).clamp(300.0, 640.0);
    let map = Heatmap {
        title: "Confusion matrix".into(),
        description: "How often each true class (row) was given each name (column).".into(),
        size: Size {
            width: 540.0,
            height: side,
        },
        x_label: "predicted".into(),
        y_label: "true class".into(),
        columns: results.labels.clone(),
        rows: results.labels.clone(),
        values: results
            .counts
            .iter()
            .map(|row| row.iter().map(|c| *c as f64).collect())
            .collect(),
        value_label: "count".into(),
        low: Some(0.0),
        print: true,
        ..Heatmap::default()
    };
    figure(
        "Confusion matrix",
        "Rows are the truth, columns what the network said.",
        &heatmap(&map),
        &heatmap_table(&map),
        false,
    )
}

/// Precision, recall and F1 of each class.
fn per_class(results: &Classification) -> String {
    let count = |t: usize, p: usize| {
        results
            .counts
            .get(t)
            .and_then(|row| row.get(p))
            .copied()
            .unwrap_or(0) as f64
    };
    let n = results.labels.len();
    if n == 0 {
        return String::new();
    }
    let rows = results.labels.iter().enumerate().map(|(c, label)| {
        let hit = count(c, c);
        let truth: f64 = results
            .counts
            .get(c)
            .map_or(0.0, |row| row.iter().map(|v| *v as f64).sum());
        let said: f64 = (0..results.counts.len()).map(|t| count(t, c)).sum();
        let (precision, recall, f1) = (hit / said, hit / truth, 2.0 * hit / (said + truth));
        Row {
            px: None,
            cells: vec![
                label.clone(),
                percent(precision),
                percent(recall),
                percent(f1),
                format!("{truth}"),
            ],
            strong: false,
        }
    });
    let table = table_of(
        &["class", "precision", "recall", "F1", "sequences"],
        rows.collect(),
    );
    format!("<h3>Class by class</h3>{}", table.html())
}
