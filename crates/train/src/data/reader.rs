//! The two passes over a delimited file: first its shape, then its cells.

use super::cell::{self, Cell};
use super::delimited::{Delimiter, Fault, MOST_FIELDS, Records};
use super::dialect::{self, Count};
use super::error::{DataError, Result};
use super::rising::Rising;
use super::shape::{Shape, Spacing};
use super::table::Column;
use std::borrow::Cow;
use std::collections::HashMap;

pub(super) struct Reader<'t> {
    file: &'t str,
    text: &'t str,
    delimiter: Delimiter,
    comma: bool,
}

impl<'t> Reader<'t> {
    pub(super) fn new(file: &'t str, text: &'t str) -> Self {
        let delimiter = dialect::delimiter(text);
        let comma = dialect::decimal_comma(text, delimiter);
        Self {
            file,
            text,
            delimiter,
            comma,
        }
    }

    fn fault(&self, fault: Fault) -> DataError {
        let file = self.file.to_owned();
        match fault {
            Fault::OpenQuote(line) => DataError::OpenQuote { file, line },
            Fault::TooWide(line) => DataError::Line {
                file,
                line,
                what: format!(
                    "there are more than {MOST_FIELDS} fields; if they are one long series, give each value a line"
                ),
            },
        }
    }

    /// First pass: widths, header, types.
    pub(super) fn shape(&self, header: Option<bool>) -> Result<Shape> {
        let mut records = Records::new(self.text, self.delimiter);
        let (mut first, mut fields) = (Vec::new(), Vec::new());
        let first_line = records
            .next(&mut first)
            .map_err(|e| self.fault(e))?
            .ok_or_else(|| DataError::Empty {
                file: self.file.to_owned(),
            })?;
        let mut counts = vec![Count::default(); first.len()];
        // With the first record as a row, and with it as a header.
        let mut spacings = [Spacing::new(); 2];
        spacings[0].add(cell::read(&first[0], self.comma));
        let mut rows = 0;
        while let Some(line) = records.next(&mut fields).map_err(|e| self.fault(e))? {
            if fields.len() != first.len() {
                return Err(DataError::Ragged {
                    file: self.file.to_owned(),
                    line,
                    found: fields.len(),
                    expected: first.len(),
                    first_line,
                    delimiter: self.delimiter.words(),
                });
            }
            for (i, (count, field)) in counts.iter_mut().zip(&fields).enumerate() {
                let cell = cell::read(field, self.comma);
                count.add(cell);
                if i == 0 {
                    spacings.iter_mut().for_each(|s| s.add(cell));
                }
            }
            rows += 1;
        }
        let header = header.unwrap_or_else(|| dialect::is_header(&first, &counts, self.comma));
        if header && rows == 0 {
            return Err(DataError::HeaderOnly {
                file: self.file.to_owned(),
                line: first_line,
            });
        }
        if !header {
            rows += 1;
            for (count, field) in counts.iter_mut().zip(&first) {
                count.add(cell::read(field, self.comma));
            }
        }
        // A delimiter at the end of every line makes a last column that is no column.
        let last = counts.len() - 1;
        if last > 0
            && counts[last].gaps == rows
            && first[last].is_empty()
            && self.last_is_empty(last)
        {
            counts.pop();
        }
        let names: Vec<String> = (0..counts.len())
            .map(|i| match first[i].trim() {
                name if header && !name.is_empty() => name.to_owned(),
                _ => format!("column_{}", i + 1),
            })
            .collect();
        unique(self.file, &names)?;
        Ok(Shape {
            is_text: counts.iter().map(|c| c.texts > 0).collect(),
            names,
            counts,
            rows,
            header,
            spacing: spacings[usize::from(header)],
        })
    }

    fn last_is_empty(&self, last: usize) -> bool {
        let mut records = Records::new(self.text, self.delimiter);
        let mut fields: Vec<Cow<'_, str>> = Vec::new();
        while let Ok(Some(_)) = records.next(&mut fields) {
            if !fields[last].is_empty() {
                return false;
            }
        }
        true
    }

    /// Second pass: calls `take` with the line and the cells of each row.
    pub(super) fn rows(
        &self,
        shape: &Shape,
        mut take: impl FnMut(u64, &[Cow<'_, str>]) -> Result<()>,
    ) -> Result<()> {
        let mut records = Records::new(self.text, self.delimiter);
        let mut fields = Vec::new();
        let mut header = shape.header;
        while let Some(line) = records.next(&mut fields).map_err(|e| self.fault(e))? {
            if !std::mem::take(&mut header) {
                take(line, &fields)?;
            }
        }
        Ok(())
    }

    /// The second pass into columns. Returns the line of each row.
    pub(super) fn fill(&self, columns: &mut [Column], shape: &Shape) -> Result<Rising> {
        let mut lines = Rising::default();
        self.rows(shape, |line, fields| {
            lines.push(line);
            for (column, field) in columns.iter_mut().zip(fields) {
                column.cells.push(field, self.comma);
            }
            Ok(())
        })?;
        Ok(lines)
    }

    /// The number in a cell of the column `name`, NaN for a gap.
    pub(super) fn number(&self, line: u64, name: &str, text: &str) -> Result<f64> {
        let named = || (self.file.to_owned(), name.to_owned(), text.to_owned());
        match cell::read(text, self.comma) {
            Cell::Number(value) => Ok(value),
            Cell::Missing => Ok(f64::NAN),
            Cell::Infinite => {
                let (file, column, text) = named();
                Err(DataError::NotFinite {
                    file,
                    line,
                    column,
                    text,
                })
            }
            Cell::Text => {
                let (file, column, text) = named();
                Err(DataError::NotNumeric {
                    file,
                    line,
                    column,
                    text,
                })
            }
        }
    }

    /// [`Reader::number`] where a gap is an error.
    pub(super) fn no_gap(&self, line: u64, name: &str, text: &str) -> Result<f64> {
        match self.number(line, name, text)? {
            gap if gap.is_nan() => Err(DataError::MissingValue {
                file: self.file.to_owned(),
                line,
                column: name.to_owned(),
                text: text.to_owned(),
            }),
            value => Ok(value),
        }
    }

    /// Whether the number in a cell is larger than that in another; a gap is neither.
    pub(super) fn rises(&self, from: &str, to: &str) -> bool {
        let value = |text| match cell::read(text, self.comma) {
            Cell::Number(value) => value,
            Cell::Infinite => f64::INFINITY,
            Cell::Missing | Cell::Text => f64::NAN,
        };
        value(to) > value(from)
    }
}

fn unique(file: &str, names: &[String]) -> Result<()> {
    let mut seen = HashMap::new();
    for (i, name) in names.iter().enumerate() {
        if let Some(first) = seen.insert(name.as_str(), i) {
            return Err(DataError::DuplicateColumn {
                file: file.to_owned(),
                name: name.clone(),
                first: first + 1,
                second: i + 1,
            });
        }
    }
    Ok(())
}
