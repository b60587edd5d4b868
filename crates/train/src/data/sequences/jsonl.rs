//! JSON lines: one sequence a line, `{"id": "a", "x": [[1, 2], [3, 4]], "y": "class"}`.

use super::super::error::{DataError, Result, shown};
use super::super::frame::Missing;
use super::super::source;
use super::build::{Builder, Read, Written};
use super::{LabelKind, Sequences};
use serde_json::Value;
use std::collections::HashMap;
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
        let value: Value = serde_json::from_str(text).map_err(|e| {
            bad(format!(
                "this is not JSON ({})",
                e.to_string().replace("line 1 ", "")
            ))
        })?;
        let Value::Object(object) = value else {
            return Err(bad(
                "a line must be an object such as {\"x\": [[1, 2]], \"y\": \"a\"}".into(),
            ));
        };
        let id = match object.get("id") {
            None | Some(Value::Null) => line.to_string(),
            Some(id) => name(id).ok_or_else(|| bad("\"id\" must be a text or a number".into()))?,
        };
        if let Some(before) = ids.insert(id.clone(), line) {
            return Err(bad(format!(
                "the id {} was used on line {before} already; give each line its own",
                shown(&id)
            )));
        }
        let (width, steps) = steps(object.get("x")).map_err(bad)?;
        let label =
            label(object.get("y"), options.kind, steps.len() / width.max(1)).map_err(bad)?;
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

/// Number of channels, and `[T * F]` with gaps as NaN.
fn steps(x: Option<&Value>) -> Result<(usize, Vec<f64>), String> {
    let Some(Value::Array(rows)) = x else {
        return Err("\"x\" must be there and be an array of steps".into());
    };
    let mut out = Vec::new();
    let mut width = None;
    for (step, row) in (1..).zip(rows) {
        let values = match row {
            Value::Array(values) => values.as_slice(),
            one => std::slice::from_ref(one),
        };
        let expected = *width.get_or_insert(values.len());
        if values.len() != expected {
            return Err(format!(
                "step {step} has {} channels and step 1 has {expected}; repair this line",
                values.len()
            ));
        }
        for (channel, value) in (1..).zip(values) {
            out.push(match value {
                Value::Null => f64::NAN,
                Value::Number(n) => n.as_f64().unwrap_or(f64::INFINITY),
                other => {
                    let text = shown(&other.to_string());
                    return Err(format!(
                        "step {step}, channel {channel}: {text} is not a number; repair it"
                    ));
                }
            });
        }
    }
    match width {
        None | Some(0) => Err("\"x\" has no values; give the sequence some or leave it out".into()),
        Some(width) => Ok((width, out)),
    }
}

fn label(y: Option<&Value>, kind: LabelKind, steps: usize) -> Result<Written, String> {
    let class = |v: &Value| {
        name(v).ok_or_else(|| {
            format!(
                "{} in \"y\" is not a class; give a text or a number",
                shown(&v.to_string())
            )
        })
    };
    let number = |v: &Value| {
        v.as_f64().ok_or_else(|| {
            format!(
                "{} in \"y\" is not a number; correct it",
                shown(&v.to_string())
            )
        })
    };
    let y = match (kind, y) {
        (LabelKind::None, _) => return Ok(Written::None),
        (_, None | Some(Value::Null)) => return Err("\"y\" is not there; add the label".into()),
        (_, Some(y)) => y,
    };
    let per_step = || match y {
        Value::Array(all) if all.len() == steps => Ok(all),
        Value::Array(all) => Err(format!(
            "\"y\" has {} labels and \"x\" has {steps} steps; make them equal",
            all.len()
        )),
        _ => Err("\"y\" must be an array with a label for each step".to_owned()),
    };
    Ok(match kind {
        LabelKind::None => Written::None,
        LabelKind::Class => Written::Class(class(y)?),
        LabelKind::Number => Written::Number(number(y)?),
        LabelKind::ClassPerStep => {
            Written::Classes(per_step()?.iter().map(class).collect::<Result<_, _>>()?)
        }
        LabelKind::NumberPerStep => {
            Written::Numbers(per_step()?.iter().map(number).collect::<Result<_, _>>()?)
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
