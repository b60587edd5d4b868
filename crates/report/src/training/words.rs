//! A character model: bits per character against counting, and samples.

use serde::{Deserialize, Serialize};

use crate::chart::{Axis, Bar, Bars, Size, bars};
use crate::page::{Row, figure};
use crate::parts::table_of;
use crate::serial;
use crate::text::{escape, number};

/// Bits per character of one model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Score {
    /// Its name, e.g. `bigram model`.
    pub model: String,
    /// This is the network of the run.
    pub own: bool,
    /// Bits per character.
    #[serde(deserialize_with = "serial::value")]
    pub bits: f64,
}

/// A text the network wrote.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sample {
    /// How, e.g. `temperature 0.8, seed 1`.
    pub note: String,
    /// What it was given to go on from; may be empty.
    pub prompt: String,
    /// What it wrote.
    pub text: String,
}

/// Results of a character model.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TextResults {
    /// The part's name, e.g. `held-out last 10 %`.
    pub part: String,
    /// The network and the baselines.
    pub scores: Vec<Score>,
    /// Texts the network wrote.
    pub samples: Vec<Sample>,
}

pub(super) fn section(results: &TextResults) -> String {
    let mut out = String::new();
    if !results.scores.is_empty() {
        let spec = Bars {
            title: "Bits per character".into(),
            description: "What one character costs under the network and under counting models; shorter is better.".into(),
            size: Size { width: 1080.0, height: 200.0 },
            value: Axis::new("bits per character", ""),
            items: results.scores.iter().map(|s| Bar { label: s.model.clone(), value: s.bits, strong: s.own }).collect(),
            ..Bars::default()
        };
        let rows = results.scores.iter().map(|s| Row {
            px: None,
            cells: vec![s.model.clone(), number(s.bits)],
            strong: s.own,
        });
        let table = table_of(&["model", "bits per character"], rows.collect());
        let caption = if results.part.is_empty() {
            "Shorter is better.".into()
        } else {
            format!("On {}; shorter is better.", results.part)
        };
        out.push_str(&format!(
            "<div class=\"figures\">{}</div>",
            figure("Bits per character", &caption, &bars(&spec), &table, true)
        ));
    }
    for sample in &results.samples {
        let note = if sample.note.is_empty() {
            "Sample".to_string()
        } else {
            format!("Sample: {}", sample.note)
        };
        let prompt = if sample.prompt.is_empty() {
            String::new()
        } else {
            format!("<span class=\"prompt\">{}</span>", escape(&sample.prompt))
        };
        out.push_str(&format!(
            "<div class=\"card sample\"><h3>{}</h3><pre class=\"text\" tabindex=\"0\">{prompt}{}</pre></div>",
            escape(&note),
            escape(&sample.text)
        ));
    }
    out
}
