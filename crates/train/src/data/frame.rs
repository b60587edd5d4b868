//! The columns chosen from a table, finite and without gaps.

use super::error::{DataError, Result};
use super::rising::Rising;
use super::row_labels::RowLabels;
use super::table::{Cells, Table};
use super::values::Values;

/// What to do about gaps in the chosen columns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Missing {
    /// A gap is an error that names line and column.
    #[default]
    Refuse,
    /// Linear between the neighbouring values; before the first and after the last, that value is held.
    Interpolate,
    /// Rows with a gap are left out. The rows after it move up: the spacing in time is no longer even there.
    Drop,
}

/// Chosen columns of one length, every value finite. Their numbers are shared with the table.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Name of the file, as in messages.
    pub file: String,
    /// Names of the columns.
    pub names: Vec<String>,
    /// Values, [`Frame::rows`] of them for each name.
    pub columns: Vec<Values>,
    /// Label of each row, as in [`Table::labels`].
    pub labels: RowLabels,
    /// Line of the file on which each row begins.
    pub line_of_row: Rising,
    /// Values that were filled in (interpolate) or rows left out (drop).
    pub repaired: usize,
}

impl Table {
    /// The columns `wanted`, by name or number from 1, with gaps dealt with.
    ///
    /// # Errors
    /// [`DataError::NoSuchColumn`], [`DataError::NotNumeric`], [`DataError::NotFinite`],
    /// [`DataError::MissingValue`] under [`Missing::Refuse`], [`DataError::NoValues`] and
    /// [`DataError::AllDropped`] where nothing is left.
    pub fn select(&self, wanted: &[&str], missing: Missing) -> Result<Frame> {
        let mut names = Vec::with_capacity(wanted.len());
        let mut columns = Vec::with_capacity(wanted.len());
        for &name in wanted {
            let position = self.find(name)?;
            columns.push(self.numbers(position, missing)?.clone());
            names.push(self.columns[position].name.clone());
        }
        let (labels, line_of_row) = (self.row_labels(), self.line_of_row.clone());
        let mut frame = Frame {
            file: self.file.clone(),
            names,
            columns,
            labels,
            line_of_row,
            repaired: 0,
        };
        match missing {
            Missing::Refuse => {}
            Missing::Interpolate => {
                frame.repaired = frame.columns.iter_mut().map(Values::fill).sum()
            }
            Missing::Drop => frame.drop_gaps()?,
        }
        Ok(frame)
    }

    /// The numbers of a column, gaps as NaN where `missing` allows any.
    fn numbers(&self, position: usize, missing: Missing) -> Result<&Values> {
        let column = &self.columns[position];
        let (file, name) = (self.file.clone(), column.name.clone());
        let line = |row: usize| self.line_of_row.get(row).unwrap_or_default();
        match &column.cells {
            Cells::Texts {
                first_text: Some(odd),
                ..
            } => Err(DataError::NotNumeric {
                file,
                line: line(odd.row),
                column: name,
                text: odd.text.clone(),
            }),
            Cells::Texts {
                values,
                first_text: None,
                ..
            } => {
                let text = values.get(0).to_owned();
                Err(DataError::NotNumeric {
                    file,
                    line: line(0),
                    column: name,
                    text,
                })
            }
            Cells::Numbers { values, .. } if values.iter().all(f64::is_nan) => {
                Err(DataError::NoValues { file, column: name })
            }
            Cells::Numbers {
                first_infinite: Some(odd),
                ..
            } => Err(DataError::NotFinite {
                file,
                line: line(odd.row),
                column: name,
                text: odd.text.clone(),
            }),
            Cells::Numbers {
                first_gap: Some(odd),
                ..
            } if missing == Missing::Refuse => Err(DataError::MissingValue {
                file,
                line: line(odd.row),
                column: name,
                text: odd.text.clone(),
            }),
            Cells::Numbers { values, .. } => Ok(values),
        }
    }
}

impl Frame {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.line_of_row.len()
    }

    /// The values of the column named `name`.
    pub fn column(&self, name: &str) -> Option<&Values> {
        self.names
            .iter()
            .position(|n| n == name)
            .map(|i| &self.columns[i])
    }

    /// Refuses a column that is the same in every row: nothing can be learnt about it.
    ///
    /// # Errors
    /// [`DataError::Constant`]; [`DataError::NoSuchColumn`] for a name that is not in the frame.
    pub fn require_varying(&self, name: &str) -> Result<()> {
        let Some(values) = self.column(name) else {
            return Err(DataError::NoSuchColumn {
                file: self.file.clone(),
                name: name.to_owned(),
                closest: super::names::closest(name, self.names.iter().map(String::as_str)),
            });
        };
        match values.iter().next() {
            Some(value) if values.iter().all(|v| v == value) => Err(DataError::Constant {
                file: self.file.clone(),
                column: name.to_owned(),
                value,
            }),
            _ => Ok(()),
        }
    }

    fn drop_gaps(&mut self) -> Result<()> {
        let gap = |row| self.columns.iter().any(|c| c.get(row).is_nan());
        let rows = (0..self.rows()).filter(|&row| !gap(row));
        let kept: Rising = rows.map(|row| row as u64).collect();
        if kept.is_empty() {
            return Err(DataError::AllDropped {
                file: self.file.clone(),
            });
        }
        self.repaired = self.rows() - kept.len();
        if self.repaired == 0 {
            return Ok(());
        }
        for column in &mut self.columns {
            *column = column.rows(&kept);
        }
        self.labels.keep(&kept);
        self.line_of_row = self.line_of_row.rows(&kept);
        Ok(())
    }
}
