//! The bar chart: lying for names beside each other, upright for many positions in order.

use std::fmt::Write;

use super::frame::{Axis, Plot, Size, axes, empty, label_room, open};
use crate::page::{Row, Table};
use crate::scale::Scale;
use crate::text::{escape, number, px, shorten, width_of};

/// One bar.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bar {
    /// Its name.
    pub label: String,
    /// Its length; not finite draws no bar and a dash.
    pub value: f64,
    /// The one to look at (the network among its baselines).
    pub strong: bool,
}

/// What a bar chart shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bars {
    /// Title.
    pub title: String,
    /// One or two sentences that say what is to be seen.
    pub description: String,
    /// Size; a lying chart takes its height from the number of bars.
    pub size: Size,
    /// What the bars measure.
    pub value: Axis,
    /// What the bars are (upright charts).
    pub position: Axis,
    /// The bars.
    pub items: Vec<Bar>,
    /// Columns rather than lying bars.
    pub upright: bool,
}

/// The chart as one `<svg>` element.
pub fn bars(spec: &Bars) -> String {
    if spec.items.iter().all(|b| !b.value.is_finite()) {
        return empty(spec.size, &spec.title, "No finite values to show.");
    }
    if spec.upright {
        upright(spec)
    } else {
        lying(spec)
    }
}

fn lying(spec: &Bars) -> String {
    const ROW: f64 = 30.0;
    let top = 24.0;
    let size = Size {
        height: top + ROW * spec.items.len() as f64 + 6.0,
        ..spec.size
    };
    let label = |b: &Bar| shorten(&b.label, 26);
    let left = spec
        .items
        .iter()
        .map(|b| width_of(&label(b), if b.strong { 13.0 } else { 12.0 }))
        .fold(40.0, f64::max)
        + 14.0;
    let room = spec
        .items
        .iter()
        .map(|b| width_of(&number(b.value), 13.0))
        .fold(20.0, f64::max)
        + 12.0;
    let ends = spec
        .items
        .iter()
        .map(|b| b.value)
        .chain([0.0, spec.value.high.unwrap_or(0.0)])
        .filter(|v| v.is_finite());
    let (low, high) = ends.fold((0.0f64, 0.0f64), |(a, b), v| (a.min(v), b.max(v)));
    // Room for the numbers on the side or sides where bars end.
    let from = if low < 0.0 { left + room } else { left };
    let scale = Scale::new(
        low,
        if high > low { high } else { low + 1.0 },
        from,
        size.width - room,
        false,
    );
    let zero = scale.at(0.0).unwrap_or(left);
    let mut out = open(size, &spec.title, &spec.description, "");
    let _ = write!(
        out,
        "<text class=\"lab\" x=\"2\" y=\"14\">{}</text>",
        escape(&shorten(&spec.value.title(), 44))
    );
    for (i, bar) in spec.items.iter().enumerate() {
        let y = top + ROW * i as f64;
        let strong = if bar.strong { " strong" } else { "" };
        let _ = write!(
            out,
            "<text class=\"key end{strong}\" x=\"{}\" y=\"{}\">{}</text>",
            px(left - 10.0),
            px(y + 19.0),
            escape(&label(bar))
        );
        let end = scale.at(bar.value);
        if let Some(end) = end {
            let (a, b) = (zero.min(end), zero.max(end));
            let kind = if bar.strong { "bar" } else { "weak" };
            let _ = write!(
                out,
                "<rect class=\"{kind}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"16\" rx=\"3\"/>",
                px(a),
                px(y + 7.0),
                px((b - a).max(1.5))
            );
        }
        let (x, anchor) = if bar.value < 0.0 {
            (end.unwrap_or(zero) - 7.0, " end")
        } else {
            (end.unwrap_or(zero) + 7.0, "")
        };
        let _ = write!(
            out,
            "<text class=\"num{strong}{anchor}\" x=\"{}\" y=\"{}\">{}</text>",
            px(x),
            px(y + 19.0),
            escape(&number(bar.value))
        );
    }
    let _ = write!(
        out,
        "<line class=\"axis\" x1=\"{z}\" x2=\"{z}\" y1=\"{}\" y2=\"{}\"/></svg>",
        px(top + 2.0),
        px(size.height - 4.0),
        z = px(zero)
    );
    out
}

/// Where the columns of an upright chart stand and how high they reach.
fn columns(spec: &Bars) -> Option<(Plot, Scale, Scale)> {
    let mut plot = Plot {
        left: 0.0,
        right: spec.size.width - 14.0,
        top: 30.0,
        bottom: spec.size.height - 46.0,
    };
    let values = spec.items.iter().map(|b| b.value).chain([0.0]);
    let y = spec.value.scale(values, plot.bottom, plot.top, true)?;
    plot.left = label_room(&spec.value, &y, plot.bottom - plot.top);
    let last = spec.items.len() as f64 - 1.0;
    let x = Scale::new(-0.5, last + 0.5, plot.left, plot.right, false);
    Some((plot, x, y))
}

fn upright(spec: &Bars) -> String {
    let Some((plot, x, y)) = columns(spec) else {
        return empty(spec.size, &spec.title, "No finite values to show.");
    };
    let step = (plot.right - plot.left) / spec.items.len() as f64;
    let position = spec
        .position
        .clone()
        .names(spec.items.iter().map(|b| b.label.clone()).collect());
    let more = format!(
        " data-top=\"{}\" data-bottom=\"{}\"",
        px(plot.top),
        px(plot.bottom)
    );
    let mut out = open(spec.size, &spec.title, &spec.description, &more);
    axes(&mut out, plot, (&position, &x), (&spec.value, &y));
    let zero = y.at(0.0).unwrap_or(plot.bottom);
    let width = (step - 2.0).max(step * 0.6).min(48.0);
    for (i, bar) in spec.items.iter().enumerate() {
        let (Some(middle), Some(end)) = (x.at(i as f64), y.at(bar.value)) else {
            continue;
        };
        let _ = write!(
            out,
            "<rect class=\"{}\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"{}\"/>",
            if bar.strong { "bar" } else { "weak" },
            px(middle - width / 2.0),
            px(zero.min(end)),
            px(width),
            px((zero - end).abs()),
            px((width / 6.0).min(2.5)),
        );
    }
    let _ = write!(
        out,
        "<line class=\"axis\" x1=\"{}\" x2=\"{}\" y1=\"{z}\" y2=\"{z}\"/></svg>",
        px(plot.left),
        px(plot.right),
        z = px(zero)
    );
    out
}

/// The values as a table; rows of an upright chart know their place in the picture.
pub(crate) fn table(spec: &Bars) -> Table {
    let name = if spec.position.label.is_empty() {
        String::new()
    } else {
        spec.position.title()
    };
    let x = columns(spec).filter(|_| spec.upright).map(|c| c.1);
    let row = |(i, bar): (usize, &Bar)| Row {
        px: x.and_then(|x| x.at(i as f64)),
        cells: vec![bar.label.clone(), number(bar.value)],
        strong: bar.strong && !spec.upright,
    };
    Table {
        head: vec![name, spec.value.title()],
        rows: spec.items.iter().enumerate().map(row).collect(),
        note: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sign_and_gap_is_drawn_without_panic() {
        for values in [
            vec![],
            vec![f64::NAN],
            vec![0.0],
            vec![-1.0, 2.0, f64::INFINITY],
            vec![-3.0],
        ] {
            for upright in [false, true] {
                let items: Vec<Bar> = values
                    .iter()
                    .map(|v| Bar {
                        label: "a<b".into(),
                        value: *v,
                        strong: *v > 0.0,
                    })
                    .collect();
                let svg = bars(&Bars {
                    items,
                    upright,
                    ..Bars::default()
                });
                assert!(svg.ends_with("</svg>") && !svg.contains("a<b"), "{svg}");
            }
        }
    }
}
