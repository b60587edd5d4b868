//! Words and numbers as they stand in a page: escaping, number formats, rough widths.

/// `text` made safe for HTML and SVG, both as content and inside a quoted attribute.
///
/// Characters that XML forbids even when escaped (control characters but tab and newline, U+FFFE and
/// U+FFFF) become U+FFFD, so a page made from any text stays well-formed.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' => out.push(c),
            '\r' => {}
            c if c.is_control() || c == '\u{fffe}' || c == '\u{ffff}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// A number for people: four significant digits, thousands parted, `1.5e-7` when very small or large,
/// `–` for NaN.
pub fn number(value: f64) -> String {
    if value.is_nan() {
        return "–".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "∞" } else { "−∞" }.into();
    }
    if value == 0.0 {
        return "0".into();
    }
    let size = value.abs();
    let text = if !(1e-4..1e7).contains(&size) {
        scientific(size)
    } else if size >= 1000.0 {
        // A whole number is shown whole; otherwise one digit after the point is already the fifth.
        thousands(&format!("{size:.0}"))
    } else {
        let decimals = (3 - size.log10().floor() as i32).clamp(0, 8) as usize;
        trim_zeros(&format!("{size:.decimals$}")).to_string()
    };
    if value < 0.0 {
        format!("−{text}")
    } else {
        text
    }
}

/// `1.234e-7`, mantissa trimmed.
fn scientific(size: f64) -> String {
    let text = format!("{size:.3e}");
    match text.split_once('e') {
        Some((mantissa, exponent)) => format!("{}e{exponent}", trim_zeros(mantissa)),
        None => text,
    }
}

/// `12345` as `12,345`.
fn thousands(digits: &str) -> String {
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// `1.500` as `1.5`, `2.000` as `2`; text without a point stays.
pub(crate) fn trim_zeros(text: &str) -> &str {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        text
    }
}

/// A share of one as a percentage with a thin space before the sign.
pub(crate) fn percent(share: f64) -> String {
    if share.is_finite() {
        format!("{}\u{202f}%", number((share * 1000.0).round() / 10.0))
    } else {
        "–".into()
    }
}

/// `10⁻³` with real superscripts.
pub(crate) fn power_of_ten(exponent: i32) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let mut out = String::from("10");
    if exponent < 0 {
        out.push('⁻');
    }
    for c in exponent.unsigned_abs().to_string().bytes() {
        out.push(DIGITS[usize::from(c - b'0')]);
    }
    out
}

/// A coordinate with one decimal, as SVG takes it; anything not finite becomes 0.
pub(crate) fn px(value: f64) -> String {
    if !value.is_finite() {
        return "0".into();
    }
    let text = format!("{value:.1}");
    match trim_zeros(&text) {
        "-0" => "0".into(),
        trimmed => trimmed.into(),
    }
}

/// Rough width of `text` in pixels at a font size; a sans-serif letter is a little over half an em.
pub(crate) fn width_of(text: &str, font_size: f64) -> f64 {
    text.chars()
        .map(|c| {
            if c.is_ascii() {
                0.56
            } else if (c as u32) < 0x2e80 {
                0.6
            } else {
                1.0
            }
        })
        .sum::<f64>()
        * font_size
}

/// `text` cut to at most `max` characters, with an ellipsis where it was cut.
pub(crate) fn shorten(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        text.to_string()
    } else {
        let mut out: String = text.chars().take(max.saturating_sub(1)).collect();
        out.push('…');
        out
    }
}

/// `label (unit)`, or either alone.
pub(crate) fn with_unit(label: &str, unit: &str) -> String {
    match (label.is_empty(), unit.is_empty()) {
        (_, true) => label.to_string(),
        (true, false) => unit.to_string(),
        // Two pairs of brackets in a row read badly.
        (false, false) if label.ends_with(')') => format!("{label}, {unit}"),
        (false, false) => format!("{label} ({unit})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_covers_markup_quotes_and_forbidden_characters() {
        assert_eq!(
            escape("<a href=\"x\">'&'</a>"),
            "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;"
        );
        assert_eq!(
            escape("a\u{0}b\u{1b}c\td\r\ne\u{ffff}"),
            "a\u{fffd}b\u{fffd}c\td\ne\u{fffd}"
        );
    }

    #[test]
    fn numbers_read_well() {
        for (value, text) in [
            (0.0, "0"),
            (-0.0, "0"),
            (1.0, "1"),
            (0.5, "0.5"),
            (0.078234, "0.07823"),
            (12.3456, "12.35"),
            (-3.25, "−3.25"),
            (1921.0, "1,921"),
            (1234567.0, "1,234,567"),
            (1.5e-7, "1.5e-7"),
            (f64::NAN, "–"),
            (f64::INFINITY, "∞"),
            (f64::NEG_INFINITY, "−∞"),
            (f64::MIN_POSITIVE, "2.225e-308"),
        ] {
            assert_eq!(number(value), text, "{value}");
        }
    }

    #[test]
    fn coordinates_are_never_nan() {
        assert_eq!(px(f64::NAN), "0");
        assert_eq!(px(-0.01), "0");
        assert_eq!(px(12.0), "12");
        assert_eq!(px(12.34), "12.3");
    }

    #[test]
    fn small_things() {
        assert_eq!(power_of_ten(-12), "10⁻¹²");
        assert_eq!(percent(0.1234), "12.3\u{202f}%");
        assert_eq!(shorten("abcdef", 4), "abc…");
        assert_eq!(with_unit("loss", ""), "loss");
        assert_eq!(with_unit("time", "s"), "time (s)");
        assert_eq!(
            with_unit("loss (scaled)", "log scale"),
            "loss (scaled), log scale"
        );
    }
}
