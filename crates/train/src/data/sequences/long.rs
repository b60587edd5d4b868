//! Long-format CSV: one step a row, with a column that says which sequence the row belongs to.

use super::super::error::{DataError, Result, shown};
use super::super::frame::Missing;
use super::super::reader::Reader;
use super::super::shape::Shape;
use super::super::source;
use super::build::Builder;
use super::{LabelKind, Sequences};
use std::borrow::Cow;
use std::ops::Range;
use std::path::Path;

/// The cells of a row.
type Cells<'t> = [Cow<'t, str>];

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
/// Those of [`Table::read`](super::super::Table::read) and [`Table::select`](super::super::Table::select); an id that comes back after another; a step that does not
/// rise; a label that is missing, or that changes within a sequence where there is to be one for all of it.
pub fn read_long(path: &Path, options: &LongOptions) -> Result<Sequences> {
    parse_long(&source::display(path), &source::read(path)?, options)
}

/// [`read_long`] from bytes; `file` is the name used in messages.
///
/// # Errors
/// As [`read_long`], apart from those of the file system.
pub fn parse_long(file: &str, bytes: &[u8], options: &LongOptions) -> Result<Sequences> {
    let text = source::text(file, bytes)?;
    source::counted(file, text)?;
    let long = Long::new(file, Reader::new(file, text), options)?;
    let channels = long.channels.iter();
    let names = channels.map(|&c| long.shape.names[c].clone()).collect();
    let mut builder = Builder::new(file, names, options.kind, options.missing);
    let read = long.read(&mut builder);
    // Rows that do not stand together come first: they may well be the cause of another fault.
    if let Some((line, id, before)) = builder.repeated() {
        return Err(DataError::IdComesBack {
            file: file.to_owned(),
            line,
            id: id.to_owned(),
            ended: long.last_line(id, builder.line_of(before)..line)?,
        });
    }
    read?;
    builder.finish()
}

/// A file and what its columns are; each by its position.
struct Long<'t> {
    file: &'t str,
    reader: Reader<'t>,
    shape: Shape,
    kind: LabelKind,
    id: usize,
    step: Option<usize>,
    channels: Vec<usize>,
    /// The column of labels that are read.
    label: Option<usize>,
}

/// The sequence being read.
#[derive(Default)]
struct Open {
    id: String,
    /// Line that it begins on.
    line: u64,
    /// Cells of its last row that the next is compared with.
    step: String,
    label: String,
}

impl<'t> Long<'t> {
    fn new(file: &'t str, reader: Reader<'t>, options: &LongOptions) -> Result<Self> {
        if options.kind != LabelKind::None && options.label.is_none() {
            return Err(DataError::File {
                file: file.to_owned(),
                what: "it is to be read with labels; say which column holds them".into(),
            });
        }
        let mut shape = reader.shape(None)?;
        let find = |shape: &Shape, name: &Option<String>| {
            let name = name.as_ref();
            name.map(|name| shape.find(file, name)).transpose()
        };
        let id = shape.find(file, &options.id)?;
        shape.is_text[id] = true;
        // A label that is not read is still no channel, but need not be there for channels that are named.
        let label = match (options.kind, options.channels.is_empty()) {
            (LabelKind::None, false) => None,
            _ => find(&shape, &options.label)?,
        };
        if let (LabelKind::Class | LabelKind::ClassPerStep, Some(label)) = (options.kind, label) {
            shape.is_text[label] = true;
        }
        let step = find(&shape, &options.step)?;
        let channels: Vec<usize> = match options.channels.is_empty() {
            true => {
                let taken = [Some(id), step, label];
                let numeric = shape.numeric().into_iter();
                numeric.filter(|&c| !taken.contains(&Some(c))).collect()
            }
            false => {
                let named = options.channels.iter();
                named.map(|c| shape.find(file, c)).collect::<Result<_>>()?
            }
        };
        if channels.is_empty() {
            return Err(DataError::File {
                file: file.to_owned(),
                what: "there is no column of numbers left to be a channel; add one".into(),
            });
        }
        for &channel in &channels {
            shape.require_values(file, channel)?;
        }
        Ok(Self {
            file,
            reader,
            shape,
            kind: options.kind,
            id,
            step,
            channels,
            label: label.filter(|_| options.kind != LabelKind::None),
        })
    }

    /// Reads all rows.
    fn read(&self, builder: &mut Builder) -> Result<()> {
        let mut open: Option<Open> = None;
        self.reader.rows(&self.shape, |line, cells| {
            let id = &*cells[self.id];
            if id.is_empty() {
                return Err(self.error(line, "the sequence id is empty; fill it in".into()));
            }
            let begins = open.as_ref().is_none_or(|open| open.id != id);
            if begins {
                let new = Open {
                    id: id.to_owned(),
                    line,
                    ..Open::default()
                };
                if let Some(last) = open.replace(new) {
                    builder.end(last.line, Some(&last.id))?;
                }
            }
            if let Some(open) = &mut open {
                self.order(line, cells, begins, open)?;
                self.label(line, cells, begins, open, builder)?;
            }
            for (i, &channel) in self.channels.iter().enumerate() {
                let name = &self.shape.names[channel];
                let value = self.reader.number(line, name, &cells[channel])?;
                builder.value(line, i, value)?;
            }
            Ok(())
        })?;
        match open {
            Some(last) => builder.end(last.line, Some(&last.id)),
            None => Ok(()),
        }
    }

    fn error(&self, line: u64, what: String) -> DataError {
        DataError::Line {
            file: self.file.to_owned(),
            line,
            what,
        }
    }

    /// Checks that a step comes after the one before it.
    fn order(&self, line: u64, cells: &Cells<'_>, begins: bool, open: &mut Open) -> Result<()> {
        let Some(column) = self.step else {
            return Ok(());
        };
        let step = &*cells[column];
        // How dates are ordered depends on how they are written; that they differ does not.
        let rises = match self.shape.is_text[column] {
            true => step != open.step,
            false => self.reader.rises(&open.step, step),
        };
        if !begins && !rises {
            let what = format!(
                "step {} of sequence {} does not come after the one before it; sort the file by id and step",
                shown(step),
                shown(&open.id)
            );
            return Err(self.error(line, what));
        }
        step.clone_into(&mut open.step);
        Ok(())
    }

    /// Reads the label of a row, or checks that it is that of the row before.
    fn label(
        &self,
        line: u64,
        cells: &Cells<'_>,
        begins: bool,
        open: &mut Open,
        builder: &mut Builder,
    ) -> Result<()> {
        let Some(column) = self.label else {
            return Ok(());
        };
        let (name, label) = (&self.shape.names[column], &*cells[column]);
        let number = |text: &str| self.reader.no_gap(line, name, text);
        let (of_classes, per_step) = match self.kind {
            LabelKind::None => return Ok(()),
            LabelKind::Class => (true, false),
            LabelKind::Number => (false, false),
            LabelKind::ClassPerStep => (true, true),
            LabelKind::NumberPerStep => (false, true),
        };
        if of_classes && label.is_empty() {
            return Err(self.error(line, "the label is empty; fill it in".into()));
        }
        if begins || per_step {
            label.clone_into(&mut open.label);
            return match of_classes {
                true => builder.class(line, label),
                false => builder.number(line, number(label)?),
            };
        }
        let changes = match of_classes {
            true => label != open.label,
            false => number(label)? != number(&open.label)?,
        };
        if changes {
            let what = format!(
                "the label of sequence {} changes from {} to {}; correct it, or ask for a label per step",
                shown(&open.id),
                shown(&open.label),
                shown(label)
            );
            return Err(self.error(line, what));
        }
        Ok(())
    }

    /// The last of some lines on which a row of the sequence `id` begins.
    fn last_line(&self, id: &str, lines: Range<u64>) -> Result<u64> {
        let mut last = lines.start;
        self.reader.rows(&self.shape, |line, cells| {
            if lines.contains(&line) && cells[self.id] == id {
                last = line;
            }
            Ok(())
        })?;
        Ok(last)
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
            (&s.channels, &s.classes),
            (
                &vec!["x".to_owned(), "y".into()],
                &vec!["a".to_owned(), "b".into()]
            )
        );
        assert_eq!(s.iter().map(|r| r.id).collect::<Vec<_>>(), ["01", "1"]);
        assert_eq!(
            (s.get(0).steps, s.get(0).label),
            (&[1.0, 2.0, 3.0, 4.0][..], Label::Class(1))
        );
        assert_eq!(s.get(1).line, 4);
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
        assert_eq!(s.get(0).label, Label::Classes(&[0, 1]));
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
            (s.get(0).label, &s.channels),
            (Label::Numbers(&[0.0, 1.0]), &vec!["x".to_owned()])
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
