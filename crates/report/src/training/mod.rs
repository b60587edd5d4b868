//! The page of a training run.

mod classes;
mod forecasts;
mod learning;
mod pairs;
mod words;

use serde::{Deserialize, Serialize};

pub use classes::Classification;
pub use forecasts::{ErrorRow, ErrorTable, ForecastPart, Metric};
pub use learning::{EpochPoint, LearningCurves};
pub use pairs::{PairExample, Pairs};
pub use words::{Sample, Score, TextResults};

use crate::page::{Page, copyable};
use crate::parts::{
    Command, Fact, FlowHistory, Headline, KeyFigure, commands, facts, headline, tiles,
};
use crate::text::escape;

/// Everything a training run's page shows. Every section may be left empty: `..Default::default()`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TrainingReport {
    /// What was learned, e.g. `Yearly sunspot numbers`.
    pub title: String,
    /// Cell, sizes, number of parameters, seed.
    pub subtitle: String,
    /// Whether the network earns its place against the baselines, in words.
    pub headline: Headline,
    /// Figures to be seen at a glance.
    pub key_figures: Vec<KeyFigure>,
    /// What the reader ought to know before trusting the rest.
    pub warnings: Vec<String>,
    /// Forecasts on each part of the data, with the truth.
    pub forecasts: Vec<ForecastPart>,
    /// Errors of the network and of the baselines, one table a part.
    pub errors: Vec<ErrorTable>,
    /// Results of a character model.
    pub text: Option<TextResults>,
    /// Results of classification, one a part.
    pub classification: Vec<Classification>,
    /// Results of sequence to sequence, or of a vector to a sequence.
    pub pairs: Option<Pairs>,
    /// Loss, gradient norm and learning rate, epoch by epoch.
    pub curves: Option<LearningCurves>,
    /// Gradient by lag, epoch by epoch.
    pub flow: Option<FlowHistory>,
    /// The data, the split, the machine, the time it took.
    pub facts: Vec<Fact>,
    /// The effective configuration as TOML.
    pub config: String,
    /// The command that makes this run again; may be empty.
    pub reproduce: String,
    /// Commands to go on with: evaluate, predict, resume.
    pub commands: Vec<Command>,
}

/// The page of a training run, as HTML.
pub fn training_page(report: &TrainingReport) -> String {
    let mut page = Page::new("Training run", &report.title, &report.subtitle);
    page.lead(&headline(&report.headline));
    page.lead(&warnings(&report.warnings));
    page.lead(&tiles(&report.key_figures));
    page.section(
        "forecasts",
        "Forecast and truth",
        forecasts::forecasts(&report.forecasts),
    );
    page.section(
        "errors",
        "Does the network earn its place?",
        forecasts::errors(&report.errors),
    );
    page.section(
        "text",
        "Text",
        report.text.as_ref().map(words::section).unwrap_or_default(),
    );
    page.section(
        "classes",
        "Classification",
        report.classification.iter().map(classes::section).collect(),
    );
    page.section(
        "pairs",
        "Sequence to sequence",
        report
            .pairs
            .as_ref()
            .map(pairs::section)
            .unwrap_or_default(),
    );
    page.section(
        "learning",
        "How it learned",
        report
            .curves
            .as_ref()
            .map(learning::section)
            .unwrap_or_default(),
    );
    let flow = report
        .flow
        .as_ref()
        .map(|f| format!("<div class=\"figures\">{}</div>", f.figure()));
    page.section(
        "flow",
        "How far back the gradient reaches",
        flow.unwrap_or_default(),
    );
    page.section("facts", "Data and run", card(&facts(&report.facts)));
    page.section("again", "Go on from here", go_on(report));
    page.finish()
}

fn warnings(warnings: &[String]) -> String {
    if warnings.is_empty() {
        return String::new();
    }
    let items: String = warnings
        .iter()
        .map(|w| format!("<li>{}</li>", escape(w)))
        .collect();
    format!(
        "<section class=\"warnings\"><strong>Before you trust this</strong><ul>{items}</ul></section>"
    )
}

fn go_on(report: &TrainingReport) -> String {
    let mut lines = commands(&report.commands);
    if !report.reproduce.is_empty() {
        lines.push_str(&copyable("Make this run again", &report.reproduce));
    }
    let config = if report.config.is_empty() {
        String::new()
    } else {
        format!(
            "<details><summary>Effective configuration (TOML)</summary>{}</details>",
            copyable("", report.config.trim_end())
        )
    };
    card(&(lines + &config))
}

/// `html` in a card; nothing stays nothing.
pub(crate) fn card(html: &str) -> String {
    if html.is_empty() {
        String::new()
    } else {
        format!("<div class=\"card\">{html}</div>")
    }
}
