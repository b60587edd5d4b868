//! Long-format CSV: one step a row, with a column that says which sequence the row belongs to.

use super::super::error::{DataError, Result, shown};
use super::super::frame::Missing;
use super::super::source;
use super::super::table::{Cells, ReadOptions, Table};
use super::super::texts::Texts;
use super::build::{Builder, Read, Written};
use super::{LabelKind, Sequences};
use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;

/// Which column is what; columns by name or by number from 1.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LongOptions {
    /// Column of the sequence's id.
    pub id: String,
    /// Column that orders the steps, checked to rise where it holds numbers; `None` takes the file's order.
    pub step: Option<String>,
    /// Columns that are channels; empty takes all columns of numbers that are nothing else.
    pub channels: Vec<String>,
    /// Column of the label; needed unless `kind` is [`LabelKind::None`].
    pub label: Option<String>,
    /// What the label is.
    pub kind: LabelKind,
    /// What to do about gaps in channels.
    pub missing: Missing,
}

/// Reads a long-format file: rows of one sequence stand together.
///
/// # Errors
/// Those of [`Table::read`] and [`Table::select`]; an id that comes back after another; a step that does not
/// rise; a label that is missing, or that changes within a sequence where there is to be one for all of it.
pub fn read_long(path: &Path, options: &LongOptions) -> Result<Sequences> {
    parse_long(&source::display(path), &source::read(path)?, options)
}

/// [`read_long`] from bytes; `file` is the name used in messages.
///
/// # Errors
/// As [`read_long`], apart from those of the file system.
pub fn parse_long(file: &str, bytes: &[u8], options: &LongOptions) -> Result<Sequences> {
    let label = match (options.kind, &options.label) {
        (LabelKind::None, _) => None,
        (_, Some(label)) => Some(label.as_str()),
        (_, None) => {
            let what = "it is to be read with labels; say which column holds them".into();
            return Err(DataError::File {
                file: file.to_owned(),
                what,
            });
        }
    };
    let is_class = matches!(options.kind, LabelKind::Class | LabelKind::ClassPerStep);
    let as_text = [Some(options.id.as_str()), label.filter(|_| is_class)]
        .into_iter()
        .flatten()
        .map(str::to_owned);
    let read = ReadOptions {
        header: None,
        as_text: as_text.collect(),
    };
    let table = Table::parse_with(file, bytes, &read)?;
    let long = Long {
        options,
        label: label.map(|l| table.find(l)).transpose()?,
        table,
    };
    let channels = long.channels()?;
    let columns = channels
        .iter()
        .map(|&c| long.table.numbers(c, Missing::Drop))
        .collect::<Result<Vec<_>>>()?;
    let names = channels
        .iter()
        .map(|&c| long.table.columns[c].name.clone())
        .collect();
    let mut builder = Builder::new(file, names, options.missing);
    for (id, rows) in long.sequences()? {
        let steps = rows
            .clone()
            .flat_map(|r| columns.iter().map(move |c| c[r]))
            .collect();
        let label = long.label(&id, rows.clone())?;
        let lines = &long.table.line_of_row[rows];
        builder.push(Read {
            id,
            line: lines[0].into(),
            steps,
            label,
            step_lines: Some(lines),
        })?;
    }
    builder.finish()
}

struct Long<'o> {
    options: &'o LongOptions,
    label: Option<usize>,
    table: Table,
}

impl Long<'_> {
    fn error(&self, row: usize, what: String) -> DataError {
        DataError::Line {
            file: self.table.file().to_owned(),
            line: self.table.line_of_row[row].into(),
            what,
        }
    }

    /// Positions of the channels.
    fn channels(&self) -> Result<Vec<usize>> {
        let table = &self.table;
        if !self.options.channels.is_empty() {
            return self
                .options
                .channels
                .iter()
                .map(|c| table.find(c))
                .collect();
        }
        let mut taken = vec![table.find(&self.options.id)?];
        taken.extend(self.label);
        // A label that is not read is still no channel.
        for other in [&self.options.step, &self.options.label]
            .into_iter()
            .flatten()
        {
            taken.push(table.find(other)?);
        }
        let free: Vec<usize> = table.numeric().filter(|c| !taken.contains(c)).collect();
        if free.is_empty() {
            let what = "there is no column of numbers left to be a channel; add one".into();
            return Err(DataError::File {
                file: table.file().to_owned(),
                what,
            });
        }
        Ok(free)
    }

    /// Id and rows of each sequence.
    fn sequences(&self) -> Result<Vec<(String, Range<usize>)>> {
        let table = &self.table;
        // Read as text by `parse_long`.
        let ids = table.columns[table.find(&self.options.id)?].cells.texts();
        let mut last_row: HashMap<&str, usize> = HashMap::new();
        let mut out: Vec<(String, Range<usize>)> = Vec::new();
        for (row, id) in ids.into_iter().flat_map(Texts::iter).enumerate() {
            if id.is_empty() {
                return Err(self.error(row, "the sequence id is empty; fill it in".into()));
            }
            match (out.last_mut(), last_row.insert(id, row)) {
                (Some((_, rows)), Some(before)) if before + 1 == row => rows.end = row + 1,
                (_, Some(before)) => {
                    return Err(DataError::IdComesBack {
                        file: table.file().to_owned(),
                        line: table.line_of_row[row].into(),
                        id: id.to_owned(),
                        ended: table.line_of_row[before].into(),
                    });
                }
                (_, None) => out.push((id.to_owned(), row..row + 1)),
            }
        }
        if let Some(step) = &self.options.step {
            self.steps_rise(table.find(step)?, &out)?;
        }
        Ok(out)
    }

    fn steps_rise(&self, column: usize, sequences: &[(String, Range<usize>)]) -> Result<()> {
        let said = |row: usize, id: &str, text: &str| {
            let what = format!(
                "step {} of sequence {} does not come after the one before it",
                shown(text),
                shown(id)
            );
            Err(self.error(row, what + "; sort the file by id and step"))
        };
        for (id, rows) in sequences {
            for row in rows.start + 1..rows.end {
                match &self.table.columns[column].cells {
                    // A gap compares as not rising.
                    Cells::Numbers { values, .. }
                        if !matches!(
                            values[row].partial_cmp(&values[row - 1]),
                            Some(std::cmp::Ordering::Greater)
                        ) =>
                    {
                        return said(row, id, &values[row].to_string());
                    }
                    // How dates are ordered depends on how they are written; that they differ does not.
                    Cells::Texts { values, .. } if values.get(row) == values.get(row - 1) => {
                        return said(row, id, values.get(row));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn label(&self, id: &str, rows: Range<usize>) -> Result<Written> {
        let Some(column) = self.label else {
            return Ok(Written::None);
        };
        let changes = |row: usize, before: &str, after: &str| {
            let what = format!(
                "the label of sequence {} changes from {} to {}",
                shown(id),
                shown(before),
                shown(after)
            );
            self.error(row, what + "; correct it, or ask for a label per step")
        };
        let one = matches!(self.options.kind, LabelKind::Class | LabelKind::Number);
        match &self.table.columns[column].cells {
            Cells::Texts { values, .. }
                if matches!(
                    self.options.kind,
                    LabelKind::Class | LabelKind::ClassPerStep
                ) =>
            {
                let first = values.get(rows.start);
                if let Some(row) = rows.clone().find(|&r| values.get(r).is_empty()) {
                    return Err(self.error(row, "the label is empty; fill it in".into()));
                }
                match rows.clone().find(|&r| values.get(r) != first) {
                    Some(row) if one => Err(changes(row, first, values.get(row))),
                    _ if one => Ok(Written::Class(first.to_owned())),
                    _ => Ok(Written::Classes(rows.map(|r| values.get(r)).collect())),
                }
            }
            _ => {
                let all = &self.table.numbers(column, Missing::Refuse)?[rows.clone()];
                match all.iter().position(|l| *l != all[0]) {
                    Some(other) if one => Err(changes(
                        rows.start + other,
                        &all[0].to_string(),
                        &all[other].to_string(),
                    )),
                    _ if one => Ok(Written::Number(all[0])),
                    _ => Ok(Written::Numbers(all.to_vec())),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Label;
    use super::*;

    const GOOD: &str = "id,t,x,y,class\n01,1,1,2,b\n01,2,3,4,b\n1,1,5,6,a\n";

    fn options(kind: LabelKind) -> LongOptions {
        let label = Some("class".into());
        LongOptions {
            id: "id".into(),
            step: Some("t".into()),
            label,
            kind,
            ..Default::default()
        }
    }

    fn fault(text: &str, kind: LabelKind) -> String {
        parse_long("t.csv", text.as_bytes(), &options(kind))
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn rows_of_an_id_are_a_sequence() {
        let s = parse_long("t.csv", GOOD.as_bytes(), &options(LabelKind::Class)).unwrap();
        assert_eq!(
            (s.channels, s.classes),
            (
                vec!["x".to_owned(), "y".into()],
                vec!["a".to_owned(), "b".into()]
            )
        );
        assert_eq!(
            s.rows.iter().map(|r| r.id.as_str()).collect::<Vec<_>>(),
            ["01", "1"]
        );
        assert_eq!(
            (&s.rows[0].steps[..], &s.rows[0].label),
            (&[1.0, 2.0, 3.0, 4.0][..], &Label::Class(1))
        );
        assert_eq!(s.rows[1].line, 4);
    }

    #[test]
    fn labels_per_step_and_numbers() {
        let text = "id,x,class\nu,1,0\nu,2,1\nv,3,1\n";
        let step = None;
        let s = parse_long(
            "t",
            text.as_bytes(),
            &LongOptions {
                step,
                ..options(LabelKind::ClassPerStep)
            },
        )
        .unwrap();
        assert_eq!(s.rows[0].label, Label::Classes(vec![0, 1]));
        let s = parse_long(
            "t",
            text.as_bytes(),
            &LongOptions {
                step: None,
                ..options(LabelKind::NumberPerStep)
            },
        )
        .unwrap();
        assert_eq!(
            (s.rows[0].label.clone(), s.channels),
            (Label::Numbers(vec![0.0, 1.0]), vec!["x".to_owned()])
        );
        let e = parse_long(
            "t",
            text.as_bytes(),
            &LongOptions {
                step: None,
                ..options(LabelKind::Number)
            },
        )
        .unwrap_err();
        assert!(
            e.to_string()
                .contains("line 3: the label of sequence \"u\" changes from \"0\" to \"1\""),
            "{e}"
        );
    }

    #[test]
    fn wrong_rows() {
        let head = "id,t,x,class\n";
        for (rows, line, said) in [
            (
                "u,1,1,a\nv,1,1,a\nu,2,1,a\n",
                4,
                r#"sequence "u" ended on line 2 and comes back"#,
            ),
            (
                "u,1,1,a\nu,1,2,a\n",
                3,
                r#"step "1" of sequence "u" does not come after"#,
            ),
            ("u,1,1,a\nu,2,2,b\n", 3, r#"changes from "a" to "b""#),
            ("u,1,1,a\nu,2,2,\n", 3, "the label is empty"),
            ("u,1,1,a\n,2,2,a\n", 3, "the sequence id is empty"),
            ("u,1,1,a\nu,2,,a\n", 3, r#"column "x" has no value"#),
            ("u,1,1,a\nu,2,1o,a\nu,3,2,a\n", 3, r#"column "x" has "1o""#),
            ("u,1,1,a\nu,2,1e60,a\n", 3, r#"column "x" has "1"#),
            ("u,1,1,a\nu,2,1\n", 3, "has 3 fields where line 1 has 4"),
        ] {
            let got = fault(&format!("{head}{rows}"), LabelKind::Class);
            assert!(
                got.starts_with(&format!("t.csv: line {line}")) && got.contains(said),
                "{rows:?}: {got}"
            );
        }
        assert!(
            fault("id,t,x,class\nu,1,1,a\n", LabelKind::Number)
                .contains(r#"column "class" has "a" where a number"#)
        );
        assert!(
            fault("id,t,class\nu,1,a\n", LabelKind::Class).contains("no column of numbers left")
        );
        assert!(fault("key,t,x,class\nu,1,1,a\n", LabelKind::Class).contains(r#"no column "id""#));
        let none = LongOptions {
            label: None,
            ..options(LabelKind::Class)
        };
        assert!(parse_long("t", GOOD.as_bytes(), &none).is_err());
    }
}
