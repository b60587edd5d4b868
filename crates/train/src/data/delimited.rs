//! Delimited text → records of fields, with the line each record begins on.
//!
//! Written out rather than taken from a library because columns aligned by runs of spaces, comment
//! lines, exact line numbers and "this quote is never closed" are all wanted of one and the same reader.

use std::borrow::Cow;

/// What stands between two fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delimiter {
    Comma,
    Semicolon,
    Tab,
    Pipe,
    /// One or more spaces or tabs.
    Spaces,
    /// One column.
    None,
}

impl Delimiter {
    /// In words, for messages.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Comma => "commas",
            Self::Semicolon => "semicolons",
            Self::Tab => "tabs",
            Self::Pipe => "pipes",
            Self::Spaces => "spaces",
            Self::None => "nothing: it is one column",
        }
    }

    fn is(self, byte: u8) -> bool {
        match self {
            Self::Comma => byte == b',',
            Self::Semicolon => byte == b';',
            Self::Tab => byte == b'\t',
            Self::Pipe => byte == b'|',
            Self::Spaces => byte == b' ' || byte == b'\t',
            Self::None => false,
        }
    }

    /// White space that belongs to no field.
    fn is_padding(self, byte: u8) -> bool {
        byte == b' ' || (byte == b'\t' && self != Self::Tab)
    }
}

/// Most fields of a record, and most channels of a sequence: each has a name, which takes far more than a short field.
pub(crate) const MOST_FIELDS: usize = 100_000;

/// Why there is no next record.
#[derive(Debug, PartialEq)]
pub(crate) enum Fault {
    /// A quoted field that begins on this line is never closed.
    OpenQuote(u64),
    /// The record on this line has more than [`MOST_FIELDS`].
    TooWide(u64),
}

/// Reads records one by one. Blank lines, lines beginning with `#` and Excel's `sep=` line are skipped.
pub(crate) struct Records<'t> {
    text: &'t str,
    at: usize,
    line: u64,
    delimiter: Delimiter,
}

impl<'t> Records<'t> {
    pub(crate) fn new(text: &'t str, delimiter: Delimiter) -> Self {
        Self {
            text,
            at: 0,
            line: 1,
            delimiter,
        }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Fills `fields` with the next record and returns the line it begins on; `None` at the end.
    pub(crate) fn next(&mut self, fields: &mut Vec<Cow<'t, str>>) -> Result<Option<u64>, Fault> {
        fields.clear();
        while self.skip_line_without_data() {}
        if self.at >= self.text.len() {
            return Ok(None);
        }
        let begins = self.line;
        loop {
            while self.byte().is_some_and(|b| self.delimiter.is_padding(b)) {
                self.at += 1;
            }
            let padded_end = self.delimiter == Delimiter::Spaces && self.at_line_end();
            if !padded_end || fields.is_empty() {
                let field = self.field()?;
                if fields.len() == MOST_FIELDS {
                    return Err(Fault::TooWide(begins));
                }
                fields.push(field);
            }
            match self.byte() {
                Some(b) if self.delimiter.is(b) => self.at += 1,
                _ => break,
            }
        }
        self.end_line();
        Ok(Some(begins))
    }

    fn at_line_end(&self) -> bool {
        matches!(self.byte(), None | Some(b'\n' | b'\r'))
    }

    /// Steps over `\n`, `\r\n` or a lone `\r`.
    fn end_line(&mut self) {
        match self.byte() {
            Some(b'\r') if self.text.as_bytes().get(self.at + 1) == Some(&b'\n') => self.at += 2,
            Some(_) => self.at += 1,
            None => return,
        }
        self.line += 1;
    }

    fn skip_line_without_data(&mut self) -> bool {
        let rest = &self.text[self.at..];
        if rest.is_empty() {
            return false;
        }
        let line = &rest[..rest.find(['\n', '\r']).unwrap_or(rest.len())];
        // `#` alone is often the name of a column of row numbers: then a delimiter follows it.
        let comment = line
            .strip_prefix('#')
            .is_some_and(|more| !more.starts_with([',', ';', '|', '\t']));
        let sep = self.line == 1 && line.len() <= 7 && line.trim_matches('"').starts_with("sep=");
        let blank = self.delimiter != Delimiter::Tab && line.trim().is_empty() || line.is_empty();
        if !(blank || comment || sep) {
            return false;
        }
        self.at += line.len();
        self.end_line();
        true
    }

    fn field(&mut self) -> Result<Cow<'t, str>, Fault> {
        if self.byte() == Some(b'"') {
            return self.quoted().map(Cow::Owned);
        }
        let start = self.at;
        while !self.at_line_end() && !self.byte().is_some_and(|b| self.delimiter.is(b)) {
            self.at += 1;
        }
        Ok(Cow::Borrowed(self.text[start..self.at].trim()))
    }

    /// From an opening quote to the delimiter after the closing one; `""` inside stands for `"`.
    fn quoted(&mut self) -> Result<String, Fault> {
        let opened = self.line;
        let mut out = String::new();
        self.at += 1;
        let mut start = self.at;
        loop {
            match self.byte() {
                None => return Err(Fault::OpenQuote(opened)),
                Some(b'"') => {
                    out.push_str(&self.text[start..self.at]);
                    self.at += 1;
                    start = self.at;
                    if self.byte() != Some(b'"') {
                        break;
                    }
                    self.at += 1; // the second quote of a pair stays in the text
                }
                Some(b'\n' | b'\r') => self.end_line(),
                Some(_) => self.at += 1,
            }
        }
        // Text after the closing quote is kept rather than lost.
        let after = self.at;
        while !self.at_line_end() && !self.byte().is_some_and(|b| self.delimiter.is(b)) {
            self.at += 1;
        }
        out.push_str(self.text[after..self.at].trim());
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(text: &str, delimiter: Delimiter) -> Result<Vec<(u64, Vec<String>)>, Fault> {
        let mut records = Records::new(text, delimiter);
        let (mut out, mut fields) = (Vec::new(), Vec::new());
        while let Some(line) = records.next(&mut fields)? {
            out.push((line, fields.iter().map(|f| f.to_string()).collect()));
        }
        Ok(out)
    }

    fn row(line: u64, fields: &[&str]) -> (u64, Vec<String>) {
        (line, fields.iter().map(|f| f.to_string()).collect())
    }

    #[test]
    fn quotes_line_ends_and_line_numbers() {
        let text = "a, \"b \"\"q\"\"\"\r\n\r\n# note\r\n\"x\ny\",2\r3,\n";
        let got = all(text, Delimiter::Comma).unwrap();
        assert_eq!(
            got,
            [
                row(1, &["a", "b \"q\""]),
                row(4, &["x\ny", "2"]),
                row(6, &["3", ""])
            ]
        );
    }

    #[test]
    fn aligned_by_spaces() {
        let got = all("  1  2.5 \"a b\"  \n 3\t4 c", Delimiter::Spaces).unwrap();
        assert_eq!(
            got,
            [row(1, &["1", "2.5", "a b"]), row(2, &["3", "4", "c"])]
        );
    }

    #[test]
    fn a_number_sign_column_is_no_comment_and_tabs_keep_empty_fields() {
        assert_eq!(
            all("#,v\n1,2", Delimiter::Comma).unwrap()[0],
            row(1, &["#", "v"])
        );
        assert_eq!(
            all("\t1\t\n", Delimiter::Tab).unwrap(),
            [row(1, &["", "1", ""])]
        );
        assert_eq!(
            all("sep=;\na;b", Delimiter::Semicolon).unwrap(),
            [row(2, &["a", "b"])]
        );
    }

    #[test]
    fn an_open_quote_is_named_by_the_line_it_opens_on() {
        assert_eq!(
            all("a,b\n1,\"2\n3,4\n", Delimiter::Comma),
            Err(Fault::OpenQuote(2))
        );
    }

    proptest! {
        /// What is written quoted comes back, whatever it contains.
        #[test]
        fn quoted_round_trip(cells in proptest::collection::vec(proptest::collection::vec("[a-z\",;|\t\n ä#]{0,6}", 3), 1..6)) {
            for (delimiter, sign) in [(Delimiter::Comma, ","), (Delimiter::Semicolon, ";"), (Delimiter::Tab, "\t"), (Delimiter::Pipe, "|"), (Delimiter::Spaces, "  ")] {
                let text: String = cells.iter().map(|r| {
                    r.iter().map(|c| format!("\"{}\"", c.replace('"', "\"\""))).collect::<Vec<_>>().join(sign) + "\r\n"
                }).collect();
                let got: Vec<_> = all(&text, delimiter).unwrap().into_iter().map(|(_, f)| f).collect();
                prop_assert_eq!(&got, &cells);
            }
        }

        /// No text makes the reader panic or stand still.
        #[test]
        fn any_text_ends(text in "[\"a,;#\t\r\n |é]{0,60}") {
            for d in [Delimiter::Comma, Delimiter::Tab, Delimiter::Spaces, Delimiter::None] {
                let _ = all(&text, d);
            }
        }
    }
}
