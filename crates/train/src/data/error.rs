//! What can be wrong with data: each variant reads as one line saying what, where and what to do.

use std::fmt::Write as _;

/// Result of everything in this module.
pub type Result<T, E = DataError> = std::result::Result<T, E>;

/// A fault in data that someone brought, or in how they asked for it.
///
/// `file` is the path as given (or the name of embedded data), `line` counts from 1, as editors do.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// The path names nothing.
    #[error("{file}: there is no such file; check the spelling and the folder")]
    NotFound {
        /// Path as given.
        file: String,
    },
    /// The operating system refused to read it.
    #[error("{file}: cannot be read ({reason}); check that it is a file you may read")]
    Unreadable {
        /// Path as given.
        file: String,
        /// What the operating system said.
        reason: String,
    },
    /// Not text in UTF-8.
    #[error(
        "{file}: line {line}: byte {byte} of the file is not UTF-8{guess}; save the file as UTF-8"
    )]
    NotUtf8 {
        /// Path as given.
        file: String,
        /// Line of the first wrong byte.
        line: u64,
        /// Offset of the first wrong byte from the start of the file, from 0.
        byte: usize,
        /// What it looks like instead, or empty.
        guess: &'static str,
    },
    /// Nothing in it.
    #[error("{file}: the file is empty; give a file with data in it")]
    Empty {
        /// Path as given.
        file: String,
    },
    /// A header and no data after it.
    #[error("{file}: there is a header (line {line}) and no row of data after it; add rows")]
    HeaderOnly {
        /// Path as given.
        file: String,
        /// Line of the header.
        line: u64,
    },
    /// A quote that is never closed.
    #[error("{file}: line {line}: a quoted field begins here and never ends; close it with \"")]
    OpenQuote {
        /// Path as given.
        file: String,
        /// Line where the quote opens.
        line: u64,
    },
    /// Rows of different widths.
    #[error(
        "{file}: line {line} has {found} fields where line {first_line} has {expected} \
         (separated by {delimiter}); repair that line"
    )]
    Ragged {
        /// Path as given.
        file: String,
        /// Line of the deviating row.
        line: u64,
        /// Its number of fields.
        found: usize,
        /// Number of fields of the first record.
        expected: usize,
        /// Line of the first record.
        first_line: u64,
        /// The delimiter in words.
        delimiter: &'static str,
    },
    /// Two columns share a name.
    #[error(
        "{file}: columns {first} and {second} are both named {}; rename one",
        shown(name)
    )]
    DuplicateColumn {
        /// Path as given.
        file: String,
        /// The name.
        name: String,
        /// Position of the first, from 1.
        first: usize,
        /// Position of the second, from 1.
        second: usize,
    },
    /// A column that is not there.
    #[error(
        "{file}: there is no column {}; {}",
        shown(name),
        did_you_mean(closest)
    )]
    NoSuchColumn {
        /// Path as given.
        file: String,
        /// What was asked for.
        name: String,
        /// Existing names nearest to it, nearest first.
        closest: Vec<String>,
    },
    /// A column of text where numbers are needed.
    #[error(
        "{file}: line {line}: column {} has {} where a number is needed; \
         repair that line or choose another column",
        shown(column),
        shown(text)
    )]
    NotNumeric {
        /// Path as given.
        file: String,
        /// Line of the first cell that is no number.
        line: u64,
        /// Column name.
        column: String,
        /// The cell.
        text: String,
    },
    /// A gap, and gaps were to be refused.
    #[error(
        "{file}: line {line}: column {} has no value ({}); fill it in, or choose \
         --missing interpolate or --missing drop",
        shown(column),
        shown(text)
    )]
    MissingValue {
        /// Path as given.
        file: String,
        /// Line of the first gap.
        line: u64,
        /// Column name.
        column: String,
        /// What stands there.
        text: String,
    },
    /// An infinity, or a number too large for the format.
    #[error(
        "{file}: line {line}: column {} has {}, which is not a finite number; repair that line",
        shown(column),
        shown(text)
    )]
    NotFinite {
        /// Path as given.
        file: String,
        /// Line of the cell.
        line: u64,
        /// Column name.
        column: String,
        /// The cell.
        text: String,
    },
    /// No value at all is left in a column, or no row at all.
    #[error(
        "{file}: column {} has no value in any row; choose another column",
        shown(column)
    )]
    NoValues {
        /// Path as given.
        file: String,
        /// Column name.
        column: String,
    },
    /// Every row had a gap and was dropped.
    #[error(
        "{file}: every row has a gap in one of the chosen columns, so nothing is left; use --missing interpolate or fewer columns"
    )]
    AllDropped {
        /// Path as given.
        file: String,
    },
    /// A column that never changes, where it must.
    #[error(
        "{file}: column {} is {value} in every row, so there is nothing to predict; choose another target",
        shown(column)
    )]
    Constant {
        /// Path as given.
        file: String,
        /// Column name.
        column: String,
        /// Its only value.
        value: f64,
    },
    /// A split that does not describe parts of the rows.
    #[error("the split is not possible: {what}")]
    BadSplit {
        /// What is wrong with it and what to do.
        what: String,
    },
    /// A part with fewer rows (or characters) than the model's window needs.
    #[error(
        "the {part} part has {found} {unit} and needs at least {needed}; \
         use more data, a shorter window or another split"
    )]
    TooShort {
        /// Name of the part.
        part: String,
        /// What it is counted in: rows, characters.
        unit: &'static str,
        /// How many there are.
        found: usize,
        /// How many are needed.
        needed: usize,
    },
    /// A time label at which a split should be made and that is not in the data.
    #[error(
        "there is no row labelled {} to split at; {}",
        shown(label),
        did_you_mean(closest)
    )]
    NoSuchLabel {
        /// What was asked for.
        label: String,
        /// The first and the last label there are.
        closest: Vec<String>,
    },
    /// A baseline that cannot be fitted or asked.
    #[error("{baseline}: {what}")]
    Baseline {
        /// Which one.
        baseline: String,
        /// What is wrong and what to do.
        what: String,
    },
    /// A line (or a value in it) that the format does not allow.
    #[error("{file}: line {line}: {what}")]
    Line {
        /// Path as given.
        file: String,
        /// Line.
        line: u64,
        /// What is wrong and what to do.
        what: String,
    },
    /// A binary file, or a set of files, that cannot be used.
    #[error("{file}: {what}")]
    File {
        /// Path as given.
        file: String,
        /// What is wrong and what to do.
        what: String,
    },
    /// A label that the model (or the file's own header) does not know.
    #[error(
        "{file}: line {line}: the label {} is not one of the known classes ({}); correct it, or train with it",
        shown(label),
        list(known)
    )]
    UnknownClass {
        /// Path as given.
        file: String,
        /// Line.
        line: u64,
        /// The label found.
        label: String,
        /// The classes there are.
        known: Vec<String>,
    },
    /// A sequence id that ends and comes back later.
    #[error(
        "{file}: line {line}: sequence {} ended on line {ended} and comes back here; keep the rows of a sequence together (sort by id)",
        shown(id)
    )]
    IdComesBack {
        /// Path as given.
        file: String,
        /// Line where it comes back.
        line: u64,
        /// The id.
        id: String,
        /// Line of its last row before.
        ended: u64,
    },
}

/// `text` between quotes on one line: control characters escaped, long text cut.
pub(crate) fn shown(text: &str) -> String {
    const LONGEST: usize = 40;
    let mut out = String::from("\"");
    for c in text.chars().take(LONGEST) {
        if c.is_control() {
            let _ = write!(out, "{}", c.escape_default());
        } else {
            out.push(c);
        }
    }
    if text.chars().nth(LONGEST).is_some() {
        out.push('…');
    }
    out.push('"');
    out
}

/// The first few of `names`, quoted, separated by commas.
fn list(names: &[String]) -> String {
    const MOST: usize = 12;
    let mut out = names
        .iter()
        .take(MOST)
        .map(|n| shown(n))
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > MOST {
        let _ = write!(out, ", … {} in all", names.len());
    }
    out
}

fn did_you_mean(closest: &[String]) -> String {
    match closest {
        [] => "the file has no such thing to choose from".to_owned(),
        [one] => format!("did you mean {}?", shown(one)),
        many => format!("there are {}", list(many)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_is_one_line() {
        let e = DataError::NotNumeric {
            file: "a.csv".into(),
            line: 3,
            column: "x\ny".into(),
            text: "z\u{7}".repeat(30),
        };
        let said = e.to_string();
        assert!(!said.contains('\n') && !said.contains('\u{7}'), "{said}");
        assert!(said.len() < 260, "{said}");
    }
}
