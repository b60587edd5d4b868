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
use serde::{Deserialize, Serialize};

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
#[derive(Debug, Clone, PartialEq)]
pub enum Label {
    /// None was asked for.
    None,
    /// Of [`LabelKind::Class`].
    Class(u32),
    /// Of [`LabelKind::Number`].
    Number(f64),
    /// Of [`LabelKind::ClassPerStep`], one for each step.
    Classes(Vec<u32>),
    /// Of [`LabelKind::NumberPerStep`], one for each step.
    Numbers(Vec<f64>),
}

/// One sequence of T steps (at least one) of F channels.
#[derive(Debug, Clone, PartialEq)]
pub struct Sequence {
    /// Its name in the file, or its number from 1.
    pub id: String,
    /// Line of the file it begins on; in a `.npy` file, its number from 1.
    pub line: u64,
    /// `[T * F]`, time-major: the F channels of step 0, then those of step 1.
    pub steps: Vec<f32>,
    /// What is to be predicted about it.
    pub label: Label,
}

/// Sequences of the same channels, every value finite.
#[derive(Debug, Clone, PartialEq)]
pub struct Sequences {
    /// Name of the file, as in messages.
    pub file: String,
    /// Names of the F channels.
    pub channels: Vec<String>,
    /// Names of the classes: as the file declares them, or in numeric or else alphabetic order; empty where
    /// the labels are numbers or none.
    pub classes: Vec<String>,
    /// The sequences, in the file's order.
    pub rows: Vec<Sequence>,
    /// Values that were filled in or steps left out because of gaps.
    pub repaired: usize,
}

impl Sequences {
    /// Number of steps of each sequence.
    pub fn lengths(&self) -> Vec<usize> {
        self.rows
            .iter()
            .map(|r| r.steps.len() / self.channels.len().max(1))
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
        let mut labels = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            let unknown = |class: u32| DataError::UnknownClass {
                file: self.file.clone(),
                line: row.line,
                label: self
                    .classes
                    .get(class as usize)
                    .cloned()
                    .unwrap_or_default(),
                known: classes.to_vec(),
            };
            labels.push(match &row.label {
                Label::Class(c) => Label::Class(known(*c).ok_or_else(|| unknown(*c))?),
                Label::Classes(all) => Label::Classes(
                    all.iter()
                        .map(|&c| known(c).ok_or_else(|| unknown(c)))
                        .collect::<Result<_>>()?,
                ),
                other => other.clone(),
            });
        }
        for (row, label) in self.rows.iter_mut().zip(labels) {
            row.label = label;
        }
        self.classes = classes.to_vec();
        Ok(())
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
            (&s.rows[0].label, &s.rows[1].label),
            (&Label::Class(1), &Label::Class(0))
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
