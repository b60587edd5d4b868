//! Structs that both pages share, and how each is set.

use serde::{Deserialize, Serialize};

use crate::chart::{Heatmap, Overlay, Size, heatmap, heatmap_table};
use crate::page::{Table, copyable, figure};
use crate::serial;
use crate::text::escape;

/// How a verdict is meant: it chooses the mark beside it, never the words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tone {
    /// As it should be.
    Good,
    /// Neither good nor bad, or both.
    #[default]
    Mixed,
    /// Something is wrong.
    Bad,
}

/// The verdict in words, at the head of a page.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Headline {
    /// How it is meant.
    pub tone: Tone,
    /// Sentences; the first is set large.
    pub sentences: Vec<String>,
}

/// One figure to be seen at a glance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct KeyFigure {
    /// What it is, e.g. `ARV, test 1921–1955`.
    pub name: String,
    /// The figure as it shall stand; see [`number`](crate::number) for the format of this crate.
    pub value: String,
    /// Its unit; empty for none.
    pub unit: String,
    /// What to compare it with, or over what it was measured; may be empty.
    pub note: String,
}

impl KeyFigure {
    /// A figure without unit and note.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
            ..Self::default()
        }
    }

    /// The same figure with a unit.
    #[must_use]
    pub fn unit(self, unit: impl Into<String>) -> Self {
        Self {
            unit: unit.into(),
            ..self
        }
    }

    /// The same figure with a note.
    #[must_use]
    pub fn note(self, note: impl Into<String>) -> Self {
        Self {
            note: note.into(),
            ..self
        }
    }
}

/// A name and what belongs to it, for lists of settings and circumstances.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Fact {
    /// Its name.
    pub name: String,
    /// What belongs to it.
    pub value: String,
}

impl Fact {
    /// A fact.
    pub fn new(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            value: value.into(),
        }
    }
}

/// A command for a reader to run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Command {
    /// What it does, e.g. `Go on training`.
    pub purpose: String,
    /// The line for a shell.
    pub line: String,
}

impl Command {
    /// A command.
    pub fn new(purpose: impl Into<String>, line: impl Into<String>) -> Self {
        Self {
            purpose: purpose.into(),
            line: line.into(),
        }
    }
}

/// Gradient by lag over the epochs of a training run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct FlowHistory {
    /// Epochs at which it was measured.
    pub epochs: Vec<u64>,
    /// Lags k, in steps.
    pub lags: Vec<u64>,
    /// ‖∂L_s/∂h_{s−k}‖, `[epoch][lag]`.
    #[serde(deserialize_with = "serial::rows")]
    pub norms: Vec<Vec<f64>>,
    /// The effective horizon in steps at each epoch (where the norm falls to 1 %); may be empty.
    #[serde(deserialize_with = "serial::values")]
    pub horizon: Vec<f64>,
    /// Over what it was measured, e.g. `16 sequences, 8 loss times each`; may be empty.
    pub measured_over: String,
}

impl FlowHistory {
    /// The picture with its table.
    pub(crate) fn figure(&self) -> String {
        let rows = (0..self.lags.len()).map(|k| {
            self.norms
                .iter()
                .map(|n| n.get(k).copied().unwrap_or(f64::NAN))
                .collect()
        });
        // The horizon is in steps; the map's rows are lags, which need not be every step.
        let row_of = |steps: f64| -> f64 {
            let after = self.lags.iter().position(|k| *k as f64 >= steps);
            match after {
                _ if !steps.is_finite() => f64::NAN,
                Some(0) => 0.0,
                Some(i) => {
                    let (a, b) = (self.lags[i - 1] as f64, self.lags[i] as f64);
                    i as f64 - 1.0 + if b > a { (steps - a) / (b - a) } else { 0.0 }
                }
                None => self.lags.len() as f64 - 0.5,
            }
        };
        let overlay = (!self.horizon.is_empty()).then(|| Overlay {
            name: "horizon (1 %)".into(),
            points: self
                .horizon
                .iter()
                .enumerate()
                .map(|(e, h)| (e as f64, row_of(*h)))
                .collect(),
        });
        let map = Heatmap {
            title: "Gradient by lag, epoch by epoch".into(),
            description: "Norm of the gradient that reaches the hidden state k steps before the loss, for each epoch; dark is large.".into(),
            size: Size { height: 380.0, ..Size::WIDE },
            x_label: "epoch".into(),
            y_label: "lag k (steps back)".into(),
            columns: self.epochs.iter().map(u64::to_string).collect(),
            rows: self.lags.iter().map(u64::to_string).collect(),
            values: rows.collect(),
            value_label: "‖∂L/∂h‖, log scale".into(),
            log: true,
            overlay,
            ..Heatmap::default()
        };
        let mut caption = "How far back the gradient reaches while the network learns. A light lower part means that those lags teach nothing.".to_string();
        if !self.measured_over.is_empty() {
            caption.push_str(&format!(" Measured over {}.", self.measured_over));
        }
        figure(
            &map.title.clone(),
            &caption,
            &heatmap(&map),
            &heatmap_table(&map),
            true,
        )
    }
}

/// The verdict's box.
pub(crate) fn headline(head: &Headline) -> String {
    let Some((first, rest)) = head.sentences.split_first() else {
        return String::new();
    };
    let (class, mark, word) = match head.tone {
        Tone::Good => ("good", "M5 12.5l4.2 4.2L19 7", "Good"),
        Tone::Mixed => ("mixed", "M6 12h12", "Mixed"),
        Tone::Bad => ("bad", "M12 5.5v8M12 17.2v1.4", "Attention"),
    };
    let rest: String = rest
        .iter()
        .map(|s| format!("<p>{}</p>", escape(s)))
        .collect();
    format!(
        "<section class=\"verdict {class}\"><svg class=\"mark\" viewBox=\"0 0 24 24\" role=\"img\" aria-label=\"{word}\"><path d=\"{mark}\"/></svg>\
         <div><p class=\"first\">{}</p>{rest}</div></section>",
        escape(first)
    )
}

/// The tiles of key figures.
pub(crate) fn tiles(figures: &[KeyFigure]) -> String {
    if figures.is_empty() {
        return String::new();
    }
    let tile = |f: &KeyFigure| {
        let unit = if f.unit.is_empty() {
            String::new()
        } else {
            format!(" <span class=\"unit\">{}</span>", escape(&f.unit))
        };
        let note = if f.note.is_empty() {
            String::new()
        } else {
            format!("<dd class=\"note\">{}</dd>", escape(&f.note))
        };
        format!(
            "<div class=\"tile\"><dt>{}</dt><dd class=\"value\">{}{unit}</dd>{note}</div>",
            escape(&f.name),
            escape(&f.value)
        )
    };
    format!(
        "<dl class=\"tiles\">{}</dl>",
        figures.iter().map(tile).collect::<String>()
    )
}

/// A list of facts as a table of two columns.
pub(crate) fn facts(facts: &[Fact]) -> String {
    let row = |f: &Fact| {
        format!(
            "<tr><th scope=\"row\">{}</th><td class=\"words\">{}</td></tr>",
            escape(&f.name),
            escape(&f.value)
        )
    };
    if facts.is_empty() {
        return String::new();
    }
    format!(
        "<div class=\"scroll\"><table class=\"facts\"><tbody>{}</tbody></table></div>",
        facts.iter().map(row).collect::<String>()
    )
}

/// Commands, each with what it does.
pub(crate) fn commands(commands: &[Command]) -> String {
    commands
        .iter()
        .map(|c| copyable(&c.purpose, &c.line))
        .collect()
}

/// A table from heads and rows of text; the first column is the row's head.
pub(crate) fn table_of(head: &[&str], rows: Vec<crate::page::Row>) -> Table {
    Table {
        head: head.iter().map(|h| (*h).to_string()).collect(),
        rows,
        note: String::new(),
    }
}
