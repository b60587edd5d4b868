//! JSON lines: one sequence a line, `{"id": "a", "x": [[1, 2], [3, 4]], "y": "class"}`.

use super::super::error::{DataError, Result, shown};
use super::super::frame::Missing;
use super::super::source;
use super::build::Builder;
use super::{LabelKind, Sequences};
use serde::Deserialize;
use serde::de::{Deserializer as _, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use std::fmt;
use std::path::Path;

/// How the lines are to be read.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct JsonlOptions {
    /// What `y` is: a class (text, number or truth value), a number, or an array with one for each step.
    pub kind: LabelKind,
    /// What to do about `null` in `x`.
    pub missing: Missing,
}

/// Reads JSON lines. `x` is an array of steps, each an array of channels or, for one channel, a number;
/// `id` may be left out (the line's number stands for it), other keys are passed over.
///
/// # Errors
/// Those of the file system and of UTF-8; and, with the line: JSON that is wrong, a key that is missing or
/// holds something else, steps or sequences with unequal numbers of channels, an id used before.
pub fn read_jsonl(path: &Path, options: JsonlOptions) -> Result<Sequences> {
    parse_jsonl(&source::display(path), &source::read(path)?, options)
}

/// [`read_jsonl`] from bytes; `file` is the name used in messages.
///
/// # Errors
/// As [`read_jsonl`], apart from those of the file system.
pub fn parse_jsonl(file: &str, bytes: &[u8], options: JsonlOptions) -> Result<Sequences> {
    let mut builder = None;
    let lines = (1..).zip(source::text(file, bytes)?.lines());
    let read = lines
        .filter(|(_, text)| !text.trim().is_empty())
        .try_for_each(|(line, text)| {
            let one = One {
                file,
                line,
                options,
            };
            one.read(text, &mut builder)
        });
    let Some(builder) = builder else {
        return Err(read.err().unwrap_or(DataError::Empty {
            file: file.to_owned(),
        }));
    };
    if let Some((line, id, before)) = builder.repeated() {
        let what = format!(
            "the id {} was used on line {} already; give each line its own",
            shown(id),
            builder.line_of(before)
        );
        return Err(builder.line_error(line, what));
    }
    read?;
    builder.finish()
}

/// A line: one sequence.
struct One<'f> {
    file: &'f str,
    line: u64,
    options: JsonlOptions,
}

impl One<'_> {
    fn bad(&self, what: String) -> DataError {
        DataError::Line {
            file: self.file.to_owned(),
            line: self.line,
            what,
        }
    }

    /// Reads the line; the first one says how many channels there are.
    fn read(&self, text: &str, builder: &mut Option<Builder>) -> Result<()> {
        if !text.trim_start().starts_with('{') {
            let what = "a line must be an object such as {\"x\": [[1, 2]], \"y\": \"a\"}";
            return Err(self.bad(what.into()));
        }
        let read: Line<'_> = serde_json::from_str(text).map_err(|e| {
            let said = e.to_string().replace("line 1 ", "");
            self.bad(format!("this is not JSON ({said})"))
        })?;
        let id = match read.id {
            None | Some(Value::Null) => self.line.to_string(),
            Some(id) => {
                name(&id).ok_or_else(|| self.bad("\"id\" must be a text or a number".into()))?
            }
        };
        let steps = self.steps(read.x, builder)?;
        match builder {
            Some(builder) if steps > 0 => {
                self.label(read.y, steps, builder)?;
                builder.end(self.line, Some(&id))
            }
            _ => {
                let what = "\"x\" has no values; give the sequence some or leave it out";
                Err(self.bad(what.into()))
            }
        }
    }

    /// Reads the steps and returns how many they are; those without channels do not count.
    fn steps(&self, x: Option<&RawValue>, builder: &mut Option<Builder>) -> Result<usize> {
        let Some(rows) = x.filter(|x| is_array(x)) else {
            return Err(self.bad("\"x\" must be there and be an array of steps".into()));
        };
        let (mut step, mut first, mut values) = (0, None, Vec::new());
        self.each(rows, |row| {
            step += 1;
            values.clear();
            let mut push = |value: &RawValue| {
                let channel = values.len() + 1;
                values.push(number(value).map_err(|text| {
                    self.bad(format!(
                        "step {step}, channel {channel}: {text} is not a number; repair it"
                    ))
                })?);
                Ok(())
            };
            match is_array(row) {
                true => self.each(row, push)?,
                false => push(row)?,
            }
            let (width, first) = (values.len(), *first.get_or_insert(values.len()));
            if width != first {
                return Err(self.bad(format!(
                    "step {step} has {width} channels and step 1 has {first}; repair this line"
                )));
            }
            if width == 0 {
                return Ok(());
            }
            let builder = match &mut *builder {
                Some(builder) => builder,
                none => {
                    let JsonlOptions { kind, missing } = self.options;
                    let channels = Builder::numbered(self.file, width)?;
                    none.insert(Builder::new(self.file, channels, kind, missing))
                }
            };
            let expected = builder.width();
            if width != expected {
                return Err(self.bad(format!(
                    "the steps have {width} channels and those before have {expected}; repair this line"
                )));
            }
            let mut places = values.iter().enumerate();
            places.try_for_each(|(channel, &value)| builder.value(self.line, channel, value))
        })?;
        Ok(if first == Some(0) { 0 } else { step })
    }

    fn label(&self, y: Option<&RawValue>, steps: usize, builder: &mut Builder) -> Result<()> {
        let y = match (self.options.kind, y) {
            (LabelKind::None, _) => return Ok(()),
            (_, None) => return Err(self.bad("\"y\" is not there; add the label".into())),
            (_, Some(y)) => y,
        };
        let mut class = |v: &RawValue| match name(&scalar(v)) {
            Some(name) => builder.class(self.line, &name),
            None => Err(self.bad(format!(
                "{} in \"y\" is not a class; give a text or a number",
                shown(v.get())
            ))),
        };
        match self.options.kind {
            LabelKind::None => Ok(()),
            LabelKind::Class => class(y),
            LabelKind::ClassPerStep => self.per_step(y, steps, class),
            LabelKind::Number => builder.number(self.line, self.y(y)?),
            LabelKind::NumberPerStep => {
                self.per_step(y, steps, |v| builder.number(self.line, self.y(v)?))
            }
        }
    }

    fn y(&self, v: &RawValue) -> Result<f64> {
        match number(v) {
            Ok(number) if !number.is_nan() => Ok(number),
            _ => Err(self.bad(format!(
                "{} in \"y\" is not a number; correct it",
                shown(v.get())
            ))),
        }
    }

    /// Calls `take` with the label of each step.
    fn per_step(
        &self,
        y: &RawValue,
        steps: usize,
        mut take: impl FnMut(&RawValue) -> Result<()>,
    ) -> Result<()> {
        if !is_array(y) {
            let what = "\"y\" must be an array with a label for each step";
            return Err(self.bad(what.into()));
        }
        let mut found = 0;
        self.each(y, |v| {
            found += 1;
            take(v)
        })?;
        match found == steps {
            true => Ok(()),
            false => Err(self.bad(format!(
                "\"y\" has {found} labels and \"x\" has {steps} steps; make them equal"
            ))),
        }
    }

    /// Calls `take` with each element of an array, and says what it said.
    fn each<'t>(
        &self,
        array: &'t RawValue,
        take: impl FnMut(&'t RawValue) -> Result<()>,
    ) -> Result<()> {
        let mut parser = serde_json::Deserializer::from_str(array.get());
        parser
            .deserialize_seq(Each(take))
            .unwrap_or_else(|e| Err(self.bad(e.to_string())))
    }
}

/// A text, number or truth value as a name.
fn name(value: &Value) -> Option<String> {
    match value {
        Value::String(s) => Some(s.clone()),
        Value::Number(n) => Some(n.to_string()),
        Value::Bool(b) => Some(b.to_string()),
        _ => None,
    }
}

/// The keys of a line that are read. `x` and `y` stay text until it is known what they should hold, so that
/// long ones never stand in memory as trees.
#[derive(Deserialize)]
struct Line<'t> {
    id: Option<Value>,
    #[serde(borrow)]
    x: Option<&'t RawValue>,
    #[serde(borrow)]
    y: Option<&'t RawValue>,
}

/// Calls a function with each element of an array.
struct Each<F>(F);

impl<'t, F: FnMut(&'t RawValue) -> Result<()>> Visitor<'t> for Each<F> {
    type Value = Result<()>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'t>>(mut self, mut all: A) -> Result<Self::Value, A::Error> {
        let mut said = Ok(());
        // After a fault the rest is still passed over, as the parser wants it.
        while let Some(one) = all.next_element()? {
            if said.is_ok() {
                said = (self.0)(one);
            }
        }
        Ok(said)
    }
}

fn is_array(value: &RawValue) -> bool {
    value.get().starts_with('[')
}

/// A single value; arrays and objects are what they are, and null.
fn scalar(value: &RawValue) -> Value {
    serde_json::from_str(value.get()).unwrap_or(Value::Null)
}

/// A number, NaN for `null`; otherwise the value as a message shows it.
fn number(value: &RawValue) -> Result<f64, String> {
    match value.get() {
        "null" => Ok(f64::NAN),
        text if text.starts_with(|c: char| c == '-' || c.is_ascii_digit()) => {
            Ok(text.parse().unwrap_or(f64::INFINITY))
        }
        text => Err(shown(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Label;
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str, kind: LabelKind) -> Result<Sequences> {
        parse_jsonl(
            "t.jsonl",
            text.as_bytes(),
            JsonlOptions {
                kind,
                missing: Missing::Refuse,
            },
        )
    }

    #[test]
    fn steps_channels_and_labels() {
        let s = read(
            "{\"id\":\"a\",\"x\":[[1,2],[3,4]],\"y\":\"no\"}\n\n{\"x\":[[5,6]],\"y\":7}\n",
            LabelKind::Class,
        )
        .unwrap();
        assert_eq!(
            (s.get(0).steps, &*s.get(1).id),
            (&[1.0, 2.0, 3.0, 4.0][..], "3")
        );
        assert_eq!(s.classes, ["7", "no"]);
        let s = read("{\"x\":[1,2],\"y\":[0,1.5]}", LabelKind::NumberPerStep).unwrap();
        assert_eq!(
            (s.channels.len(), s.get(0).label),
            (1, Label::Numbers(&[0.0, 1.5]))
        );
        let s = read("{\"x\":[1,2],\"y\":[true,\"b\"]}", LabelKind::ClassPerStep).unwrap();
        assert_eq!(
            (&s.classes, s.get(0).label),
            (
                &vec!["b".to_owned(), "true".into()],
                Label::Classes(&[1, 0])
            )
        );
        assert_eq!(
            read("{\"x\":[1],\"y\":0.5}", LabelKind::Number)
                .unwrap()
                .get(0)
                .label,
            Label::Number(0.5)
        );
    }

    #[test]
    fn wrong_lines() {
        let good = "{\"x\":[[1,2]],\"y\":1}\n";
        for (text, said) in [
            (
                "{\"x\":[[1,2],[3]],\"y\":1}",
                "step 2 has 1 channels and step 1 has 2",
            ),
            (
                "{\"x\":[[1]],\"y\":1}",
                "the steps have 1 channels and those before have 2",
            ),
            ("{\"x\":[[1,\"a\"]],\"y\":1}", "step 1, channel 2"),
            ("{\"x\":[[1,null]],\"y\":1}", "has no value"),
            ("{\"x\":[[1,1e99]],\"y\":1}", "not a finite number"),
            ("{\"x\":[],\"y\":1}", "\"x\" has no values"),
            ("{\"x\":[[],[]],\"y\":1}", "\"x\" has no values"),
            ("{\"y\":1}", "\"x\" must be there"),
            ("{\"x\":[[1,2]]}", "\"y\" is not there"),
            ("{\"x\":[[1,2]],\"y\":[1]}", "is not a class"),
            ("{\"x\":[[1,2]]", "this is not JSON"),
            ("[1,2]", "a line must be an object"),
            ("{\"id\":1,\"x\":[[1,2]],\"y\":1}", "used on line 1 already"),
            ("{\"id\":[1],\"x\":[[1,2]],\"y\":1}", "\"id\" must be"),
        ] {
            let got = read(&format!("{good}{text}\n"), LabelKind::Class)
                .unwrap_err()
                .to_string();
            assert!(
                got.starts_with("t.jsonl: line 2: ") && got.contains(said),
                "{text}: {got}"
            );
        }
        assert!(
            read("{\"x\":[1,2],\"y\":[1]}", LabelKind::ClassPerStep)
                .unwrap_err()
                .to_string()
                .contains("1 labels")
        );
        assert!(
            read("{\"x\":[1,2],\"y\":\"a\"}", LabelKind::Number)
                .unwrap_err()
                .to_string()
                .contains("not a number")
        );
        assert!(read(&"[".repeat(100_000), LabelKind::None).is_err());
    }

    proptest! {
        #[test]
        fn any_text(text in "[\\[\\]{}\"xy:0-9,.e\n-]{0,60}") {
            let _ = read(&text, LabelKind::ClassPerStep);
        }
    }
}
