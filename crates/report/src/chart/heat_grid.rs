//! What a heat map shows after averaging down, and from a value to its step of lightness.

use super::heatmap::Heatmap;
use crate::page::{Row, Table};
use crate::palette::HEAT_STEPS;
use crate::scale::extent;
use crate::text::number;

/// A larger map is averaged down to this many columns and rows.
const MOST: (usize, usize) = (120, 64);
/// A logarithmic map shows at most this many decades below its largest value.
const MOST_DECADES: f64 = 12.0;

/// Values, names and the size of a block, after averaging down.
pub(super) struct Grid {
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<String>,
    pub(super) values: Vec<Vec<f64>>,
    pub(super) block: (usize, usize),
}

pub(super) fn grid(spec: &Heatmap) -> Grid {
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
pub(super) struct Shade {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) log: bool,
}

impl Shade {
    pub(super) fn of(spec: &Heatmap, grid: &Grid) -> Option<Self> {
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

    pub(super) fn step(&self, value: f64) -> Option<usize> {
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

    pub(super) fn middle(&self) -> f64 {
        if self.log {
            (self.low * self.high).sqrt()
        } else {
            self.low / 2.0 + self.high / 2.0
        }
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
    fn a_large_map_is_averaged_down() {
        let spec = Heatmap {
            values: vec![vec![2.0; 1000]; 500],
            ..Heatmap::default()
        };
        let grid = grid(&spec);
        assert!(grid.columns.len() <= MOST.0 && grid.rows.len() <= MOST.1);
        assert!(grid.values.iter().flatten().all(|v| *v == 2.0));
    }
}
