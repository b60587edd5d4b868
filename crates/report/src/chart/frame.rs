//! What all charts share: size, axes, the plot's rectangle, the legend.

use std::fmt::Write;

use crate::scale::{Scale, extent, rounded};
use crate::text::{escape, px, shorten, width_of, with_unit};

/// Width and height of a picture in its own units (CSS pixels at natural size).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size {
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
}

impl Size {
    /// Half of a page's width.
    pub const HALF: Self = Self {
        width: 540.0,
        height: 320.0,
    };
    /// The whole width of a page.
    pub const WIDE: Self = Self {
        width: 1080.0,
        height: 340.0,
    };
}

impl Default for Size {
    fn default() -> Self {
        Self::HALF
    }
}

/// One axis: what it shows, in which unit, and how.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Axis {
    /// What is measured, e.g. `gradient norm`.
    pub label: String,
    /// Its unit, e.g. `steps`; empty for none.
    pub unit: String,
    /// Logarithmic; values that are not positive leave gaps.
    pub log: bool,
    /// Lower end; from the data when `None`.
    pub low: Option<f64>,
    /// Upper end; from the data when `None`.
    pub high: Option<f64>,
    /// Only whole numbers as ticks (epochs, lags).
    pub whole: bool,
    /// Names of the positions 0, 1, 2, …, in place of numbers (dates, classes).
    pub names: Vec<String>,
}

impl Axis {
    /// A linear axis with a label and a unit.
    pub fn new(label: impl Into<String>, unit: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            unit: unit.into(),
            ..Self::default()
        }
    }

    /// The same axis, logarithmic when `log`.
    #[must_use]
    pub fn log(self, log: bool) -> Self {
        Self { log, ..self }
    }

    /// The same axis with whole numbers only.
    #[must_use]
    pub fn whole(self) -> Self {
        Self {
            whole: true,
            ..self
        }
    }

    /// The same axis from `low` at least.
    #[must_use]
    pub fn from(self, low: f64) -> Self {
        Self {
            low: Some(low),
            ..self
        }
    }

    /// The same axis to `high` at most.
    #[must_use]
    pub fn to(self, high: f64) -> Self {
        Self {
            high: Some(high),
            ..self
        }
    }

    /// The same axis with names for the positions 0, 1, 2, ….
    #[must_use]
    pub fn names(self, names: Vec<String>) -> Self {
        Self { names, ..self }
    }

    /// Label and unit as one text.
    pub(crate) fn title(&self) -> String {
        with_unit(&self.label, &self.unit)
    }

    /// A position in words.
    pub(crate) fn word(&self, value: f64) -> String {
        if value >= 0.0 && value.fract() == 0.0 && !self.names.is_empty() {
            return self.names.get(value as usize).cloned().unwrap_or_default();
        }
        if value.fract() == 0.0 && value.abs() < 1e15 {
            format!("{value}")
        } else {
            crate::text::number(value)
        }
    }

    /// The scale over `values`; `None` when there is nothing to show.
    pub(crate) fn scale(
        &self,
        values: impl Iterator<Item = f64>,
        from: f64,
        to: f64,
        round: bool,
    ) -> Option<Scale> {
        let (data_low, data_high) = extent(values, self.log)?;
        let (mut low, mut high) = (self.low.unwrap_or(data_low), self.high.unwrap_or(data_high));
        if round {
            let (a, b) = rounded(low, high.max(low), 5, self.log);
            low = self.low.unwrap_or(a);
            high = self.high.unwrap_or(b);
        }
        Some(Scale::new(low, high, from, to, self.log))
    }

    /// Ticks on `scale`: names where there are any, numbers otherwise.
    fn ticks(&self, scale: &Scale, pixels: f64) -> Vec<(f64, String)> {
        if self.names.is_empty() {
            return scale.ticks(((pixels / 90.0) as usize).clamp(3, 8), self.whole);
        }
        let widest = self
            .names
            .iter()
            .map(|n| width_of(&shorten(n, 14), 12.0))
            .fold(24.0, f64::max);
        let (low, high) = scale.ends();
        let last = self.names.len() as f64 - 1.0;
        let (low, high) = (low.ceil().max(0.0), high.floor().min(last));
        if high < low {
            return Vec::new();
        }
        let fit = (pixels / (widest + 16.0)).max(1.0);
        let every = (((high - low + 1.0) / fit).ceil() as usize).max(1);
        let every = [1, 2, 5, 10, 12, 20, 24, 25, 50, 100]
            .into_iter()
            .find(|n| *n >= every)
            .unwrap_or(every);
        (low as usize..=high as usize)
            .step_by(every)
            .map(|i| (i as f64, shorten(&self.names[i], 14)))
            .collect()
    }
}

/// The rectangle of the plot inside a picture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plot {
    pub left: f64,
    pub right: f64,
    pub top: f64,
    pub bottom: f64,
}

/// The opening tag with title and description, for screen readers and as the picture's own words.
pub(crate) fn open(size: Size, title: &str, description: &str, more: &str) -> String {
    let (w, h) = (px(size.width), px(size.height));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" role=\"img\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\"{more}>"
    );
    let _ = write!(out, "<title>{}</title>", escape(title));
    if !description.is_empty() {
        let _ = write!(out, "<desc>{}</desc>", escape(description));
    }
    out
}

/// A picture that has nothing to show and says so.
pub(crate) fn empty(size: Size, title: &str, why: &str) -> String {
    let size = Size {
        height: size.height.min(120.0),
        ..size
    };
    let mut out = open(size, title, why, "");
    let _ = write!(
        out,
        "<rect class=\"axis\" x=\"1\" y=\"1\" width=\"{}\" height=\"{}\" rx=\"6\"/><text class=\"none\" x=\"{}\" y=\"{}\">{}</text></svg>",
        px(size.width - 2.0),
        px(size.height - 2.0),
        px(size.width / 2.0),
        px(size.height / 2.0 + 4.0),
        escape(why)
    );
    out
}

/// Grid lines, ticks and titles of both axes.
pub(crate) fn axes(
    out: &mut String,
    plot: Plot,
    (x, xs): (&Axis, &Scale),
    (y, ys): (&Axis, &Scale),
) {
    for (value, label) in y.ticks(ys, (plot.bottom - plot.top) * 1.6) {
        let Some(at) = ys.at(value) else { continue };
        let _ = write!(
            out,
            "<line class=\"grid\" x1=\"{}\" x2=\"{}\" y1=\"{at}\" y2=\"{at}\"/><text class=\"tick end\" x=\"{}\" y=\"{}\">{}</text>",
            px(plot.left),
            px(plot.right),
            px(plot.left - 8.0),
            px(at + 4.0),
            escape(&label),
            at = px(at),
        );
    }
    let _ = write!(
        out,
        "<line class=\"axis\" x1=\"{}\" x2=\"{}\" y1=\"{b}\" y2=\"{b}\"/>",
        px(plot.left),
        px(plot.right),
        b = px(plot.bottom)
    );
    for (value, label) in x.ticks(xs, plot.right - plot.left) {
        let Some(at) = xs.at(value) else { continue };
        let _ = write!(
            out,
            "<line class=\"axis\" x1=\"{at}\" x2=\"{at}\" y1=\"{}\" y2=\"{}\"/><text class=\"tick mid\" x=\"{at}\" y=\"{}\">{}</text>",
            px(plot.bottom),
            px(plot.bottom + 5.0),
            px(plot.bottom + 19.0),
            escape(&label),
            at = px(at),
        );
    }
    let _ = write!(
        out,
        "<text class=\"lab\" x=\"2\" y=\"14\">{}</text><text class=\"lab end\" x=\"{}\" y=\"{}\">{}</text>",
        escape(&y.title()),
        px(plot.right),
        px(plot.bottom + 37.0),
        escape(&x.title())
    );
}

/// Room for the labels of a vertical axis, in pixels.
pub(crate) fn label_room(axis: &Axis, scale: &Scale, pixels: f64) -> f64 {
    axis.ticks(scale, pixels * 1.6)
        .iter()
        .map(|t| width_of(&t.1, 12.0))
        .fold(18.0, f64::max)
        + 14.0
}

/// One entry of a legend: the drawn sample (30 wide, centred on y = 0) and its name.
pub(crate) struct Key {
    pub sample: String,
    pub name: String,
}

/// How many rows a legend takes in `width` pixels.
pub(crate) fn legend_rows(keys: &[Key], width: f64) -> usize {
    place_keys(keys, width).last().map_or(0, |last| last.1 + 1)
}

fn place_keys(keys: &[Key], width: f64) -> Vec<(f64, usize)> {
    let (mut x, mut row) = (0.0, 0);
    keys.iter()
        .map(|key| {
            let wide = 36.0 + width_of(&key.name, 12.0) + 18.0;
            if x > 0.0 && x + wide > width {
                (x, row) = (0.0, row + 1);
            }
            let at = (x, row);
            x += wide;
            at
        })
        .collect()
}

/// The legend from (`x`, `y`) on.
pub(crate) fn legend(out: &mut String, keys: &[Key], x: f64, y: f64, width: f64) {
    for (key, (dx, row)) in keys.iter().zip(place_keys(keys, width)) {
        let _ = write!(
            out,
            "<g transform=\"translate({},{})\">{}<text class=\"key\" x=\"36\" y=\"4\">{}</text></g>",
            px(x + dx),
            px(y + 18.0 * row as f64),
            key.sample,
            escape(&key.name)
        );
    }
}
