//! UCR/UEA `.ts` files: header tags, then one sequence a line, channels separated by `:`, steps by `,`.

use super::super::cell::{self, Cell};
use super::super::error::{DataError, Result, shown};
use super::super::frame::Missing;
use super::super::source;
use super::build::{Builder, MOST_CLASSES};
use super::{LabelKind, Sequences};
use std::path::Path;

/// Reads a `.ts` file.
///
/// `@classLabel true …` gives classes in the order declared, `@targetLabel true` numbers; otherwise there
/// are no labels. Lengths may differ between sequences.
///
/// # Errors
/// Those of the file system and of UTF-8; and, with the line: no `@data`, time stamps (not supported), a
/// value that is no number or not finite, a gap (unless `missing` says otherwise), channels that differ in
/// number or length, a length other than declared, a label that is missing, no number or not declared.
pub fn read_ts(path: &Path, missing: Missing) -> Result<Sequences> {
    parse_ts(&source::display(path), &source::read(path)?, missing)
}

/// [`read_ts`] from bytes; `file` is the name used in messages.
///
/// # Errors
/// As [`read_ts`], apart from those of the file system.
pub fn parse_ts(file: &str, bytes: &[u8], missing: Missing) -> Result<Sequences> {
    let mut lines = (1..).zip(source::text(file, bytes)?.lines().map(str::trim));
    let mut header = Header::read(file, &mut lines)?;
    let mut builder: Option<Builder> = None;
    for (line, text) in lines {
        if text.is_empty() || text.starts_with(['#', '%']) {
            continue;
        }
        let one = header.one(file, line, text)?;
        if builder.is_none() {
            let channels = Builder::numbered(file, one.channels)?;
            let mut new = Builder::new(file, channels, header.labels.kind(), missing);
            if let Labels::Classes(classes) = &header.labels {
                new.declare(classes.clone());
            }
            builder = Some(new);
        }
        if let Some(builder) = &mut builder {
            one.read(&header, builder)?;
        }
    }
    let empty = "there is no sequence after @data; add some";
    let none = || DataError::File {
        file: file.to_owned(),
        what: empty.into(),
    };
    builder.ok_or_else(none)?.finish()
}

enum Labels {
    None,
    Numbers,
    Classes(Vec<String>),
}

struct Header {
    labels: Labels,
    /// Number of channels: declared, or that of the first sequence.
    channels: Option<usize>,
    length: Option<usize>,
}

impl Header {
    fn read<'t>(file: &str, lines: &mut impl Iterator<Item = (u64, &'t str)>) -> Result<Self> {
        let mut header = Self {
            labels: Labels::None,
            channels: None,
            length: None,
        };
        let (mut equal, mut length) = (false, None);
        for (line, text) in lines {
            let bad = |what: String| DataError::Line {
                file: file.to_owned(),
                line,
                what,
            };
            if text.is_empty() || text.starts_with(['#', '%']) {
                continue;
            }
            let mut words = text.split_whitespace();
            let tag = words.next().unwrap_or_default().to_lowercase();
            let value = words.next().unwrap_or_default();
            let yes = value.eq_ignore_ascii_case("true");
            let number = || {
                value
                    .parse::<usize>()
                    .ok()
                    .filter(|&n| n > 0)
                    .ok_or_else(|| {
                        bad(format!(
                            "{tag} needs a positive whole number and has {}",
                            shown(value)
                        ))
                    })
            };
            match tag.as_str() {
                "@data" => {
                    header.length = length.filter(|_| equal);
                    return Ok(header);
                }
                "@timestamps" if yes => {
                    return Err(bad("time stamps are not supported; export the file without them (@timeStamps false)".into()));
                }
                "@univariate" if yes => header.channels = Some(1),
                "@dimension" | "@dimensions" => header.channels = Some(number()?),
                "@equallength" => equal = yes,
                "@serieslength" => length = Some(number()?),
                "@targetlabel" if yes => header.labels = Labels::Numbers,
                "@classlabel" if yes => {
                    let classes = words.take(MOST_CLASSES + 1).map(str::to_owned);
                    let classes: Vec<String> = classes.collect();
                    if classes.len() > MOST_CLASSES {
                        return Err(bad(format!("there are more than {MOST_CLASSES} classes")));
                    }
                    if classes.is_empty() {
                        return Err(bad(
                            "@classLabel true must be followed by the classes".into()
                        ));
                    }
                    header.labels = Labels::Classes(classes);
                }
                tag if tag.starts_with('@') => {}
                _ => {
                    return Err(bad(
                        "there is no line @data before the data; is this a .ts file?".into(),
                    ));
                }
            }
        }
        Err(DataError::File {
            file: file.to_owned(),
            what: "there is no line @data; is this a .ts file?".into(),
        })
    }

    /// What one line holds, its values apart.
    fn one<'t>(&mut self, file: &str, line: u64, text: &'t str) -> Result<One<'t>> {
        let bad = |what: String| DataError::Line {
            file: file.to_owned(),
            line,
            what,
        };
        let (values, label) = match &self.labels {
            Labels::None => (text, ""),
            _ => text.rsplit_once(':').ok_or_else(|| {
                bad("there is no label after the last : of this line; add it".into())
            })?,
        };
        let channels = values.split(':').count();
        let expected = *self.channels.get_or_insert(channels);
        if channels != expected {
            return Err(bad(format!(
                "there are {channels} channels and {expected} are expected; repair this line"
            )));
        }
        Ok(One {
            line,
            values,
            channels,
            label: label.trim(),
        })
    }
}

impl Labels {
    fn kind(&self) -> LabelKind {
        match self {
            Self::None => LabelKind::None,
            Self::Numbers => LabelKind::Number,
            Self::Classes(_) => LabelKind::Class,
        }
    }
}

/// A line: one sequence.
struct One<'t> {
    line: u64,
    values: &'t str,
    channels: usize,
    label: &'t str,
}

impl One<'_> {
    fn read(&self, header: &Header, builder: &mut Builder) -> Result<()> {
        let line = self.line;
        let mut length = header.length;
        for (channel, values) in self.values.split(':').enumerate() {
            let steps = self.channel(channel, values, builder)?;
            let wanted = *length.get_or_insert(steps);
            if steps != wanted {
                let what = format!(
                    "channel {} has {steps} steps and {wanted} are expected; repair this line",
                    channel + 1
                );
                return Err(builder.line_error(line, what));
            }
        }
        match (&header.labels, cell::read(self.label, false)) {
            (Labels::None, _) => {}
            (Labels::Classes(_), _) => builder.class(line, self.label)?,
            (Labels::Numbers, Cell::Number(value)) => builder.number(line, value)?,
            (Labels::Numbers, _) => {
                let what = format!(
                    "the label {} is not a number; correct it",
                    shown(self.label)
                );
                return Err(builder.line_error(line, what));
            }
        }
        builder.end(line, None)
    }

    /// Reads the values of one channel, and returns how many they are.
    fn channel(&self, channel: usize, values: &str, builder: &mut Builder) -> Result<usize> {
        let mut steps = 0;
        if values.trim().is_empty() {
            return Ok(steps);
        }
        for text in values.split(',').map(str::trim) {
            steps += 1;
            let value = match cell::read(text, false) {
                Cell::Number(value) => value,
                Cell::Missing => f64::NAN,
                Cell::Infinite | Cell::Text => {
                    let what = format!(
                        "channel {}, step {steps}: {} is not a finite number; repair it",
                        channel + 1,
                        shown(text)
                    );
                    return Err(builder.line_error(self.line, what));
                }
            };
            builder.value(self.line, channel, value)?;
        }
        Ok(steps)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Label;
    use super::*;
    use proptest::prelude::*;

    const GOOD: &str = "# about\n@problemName P\n@timeStamps false\n@univariate false\n@dimensions 2\n\
                        @equalLength false\n@classLabel true yes no\n@data\n1,2,3:4,5,6:no\n\n7:8:yes\n";

    fn fault(text: &str) -> String {
        parse_ts("t.ts", text.as_bytes(), Missing::Refuse)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn channels_lengths_and_classes() {
        let s = parse_ts("t.ts", GOOD.as_bytes(), Missing::Refuse).unwrap();
        assert_eq!(s.channels, ["channel_1", "channel_2"]);
        assert_eq!(s.classes, ["yes", "no"]);
        assert_eq!(s.get(0).steps, [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
        assert_eq!(
            (s.get(0).label, s.get(1).label),
            (Label::Class(1), Label::Class(0))
        );
        assert_eq!((&*s.get(1).id, s.get(1).line), ("2", 11));
    }

    #[test]
    fn numbers_none_and_gaps() {
        let s = parse_ts("t", b"@targetLabel true\n@data\n1,2:0.5\n", Missing::Refuse).unwrap();
        assert_eq!(s.get(0).label, Label::Number(0.5));
        let s = parse_ts(
            "t",
            b"@classLabel false\n@data\n1,?,3\n",
            Missing::Interpolate,
        )
        .unwrap();
        assert_eq!(
            (s.get(0).steps, s.get(0).label),
            (&[1.0, 2.0, 3.0][..], Label::None)
        );
        assert!(
            fault("@data\n1,?,3\n")
                .contains(r#"line 2: column "channel_1" has no value ("step 2")"#)
        );
    }

    #[test]
    fn wrong_lines() {
        for (text, line, said) in [
            ("1,2,3\n", 1, "no line @data"),
            ("@data\n1,x\n", 2, r#"channel 1, step 2: "x" is not"#),
            ("@data\n1,inf\n", 2, r#"channel 1, step 2: "inf" is not"#),
            (
                "@data\n1,2:1,2\n1,2\n",
                3,
                "there are 1 channels and 2 are expected",
            ),
            (
                "@dimensions 3\n@data\n1,2:1,2\n",
                3,
                "there are 2 channels and 3",
            ),
            ("@data\n1,2:1,2,3\n", 2, "channel 2 has 3 steps and 2"),
            (
                "@equalLength true\n@seriesLength 3\n@data\n1,2\n",
                4,
                "channel 1 has 2 steps and 3",
            ),
            (
                "@classLabel true a b\n@data\n1,2:c\n",
                3,
                r#"the label "c" is not one of the known classes ("a", "b")"#,
            ),
            ("@classLabel true a b\n@data\n1,2\n", 3, "there is no label"),
            (
                "@targetLabel true\n@data\n1,2:x\n",
                3,
                r#"the label "x" is not a number"#,
            ),
            (
                "@classLabel true\n@data\n1,2:c\n",
                1,
                "must be followed by the classes",
            ),
            (
                "@timeStamps true\n@data\n(1,2)\n",
                1,
                "time stamps are not supported",
            ),
            (
                "@dimensions none\n@data\n1\n",
                1,
                "@dimensions needs a positive whole number",
            ),
            ("@data\n1:\n", 2, "channel 2 has 0 steps"),
            ("@classLabel true a\n@data\n:a\n", 3, "has no steps"),
        ] {
            let got = fault(text);
            assert!(
                got.starts_with(&format!("t.ts: line {line}: ")) && got.contains(said),
                "{text:?}: {got}"
            );
        }
        assert!(fault("@univariate true\n").contains("there is no line @data"));
        assert!(fault("@data\n").contains("no sequence after @data"));
    }

    proptest! {
        #[test]
        fn any_text(text in "(@data\n|@classLabel true a\n|@dimensions 2\n|[0-9a,:?\n#@ ]{0,12}){0,6}") {
            let _ = parse_ts("t", text.as_bytes(), Missing::Drop);
        }
    }
}
