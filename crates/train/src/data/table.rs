//! A delimited file as typed columns.

use super::cell::{self, Cell};
use super::dialect::Count;
use super::error::Result;
use super::reader::Reader;
use super::rising::Rising;
use super::row_labels::RowLabels;
use super::shape;
use super::source;
use super::texts::Texts;
use super::values::Values;
use std::path::Path;
use std::sync::Arc;

/// What the file itself cannot tell.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct ReadOptions {
    /// Whether the first record holds names; `None` finds out.
    pub header: Option<bool>,
    /// Columns kept as text even if every cell looks like a number (identifiers, labels such as `01`).
    pub as_text: Vec<String>,
}

/// A whole file: named columns of numbers or of text, all of the same number of rows.
///
/// Gaps are allowed here; [`Table::select`] deals with those of the chosen columns. A number takes four bytes, in a
/// column with one that no `f32` is exactly eight, a text its own and four.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    pub(super) file: String,
    pub(super) columns: Vec<Column>,
    pub(super) line_of_row: Rising,
    numeric: Vec<usize>,
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
        values: Values,
        first_gap: Option<Odd>,
        first_infinite: Option<Odd>,
    },
    Texts {
        values: Arc<Texts>,
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
    /// As [`Table::read`], and [`DataError::NoSuchColumn`](super::DataError::NoSuchColumn) for a name in `as_text`.
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
    /// As [`Table::parse`], and [`DataError::NoSuchColumn`](super::DataError::NoSuchColumn) for a name in `as_text`.
    pub fn parse_with(file: &str, bytes: &[u8], options: &ReadOptions) -> Result<Self> {
        let text = source::text(file, bytes)?;
        source::counted(file, text)?;
        let reader = Reader::new(file, text);
        let mut shape = reader.shape(options.header)?;
        for wanted in &options.as_text {
            let column = shape.find(file, wanted)?;
            shape.is_text[column] = true;
        }
        let mut columns: Vec<Column> = shape
            .names
            .iter()
            .cloned()
            .zip(shape.counts.iter().zip(&shape.is_text))
            .map(|(name, (count, &text))| Column {
                name,
                cells: Cells::empty(text, count, shape.rows),
            })
            .collect();
        let line_of_row = reader.fill(&mut columns, &shape)?;
        Ok(Self {
            file: file.to_owned(),
            columns,
            line_of_row,
            numeric: shape.numeric(),
            time: shape.time(),
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
        let columns = self.numeric.iter().map(|&i| &self.columns[i]);
        columns.map(|c| c.name.as_str()).collect()
    }

    /// Name of the column that labels the rows: the first column of text, or else a first column of rising
    /// numbers that are evenly spaced or named like a time (year, date, step, …).
    pub fn time_name(&self) -> Option<&str> {
        self.time.map(|i| self.columns[i].name.as_str())
    }

    /// Line of the file (from 1) on which each row begins.
    pub fn line_of_row(&self) -> &Rising {
        &self.line_of_row
    }

    /// Label of each row: the cells of [`Table::time_name`] as text, or the row's number from 1.
    pub fn labels(&self) -> Vec<String> {
        self.row_labels().to_vec()
    }

    pub(super) fn row_labels(&self) -> RowLabels {
        match self.time {
            Some(i) => self.columns[i].cells.labels(),
            None => RowLabels::rows(self.rows()),
        }
    }

    /// The cells of a column as text; numbers in their shortest form, gaps empty.
    ///
    /// # Errors
    /// [`DataError::NoSuchColumn`](super::DataError::NoSuchColumn).
    pub fn texts(&self, column: &str) -> Result<Vec<String>> {
        Ok(self.columns[self.find(column)?].cells.labels().to_vec())
    }

    /// Position (from 0) of a column given by its name or, where no column has that name, by its number from 1.
    ///
    /// # Errors
    /// [`DataError::NoSuchColumn`](super::DataError::NoSuchColumn) with the nearest names there are.
    pub fn find(&self, wanted: &str) -> Result<usize> {
        let names: Vec<String> = self.columns.iter().map(|c| c.name.clone()).collect();
        shape::find(&self.file, &names, wanted)
    }
}

impl Cells {
    fn empty(text: bool, count: &Count, rows: usize) -> Self {
        if text {
            Self::Texts {
                values: Arc::new(Texts::with_rows(rows)),
                first_text: None,
            }
        } else {
            Self::Numbers {
                values: Values::with_room(count),
                first_gap: None,
                first_infinite: None,
            }
        }
    }

    pub(super) fn push(&mut self, text: &str, comma: bool) {
        match self {
            Self::Texts { values, first_text } => {
                if first_text.is_none() && cell::read(text, comma) == Cell::Text {
                    *first_text = Some(Odd {
                        row: values.len(),
                        text: text.to_owned(),
                    });
                }
                Arc::make_mut(values).push(text);
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

    fn labels(&self) -> RowLabels {
        match self {
            Self::Texts { values, .. } => RowLabels::texts(values.clone()),
            Self::Numbers { values, .. } => RowLabels::numbers(values.clone()),
        }
    }
}
