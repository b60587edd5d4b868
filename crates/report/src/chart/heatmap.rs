//! The heat map: lightness for value, numbers in the cells where they fit.

use std::fmt::Write;

use super::frame::{Size, empty, open};
use crate::page::{Row, Table};
use crate::palette::HEAT_STEPS;
use crate::scale::extent;
use crate::text::{escape, number, px, shorten, width_of};

/// A larger map is averaged down to this many columns and rows.
const MOST: (usize, usize) = (120, 64);
/// A logarithmic map shows at most this many decades below its largest value.
const MOST_DECADES: f64 = 12.0;

/// A line over a heat map, in cells: a horizon, an alignment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overlay {
    /// What it is.
    pub name: String,
    /// `(column, row)` points; 0 is the middle of the first cell.
    pub points: Vec<(f64, f64)>,
}

/// What a heat map shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Heatmap {
    /// Title.
    pub title: String,
    /// One or two sentences that say what is to be seen.
    pub description: String,
    /// Size.
    pub size: Size,
    /// What the columns are, with unit, e.g. `epoch`.
    pub x_label: String,
    /// What the rows are, with unit, e.g. `lag (steps)`.
    pub y_label: String,
    /// One name a column.
    pub columns: Vec<String>,
    /// One name a row; the first row is at the top.
    pub rows: Vec<String>,
    /// Values, `[row][column]`; not finite (and missing ones) stay blank.
    pub values: Vec<Vec<f64>>,
    /// What the values are, with unit.
    pub value_label: String,
    /// Lightness by the logarithm.
    pub log: bool,
    /// The value of the lightest step; from the data when `None`.
    pub low: Option<f64>,
    /// The value of the darkest step; from the data when `None`.
    pub high: Option<f64>,
    /// Print the numbers in the cells (for small maps).
    pub print: bool,
    /// A line over the map.
    pub overlay: Option<Overlay>,
}

/// Values, names and the size of a block, after averaging down.
struct Grid {
    columns: Vec<String>,
    rows: Vec<String>,
    values: Vec<Vec<f64>>,
    block: (usize, usize),
}

fn grid(spec: &Heatmap) -> Grid {
    let width = spec
        .values
        .iter()
        .map(Vec::len)
        .max()
        .unwrap_or(0)
        .max(spec.columns.len());
    let height = spec.values.len();
    let block = (
        width.div_ceil(MOST.0).max(1),
        height.div_ceil(MOST.1).max(1),
    );
    let name = |names: &[String], from: usize, len: usize| {
        let last = (from + len - 1).min(names.len().max(1) - 1);
        match (names.get(from), names.get(last)) {
            (Some(a), Some(b)) if a != b => format!("{a}–{b}"),
            (Some(a), _) => a.clone(),
            _ => format!("{from}"),
        }
    };
    let values = (0..height)
        .step_by(block.1)
        .map(|r| {
            (0..width)
                .step_by(block.0)
                .map(|c| {
                    let cells = (r..(r + block.1).min(height))
                        .flat_map(|row| {
                            (c..c + block.0)
                                .filter_map(move |col| spec.values[row].get(col).copied())
                        })
                        .filter(|v| v.is_finite());
                    let (sum, count) = cells.fold((0.0, 0.0), |(s, n), v| (s + v, n + 1.0));
                    if count > 0.0 { sum / count } else { f64::NAN }
                })
                .collect()
        })
        .collect();
    Grid {
        columns: (0..width)
            .step_by(block.0)
            .map(|c| name(&spec.columns, c, block.0))
            .collect(),
        rows: (0..height)
            .step_by(block.1)
            .map(|r| name(&spec.rows, r, block.1))
            .collect(),
        values,
        block,
    }
}

/// From a value to its step of lightness.
struct Shade {
    low: f64,
    high: f64,
    log: bool,
}

impl Shade {
    fn of(spec: &Heatmap, grid: &Grid) -> Option<Self> {
        let (low, high) = extent(grid.values.iter().flatten().copied(), spec.log)
            .or_else(|| extent(grid.values.iter().flatten().copied(), false))?;
        let (mut low, high) = (spec.low.unwrap_or(low), spec.high.unwrap_or(high));
        if spec.log && high > 0.0 {
            low = low.max(high * 10f64.powf(-MOST_DECADES));
        }
        Some(Self {
            low,
            high,
            log: spec.log && high > 0.0 && low > 0.0,
        })
    }

    fn step(&self, value: f64) -> Option<usize> {
        if !value.is_finite() {
            return None;
        }
        let share = if self.log {
            if value <= self.low {
                0.0
            } else {
                (value.ln() - self.low.ln()) / (self.high.ln() - self.low.ln())
            }
        } else {
            (value - self.low) / (self.high - self.low)
        };
        let share = if share.is_finite() {
            share.clamp(0.0, 1.0)
        } else {
            0.5
        };
        Some(((share * HEAT_STEPS as f64) as usize).min(HEAT_STEPS - 1))
    }

    fn middle(&self) -> f64 {
        if self.log {
            (self.low * self.high).sqrt()
        } else {
            self.low / 2.0 + self.high / 2.0
        }
    }
}

/// The map as one `<svg>` element.
pub fn heatmap(spec: &Heatmap) -> String {
    let grid = grid(spec);
    let Some(shade) = Shade::of(spec, &grid) else {
        return empty(spec.size, &spec.title, "No finite values to show.");
    };
    let (nc, nr) = (grid.columns.len() as f64, grid.rows.len() as f64);
    let left = grid
        .rows
        .iter()
        .map(|r| width_of(&shorten(r, 18), 12.0))
        .fold(18.0, f64::max)
        + 14.0;
    let right = spec.size.width - 10.0;
    let cell_w = (right - left) / nc;
    let widest = grid
        .columns
        .iter()
        .map(|c| width_of(&shorten(c, 16), 12.0))
        .fold(0.0, f64::max);
    // Names that do not fit side by side are turned when a cell is wide enough for a turned line, and
    // thinned when it is not.
    let turned = widest + 8.0 > cell_w && cell_w >= 14.0;
    let foot = if turned { 34.0 + widest * 0.72 } else { 46.0 };
    let (top, bottom) = (
        66.0,
        (spec.size.height - foot).max(66.0 + 12.0 * nr.min(4.0)),
    );
    let cell_h = (bottom - top) / nr;
    let size = Size {
        height: bottom + foot,
        ..spec.size
    };
    let more = format!(
        " data-grid=\"{} {} {} {} {} {}\"",
        px(left),
        px(top),
        px(right),
        px(bottom),
        grid.columns.len(),
        grid.rows.len()
    );
    let mut out = open(size, &spec.title, &describe(spec, &grid), &more);
    let _ = write!(
        out,
        "<text class=\"lab\" x=\"2\" y=\"14\">{}</text>",
        escape(&spec.y_label)
    );
    scale_key(&mut out, spec, &shade, right);
    cells(&mut out, &grid, &shade, (left, top), (cell_w, cell_h));
    let _ = write!(
        out,
        "<rect class=\"axis\" x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/>",
        px(left),
        px(top),
        px(right - left),
        px(bottom - top)
    );
    if spec.print && cell_w >= 22.0 && cell_h >= 14.0 {
        numbers(&mut out, &grid, &shade, (left, top), (cell_w, cell_h));
    }
    names(
        &mut out,
        &grid,
        (left, right, top, bottom),
        (cell_w, cell_h),
        turned,
    );
    let _ = write!(
        out,
        "<text class=\"lab end\" x=\"{}\" y=\"{}\">{}</text>",
        px(right),
        px(size.height - 8.0),
        escape(&spec.x_label)
    );
    if let Some(overlay) = &spec.overlay {
        over(
            &mut out,
            overlay,
            &grid,
            (left, right, top, bottom),
            (cell_w, cell_h),
        );
    }
    out.push_str("</svg>");
    out
}

fn describe(spec: &Heatmap, grid: &Grid) -> String {
    match grid.block {
        (1, 1) => spec.description.clone(),
        (c, r) => format!(
            "{} Each cell is the mean of up to {c} by {r} values.",
            spec.description
        )
        .trim()
        .to_string(),
    }
}

/// All cells of one step as one path; neighbours in a row are joined.
fn cells(
    out: &mut String,
    grid: &Grid,
    shade: &Shade,
    (left, top): (f64, f64),
    (w, h): (f64, f64),
) {
    let mut paths = vec![String::new(); HEAT_STEPS];
    for (r, row) in grid.values.iter().enumerate() {
        let y0 = top + r as f64 * h;
        let mut c = 0;
        while c < row.len() {
            let step = shade.step(row[c]);
            let from = c;
            while c < row.len() && shade.step(row[c]) == step {
                c += 1;
            }
            if let Some(step) = step {
                let (x0, x1) = (left + from as f64 * w, left + c as f64 * w);
                let _ = write!(
                    paths[step],
                    "M{} {}H{}V{}H{}Z",
                    px(x0),
                    px(y0),
                    px(x1),
                    px(y0 + h),
                    px(x0)
                );
            }
        }
    }
    for (step, d) in paths.iter().enumerate().filter(|p| !p.1.is_empty()) {
        let _ = write!(
            out,
            "<path class=\"q{step}\" shape-rendering=\"crispEdges\" d=\"{d}\"/>"
        );
    }
}

fn numbers(
    out: &mut String,
    grid: &Grid,
    shade: &Shade,
    (left, top): (f64, f64),
    (w, h): (f64, f64),
) {
    for (r, row) in grid.values.iter().enumerate() {
        for (c, value) in row.iter().enumerate() {
            let Some(step) = shade.step(*value) else {
                continue;
            };
            let text = if value.fract() == 0.0 {
                number(*value)
            } else {
                number((value * 100.0).round() / 100.0)
            };
            if width_of(&text, 11.0) > w - 2.0 {
                continue;
            }
            let _ = write!(
                out,
                "<text class=\"oncell{}\" x=\"{}\" y=\"{}\">{}</text>",
                if step >= HEAT_STEPS / 2 {
                    " ondark"
                } else {
                    ""
                },
                px(left + (c as f64 + 0.5) * w),
                px(top + (r as f64 + 0.5) * h + 4.0),
                escape(&text)
            );
        }
    }
}

/// The names of columns and rows.
fn names(
    out: &mut String,
    grid: &Grid,
    (left, right, top, bottom): (f64, f64, f64, f64),
    (w, h): (f64, f64),
    turned: bool,
) {
    let widest = grid
        .columns
        .iter()
        .map(|c| width_of(&shorten(c, 16), 12.0))
        .fold(20.0, f64::max);
    let every = if turned {
        1
    } else {
        ((widest + 14.0) / w).ceil().max(1.0) as usize
    };
    for (c, name) in grid.columns.iter().enumerate().step_by(every) {
        let x = left + (c as f64 + 0.5) * w;
        if !turned && x + widest / 2.0 > right + 10.0 && c > 0 {
            continue;
        }
        let name = escape(&shorten(name, 16));
        let _ = if turned {
            write!(
                out,
                "<text class=\"tick end\" transform=\"translate({},{}) rotate(-45)\">{name}</text>",
                px(x + 4.0),
                px(bottom + 14.0)
            )
        } else {
            write!(
                out,
                "<text class=\"tick mid\" x=\"{}\" y=\"{}\">{name}</text>",
                px(x),
                px(bottom + 17.0)
            )
        };
    }
    let every = (15.0 / h).ceil().max(1.0) as usize;
    for (r, name) in grid.rows.iter().enumerate().step_by(every) {
        let _ = write!(
            out,
            "<text class=\"tick end\" x=\"{}\" y=\"{}\">{}</text>",
            px(left - 7.0),
            px(top + (r as f64 + 0.5) * h + 4.0),
            escape(&shorten(name, 18))
        );
    }
}

/// The steps of lightness with three of their values, above the map.
fn scale_key(out: &mut String, spec: &Heatmap, shade: &Shade, right: f64) {
    let (width, y) = (180.0, 32.0);
    let left = right - width;
    for step in 0..HEAT_STEPS {
        let w = width / HEAT_STEPS as f64;
        let _ = write!(
            out,
            "<rect class=\"q{step}\" shape-rendering=\"crispEdges\" x=\"{}\" y=\"{y}\" width=\"{}\" height=\"10\"/>",
            px(left + step as f64 * w),
            px(w)
        );
    }
    let _ = write!(
        out,
        "<rect class=\"axis\" x=\"{}\" y=\"{y}\" width=\"{width}\" height=\"10\"/><text class=\"key end\" x=\"{}\" y=\"{}\">{}</text>",
        px(left),
        px(left - 10.0),
        y + 9.0,
        escape(&spec.value_label)
    );
    let ends = [
        (left, "", shade.low),
        (left + width / 2.0, " mid", shade.middle()),
        (right, " end", shade.high),
    ];
    let short = |v: f64| {
        if shade.log && v > 0.0 && !(1e-3..1e4).contains(&v) {
            format!("{v:.0e}")
        } else {
            number(v)
        }
    };
    for (x, anchor, value) in ends {
        let _ = write!(
            out,
            "<text class=\"tick small{anchor}\" x=\"{}\" y=\"{}\">{}</text>",
            px(x),
            y + 24.0,
            escape(&short(value))
        );
    }
}

/// The line over the map with its name at the end.
fn over(
    out: &mut String,
    overlay: &Overlay,
    grid: &Grid,
    (left, right, top, bottom): (f64, f64, f64, f64),
    (w, h): (f64, f64),
) {
    let (bc, br) = (grid.block.0 as f64, grid.block.1 as f64);
    let place = |&(c, r): &(f64, f64)| {
        let (x, y) = (left + ((c + 0.5) / bc) * w, top + ((r + 0.5) / br) * h);
        (x.is_finite() && y.is_finite()).then(|| (x.clamp(left, right), y.clamp(top, bottom)))
    };
    let points: Vec<_> = overlay.points.iter().map(place).collect();
    let (d, _) = super::series::path(&points);
    if d.is_empty() {
        return;
    }
    let _ = write!(
        out,
        "<path class=\"under\" d=\"{d}\"/><path class=\"over\" d=\"{d}\"/>"
    );
    if let Some((x, y)) = points.iter().rev().flatten().next() {
        let y = if y - top > 24.0 { y - 9.0 } else { y + 18.0 };
        let _ = write!(
            out,
            "<text class=\"note end\" x=\"{}\" y=\"{}\">{}</text>",
            px(x - 6.0),
            px(y),
            escape(&overlay.name)
        );
    }
}

/// The values as a table, one row a row of the map.
pub(crate) fn table(spec: &Heatmap) -> Table {
    let grid = grid(spec);
    if Shade::of(spec, &grid).is_none() {
        return Table::default();
    }
    let mut head = vec![format!("{} \\ {}", spec.y_label, spec.x_label)];
    head.extend(grid.columns);
    let rows = grid
        .rows
        .into_iter()
        .zip(grid.values)
        .map(|(name, values)| Row {
            px: None,
            cells: std::iter::once(name)
                .chain(values.into_iter().map(short))
                .collect(),
            strong: false,
        });
    let note = match grid.block {
        (1, 1) => String::new(),
        (c, r) => format!("Each cell is the mean of up to {c} by {r} values."),
    };
    Table {
        head,
        rows: rows.collect(),
        note,
    }
}

/// Three digits are enough in a table of thousands of cells.
fn short(value: f64) -> String {
    if value != 0.0 && value.is_finite() && !(1e-2..1e5).contains(&value.abs()) {
        format!("{value:.1e}")
    } else {
        number(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_map_is_averaged_down() {
        let spec = Heatmap {
            values: vec![vec![2.0; 1000]; 500],
            ..Heatmap::default()
        };
        let grid = grid(&spec);
        assert!(grid.columns.len() <= MOST.0 && grid.rows.len() <= MOST.1);
        assert!(grid.values.iter().flatten().all(|v| *v == 2.0));
        assert!(heatmap(&spec).contains("mean of up to"));
    }

    #[test]
    fn steps_cover_the_range_and_blanks_stay_blank() {
        let shade = Shade {
            low: 1e-6,
            high: 1.0,
            log: true,
        };
        assert_eq!(shade.step(1.0), Some(HEAT_STEPS - 1));
        assert_eq!(shade.step(0.0), Some(0));
        assert_eq!(shade.step(1e-3), Some(HEAT_STEPS / 2));
        assert_eq!(shade.step(f64::NAN), None);
    }

    #[test]
    fn ragged_empty_and_constant_maps_do_not_panic() {
        for values in [
            vec![],
            vec![vec![]],
            vec![vec![f64::NAN]],
            vec![vec![0.0, 0.0]],
            vec![vec![1.0], vec![1.0, 2.0]],
        ] {
            for log in [false, true] {
                let spec = Heatmap {
                    values: values.clone(),
                    log,
                    print: true,
                    ..Heatmap::default()
                };
                assert!(heatmap(&spec).ends_with("</svg>"));
                table(&spec);
            }
        }
    }
}
