//! Pictures over lags and times: profile, shares, window against bias, contributions.

use serde::{Deserialize, Serialize};

use crate::chart::{
    Axis, Band, Bar, Bars, Heatmap, Lines, Mark, Rule, Series, Size, bars, bars_table, heatmap,
    heatmap_table, lines, lines_table,
};
use crate::page::figure;
use crate::serial;
use crate::text::{number, percent};

/// More lags than this are summed in groups before they are drawn as bars.
const MOST_BARS: usize = 50;
/// A log plot reaches at most this many decades below its largest value.
const DECADES: f64 = 16.0;

/// ‖∂L_s/∂h_{s−k}‖ against k.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LagProfile {
    /// Lags k, in steps.
    pub lags: Vec<u64>,
    /// Median over sequences and loss times.
    #[serde(deserialize_with = "serial::values")]
    pub median: Vec<f64>,
    /// Mean over sequences and loss times; may be empty.
    #[serde(deserialize_with = "serial::values")]
    pub mean: Vec<f64>,
    /// Lower quantile; may be empty.
    #[serde(deserialize_with = "serial::values")]
    pub lower: Vec<f64>,
    /// Upper quantile; may be empty.
    #[serde(deserialize_with = "serial::values")]
    pub upper: Vec<f64>,
    /// Which quantiles, e.g. `5–95 %`.
    pub quantiles: String,
    /// A bound on it from the weights, times the value at lag 0; may be empty.
    #[serde(deserialize_with = "serial::values")]
    pub bound: Vec<f64>,
    /// Lag where the norm falls to 50 % of its value at lag 0.
    pub half: Option<f64>,
    /// Lag where it falls to 1 %.
    pub hundredth: Option<f64>,
    /// The truncation window of the run, when there is one.
    pub window: Option<f64>,
}

impl LagProfile {
    pub(super) fn figure(&self, measured_over: &str) -> String {
        let lags = || self.lags.iter().map(|k| *k as f64).collect::<Vec<f64>>();
        let mut series = vec![Series::line(
            "measured, median",
            0,
            lags(),
            self.median.clone(),
        )];
        if !self.mean.is_empty() {
            series.push(Series::line("measured, mean", 2, lags(), self.mean.clone()));
        }
        if !self.bound.is_empty() {
            series.push(Series::line(
                "bound from the weights",
                1,
                lags(),
                self.bound.clone(),
            ));
        }
        let mut bands = Vec::new();
        if !self.lower.is_empty() && !self.upper.is_empty() {
            bands.push(Band {
                name: self.quantiles.clone(),
                x: lags(),
                low: self.lower.clone(),
                high: self.upper.clone(),
                slot: 0,
            });
        }
        let rules = [
            (self.half, "50 %"),
            (self.hundredth, "1 %"),
            (self.window, "window"),
        ];
        let rules = rules.into_iter().filter_map(|(at, name)| {
            let at = at.filter(|a| a.is_finite())?;
            Some(Rule {
                at,
                upright: true,
                label: format!("{name}: {} steps", number((at * 10.0).round() / 10.0)),
            })
        });
        // The range is the measurement's: a bound that runs away is cut at the edge rather than pressing
        // what was measured into a strip.
        let measured = || {
            self.median
                .iter()
                .chain(&self.mean)
                .chain(&self.upper)
                .copied()
                .filter(|v| v.is_finite() && *v > 0.0)
        };
        let top = measured().fold(0.0, f64::max);
        let least = measured()
            .chain(self.lower.iter().copied().filter(|v| *v > 0.0))
            .fold(top, f64::min);
        let mut y = Axis::new("‖∂L/∂h‖ k steps before the loss", "log scale").log(true);
        if top > 0.0 {
            y = y
                .from(10f64.powf((least.log10().floor()).max(top.log10() - DECADES).floor()))
                .to(10f64.powf((top * 3.0).log10().ceil()));
        }
        let spec = Lines {
            title: "Gradient by lag".into(),
            description: "How large the gradient still is k steps before the loss, with the bound from the weights alone.".into(),
            size: Size { height: 400.0, ..Size::WIDE },
            x: Axis::new("lag k", "steps back").whole(),
            y,
            series,
            bands,
            rules: rules.collect(),
            ..Lines::default()
        };
        let mut caption = "How large the gradient still is k steps before the loss. The bound says only what the weights allow; the measurement is what the data get.".to_string();
        if !measured_over.is_empty() {
            caption.push_str(&format!(" Measured over {measured_over}."));
        }
        figure(
            "Gradient by lag",
            &caption,
            &lines(&spec),
            &lines_table(&spec),
            true,
        )
    }
}

/// What each lag gives to ∂L/∂W_hh; the shares add up to 1.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LagShares {
    /// Lags k, in steps.
    pub lags: Vec<u64>,
    /// Shares; negative where a lag pulls against the whole.
    #[serde(deserialize_with = "serial::values")]
    pub shares: Vec<f64>,
}

impl LagShares {
    pub(super) fn figure(&self) -> String {
        let group = self.lags.len().div_ceil(MOST_BARS).max(1);
        let items: Vec<Bar> = self
            .lags
            .chunks(group)
            .zip(self.shares.chunks(group))
            .map(|(lags, shares)| Bar {
                label: match lags {
                    [one] => one.to_string(),
                    _ => format!(
                        "{}–{}",
                        lags.first().unwrap_or(&0),
                        lags.last().unwrap_or(&0)
                    ),
                },
                value: 100.0 * shares.iter().sum::<f64>(),
                strong: true,
            })
            .collect();
        let spec = Bars {
            title: "Share of each lag in the weights' gradient".into(),
            description:
                "How much each lag adds to the gradient of W_hh; the shares add up to 100 %.".into(),
            value: Axis::new("share of ∂L/∂W_hh", "%"),
            position: Axis::new("lag k", "steps back"),
            items,
            upright: true,
            ..Bars::default()
        };
        let caption = "How much each lag adds to the gradient of W_hh. The shares add up to 100 %; one below zero pulls against the rest.";
        figure(
            "Share of each lag in the weights' gradient",
            caption,
            &bars(&spec),
            &bars_table(&spec),
            false,
        )
    }
}

/// The bias that truncation makes, against the window.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Truncation {
    /// Windows, in steps.
    pub windows: Vec<u64>,
    /// Relative bias estimated from the decay of the gradient by lag; may be empty. Infinite where the
    /// gradient does not decay.
    #[serde(deserialize_with = "serial::values")]
    pub estimated: Vec<f64>,
    /// Relative bias against the whole gradient, where that was computed; may be empty.
    #[serde(deserialize_with = "serial::values")]
    pub exact: Vec<f64>,
    /// The bias asked for.
    pub wanted: Option<f64>,
    /// The smallest window that keeps it.
    pub chosen: Option<u64>,
}

impl Truncation {
    pub(super) fn figure(&self) -> String {
        let windows = || self.windows.iter().map(|k| *k as f64).collect::<Vec<f64>>();
        let mut series = Vec::new();
        if !self.estimated.is_empty() {
            series.push(Series::line(
                "estimate (upper bound)",
                1,
                windows(),
                self.estimated.clone(),
            ));
        }
        if !self.exact.is_empty() {
            series.push(Series::line(
                "against the whole gradient",
                0,
                windows(),
                self.exact.clone(),
            ));
        }
        let marks = self.chosen.and_then(|chosen| {
            let i = self.windows.iter().position(|w| *w == chosen)?;
            let y = [&self.estimated, &self.exact]
                .into_iter()
                .find_map(|v| v.get(i).filter(|v| v.is_finite()))?;
            Some(Mark {
                x: chosen as f64,
                y: *y,
                label: format!("window {chosen}"),
            })
        });
        let wanted = self.wanted.map(|at| Rule {
            at,
            upright: false,
            label: format!("wanted: {}", percent(at)),
        });
        let spec = Lines {
            title: "Window against truncation bias".into(),
            description:
                "Relative error of the gradient when it is cut off after a window of steps.".into(),
            x: Axis::new("window", "steps").whole(),
            y: Axis::new("relative bias", "log scale").log(true),
            series,
            rules: wanted.into_iter().collect(),
            marks: marks.into_iter().collect(),
            ..Lines::default()
        };
        let caption = "How wrong the gradient is when it is cut off after so many steps, relative to its size.";
        figure(
            "Window against truncation bias",
            caption,
            &lines(&spec),
            &lines_table(&spec),
            false,
        )
    }
}

/// Norm of what each time step gives to ∂L/∂W_hh.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Contributions {
    /// What the rows are, e.g. `loss at step` or `sequence`.
    pub row_label: String,
    /// Name of each row.
    pub rows: Vec<String>,
    /// The time steps, one a column.
    pub steps: Vec<u64>,
    /// Norms, `[row][step]`; NaN where a step cannot contribute.
    #[serde(deserialize_with = "serial::rows")]
    pub norms: Vec<Vec<f64>>,
}

impl Contributions {
    pub(super) fn figure(&self) -> String {
        let height = (self.norms.len() as f64 * 22.0 + 130.0).clamp(220.0, 460.0);
        let map = Heatmap {
            title: "Contribution of each time step to ∂L/∂W_hh".into(),
            description: "Norm of the part of the gradient of W_hh that stems from the weights' use at each time step; dark is large.".into(),
            size: Size { height, ..Size::WIDE },
            x_label: "time step t".into(),
            y_label: self.row_label.clone(),
            columns: self.steps.iter().map(u64::to_string).collect(),
            rows: self.rows.clone(),
            values: self.norms.clone(),
            value_label: "norm, log scale".into(),
            log: true,
            ..Heatmap::default()
        };
        let caption = "W_hh is used at every step; this is how much each use adds to its gradient. Blank: a step after the loss adds nothing.";
        figure(
            &map.title.clone(),
            caption,
            &heatmap(&map),
            &heatmap_table(&map),
            true,
        )
    }
}
