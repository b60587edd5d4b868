//! What all readers of sequences do with what they have read: channels alike, gaps closed, f32, classes numbered.

use super::super::error::{DataError, Result};
use super::super::frame::{Missing, interpolate};
use super::super::texts::Texts;
use super::{Label, LabelKind, Sequence, Sequences};
use std::collections::HashMap;

/// A label as written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Written {
    None,
    Class(String),
    Number(f64),
    Classes(Texts),
    Numbers(Vec<f64>),
}

/// A sequence as read: gaps are NaN.
pub(super) struct Read<'l> {
    pub(super) id: String,
    pub(super) line: u64,
    /// `[T * F]`, time-major.
    pub(super) steps: Vec<f64>,
    pub(super) label: Written,
    /// Line of each step, where they are not all on `line`.
    pub(super) step_lines: Option<&'l [u32]>,
}

/// Collects sequences.
pub(super) struct Builder {
    file: String,
    channels: Vec<String>,
    missing: Missing,
    /// Classes the file declares; others are errors.
    declared: Option<Vec<String>>,
    seen: HashMap<String, u32>,
    rows: Vec<Sequence>,
    repaired: usize,
}

impl Builder {
    pub(super) fn new(file: &str, channels: Vec<String>, missing: Missing) -> Self {
        Self {
            file: file.to_owned(),
            channels,
            missing,
            declared: None,
            seen: HashMap::new(),
            rows: Vec::new(),
            repaired: 0,
        }
    }

    /// Channels named by their number.
    pub(super) fn numbered(count: usize) -> Vec<String> {
        (1..=count).map(|n| format!("channel_{n}")).collect()
    }

    pub(super) fn declare(&mut self, classes: Vec<String>) {
        self.seen = classes.iter().cloned().zip(0..).collect();
        self.declared = Some(classes);
    }

    pub(super) fn line_error(&self, line: u64, what: String) -> DataError {
        DataError::Line {
            file: self.file.clone(),
            line,
            what,
        }
    }

    pub(super) fn push(&mut self, mut read: Read<'_>) -> Result<()> {
        let width = self.channels.len();
        if read.steps.is_empty() || width == 0 {
            let what = format!(
                "sequence {} has no steps; give it some or leave it out",
                read.id
            );
            return Err(self.line_error(read.line, what));
        }
        self.close_gaps(&mut read)?;
        let steps = self.narrow(&read)?;
        let label = self.label(read.line, read.label)?;
        self.rows.push(Sequence {
            id: read.id,
            line: read.line,
            steps,
            label,
        });
        Ok(())
    }

    fn close_gaps(&mut self, read: &mut Read<'_>) -> Result<()> {
        let width = self.channels.len();
        let Some(gap) = read.steps.iter().position(|v| v.is_nan()) else {
            return Ok(());
        };
        match self.missing {
            Missing::Refuse => Err(DataError::MissingValue {
                file: self.file.clone(),
                line: read.line_of(gap / width),
                column: self.channels[gap % width].clone(),
                text: format!("step {}", gap / width + 1),
            }),
            Missing::Interpolate => {
                for channel in 0..width {
                    let mut values: Vec<f64> = read
                        .steps
                        .iter()
                        .skip(channel)
                        .step_by(width)
                        .copied()
                        .collect();
                    self.repaired += interpolate(&mut values);
                    if values[0].is_nan() {
                        let name = &self.channels[channel];
                        let what = format!(
                            "channel {name} has no value in any step of sequence {}",
                            read.id
                        );
                        return Err(self.line_error(read.line, what + "; leave one of them out"));
                    }
                    for (step, value) in values.into_iter().enumerate() {
                        read.steps[step * width + channel] = value;
                    }
                }
                Ok(())
            }
            Missing::Drop => {
                let keep: Vec<bool> = read
                    .steps
                    .chunks(width)
                    .map(|s| !s.iter().any(|v| v.is_nan()))
                    .collect();
                let kept = keep.iter().filter(|&&k| k).count();
                if kept == 0 {
                    let what = format!(
                        "every step of sequence {} has a gap, so nothing is left of it",
                        read.id
                    );
                    return Err(self.line_error(read.line, what + "; interpolate, or leave it out"));
                }
                self.repaired += keep.len() - kept;
                let mut value = 0;
                read.steps.retain(|_| {
                    value += 1;
                    keep[(value - 1) / width]
                });
                let mut step = keep.iter();
                match &mut read.label {
                    Written::Classes(all) => {
                        *all = all
                            .iter()
                            .zip(step)
                            .filter(|(_, k)| **k)
                            .map(|(c, _)| c)
                            .collect()
                    }
                    Written::Numbers(all) => all.retain(|_| step.next().copied().unwrap_or(true)),
                    _ => {}
                }
                Ok(())
            }
        }
    }

    fn narrow(&self, read: &Read<'_>) -> Result<Vec<f32>> {
        let width = self.channels.len();
        let narrowed: Vec<f32> = read.steps.iter().map(|&v| v as f32).collect();
        match narrowed.iter().position(|v| !v.is_finite()) {
            None => Ok(narrowed),
            Some(i) => Err(DataError::NotFinite {
                file: self.file.clone(),
                line: read.line_of(i / width),
                column: self.channels[i % width].clone(),
                text: read.steps[i].to_string(),
            }),
        }
    }

    fn label(&mut self, line: u64, written: Written) -> Result<Label> {
        Ok(match written {
            Written::None => Label::None,
            Written::Number(v) => Label::Number(self.finite(line, v)?),
            Written::Class(name) => Label::Class(self.class(line, &name)?),
            Written::Numbers(all) => Label::Numbers(
                all.into_iter()
                    .map(|v| self.finite(line, v))
                    .collect::<Result<_>>()?,
            ),
            Written::Classes(all) => Label::Classes(
                all.iter()
                    .map(|c| self.class(line, c))
                    .collect::<Result<_>>()?,
            ),
        })
    }

    fn finite(&self, line: u64, value: f64) -> Result<f64> {
        if value.is_finite() {
            return Ok(value);
        }
        Err(self.line_error(
            line,
            format!("the label {value} is not a finite number; correct it"),
        ))
    }

    fn class(&mut self, line: u64, name: &str) -> Result<u32> {
        if name.is_empty() {
            return Err(
                self.line_error(line, "the label is empty; give the sequence a class".into())
            );
        }
        if let Some(&class) = self.seen.get(name) {
            return Ok(class);
        }
        if let Some(known) = &self.declared {
            return Err(DataError::UnknownClass {
                file: self.file.clone(),
                line,
                label: name.to_owned(),
                known: known.clone(),
            });
        }
        let class = self.seen.len() as u32;
        self.seen.insert(name.to_owned(), class);
        Ok(class)
    }

    pub(super) fn finish(self) -> Result<Sequences> {
        let Self {
            file,
            channels,
            declared,
            seen,
            mut rows,
            repaired,
            ..
        } = self;
        if rows.is_empty() {
            return Err(DataError::File {
                file,
                what: "there is no sequence in it; give a file with data in it".into(),
            });
        }
        let classes = declared.unwrap_or_else(|| {
            let (names, place) = in_order(seen);
            for row in &mut rows {
                match &mut row.label {
                    Label::Class(c) => *c = place[*c as usize],
                    Label::Classes(all) => all.iter_mut().for_each(|c| *c = place[*c as usize]),
                    _ => {}
                }
            }
            names
        });
        Ok(Sequences {
            file,
            channels,
            classes,
            rows,
            repaired,
        })
    }
}

impl Read<'_> {
    fn line_of(&self, step: usize) -> u64 {
        self.step_lines
            .and_then(|l| l.get(step))
            .map_or(self.line, |&line| line.into())
    }
}

/// Names in numeric order if all are whole numbers, else alphabetic; and the new place of each number.
fn in_order(seen: HashMap<String, u32>) -> (Vec<String>, Vec<u32>) {
    let mut all: Vec<(String, u32)> = seen.into_iter().collect();
    all.sort();
    if all.iter().all(|(name, _)| name.parse::<i64>().is_ok()) {
        // The sort is stable, so that 1 and 01 stay in alphabetic order.
        all.sort_by_key(|(name, _)| name.parse::<i64>().unwrap_or_default());
    }
    let mut place = vec![0; all.len()];
    for (new, (_, old)) in all.iter().enumerate() {
        place[*old as usize] = new as u32;
    }
    (all.into_iter().map(|(name, _)| name).collect(), place)
}

/// The number of a class or label written as a number: whole ones without a point.
pub(super) fn written(value: f64, kind: LabelKind) -> Written {
    match kind {
        LabelKind::None => Written::None,
        LabelKind::Class | LabelKind::ClassPerStep => Written::Class(value.to_string()),
        LabelKind::Number | LabelKind::NumberPerStep => Written::Number(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_numbered_in_a_sensible_order() {
        for (given, wanted) in [
            (vec!["10", "9", "1"], ["1", "9", "10"]),
            (vec!["b", "10", "a"], ["10", "a", "b"]),
        ] {
            let mut b = Builder::new("t", Builder::numbered(1), Missing::Refuse);
            for (line, name) in (1..).zip(&given) {
                let label = Written::Class((*name).into());
                b.push(Read {
                    id: String::new(),
                    line,
                    steps: vec![0.0],
                    label,
                    step_lines: None,
                })
                .unwrap();
            }
            let s = b.finish().unwrap();
            assert_eq!(s.classes, wanted);
            for (row, name) in s.rows.iter().zip(&given) {
                assert!(matches!(row.label, Label::Class(c) if s.classes[c as usize] == *name));
            }
        }
    }

    #[test]
    fn gaps_in_steps() {
        let push = |missing| {
            let mut b = Builder::new("t", Builder::numbered(2), missing);
            let steps = vec![1.0, f64::NAN, 2.0, 5.0, f64::NAN, 6.0, 4.0, 7.0];
            let label = Written::Numbers(vec![0.0, 1.0, 2.0, 3.0]);
            b.push(Read {
                id: "s".into(),
                line: 9,
                steps,
                label,
                step_lines: Some(&[9, 11, 12, 13]),
            })?;
            b.finish()
        };
        assert!(matches!(
            push(Missing::Refuse),
            Err(DataError::MissingValue { line: 9, .. })
        ));
        let filled = push(Missing::Interpolate).unwrap();
        assert_eq!(
            filled.rows[0].steps,
            [1.0, 5.0, 2.0, 5.0, 3.0, 6.0, 4.0, 7.0]
        );
        let dropped = push(Missing::Drop).unwrap();
        assert_eq!(dropped.rows[0].steps, [2.0, 5.0, 4.0, 7.0]);
        assert_eq!(dropped.rows[0].label, Label::Numbers(vec![1.0, 3.0]));
        assert_eq!((filled.repaired, dropped.repaired), (2, 2));
    }

    #[test]
    fn too_large_for_f32_and_nothing_at_all() {
        let mut b = Builder::new("t", Builder::numbered(1), Missing::Interpolate);
        let read = |steps| Read {
            id: "s".into(),
            line: 1,
            steps,
            label: Written::None,
            step_lines: None,
        };
        assert!(matches!(
            b.push(read(vec![1e39])),
            Err(DataError::NotFinite { .. })
        ));
        assert!(matches!(b.push(read(vec![])), Err(DataError::Line { .. })));
        assert!(matches!(
            b.push(read(vec![f64::NAN])),
            Err(DataError::Line { .. })
        ));
        assert!(b.finish().is_err());
    }
}
