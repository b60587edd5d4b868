//! Sequence to sequence: examples and where the decoder looked.

use serde::{Deserialize, Serialize};

use super::card;
use crate::chart::{Heatmap, Size, heatmap, heatmap_table};
use crate::page::figure;
use crate::parts::{KeyFigure, tiles};
use crate::serial;
use crate::text::escape;

/// One example.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PairExample {
    /// What went in.
    pub source: Vec<String>,
    /// What should have come out.
    pub target: Vec<String>,
    /// What came out.
    pub output: Vec<String>,
    /// Weights of attention, `[output step][source step]`; empty for none.
    #[serde(deserialize_with = "serial::rows")]
    pub attention: Vec<Vec<f64>>,
}

/// Results of sequence to sequence.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pairs {
    /// Exact match, word error rate and the like.
    pub scores: Vec<KeyFigure>,
    /// What stands between the symbols when a sequence is shown: empty for characters, a space for
    /// phonemes and words.
    pub separator: String,
    /// Examples.
    pub examples: Vec<PairExample>,
}

pub(super) fn section(pairs: &Pairs) -> String {
    let maps: String = pairs
        .examples
        .iter()
        .filter(|e| !e.attention.is_empty())
        .map(|e| attention(e, &pairs.separator))
        .collect();
    let maps = if maps.is_empty() {
        maps
    } else {
        format!("<div class=\"figures\">{maps}</div>")
    };
    format!("{}{}{maps}", tiles(&pairs.scores), card(&examples(pairs)))
}

fn examples(pairs: &Pairs) -> String {
    if pairs.examples.is_empty() {
        return String::new();
    }
    let row = |e: &PairExample| {
        let cell = |symbols: &[String]| {
            format!(
                "<td class=\"words tokens\">{}</td>",
                escape(&symbols.join(&pairs.separator))
            )
        };
        let right = if e.output == e.target {
            "✓ exact"
        } else {
            "✗ differs"
        };
        format!(
            "<tr>{}{}{}<td>{right}</td></tr>",
            cell(&e.source),
            cell(&e.target),
            cell(&e.output)
        )
    };
    format!(
        "<h3>Examples</h3><div class=\"scroll\" tabindex=\"0\"><table class=\"examples\"><thead><tr><th scope=\"col\">source</th><th scope=\"col\">target</th>\
         <th scope=\"col\">output</th><th scope=\"col\"></th></tr></thead><tbody>{}</tbody></table></div>",
        pairs.examples.iter().map(row).collect::<String>()
    )
}

fn attention(example: &PairExample, separator: &str) -> String {
    let title = format!(
        "{} → {}",
        example.source.join(separator),
        example.output.join(separator)
    );
    let rows = example.attention.len() as f64;
    let map = Heatmap {
        title: title.clone(),
        description:
            "Where the decoder looked in the source (columns) for each output symbol (rows).".into(),
        size: Size {
            width: 540.0,
            height: (rows * 26.0 + 120.0).clamp(200.0, 560.0),
        },
        x_label: "source".into(),
        y_label: "output".into(),
        columns: example.source.clone(),
        rows: example.output.clone(),
        values: example.attention.clone(),
        value_label: "weight".into(),
        low: Some(0.0),
        high: Some(1.0),
        print: true,
        ..Heatmap::default()
    };
    figure(
        &title,
        "Where the decoder looked: each row adds up to 1.",
        &heatmap(&map),
        &heatmap_table(&map),
        false,
    )
}
