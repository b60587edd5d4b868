//! How a delimited file is written, found from its content.

use super::cell::{self, Cell};
use super::delimited::{Delimiter, Fault, Records};
use super::values::Values;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// Records looked at to find the delimiter.
const SAMPLE: usize = 200;

/// The delimiter of `text`.
///
/// The sign that gives the same number of fields (two or more) on the largest share of lines wins, so that
/// one ragged line does not change the answer; on a tie tabs, semicolons and pipes come before commas,
/// because commas also occur inside numbers. Spaces count only where no other sign fits half of the lines,
/// because they occur inside dates.
pub(crate) fn delimiter(text: &str) -> Delimiter {
    let mut best = (0.0, Delimiter::None);
    for candidate in [
        Delimiter::Tab,
        Delimiter::Semicolon,
        Delimiter::Pipe,
        Delimiter::Comma,
    ] {
        let share = agreement(text, candidate);
        if share > best.0 {
            best = (share, candidate);
        }
    }
    if best.0 >= 0.5 {
        return best.1;
    }
    let spaces = agreement(text, Delimiter::Spaces);
    if spaces >= 0.5 && spaces > best.0 {
        Delimiter::Spaces
    } else {
        best.1
    }
}

/// The largest share of sampled records that have one and the same number of fields, two or more.
fn agreement(text: &str, delimiter: Delimiter) -> f64 {
    let mut records = Records::new(text, delimiter);
    let mut fields = Vec::new();
    let mut counts = BTreeMap::<usize, usize>::new();
    let mut seen = 0;
    while seen < SAMPLE {
        match records.next(&mut fields) {
            Ok(Some(_)) => *counts.entry(fields.len()).or_default() += 1,
            Ok(None) => break,
            // Whatever is wrong with so many fields, this is what stands between them.
            Err(Fault::TooWide(_)) if seen == 0 => return 1.0,
            Err(_) if seen == 0 => return 0.0,
            Err(_) => break,
        }
        seen += 1;
    }
    let most = counts.range(2..).map(|(_, &n)| n).max().unwrap_or(0);
    most as f64 / seen.max(1) as f64
}

/// Whether numbers are written with a decimal comma: some can only be read so, and none speaks against it.
pub(crate) fn decimal_comma(text: &str, delimiter: Delimiter) -> bool {
    if delimiter == Delimiter::Comma || !text.contains(',') {
        return false;
    }
    let mut records = Records::new(text, delimiter);
    let mut fields = Vec::new();
    let mut found = false;
    while let Ok(Some(_)) = records.next(&mut fields) {
        if fields.iter().any(|f| cell::has_decimal_point(f)) {
            return false;
        }
        found |= fields.iter().any(|f| cell::has_decimal_comma(f));
    }
    found
}

/// What a column holds below the first record.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Count {
    pub(crate) numbers: usize,
    pub(crate) texts: usize,
    pub(crate) gaps: usize,
    /// Of the numbers, those that no `f32` is exactly.
    pub(crate) long: usize,
}

impl Count {
    pub(crate) fn add(&mut self, cell: Cell) {
        match cell {
            Cell::Number(value) => {
                self.numbers += 1;
                self.long += usize::from(!Values::is_short(value));
            }
            Cell::Infinite => self.numbers += 1,
            Cell::Missing => self.gaps += 1,
            Cell::Text => self.texts += 1,
        }
    }

    /// Numbers, but for a few cells that are mistakes.
    pub(crate) fn mostly_numbers(self) -> bool {
        self.numbers > self.texts
    }
}

/// Whether `first` is a header: of its cells over columns that hold numbers afterwards at least half are
/// text; or, where no column holds numbers, none of its cells is one.
///
/// Half, because a first row of data with one mistake in it must not vanish as a header.
pub(crate) fn is_header(first: &[Cow<'_, str>], below: &[Count], comma: bool) -> bool {
    let over_numbers = below.iter().any(|c| c.mostly_numbers());
    let (mut texts, mut numbers) = (0, 0);
    for (text, count) in first.iter().zip(below) {
        if over_numbers && !count.mostly_numbers() {
            continue;
        }
        match cell::read(text, comma) {
            Cell::Text => texts += 1,
            Cell::Number(_) | Cell::Infinite => numbers += 1,
            Cell::Missing => {}
        }
    }
    if over_numbers {
        texts > 0 && texts >= numbers
    } else {
        numbers == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delimiters_people_use() {
        for (text, want) in [
            ("a,b\n1,2\n", Delimiter::Comma),
            ("a;b\n1,5;2,5\n", Delimiter::Semicolon),
            ("a\tb c\n1\t2\n", Delimiter::Tab),
            ("a|b|c\n1|2|3\n", Delimiter::Pipe),
            ("1749 01  58.0\n1749 02  62.6\n", Delimiter::Spaces),
            ("2020-01-01 10:00,5\n2020-01-01 11:00,6\n", Delimiter::Comma),
            (
                "2020-01-01 10:00,5\n2020-01-01 11:00,6\n2020-01-01 12:00\n",
                Delimiter::Comma,
            ),
            ("5\n6\n", Delimiter::None),
            ("\"a;b\",c\n\"d;e\",f\n", Delimiter::Comma),
            ("\"a, b\"\n", Delimiter::None),
        ] {
            assert_eq!(delimiter(text), want, "{text}");
        }
    }

    #[test]
    fn decimal_commas_only_where_nothing_speaks_against_them() {
        assert!(decimal_comma("d;v\n01.02.2020;1,5\n", Delimiter::Semicolon));
        assert!(!decimal_comma("v;w\n1,5;1.5\n", Delimiter::Semicolon));
        assert!(!decimal_comma("1,5\n", Delimiter::Comma));
    }
}
