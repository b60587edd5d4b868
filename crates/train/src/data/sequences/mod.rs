//! Many sequences of numbers with labels, whatever file they come from.

mod build;
mod jsonl;
mod long;
mod npy;
mod ts;
mod wide;

pub use jsonl::{JsonlOptions, parse_jsonl, read_jsonl};
pub use long::{LongOptions, parse_long, read_long};
pub use npy::read_npy_sequences;
pub use ts::{parse_ts, read_ts};
pub use wide::{WideOptions, parse_wide, read_wide};

use super::error::{DataError, Result};
use super::rising::Rising;
use super::texts::Texts;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::ops::Range;

/// What is to be predicted about a sequence.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LabelKind {
    /// Nothing: labels, where the file has any, are not read.
    #[default]
    None,
    /// One class for the whole sequence.
    Class,
    /// One number for the whole sequence.
    Number,
    /// A class at every step.
    ClassPerStep,
    /// A number at every step.
    NumberPerStep,
}

/// The label of one sequence; classes are positions in [`Sequences::classes`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Label<'s> {
    /// None was asked for.
    None,
    /// Of [`LabelKind::Class`].
    Class(u32),
    /// Of [`LabelKind::Number`].
    Number(f64),
    /// Of [`LabelKind::ClassPerStep`], one for each step.
    Classes(&'s [u32]),
    /// Of [`LabelKind::NumberPerStep`], one for each step.
    Numbers(&'s [f64]),
}

/// One sequence of T steps (at least one) of F channels.
#[derive(Debug, Clone, PartialEq)]
pub struct Sequence<'s> {
    /// Its name in the file, or its number from 1.
    pub id: Cow<'s, str>,
    /// Line of the file it begins on; in a `.npy` file, its number from 1.
    pub line: u64,
    /// `[T * F]`, time-major: the F channels of step 0, then those of step 1.
    pub steps: &'s [f32],
    /// What is to be predicted about it.
    pub label: Label<'s>,
}

/// Sequences of the same channels, every value finite. All steps stand one after another in one buffer, and so do
/// ids and labels: a line of two bytes can be a sequence, and has no room for vectors of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Sequences {
    /// Name of the file, as in messages.
    pub file: String,
    /// Names of the F channels.
    pub channels: Vec<String>,
    /// Names of the classes: as the file declares them, or in numeric or else alphabetic order; empty where
    /// the labels are numbers or none.
    pub classes: Vec<String>,
    /// Values that were filled in or steps left out because of gaps.
    pub repaired: usize,
    steps: Vec<f32>,
    /// How many steps there are up to the end of each sequence.
    ends: Rising,
    lines: Rising,
    /// Nothing where they are the numbers of the sequences.
    ids: Option<Texts>,
    labels: Labels,
}

/// The labels of all sequences, or of all their steps.
#[derive(Debug, Clone, Default, PartialEq)]
struct Labels {
    kind: LabelKind,
    classes: Vec<u32>,
    numbers: Vec<f64>,
}

impl Sequences {
    /// None yet, without labels.
    pub fn new(file: &str, channels: Vec<String>) -> Self {
        Self {
            file: file.to_owned(),
            channels,
            classes: Vec::new(),
            repaired: 0,
            steps: Vec::new(),
            ends: Rising::default(),
            lines: Rising::default(),
            ids: None,
            labels: Labels::default(),
        }
    }

    /// Adds a sequence `[T * F]` without a label, time-major; all of them have ids, or none. Its line is its number.
    ///
    /// # Errors
    /// [`DataError::File`] where the values are not those of whole steps, one or more.
    pub fn push(&mut self, id: Option<&str>, steps: &[f32]) -> Result<()> {
        let (width, found) = (self.channels.len(), steps.len());
        if found == 0 || found.checked_rem(width) != Some(0) {
            return Err(DataError::File {
                file: self.file.clone(),
                what: format!(
                    "a sequence has {found} values, which are no steps of {width} channels"
                ),
            });
        }
        self.steps.extend_from_slice(steps);
        self.end(self.len() as u64 + 1, id);
        Ok(())
    }

    /// Ends a sequence with the last of the steps.
    fn end(&mut self, line: u64, id: Option<&str>) {
        self.ends
            .push((self.steps.len() / self.channels.len()) as u64);
        self.lines.push(line);
        if let Some(id) = id {
            self.ids.get_or_insert_default().push(id);
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The sequence at `row`, from 0, in the file's order.
    ///
    /// # Panics
    /// Where there is none.
    pub fn get(&self, row: usize) -> Sequence<'_> {
        let (steps, width) = (self.steps_of(row), self.channels.len());
        let labels = &self.labels;
        Sequence {
            id: match &self.ids {
                Some(ids) => ids.get(row).into(),
                None => (row + 1).to_string().into(),
            },
            line: self.lines.get(row).unwrap_or_default(),
            label: match labels.kind {
                LabelKind::None => Label::None,
                LabelKind::Class => Label::Class(labels.classes[row]),
                LabelKind::Number => Label::Number(labels.numbers[row]),
                LabelKind::ClassPerStep => Label::Classes(&labels.classes[steps.clone()]),
                LabelKind::NumberPerStep => Label::Numbers(&labels.numbers[steps.clone()]),
            },
            steps: &self.steps[steps.start * width..steps.end * width],
        }
    }

    /// Which of all steps are those of the sequence at `row`; none for one that is not there.
    fn steps_of(&self, row: usize) -> Range<usize> {
        let end = |row: usize| self.ends.get(row).unwrap_or_default() as usize;
        row.checked_sub(1).map_or(0, end)..end(row)
    }

    /// All of them, in the file's order.
    pub fn iter(&self) -> impl Iterator<Item = Sequence<'_>> {
        (0..self.len()).map(|row| self.get(row))
    }

    /// Number of steps of each sequence.
    pub fn lengths(&self) -> Vec<usize> {
        (0..self.len())
            .map(|row| self.steps_of(row).len())
            .collect()
    }

    /// Numbers the classes as a model does that was trained with `classes`.
    ///
    /// # Errors
    /// [`DataError::UnknownClass`] for the first sequence whose label is not among them; nothing is changed then.
    pub fn use_classes(&mut self, classes: &[String]) -> Result<()> {
        let place: Vec<Option<u32>> = self
            .classes
            .iter()
            .map(|c| classes.iter().position(|k| k == c).map(|i| i as u32))
            .collect();
        let known = |class: u32| place.get(class as usize).copied().flatten();
        let labels = &mut self.labels.classes;
        if let Some(at) = labels.iter().position(|&c| known(c).is_none()) {
            let label = self.classes.get(labels[at] as usize).cloned();
            return Err(DataError::UnknownClass {
                file: self.file.clone(),
                line: self.get(self.row_of_label(at)).line,
                label: label.unwrap_or_default(),
                known: classes.to_vec(),
            });
        }
        for label in labels {
            *label = known(*label).unwrap_or_default();
        }
        self.classes = classes.to_vec();
        Ok(())
    }

    /// Which sequence the label at `at` belongs to.
    fn row_of_label(&self, at: usize) -> usize {
        match self.labels.kind {
            LabelKind::ClassPerStep | LabelKind::NumberPerStep => {
                self.ends.iter().take_while(|&end| end <= at as u64).count()
            }
            _ => at,
        }
    }

    /// Refuses sequences of other channels than the `expected` number, such as a model was trained with.
    ///
    /// # Errors
    /// [`DataError::File`].
    pub fn require_channels(&self, expected: usize) -> Result<()> {
        let found = self.channels.len();
        if found == expected {
            return Ok(());
        }
        let what = format!(
            "its sequences have {found} channels and {expected} are expected; choose the same channels as in training"
        );
        Err(DataError::File {
            file: self.file.clone(),
            what,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_of_a_trained_model() {
        let ts = "@classLabel true b a\n@data\n1,2:b\n3:a\n";
        let mut s = parse_ts("t.ts", ts.as_bytes(), Default::default()).unwrap();
        assert_eq!(s.classes, ["b", "a"]);
        s.use_classes(&["a".into(), "b".into(), "c".into()])
            .unwrap();
        assert_eq!(
            (s.get(0).label, s.get(1).label),
            (Label::Class(1), Label::Class(0))
        );
        let before = s.clone();
        let said = s.use_classes(&["b".into()]).unwrap_err().to_string();
        assert!(
            said.starts_with(
                r#"t.ts: line 4: the label "a" is not one of the known classes ("b")"#
            ),
            "{said}"
        );
        assert_eq!(s, before);
        assert!(s.require_channels(1).is_ok() && s.require_channels(2).is_err());
        assert_eq!(s.lengths(), [2, 1]);
    }
}
