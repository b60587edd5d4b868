//! A delimited file as typed columns.

use super::cell::{self, Cell};
use super::error::{DataError, Result};
use super::reader::Reader;
use super::texts::Texts;
use super::{names, source};
use std::path::Path;

/// What the file itself cannot tell.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ReadOptions {
    /// Whether the first record holds names; `None` finds out.
    pub header: Option<bool>,
    /// Columns kept as text even if every cell looks like a number (identifiers, labels such as `01`).
    pub as_text: Vec<String>,
}

/// A whole file: named columns of numbers or of text, all of the same number of rows.
///
/// Gaps are allowed here; [`Table::select`] deals with those of the chosen columns. A number takes 8 bytes
/// however short it is written, a text its own and 4, a row 4 more.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    pub(super) file: String,
    pub(super) columns: Vec<Column>,
    pub(super) line_of_row: Vec<u32>,
    time: Option<usize>,
}

/// A column with its name; gaps in numbers are NaN, `first_*` say where the first oddity stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) cells: Cells,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cells {
    Numbers {
        values: Vec<f64>,
        first_gap: Option<Odd>,
        first_infinite: Option<Odd>,
    },
    Texts {
        values: Texts,
        mostly_numbers: bool,
        first_text: Option<Odd>,
    },
}

/// A cell worth naming in a message.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Odd {
    pub(super) row: usize,
    pub(super) text: String,
}

impl Table {
    /// Reads a file with everything found from its content.
    ///
    /// # Errors
    /// No such file, not readable, not UTF-8, empty, a header only, a quote never closed, ragged rows, two
    /// columns of one name.
    pub fn read(path: &Path) -> Result<Self> {
        Self::read_with(path, &ReadOptions::default())
    }

    /// [`Table::read`] with what the file cannot tell.
    ///
    /// # Errors
    /// As [`Table::read`], and [`DataError::NoSuchColumn`] for a name in `as_text`.
    pub fn read_with(path: &Path, options: &ReadOptions) -> Result<Self> {
        Self::parse_with(&source::display(path), &source::read(path)?, options)
    }

    /// The same from bytes; `file` is the name used in messages.
    ///
    /// # Errors
    /// As [`Table::read`], apart from those of the file system; more than 4 GiB.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Self> {
        Self::parse_with(file, bytes, &ReadOptions::default())
    }

    /// [`Table::parse`] with what the file cannot tell.
    ///
    /// # Errors
    /// As [`Table::parse`], and [`DataError::NoSuchColumn`] for a name in `as_text`.
    pub fn parse_with(file: &str, bytes: &[u8], options: &ReadOptions) -> Result<Self> {
        let text = source::text(file, bytes)?;
        source::counted(file, text)?;
        let reader = Reader::new(file, text);
        let shape = reader.shape(options.header)?;
        let mut is_text: Vec<bool> = shape.counts.iter().map(|c| c.texts > 0).collect();
        for wanted in &options.as_text {
            is_text[find(file, &shape.names, wanted)?] = true;
        }
        let mut columns: Vec<Column> = shape
            .names
            .iter()
            .cloned()
            .zip(shape.counts.iter().zip(&is_text))
            .map(|(name, (count, &text))| Column {
                name,
                cells: Cells::empty(text, count.mostly_numbers(), shape.rows),
            })
            .collect();
        let line_of_row = reader.fill(&mut columns, &shape)?;
        let time = time_column(&columns);
        Ok(Self {
            file: file.to_owned(),
            columns,
            line_of_row,
            time,
        })
    }

    /// Name of the file, as in messages.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Number of rows, the header apart.
    pub fn rows(&self) -> usize {
        self.line_of_row.len()
    }

    /// Names of all columns, in the file's order.
    pub fn names(&self) -> Vec<&str> {
        self.columns.iter().map(|c| c.name.as_str()).collect()
    }

    /// Names of the columns that hold numbers, without the one that counts time. One that holds text in a few
    /// cells only is among them, so that choosing it names the cell rather than losing the column; one
    /// without any value is not.
    pub fn numeric_names(&self) -> Vec<&str> {
        self.numeric()
            .map(|i| self.columns[i].name.as_str())
            .collect()
    }

    /// Positions of [`Table::numeric_names`].
    pub(super) fn numeric(&self) -> impl Iterator<Item = usize> {
        (0..self.columns.len()).filter(|&i| {
            let numbers = match &self.columns[i].cells {
                Cells::Numbers { values, .. } => values.iter().any(|v| !v.is_nan()),
                Cells::Texts {
                    mostly_numbers,
                    first_text,
                    ..
                } => *mostly_numbers && first_text.is_some(),
            };
            numbers && Some(i) != self.time
        })
    }

    /// Name of the column that labels the rows: the first column of text, or else a first column of rising
    /// numbers that are evenly spaced or named like a time (year, date, step, …).
    pub fn time_name(&self) -> Option<&str> {
        self.time.map(|i| self.columns[i].name.as_str())
    }

    /// Line of the file (from 1) on which each row begins.
    pub fn line_of_row(&self) -> &[u32] {
        &self.line_of_row
    }

    /// Label of each row: the cells of [`Table::time_name`] as text, or the row's number from 1.
    pub fn labels(&self) -> Vec<String> {
        match self.time {
            Some(i) => self.columns[i].cells.to_texts(),
            None => (1..=self.rows()).map(|n| n.to_string()).collect(),
        }
    }

    /// The cells of a column as text; numbers in their shortest form, gaps empty.
    ///
    /// # Errors
    /// [`DataError::NoSuchColumn`].
    pub fn texts(&self, column: &str) -> Result<Vec<String>> {
        Ok(self.columns[self.find(column)?].cells.to_texts())
    }

    /// Position (from 0) of a column given by its name or, where no column has that name, by its number from 1.
    ///
    /// # Errors
    /// [`DataError::NoSuchColumn`] with the nearest names there are.
    pub fn find(&self, wanted: &str) -> Result<usize> {
        let names: Vec<String> = self.columns.iter().map(|c| c.name.clone()).collect();
        find(&self.file, &names, wanted)
    }
}

impl Cells {
    fn empty(text: bool, mostly_numbers: bool, rows: usize) -> Self {
        if text {
            Self::Texts {
                values: Texts::with_rows(rows),
                mostly_numbers,
                first_text: None,
            }
        } else {
            Self::Numbers {
                values: Vec::with_capacity(rows),
                first_gap: None,
                first_infinite: None,
            }
        }
    }

    pub(super) fn push(&mut self, text: &str, comma: bool) {
        match self {
            Self::Texts {
                values, first_text, ..
            } => {
                if first_text.is_none() && cell::read(text, comma) == Cell::Text {
                    *first_text = Some(Odd {
                        row: values.len(),
                        text: text.to_owned(),
                    });
                }
                values.push(text);
            }
            Self::Numbers {
                values,
                first_gap,
                first_infinite,
            } => {
                let odd = || Odd {
                    row: values.len(),
                    text: text.to_owned(),
                };
                let value = match cell::read(text, comma) {
                    Cell::Number(v) => v,
                    Cell::Infinite => {
                        first_infinite.get_or_insert_with(odd);
                        f64::INFINITY
                    }
                    Cell::Missing | Cell::Text => {
                        first_gap.get_or_insert_with(odd);
                        f64::NAN
                    }
                };
                values.push(value);
            }
        }
    }

    /// The cells of a column of text.
    pub(super) fn texts(&self) -> Option<&Texts> {
        match self {
            Self::Texts { values, .. } => Some(values),
            Self::Numbers { .. } => None,
        }
    }

    fn to_texts(&self) -> Vec<String> {
        match self {
            Self::Texts { values, .. } => values.iter().map(str::to_owned).collect(),
            Self::Numbers { values, .. } => values
                .iter()
                .map(|v| {
                    if v.is_nan() {
                        String::new()
                    } else {
                        v.to_string()
                    }
                })
                .collect(),
        }
    }
}

fn find(file: &str, names: &[String], wanted: &str) -> Result<usize> {
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

fn time_column(columns: &[Column]) -> Option<usize> {
    let text = |c: &Column| {
        matches!(
            c.cells,
            Cells::Texts {
                mostly_numbers: false,
                ..
            }
        )
    };
    if let Some(i) = columns.iter().position(text) {
        return Some(i);
    }
    let Some(Column {
        name,
        cells:
            Cells::Numbers {
                values,
                first_gap: None,
                first_infinite: None,
            },
    }) = columns.first()
    else {
        return None;
    };
    if columns.len() < 2 || values.len() < 2 || !values.windows(2).all(|w| w[1] > w[0]) {
        return None;
    }
    const TIMES: [&str; 13] = [
        "year", "month", "week", "date", "day", "hour", "minute", "second", "time", "step",
        "index", "epoch", "unnamed",
    ];
    let name = name.to_lowercase();
    let step = values[1] - values[0];
    let even = values
        .windows(2)
        .all(|w| (w[1] - w[0] - step).abs() <= 1e-6 * step);
    (even || TIMES.iter().any(|t| name.contains(t))).then_some(0)
}
