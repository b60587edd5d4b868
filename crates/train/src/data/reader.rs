//! The two passes over a delimited file: first its shape, then its cells.

use super::cell;
use super::delimited::{Delimiter, OpenQuote, Records};
use super::dialect::{self, Count};
use super::error::{DataError, Result};
use super::table::Column;
use std::borrow::Cow;
use std::collections::HashMap;

/// What the first pass over a file finds.
pub(super) struct Shape {
    pub(super) names: Vec<String>,
    pub(super) counts: Vec<Count>,
    pub(super) rows: usize,
    header: bool,
}

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

    fn open_quote(&self, OpenQuote(line): OpenQuote) -> DataError {
        DataError::OpenQuote {
            file: self.file.to_owned(),
            line,
        }
    }

    /// First pass: widths, header, types.
    pub(super) fn shape(&self, header: Option<bool>) -> Result<Shape> {
        let mut records = Records::new(self.text, self.delimiter);
        let (mut first, mut fields) = (Vec::new(), Vec::new());
        let first_line = records
            .next(&mut first)
            .map_err(|e| self.open_quote(e))?
            .ok_or_else(|| DataError::Empty {
                file: self.file.to_owned(),
            })?;
        let mut counts = vec![Count::default(); first.len()];
        let mut rows = 0;
        while let Some(line) = records.next(&mut fields).map_err(|e| self.open_quote(e))? {
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
            for (count, field) in counts.iter_mut().zip(&fields) {
                count.add(cell::read(field, self.comma));
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
            names,
            counts,
            rows,
            header,
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

    /// Second pass: the cells. Returns the line of each row.
    pub(super) fn fill(&self, columns: &mut [Column], shape: &Shape) -> Result<Vec<u32>> {
        let mut records = Records::new(self.text, self.delimiter);
        let mut fields = Vec::new();
        let mut lines = Vec::with_capacity(shape.rows);
        let mut header = shape.header;
        while let Some(line) = records.next(&mut fields).map_err(|e| self.open_quote(e))? {
            if std::mem::take(&mut header) {
                continue;
            }
            lines.push(line as u32);
            for (column, field) in columns.iter_mut().zip(&fields) {
                column.cells.push(field, self.comma);
            }
        }
        Ok(lines)
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
