//! What the first pass over a delimited file finds: its columns and what they hold.

use super::cell::Cell;
use super::dialect::Count;
use super::error::{DataError, Result};
use super::names;

/// Words in the names of columns that count time.
const TIMES: [&str; 13] = [
    "year", "month", "week", "date", "day", "hour", "minute", "second", "time", "step", "index",
    "epoch", "unnamed",
];

/// The columns of a file.
pub(super) struct Shape {
    pub(super) names: Vec<String>,
    pub(super) counts: Vec<Count>,
    /// Which columns are text.
    pub(super) is_text: Vec<bool>,
    pub(super) rows: usize,
    pub(super) header: bool,
    /// How the numbers of the first column follow one another.
    pub(super) spacing: Spacing,
}

impl Shape {
    /// Position of a column given by its name or, where no column has that name, by its number from 1.
    pub(super) fn find(&self, file: &str, wanted: &str) -> Result<usize> {
        find(file, &self.names, wanted)
    }

    /// The column that labels the rows: the first of text, or else a first column of rising numbers that are evenly
    /// spaced or named like a time.
    pub(super) fn time(&self) -> Option<usize> {
        let columns = 0..self.names.len();
        let text = |&i: &usize| self.is_text[i] && !self.counts[i].mostly_numbers();
        let first = || {
            let named = self.names[0].to_lowercase();
            let counts = self.spacing.even || TIMES.iter().any(|t| named.contains(t));
            let rises = self.spacing.rises && self.rows > 1 && self.names.len() > 1;
            (!self.is_text[0] && rises && counts).then_some(0)
        };
        columns.clone().find(text).or_else(first)
    }

    /// The columns of numbers without the one that counts time. One that holds text in a few cells only is among
    /// them, one without any value is not.
    pub(super) fn numeric(&self) -> Vec<usize> {
        let time = self.time();
        let numbers = |&i: &usize| match self.is_text[i] {
            true => self.counts[i].mostly_numbers() && self.counts[i].texts > 0,
            false => self.counts[i].numbers > 0,
        };
        let columns = (0..self.names.len()).filter(numbers);
        columns.filter(|&i| Some(i) != time).collect()
    }

    /// Refuses a column of gaps only.
    pub(super) fn require_values(&self, file: &str, column: usize) -> Result<()> {
        let Count { numbers, texts, .. } = self.counts[column];
        match numbers + texts {
            0 => Err(DataError::NoValues {
                file: file.to_owned(),
                column: self.names[column].clone(),
            }),
            _ => Ok(()),
        }
    }
}

pub(super) fn find(file: &str, names: &[String], wanted: &str) -> Result<usize> {
    if let Some(i) = names.iter().position(|n| n == wanted.trim()) {
        return Ok(i);
    }
    match wanted.trim().parse::<usize>() {
        Ok(n) if (1..=names.len()).contains(&n) => Ok(n - 1),
        _ => Err(DataError::NoSuchColumn {
            file: file.to_owned(),
            name: wanted.to_owned(),
            closest: names::closest(wanted.trim(), names.iter().map(String::as_str)),
        }),
    }
}

/// Whether the cells of a column are numbers that rise, and whether by equal steps.
#[derive(Clone, Copy)]
pub(super) struct Spacing {
    before: Option<f64>,
    step: Option<f64>,
    rises: bool,
    even: bool,
}

impl Spacing {
    pub(super) fn new() -> Self {
        Self {
            before: None,
            step: None,
            rises: true,
            even: true,
        }
    }

    pub(super) fn add(&mut self, cell: Cell) {
        let Cell::Number(value) = cell else {
            self.rises = false;
            return;
        };
        if let Some(before) = self.before.replace(value) {
            let far = value - before;
            let step = *self.step.get_or_insert(far);
            self.rises &= value > before;
            self.even &= (far - step).abs() <= 1e-6 * step;
        }
    }
}
