//! One cell of a table: a number, a gap, or text.

/// What a cell holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Cell {
    /// A finite number.
    Number(f64),
    /// Infinity, or a number too large for f64.
    Infinite,
    /// A gap.
    Missing,
    /// Anything else.
    Text,
}

/// Words for "no value here", compared without case.
const GAPS: [&str; 10] = [
    "", "na", "n/a", "nan", "null", "none", "?", "-", "#n/a", ".",
];

/// Whether `text` stands for a gap.
pub(crate) fn is_gap(text: &str) -> bool {
    text.len() <= 4 && GAPS.iter().any(|g| text.eq_ignore_ascii_case(g))
}

/// Reads one cell; with `comma`, numbers are written `1,5` or `1.234,5` instead of `1.5`.
pub(crate) fn read(text: &str, comma: bool) -> Cell {
    if is_gap(text) {
        return Cell::Missing;
    }
    let parsed = if comma {
        parse_comma(text)
    } else {
        parse_dot(text)
    };
    match parsed {
        Some(v) if v.is_nan() => Cell::Missing,
        Some(v) if v.is_infinite() => Cell::Infinite,
        Some(v) => Cell::Number(v),
        None => Cell::Text,
    }
}

fn parse_dot(text: &str) -> Option<f64> {
    // Spreadsheets write U+2212 for minus.
    match text.strip_prefix('\u{2212}') {
        Some(rest) if rest.starts_with(|c: char| c.is_ascii_digit() || c == '.') => {
            rest.parse().ok().map(|v: f64| -v)
        }
        _ => text.parse().ok(),
    }
}

/// `1,5`, `-1.234.567,5`, `3`; but `1.5` and `1.23,4` are no numbers here.
fn parse_comma(text: &str) -> Option<f64> {
    let (whole, rest) = text.split_once(',').unwrap_or((text, ""));
    if rest.contains(['.', ',']) {
        return None;
    }
    let mut groups = whole.split('.');
    let first = groups.next()?.trim_start_matches(['+', '-', '\u{2212}']);
    if whole.contains('.') {
        let grouped = (1..=3).contains(&first.len())
            && groups.all(|g| g.len() == 3 && g.bytes().all(|b| b.is_ascii_digit()));
        if !grouped || !first.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
    }
    parse_dot(&text.replace('.', "").replacen(',', ".", 1))
}

/// Whether `text` can only be a number with a decimal comma, such as `1,5`.
pub(crate) fn has_decimal_comma(text: &str) -> bool {
    text.contains(',')
        && text.starts_with(|c: char| c.is_ascii_digit() || "+-,\u{2212}".contains(c))
        && parse_comma(text).is_some()
}

/// Whether `text` is a number with a decimal point that no reading with grouping dots explains.
pub(crate) fn has_decimal_point(text: &str) -> bool {
    text.contains('.') && parse_dot(text).is_some() && parse_comma(text).is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_gaps_and_text() {
        for (text, want) in [
            ("1.5", Cell::Number(1.5)),
            ("-2e-3", Cell::Number(-0.002)),
            ("\u{2212}4", Cell::Number(-4.0)),
            ("inf", Cell::Infinite),
            ("1e999", Cell::Infinite),
            ("NaN", Cell::Missing),
            ("-nan", Cell::Missing),
            ("N/A", Cell::Missing),
            ("-", Cell::Missing),
            ("1,5", Cell::Text),
            ("abc", Cell::Text),
            ("\u{2212}\u{2212}1", Cell::Text),
            ("0x10", Cell::Text),
        ] {
            assert_eq!(read(text, false), want, "{text}");
        }
    }

    #[test]
    fn decimal_commas() {
        for (text, want) in [
            ("1,5", Cell::Number(1.5)),
            ("-1.234.567,25", Cell::Number(-1_234_567.25)),
            ("1.234", Cell::Number(1234.0)),
            ("7", Cell::Number(7.0)),
            ("1.5", Cell::Text),
            ("1,2,3", Cell::Text),
            ("01.02.2020", Cell::Text),
            ("1,5e2", Cell::Number(150.0)),
        ] {
            assert_eq!(read(text, true), want, "{text}");
        }
        assert!(has_decimal_comma("1,5") && !has_decimal_comma("a,5") && !has_decimal_comma("15"));
        assert!(has_decimal_point("1.5") && !has_decimal_point("1.234") && !has_decimal_point("3"));
    }
}
