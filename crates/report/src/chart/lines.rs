//! The line chart.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::frame::{Axis, Plot, Size, axes, empty, label_room, legend, legend_rows, open};
use super::series::{Band, Draw, Series, band_key, draw, draw_band, key};
use crate::page::{Row, Table};
use crate::scale::Scale;
use crate::text::{escape, number, px, width_of};

/// More rows than this are thinned in the table beside a chart.
const MOST_ROWS: usize = 400;

/// A line across the plot: a threshold, a horizon.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Where on its axis.
    pub at: f64,
    /// On the x axis (an upright line) rather than the y axis.
    pub upright: bool,
    /// What it is.
    pub label: String,
}

/// A point to be noticed: the best epoch, the chosen window.
#[derive(Clone, Debug, PartialEq)]
pub struct Mark {
    /// Position.
    pub x: f64,
    /// Value.
    pub y: f64,
    /// What it is.
    pub label: String,
}

/// What a line chart shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lines {
    /// Title, for screen readers and as the picture's own words.
    pub title: String,
    /// One or two sentences that say what is to be seen.
    pub description: String,
    /// Size.
    pub size: Size,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// The series.
    pub series: Vec<Series>,
    /// Bands, drawn under the series.
    pub bands: Vec<Band>,
    /// Rules.
    pub rules: Vec<Rule>,
    /// Marks.
    pub marks: Vec<Mark>,
}

/// Everything about a chart that follows from its values.
struct Layout {
    plot: Plot,
    x: Scale,
    y: Scale,
    keys: Vec<super::frame::Key>,
}

fn layout(spec: &Lines) -> Option<Layout> {
    let usable = |y: f64| y.is_finite() && (!spec.y.log || y > 0.0);
    let from_series = spec.series.iter().flat_map(Series::pairs);
    let from_bands = spec.bands.iter().flat_map(|b| {
        b.x.iter()
            .copied()
            .zip(b.low.iter().chain(&b.high).copied())
    });
    let shown: Vec<(f64, f64)> = from_series
        .chain(from_bands)
        .filter(|p| p.0.is_finite() && usable(p.1))
        .collect();
    if shown.is_empty() {
        return None;
    }
    let keys: Vec<_> = spec
        .series
        .iter()
        .map(key)
        .chain(spec.bands.iter().map(band_key))
        .filter(|k| !k.name.is_empty())
        .collect();
    let keys = if keys.len() > 1 { keys } else { Vec::new() };
    let rows = legend_rows(&keys, spec.size.width - 20.0);
    let mut plot = Plot {
        left: 0.0,
        right: spec.size.width - 14.0,
        top: 30.0 + 20.0 * rows as f64,
        bottom: spec.size.height - 46.0,
    };
    plot.bottom = plot.bottom.max(plot.top + 40.0);
    let errors = spec.series.iter().flat_map(|s| {
        s.pairs()
            .zip(&s.error)
            .flat_map(|((_, y), e)| [y - e, y + e])
    });
    let upright = |wanted: bool| {
        spec.rules
            .iter()
            .filter(move |r| r.upright == wanted)
            .map(|r| r.at)
    };
    let heights = shown
        .iter()
        .map(|p| p.1)
        .chain(errors)
        .chain(upright(false));
    let heights: Vec<f64> = heights.chain(spec.marks.iter().map(|m| m.y)).collect();
    let y = spec
        .y
        .scale(heights.into_iter(), plot.bottom, plot.top, true)?;
    plot.left = label_room(&spec.y, &y, plot.bottom - plot.top);
    let widths: Vec<f64> = shown.iter().map(|p| p.0).chain(upright(true)).collect();
    let x = spec
        .x
        .scale(widths.into_iter(), plot.left + 4.0, plot.right - 4.0, false)?;
    Some(Layout { plot, x, y, keys })
}

/// The chart as one `<svg>` element.
pub fn lines(spec: &Lines) -> String {
    let Some(Layout { plot, x, y, keys }) = layout(spec) else {
        return empty(spec.size, &spec.title, "No finite values to show.");
    };
    let more = format!(
        " data-top=\"{}\" data-bottom=\"{}\"",
        px(plot.top),
        px(plot.bottom)
    );
    let mut out = open(spec.size, &spec.title, &spec.description, &more);
    axes(&mut out, plot, (&spec.x, &x), (&spec.y, &y));
    legend(&mut out, &keys, 4.0, 32.0, spec.size.width - 20.0);
    // A picture inside the picture cuts off what leaves the plot; markers at the edge stay whole.
    let markers = spec.series.iter().any(|s| s.draw != Draw::Line);
    let rim = if markers { 6.0 } else { 1.5 };
    let (left, top) = (plot.left - rim, plot.top - rim);
    let (width, height) = (plot.right - left + rim, plot.bottom - top + rim);
    let (left, top, width, height) = (px(left), px(top), px(width), px(height));
    let _ = write!(
        out,
        "<svg x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" viewBox=\"{left} {top} {width} {height}\">"
    );
    for band in &spec.bands {
        draw_band(&mut out, band, &x, &y);
    }
    for series in &spec.series {
        draw(&mut out, series, &x, &y);
    }
    out.push_str("</svg>");
    rules(&mut out, spec, plot, &x, &y);
    for mark in &spec.marks {
        draw_mark(&mut out, mark, plot, &x, &y);
    }
    out.push_str("</svg>");
    out
}

fn rules(out: &mut String, spec: &Lines, plot: Plot, x: &Scale, y: &Scale) {
    let mut row = 0.0;
    for rule in &spec.rules {
        let Some(at) = (if rule.upright {
            x.at(rule.at)
        } else {
            y.at(rule.at)
        }) else {
            continue;
        };
        if rule.upright {
            let left = at + 6.0 + width_of(&rule.label, 12.5) > plot.right;
            let _ = write!(
                out,
                "<line class=\"rule\" x1=\"{at}\" x2=\"{at}\" y1=\"{}\" y2=\"{}\"/><text class=\"note{}\" x=\"{}\" y=\"{}\">{}</text>",
                px(plot.top),
                px(plot.bottom),
                if left { " end" } else { "" },
                px(if left { at - 6.0 } else { at + 6.0 }),
                px(plot.top + 12.0 + row),
                escape(&rule.label),
                at = px(at),
            );
            row += 17.0;
        } else {
            let above = at - plot.top > 18.0;
            let _ = write!(
                out,
                "<line class=\"rule\" x1=\"{}\" x2=\"{}\" y1=\"{at}\" y2=\"{at}\"/><text class=\"note end\" x=\"{}\" y=\"{}\">{}</text>",
                px(plot.left),
                px(plot.right),
                px(plot.right - 4.0),
                px(if above { at - 5.0 } else { at + 15.0 }),
                escape(&rule.label),
                at = px(at),
            );
        }
    }
}

fn draw_mark(out: &mut String, mark: &Mark, plot: Plot, x: &Scale, y: &Scale) {
    let Some((mx, my)) = x.at(mark.x).zip(y.at(mark.y)) else {
        return;
    };
    let left = mx + 10.0 + width_of(&mark.label, 12.5) > plot.right;
    let above = my - plot.top > 26.0;
    let _ = write!(
        out,
        "<circle class=\"ring\" cx=\"{}\" cy=\"{}\" r=\"4.5\"/><text class=\"note{}\" x=\"{}\" y=\"{}\">{}</text>",
        px(mx),
        px(my),
        if left { " end" } else { "" },
        px(if left { mx - 8.0 } else { mx + 8.0 }),
        px(if above { my - 10.0 } else { my + 20.0 }),
        escape(&mark.label)
    );
}

/// The values of the chart as a table; each row knows its place in the picture.
pub(crate) fn table(spec: &Lines) -> Table {
    let Some(Layout { x, .. }) = layout(spec) else {
        return Table::default();
    };
    let columns: usize = spec
        .series
        .iter()
        .map(|s| 1 + usize::from(!s.error.is_empty()))
        .sum::<usize>()
        + 2 * spec.bands.len();
    let mut head = vec![spec.x.title()];
    let mut rows: BTreeMap<u64, (f64, Vec<String>)> = BTreeMap::new();
    let mut put = |x: f64, column: usize, value: f64| {
        if x.is_finite() {
            let row = rows
                .entry(ordered(x))
                .or_insert_with(|| (x, vec![String::new(); columns]));
            row.1[column] = number(value);
        }
    };
    let mut column = 0;
    for series in &spec.series {
        head.push(if series.name.is_empty() {
            spec.y.title()
        } else {
            series.name.clone()
        });
        series.pairs().for_each(|(x, y)| put(x, column, y));
        column += 1;
        if !series.error.is_empty() {
            head.push("±".into());
            series
                .x
                .iter()
                .zip(&series.error)
                .for_each(|(x, e)| put(*x, column, *e));
            column += 1;
        }
    }
    for band in &spec.bands {
        for (edge, word) in [(&band.low, "from"), (&band.high, "to")] {
            head.push(format!("{} {word}", band.name).trim().to_string());
            band.x
                .iter()
                .zip(edge)
                .for_each(|(x, v)| put(*x, column, *v));
            column += 1;
        }
    }
    let every = rows.len().div_ceil(MOST_ROWS).max(1);
    let note = if every > 1 {
        format!("Every {every}th of {} rows.", rows.len())
    } else {
        String::new()
    };
    let rows = rows
        .into_values()
        .step_by(every)
        .map(|(value, mut cells)| {
            cells.insert(0, spec.x.word(value));
            Row {
                px: x.at(value),
                cells,
                strong: false,
            }
        })
        .collect();
    Table { head, rows, note }
}

/// A key that sorts as the number does.
fn ordered(x: f64) -> u64 {
    let bits = (x + 0.0).to_bits();
    if bits >> 63 == 1 {
        !bits
    } else {
        bits | (1 << 63)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_sort_as_numbers() {
        let values = [f64::MIN, -2.0, -1e-300, 0.0, 1e-300, 2.0, f64::MAX];
        assert!(values.windows(2).all(|w| ordered(w[0]) < ordered(w[1])));
        assert_eq!(ordered(0.0), ordered(-0.0));
    }

    #[test]
    fn nothing_to_show_says_so() {
        assert!(lines(&Lines::default()).contains("No finite values"));
        let spec = Lines {
            series: vec![Series::line(
                "a",
                0,
                vec![0.0, 1.0],
                vec![f64::NAN, f64::INFINITY],
            )],
            ..Lines::default()
        };
        assert!(lines(&spec).contains("No finite values"));
        assert!(table(&spec).rows.is_empty());
    }

    #[test]
    fn the_table_joins_series_at_their_positions() {
        let spec = Lines {
            x: Axis::new("lag", "steps"),
            series: vec![
                Series::line("a", 0, vec![0.0, 1.0], vec![1.0, 2.0]),
                Series::line("b", 1, vec![1.0, 2.0], vec![3.0, f64::NAN]),
            ],
            ..Lines::default()
        };
        let table = table(&spec);
        assert_eq!(table.head, ["lag (steps)", "a", "b"]);
        let cells: Vec<_> = table.rows.iter().map(|r| r.cells.join("|")).collect();
        assert_eq!(cells, ["0|1|", "1|2|3", "2||–"]);
    }
}
