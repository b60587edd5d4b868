//! The heat map: lightness for value, numbers in the cells where they fit.

use std::fmt::Write;

use super::frame::{Size, empty, open};
use super::heat_grid::{Grid, Shade, grid};
use crate::palette::HEAT_STEPS;
use crate::text::{escape, number, px, shorten, width_of};

/// Where the map begins, under its key.
const TOP: f64 = 42.0;

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
    let numeric = grid
        .columns
        .iter()
        .all(|c| c.starts_with(|d: char| d.is_ascii_digit()));
    let turned = widest + 8.0 > cell_w && cell_w >= 14.0 && !numeric;
    let foot = if turned { 44.0 + widest * 0.72 } else { 46.0 };
    let (top, bottom) = (TOP, (spec.size.height - foot).max(TOP + 12.0 * nr.min(4.0)));
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
        escape(&shorten(&spec.y_label, 24))
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
                match step {
                    _ if text == "0" => " zero",
                    _ if step >= HEAT_STEPS / 2 => " ondark",
                    _ => "",
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
    let (width, y) = (180.0, 5.0);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn averaging_is_said() {
        let spec = Heatmap {
            values: vec![vec![2.0; 1000]; 500],
            ..Heatmap::default()
        };
        assert!(heatmap(&spec).contains("mean of up to"));
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
                super::super::heat_grid::table(&spec);
            }
        }
    }
}
