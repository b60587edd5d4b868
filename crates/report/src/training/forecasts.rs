//! Forecasts against the truth, and errors against the baselines'.

use serde::{Deserialize, Serialize};

use crate::chart::{Axis, Band, Bar, Bars, Draw, Lines, Series, Size, bars, lines, lines_table};
use crate::page::{Row, figure};
use crate::parts::table_of;
use crate::serial;
use crate::text::{escape, number, with_unit};

/// Truth and forecast on one part of the data.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ForecastPart {
    /// Its name, e.g. `test 1921–1955`.
    pub label: String,
    /// What is forecast, e.g. `sunspot number`.
    pub quantity: String,
    /// Its unit; empty for none.
    pub unit: String,
    /// What the positions are, e.g. `year`.
    pub x_label: String,
    /// Name of each position.
    pub x: Vec<String>,
    /// What happened; not finite where it is not known.
    #[serde(deserialize_with = "serial::values")]
    pub truth: Vec<f64>,
    /// What the network said.
    #[serde(deserialize_with = "serial::values")]
    pub forecast: Vec<f64>,
    /// Lower edge of an interval around the forecast; empty for none.
    #[serde(deserialize_with = "serial::values")]
    pub lower: Vec<f64>,
    /// Upper edge; empty for none.
    #[serde(deserialize_with = "serial::values")]
    pub upper: Vec<f64>,
    /// What the interval is, e.g. `80 % interval from training residuals`.
    pub interval: String,
    /// A sentence under the heading, e.g. how many steps ahead; may be empty.
    pub note: String,
}

/// A measure of error; smaller is better.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Metric {
    /// Its name, e.g. `RMSE`.
    pub name: String,
    /// Its unit; empty for none.
    pub unit: String,
}

impl Metric {
    /// A measure with its unit.
    pub fn new(name: impl Into<String>, unit: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            unit: unit.into(),
        }
    }
}

/// The errors of one way to forecast.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ErrorRow {
    /// Its name, e.g. `persistence`.
    pub model: String,
    /// This is the network of the run.
    pub own: bool,
    /// One value a metric.
    #[serde(deserialize_with = "serial::values")]
    pub values: Vec<f64>,
}

/// Errors on one part of the data.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ErrorTable {
    /// The part's name, e.g. `test 1921–1955`.
    pub part: String,
    /// The measures.
    pub metrics: Vec<Metric>,
    /// The network and the baselines.
    pub rows: Vec<ErrorRow>,
}

pub(super) fn forecasts(parts: &[ForecastPart]) -> String {
    if parts.is_empty() {
        return String::new();
    }
    format!(
        "<div class=\"figures\">{}</div>",
        parts.iter().map(forecast).collect::<String>()
    )
}

fn forecast(part: &ForecastPart) -> String {
    let places = |values: &[f64]| (0..values.len()).map(|i| i as f64).collect::<Vec<f64>>();
    let few = part.truth.len().max(part.forecast.len()) <= 60;
    let series =
        vec![
            Series::line("truth", 0, places(&part.truth), part.truth.clone()).draw(if few {
                Draw::Both
            } else {
                Draw::Line
            }),
            Series::line("forecast", 1, places(&part.forecast), part.forecast.clone())
                .draw(if few { Draw::Both } else { Draw::Line }),
        ];
    let bands = if part.lower.is_empty() || part.upper.is_empty() {
        Vec::new()
    } else {
        let name = if part.interval.is_empty() {
            "interval".into()
        } else {
            part.interval.clone()
        };
        vec![Band {
            name,
            x: places(&part.lower),
            low: part.lower.clone(),
            high: part.upper.clone(),
            slot: 1,
        }]
    };
    let spec = Lines {
        title: format!("Forecast and truth: {}", part.label),
        description: format!(
            "The network's forecast beside what happened, {}.",
            part.label
        ),
        size: Size::WIDE,
        x: Axis::new(part.x_label.clone(), "")
            .names(part.x.clone())
            .whole(),
        y: Axis::new(part.quantity.clone(), part.unit.clone()),
        series,
        bands,
        ..Lines::default()
    };
    figure(
        if part.label.is_empty() {
            "Forecast"
        } else {
            &part.label
        },
        &part.note,
        &lines(&spec),
        &lines_table(&spec),
        true,
    )
}

pub(super) fn errors(tables: &[ErrorTable]) -> String {
    tables.iter().map(error_table).collect()
}

fn error_table(table: &ErrorTable) -> String {
    let heads: Vec<String> = table
        .metrics
        .iter()
        .map(|m| with_unit(&m.name, &m.unit))
        .collect();
    let charts: String = table
        .metrics
        .iter()
        .enumerate()
        .map(|(i, metric)| {
            let items = table.rows.iter().map(|r| Bar {
                label: r.model.clone(),
                value: r.values.get(i).copied().unwrap_or(f64::NAN),
                strong: r.own,
            });
            let spec = Bars {
                title: format!("{} on {}", metric.name, table.part),
                description: "Error of the network and of each baseline; shorter is better.".into(),
                size: Size {
                    width: 372.0,
                    height: 200.0,
                },
                value: Axis::new(metric.name.clone(), metric.unit.clone()),
                items: items.collect(),
                ..Bars::default()
            };
            format!("<div class=\"picture fit\">{}</div>", bars(&spec))
        })
        .collect();
    let rows = table.rows.iter().map(|row| {
        let mut cells = vec![row.model.clone()];
        cells.extend(
            (0..table.metrics.len())
                .map(|i| row.values.get(i).map_or("–".into(), |v| number(*v))),
        );
        Row {
            px: None,
            cells,
            strong: row.own,
        }
    });
    let heads: Vec<&str> = std::iter::once("")
        .chain(heads.iter().map(String::as_str))
        .collect();
    let numbers = table_of(&heads, rows.collect());
    let title = if table.part.is_empty() {
        "Errors"
    } else {
        &table.part
    };
    format!(
        "<div class=\"card\"><h3>{}</h3><p class=\"quiet\">Shorter is better.</p><div class=\"figures three\">{charts}</div><details><summary>Show as a table</summary>{}</details></div>",
        escape(title),
        numbers.html()
    )
}
