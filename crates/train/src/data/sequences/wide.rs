//! Wide CSV: one whole sequence a row, its values flattened step by step, such as images row by row.

use super::super::error::{DataError, Result};
use super::super::frame::Missing;
use super::super::reader::Reader;
use super::super::source;
use super::build::Builder;
use super::{LabelKind, Sequences};
use std::path::Path;

/// How a row is to be read.
#[derive(Debug, Clone, PartialEq)]
pub struct WideOptions {
    /// Values of one step, standing side by side: 28 reads a 28×28 image row by row, 1 pixel by pixel.
    pub channels: usize,
    /// Column of the label, by name or number from 1; needed unless `kind` is [`LabelKind::None`].
    pub label: Option<String>,
    /// What the label is: none, a class or a number.
    pub kind: LabelKind,
    /// What to do about gaps.
    pub missing: Missing,
}

/// Reads a wide file: all columns but the label are values, in the file's order.
///
/// # Errors
/// Those of [`Table::read`](super::super::Table::read) and [`Table::select`](super::super::Table::select); a number of values that is no multiple of the channels;
/// labels per step, which such a file cannot hold.
pub fn read_wide(path: &Path, options: &WideOptions) -> Result<Sequences> {
    parse_wide(&source::display(path), &source::read(path)?, options)
}

/// [`read_wide`] from bytes; `file` is the name used in messages.
///
/// # Errors
/// As [`read_wide`], apart from those of the file system.
pub fn parse_wide(file: &str, bytes: &[u8], options: &WideOptions) -> Result<Sequences> {
    let bad = |what: String| DataError::File {
        file: file.to_owned(),
        what,
    };
    let label = match (options.kind, &options.label) {
        (LabelKind::ClassPerStep | LabelKind::NumberPerStep, _) => {
            return Err(bad(
                "a file with one sequence a row has no labels per step; use the long format".into(),
            ));
        }
        (LabelKind::Class | LabelKind::Number, None) => {
            return Err(bad(
                "it is to be read with labels; say which column holds them".into(),
            ));
        }
        (_, label) => label.clone(),
    };
    let text = source::text(file, bytes)?;
    source::counted(file, text)?;
    let reader = Reader::new(file, text);
    let shape = reader.shape(None)?;
    let label = label.map(|l| shape.find(file, &l)).transpose()?;
    let values: Vec<usize> = (0..shape.names.len())
        .filter(|&c| Some(c) != label)
        .collect();
    if values.is_empty() || values.len().checked_rem(options.channels) != Some(0) {
        let what = format!(
            "its rows have {} values, which is not a multiple of {} channels",
            values.len(),
            options.channels
        );
        return Err(bad(what + "; give another number of channels"));
    }
    for &column in &values {
        shape.require_values(file, column)?;
    }
    let channels = Builder::numbered(file, options.channels)?;
    let mut builder = Builder::new(file, channels, options.kind, options.missing);
    reader.rows(&shape, |line, cells| {
        for (i, &column) in values.iter().enumerate() {
            let value = reader.number(line, &shape.names[column], &cells[column])?;
            builder.value(line, i % options.channels, value)?;
        }
        if let Some(column) = label {
            let (name, cell) = (&shape.names[column], &cells[column]);
            match options.kind {
                LabelKind::Class => builder.class(line, cell)?,
                LabelKind::Number => builder.number(line, reader.no_gap(line, name, cell)?)?,
                _ => {}
            }
        }
        builder.end(line, None)
    })?;
    builder.finish()
}

#[cfg(test)]
mod tests {
    use super::super::Label;
    use super::*;

    fn options(channels: usize, kind: LabelKind) -> WideOptions {
        WideOptions {
            channels,
            label: Some("5".into()),
            kind,
            missing: Missing::Refuse,
        }
    }

    #[test]
    fn images_by_rows_and_by_pixels() {
        let text = b"0,1,2,3,7\n4,5,6,7,10\n";
        let s = parse_wide("t", text, &options(2, LabelKind::Class)).unwrap();
        assert_eq!(
            (s.lengths(), s.classes.clone()),
            (vec![2, 2], vec!["7".to_owned(), "10".into()])
        );
        assert_eq!(s.get(1).steps, [4.0, 5.0, 6.0, 7.0]);
        let s = parse_wide("t", text, &options(1, LabelKind::Number)).unwrap();
        assert_eq!(
            (s.lengths(), s.get(0).label),
            (vec![4, 4], Label::Number(7.0))
        );
        assert_eq!(
            parse_wide("t", text, &options(2, LabelKind::None))
                .unwrap()
                .get(0)
                .label,
            Label::None
        );
    }

    #[test]
    fn what_does_not_fit() {
        let text = b"0,1,2,3,7\n4,5,6,7,8\n";
        assert!(
            parse_wide("t", text, &options(3, LabelKind::Class))
                .unwrap_err()
                .to_string()
                .contains("4 values")
        );
        assert!(parse_wide("t", text, &options(0, LabelKind::Class)).is_err());
        assert!(parse_wide("t", text, &options(2, LabelKind::ClassPerStep)).is_err());
        let gap =
            parse_wide("t", b"0,1,,3,7\n4,5,6,7,8\n", &options(2, LabelKind::Class)).unwrap_err();
        assert!(
            gap.to_string()
                .contains("line 1: column \"channel_1\" has no value (\"step 2\")"),
            "{gap}"
        );
        let e = parse_wide(
            "t",
            b"0,1,x,3,7\n4,5,6,7,8\n1,1,1,1,1\n",
            &options(2, LabelKind::Class),
        )
        .unwrap_err();
        assert!(matches!(e, DataError::NotNumeric { .. }), "{e}");
    }
}
