//! JSON lines: one sequence a line, `{"id": "a", "x": [[1, 2], [3, 4]], "y": "class"}`.

use super::super::error::{DataError, Result, shown};
use super::super::frame::Missing;
use super::super::source;
use super::super::texts::Texts;
use super::build::{Builder, Read, Written};
use super::{LabelKind, Sequences};
use serde::Deserialize;
use serde::de::{Deserializer as _, SeqAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::HashMap;
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
    let mut builder: Option<(usize, Builder)> = None;
    let mut ids: HashMap<String, u64> = HashMap::new();
    for (line, text) in (1..).zip(source::text(file, bytes)?.lines()) {
        if text.trim().is_empty() {
            continue;
        }
        let bad = |what: String| DataError::Line {
            file: file.to_owned(),
            line,
            what,
        };
        if !text.trim_start().starts_with('{') {
            return Err(bad(
                "a line must be an object such as {\"x\": [[1, 2]], \"y\": \"a\"}".into(),
            ));
        }
        let read: Line<'_> = serde_json::from_str(text).map_err(|e| {
            bad(format!(
                "this is not JSON ({})",
                e.to_string().replace("line 1 ", "")
            ))
        })?;
        let id = match read.id {
            None | Some(Value::Null) => line.to_string(),
            Some(id) => name(&id).ok_or_else(|| bad("\"id\" must be a text or a number".into()))?,
        };
        if let Some(before) = ids.insert(id.clone(), line) {
            return Err(bad(format!(
                "the id {} was used on line {before} already; give each line its own",
                shown(&id)
            )));
        }
        let (width, steps) = steps(read.x).map_err(bad)?;
        let label = label(read.y, options.kind, steps.len() / width).map_err(bad)?;
        let (expected, builder) = builder.get_or_insert_with(|| {
            (
                width,
                Builder::new(file, Builder::numbered(width), options.missing),
            )
        });
        if width != *expected {
            return Err(bad(format!(
                "the steps have {width} channels and those before have {expected}; repair this line"
            )));
        }
        builder.push(Read {
            id,
            line,
            steps,
            label,
            step_lines: None,
        })?;
    }
    match builder {
        Some((_, builder)) => builder.finish(),
        None => Err(DataError::Empty {
            file: file.to_owned(),
        }),
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

/// Calls `take` with each element of an array, and says what it said.
fn each<'t>(
    array: &'t RawValue,
    take: impl FnMut(&'t RawValue) -> Result<(), String>,
) -> Result<(), String> {
    struct Each<F>(F);
    impl<'t, F: FnMut(&'t RawValue) -> Result<(), String>> Visitor<'t> for Each<F> {
        type Value = Result<(), String>;
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
    let mut parser = serde_json::Deserializer::from_str(array.get());
    parser
        .deserialize_seq(Each(take))
        .unwrap_or_else(|e| Err(e.to_string()))
}

fn is_array(value: &RawValue) -> bool {
    value.get().starts_with('[')
}

/// A single value; arrays and objects are what they are, and null.
fn scalar(value: &RawValue) -> Value {
    serde_json::from_str(value.get()).unwrap_or(Value::Null)
}

/// Number of channels, and `[T * F]` with gaps as NaN.
fn steps(x: Option<&RawValue>) -> Result<(usize, Vec<f64>), String> {
    let rows = x
        .filter(|x| is_array(x))
        .ok_or("\"x\" must be there and be an array of steps")?;
    let (mut out, mut expected, mut step) = (Vec::new(), None, 0);
    each(rows, |row| {
        step += 1;
        let mut width = 0;
        let mut push = |value: &RawValue| {
            width += 1;
            out.push(number(value).map_err(|text| {
                format!("step {step}, channel {width}: {text} is not a number; repair it")
            })?);
            Ok(())
        };
        match is_array(row) {
            true => each(row, push)?,
            false => push(row)?,
        }
        let expected = *expected.get_or_insert(width);
        if width != expected {
            return Err(format!(
                "step {step} has {width} channels and step 1 has {expected}; repair this line"
            ));
        }
        Ok(())
    })?;
    match expected {
        None | Some(0) => Err("\"x\" has no values; give the sequence some or leave it out".into()),
        Some(width) => Ok((width, out)),
    }
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

fn label(y: Option<&RawValue>, kind: LabelKind, steps: usize) -> Result<Written, String> {
    let y = match (kind, y) {
        (LabelKind::None, _) => return Ok(Written::None),
        (_, None) => return Err("\"y\" is not there; add the label".into()),
        (_, Some(y)) => y,
    };
    let class = |v: &RawValue| {
        (name(&scalar(v))).ok_or_else(|| {
            format!(
                "{} in \"y\" is not a class; give a text or a number",
                shown(v.get())
            )
        })
    };
    let number = |v: &RawValue| match number(v) {
        Ok(number) if !number.is_nan() => Ok(number),
        _ => Err(format!(
            "{} in \"y\" is not a number; correct it",
            shown(v.get())
        )),
    };
    let per_step = |take: &mut dyn FnMut(&RawValue) -> Result<(), String>| {
        if !is_array(y) {
            return Err("\"y\" must be an array with a label for each step".to_owned());
        }
        let mut found = 0;
        each(y, |v| {
            found += 1;
            take(v)
        })?;
        match found == steps {
            true => Ok(()),
            false => Err(format!(
                "\"y\" has {found} labels and \"x\" has {steps} steps; make them equal"
            )),
        }
    };
    Ok(match kind {
        LabelKind::None => Written::None,
        LabelKind::Class => Written::Class(class(y)?),
        LabelKind::Number => Written::Number(number(y)?),
        LabelKind::ClassPerStep => {
            let mut all = Texts::default();
            per_step(&mut |v| {
                all.push(&class(v)?);
                Ok(())
            })?;
            Written::Classes(all)
        }
        LabelKind::NumberPerStep => {
            let mut all = Vec::new();
            per_step(&mut |v| {
                all.push(number(v)?);
                Ok(())
            })?;
            Written::Numbers(all)
        }
    })
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
            (s.rows[0].steps.clone(), s.rows[1].id.as_str()),
            (vec![1.0, 2.0, 3.0, 4.0], "3")
        );
        assert_eq!(s.classes, ["7", "no"]);
        let s = read("{\"x\":[1,2],\"y\":[0,1.5]}", LabelKind::NumberPerStep).unwrap();
        assert_eq!(
            (s.channels.len(), &s.rows[0].label),
            (1, &Label::Numbers(vec![0.0, 1.5]))
        );
        let s = read("{\"x\":[1,2],\"y\":[true,\"b\"]}", LabelKind::ClassPerStep).unwrap();
        assert_eq!(
            (s.classes, &s.rows[0].label),
            (
                vec!["b".to_owned(), "true".into()],
                &Label::Classes(vec![1, 0])
            )
        );
        assert_eq!(
            read("{\"x\":[1],\"y\":0.5}", LabelKind::Number)
                .unwrap()
                .rows[0]
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
