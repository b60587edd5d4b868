//! What all readers of sequences do with what they read: channels alike, gaps closed, f32, classes numbered.

use super::super::delimited::MOST_FIELDS;
use super::super::error::{DataError, Result};
use super::super::frame::Missing;
use super::super::values::between;
use super::{LabelKind, Sequences};
use std::collections::HashMap;

/// Most classes: each has a name, which takes far more than a short label, and an output of the network.
pub(super) const MOST_CLASSES: usize = 100_000;

/// Collects sequences, value by value: whole ones would stand in memory twice.
pub(super) struct Builder {
    all: Sequences,
    missing: Missing,
    /// Classes the file declares; others are errors.
    declared: Option<Vec<String>>,
    seen: HashMap<String, u32>,
    /// Where the values of the sequence being read begin.
    start: usize,
    /// Its channels.
    open: Vec<Channel>,
}

/// How far a channel has been read.
#[derive(Debug, Clone, Default)]
struct Channel {
    steps: usize,
    line: Interpolation,
}

impl Builder {
    pub(super) fn new(
        file: &str,
        channels: Vec<String>,
        kind: LabelKind,
        missing: Missing,
    ) -> Self {
        let open = vec![Channel::default(); channels.len()];
        let mut all = Sequences::new(file, channels);
        all.labels.kind = kind;
        Self {
            all,
            missing,
            declared: None,
            seen: HashMap::new(),
            start: 0,
            open,
        }
    }

    /// Channels named by their number.
    pub(super) fn numbered(file: &str, count: usize) -> Result<Vec<String>> {
        if count > MOST_FIELDS {
            return Err(DataError::File {
                file: file.to_owned(),
                what: format!(
                    "its steps have {count} channels, more than {MOST_FIELDS}; if they are one long series, make each value a step"
                ),
            });
        }
        Ok((1..=count).map(|n| format!("channel_{n}")).collect())
    }

    pub(super) fn declare(&mut self, classes: Vec<String>) {
        self.seen = classes.iter().cloned().zip(0..).collect();
        self.declared = Some(classes);
    }

    pub(super) fn line_error(&self, line: u64, what: String) -> DataError {
        DataError::Line {
            file: self.all.file.clone(),
            line,
            what,
        }
    }

    /// Number of channels.
    pub(super) fn width(&self) -> usize {
        self.open.len()
    }

    /// Takes the next value of a channel of the sequence being read, NaN for a gap.
    pub(super) fn value(&mut self, line: u64, channel: usize, value: f64) -> Result<()> {
        let (width, start) = (self.width(), self.start);
        let (steps, open) = (&mut self.all.steps, &mut self.open[channel]);
        let step = open.steps;
        open.steps += 1;
        if steps.len() <= start + step * width + channel {
            steps.resize(start + (step + 1) * width, f32::NAN);
        }
        let fault = |text: String| {
            let (file, column) = (self.all.file.clone(), self.all.channels[channel].clone());
            (file, column, text)
        };
        if value.is_nan() {
            if self.missing == Missing::Refuse {
                let (file, column, text) = fault(format!("step {}", step + 1));
                return Err(DataError::MissingValue {
                    file,
                    line,
                    column,
                    text,
                });
            }
            return Ok(());
        }
        if !(value as f32).is_finite() {
            let (file, column, text) = fault(value.to_string());
            return Err(DataError::NotFinite {
                file,
                line,
                column,
                text,
            });
        }
        let mut put =
            |step: usize, value: f64| steps[start + step * width + channel] = value as f32;
        put(step, value);
        if self.missing == Missing::Interpolate {
            open.line.known(step, value, |step, value| {
                put(step, value);
                self.all.repaired += 1;
            });
        }
        Ok(())
    }

    /// Takes a class: that of the sequence being read, or of its next step.
    pub(super) fn class(&mut self, line: u64, name: &str) -> Result<()> {
        let class = self.number_of(line, name)?;
        self.all.labels.classes.push(class);
        Ok(())
    }

    /// Takes a number as a label: that of the sequence being read, or of its next step.
    pub(super) fn number(&mut self, line: u64, value: f64) -> Result<()> {
        if !value.is_finite() {
            let what = format!("the label {value} is not a finite number; correct it");
            return Err(self.line_error(line, what));
        }
        self.all.labels.numbers.push(value);
        Ok(())
    }

    /// Ends the sequence being read, which began on `line`; without an id, its number is its id.
    pub(super) fn end(&mut self, line: u64, id: Option<&str>) -> Result<()> {
        if let Err(what) = self.close_gaps(id) {
            return Err(self.line_error(line, what));
        }
        self.all.end(line, id);
        self.start = self.all.steps.len();
        self.open.fill(Channel::default());
        Ok(())
    }

    /// Fills gaps or leaves them out; or says what is wrong with the sequence.
    fn close_gaps(&mut self, id: Option<&str>) -> Result<(), String> {
        let name = id.map_or_else(|| (self.all.len() + 1).to_string(), str::to_owned);
        if self.all.steps.len() == self.start {
            return Err(format!(
                "sequence {name} has no steps; give it some or leave it out"
            ));
        }
        if self.all.ids.as_ref().is_some_and(|ids| !ids.takes(&name)) {
            return Err("the ids have more than 4 GiB; give shorter ones".into());
        }
        match self.missing {
            Missing::Refuse => Ok(()),
            Missing::Interpolate => self.fill().map_err(|channel| {
                let channel = &self.all.channels[channel];
                format!(
                    "channel {channel} has no value in any step of sequence {name}; leave one of them out"
                )
            }),
            Missing::Drop => match self.leave_out_gaps() {
                0 => Err(format!(
                    "every step of sequence {name} has a gap, so nothing is left of it; interpolate, or leave it out"
                )),
                _ => Ok(()),
            },
        }
    }

    /// Fills the gaps at the end of the channels; or says which has no value at all.
    fn fill(&mut self) -> Result<(), usize> {
        let (width, start) = (self.width(), self.start);
        let all = &mut self.all;
        for (channel, open) in self.open.iter().enumerate() {
            let known = open.line.end(open.steps, |step, value| {
                all.steps[start + step * width + channel] = value as f32;
                all.repaired += 1;
            });
            if !known {
                return Err(channel);
            }
        }
        Ok(())
    }

    /// Moves the steps without gaps, and their labels, up to where the first that has one stood. Returns how many
    /// there are.
    fn leave_out_gaps(&mut self) -> usize {
        let (width, labels) = (self.width(), &mut self.all.labels);
        let steps = &mut self.all.steps;
        let first = self.start / width;
        let mut kept = first;
        for step in first..steps.len() / width {
            let values = step * width..(step + 1) * width;
            if steps[values.clone()].iter().any(|v| v.is_nan()) {
                continue;
            }
            steps.copy_within(values, kept * width);
            match labels.kind {
                LabelKind::ClassPerStep => labels.classes[kept] = labels.classes[step],
                LabelKind::NumberPerStep => labels.numbers[kept] = labels.numbers[step],
                _ => {}
            }
            kept += 1;
        }
        self.all.repaired += steps.len() / width - kept;
        steps.truncate(kept * width);
        match labels.kind {
            LabelKind::ClassPerStep => labels.classes.truncate(kept),
            LabelKind::NumberPerStep => labels.numbers.truncate(kept),
            _ => {}
        }
        kept - first
    }

    fn number_of(&mut self, line: u64, name: &str) -> Result<u32> {
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
                file: self.all.file.clone(),
                line,
                label: name.to_owned(),
                known: known.clone(),
            });
        }
        if self.seen.len() == MOST_CLASSES {
            let what = format!(
                "there are more than {MOST_CLASSES} classes; if the labels are numbers, learn them as such"
            );
            return Err(self.line_error(line, what));
        }
        let class = self.seen.len() as u32;
        self.seen.insert(name.to_owned(), class);
        Ok(class)
    }

    /// The first sequence whose id another had before it: its line, its id, and which the other is.
    pub(super) fn repeated(&self) -> Option<(u64, &str, usize)> {
        let ids = self.all.ids.as_ref()?;
        let (row, before) = ids.repeated()?;
        Some((self.line_of(row), ids.get(row), before))
    }

    /// The line on which a sequence begins.
    pub(super) fn line_of(&self, row: usize) -> u64 {
        self.all.lines.get(row).unwrap_or_default()
    }

    pub(super) fn finish(self) -> Result<Sequences> {
        let Self {
            mut all,
            declared,
            mut seen,
            ..
        } = self;
        if all.is_empty() {
            return Err(DataError::File {
                file: all.file,
                what: "there is no sequence in it; give a file with data in it".into(),
            });
        }
        all.classes = declared.unwrap_or_else(|| {
            // A class may stand in steps only that were left out.
            let mut used = vec![false; seen.len()];
            for &class in &all.labels.classes {
                used[class as usize] = true;
            }
            seen.retain(|_, class| used[*class as usize]);
            let (names, place) = in_order(seen, used.len());
            for class in &mut all.labels.classes {
                *class = place[*class as usize];
            }
            names
        });
        Ok(all)
    }
}

/// Values for gaps, from the known values as they come: linear between two, held before the first and after the last.
#[derive(Debug, Clone, Default)]
struct Interpolation {
    last: Option<(usize, f64)>,
}

impl Interpolation {
    /// Takes the next known value, and calls `fill` for each place between it and the one before.
    fn known(&mut self, place: usize, value: f64, mut fill: impl FnMut(usize, f64)) {
        match self.last.replace((place, value)) {
            None => (0..place).for_each(|gap| fill(gap, value)),
            Some(before) => {
                for gap in before.0 + 1..place {
                    fill(gap, between(before, (place, value), gap));
                }
            }
        }
    }

    /// Calls `fill` for each place after the last known value, up to `end`; false where none was known.
    fn end(&self, end: usize, mut fill: impl FnMut(usize, f64)) -> bool {
        if let Some((from, value)) = self.last {
            (from + 1..end).for_each(|gap| fill(gap, value));
        }
        self.last.is_some()
    }
}

/// Names in numeric order if all are whole numbers, else alphabetic; and the new place of each number.
fn in_order(seen: HashMap<String, u32>, numbers: usize) -> (Vec<String>, Vec<u32>) {
    let mut all: Vec<(String, u32)> = seen.into_iter().collect();
    all.sort();
    if all.iter().all(|(name, _)| name.parse::<i64>().is_ok()) {
        // The sort is stable, so that 1 and 01 stay in alphabetic order.
        all.sort_by_key(|(name, _)| name.parse::<i64>().unwrap_or_default());
    }
    let mut place = vec![0; numbers];
    for (new, (_, old)) in all.iter().enumerate() {
        place[*old as usize] = new as u32;
    }
    (all.into_iter().map(|(name, _)| name).collect(), place)
}

#[cfg(test)]
mod tests {
    use super::super::Label;
    use super::*;

    fn builder(channels: usize, kind: LabelKind, missing: Missing) -> Builder {
        Builder::new(
            "t",
            Builder::numbered("t", channels).unwrap(),
            kind,
            missing,
        )
    }

    #[test]
    fn classes_are_numbered_in_a_sensible_order() {
        for (given, wanted) in [
            (vec!["10", "9", "1"], ["1", "9", "10"]),
            (vec!["b", "10", "a"], ["10", "a", "b"]),
        ] {
            let mut b = builder(1, LabelKind::Class, Missing::Refuse);
            for (line, name) in (1..).zip(&given) {
                b.value(line, 0, 0.0).unwrap();
                b.class(line, name).unwrap();
                b.end(line, None).unwrap();
            }
            let s = b.finish().unwrap();
            assert_eq!(s.classes, wanted);
            for (row, name) in s.iter().zip(&given) {
                assert!(matches!(row.label, Label::Class(c) if s.classes[c as usize] == *name));
            }
        }
    }

    #[test]
    fn gaps_in_steps() {
        let push = |missing| {
            let mut b = builder(2, LabelKind::NumberPerStep, missing);
            let steps = [1.0, f64::NAN, 2.0, 5.0, f64::NAN, 6.0, 4.0, 7.0];
            for (i, value) in steps.into_iter().enumerate() {
                b.value([9, 11, 12, 13][i / 2], i % 2, value)?;
            }
            for label in 0..4 {
                b.number(9, label.into())?;
            }
            b.end(9, Some("s"))?;
            b.finish()
        };
        assert!(matches!(
            push(Missing::Refuse),
            Err(DataError::MissingValue { line: 9, .. })
        ));
        let filled = push(Missing::Interpolate).unwrap();
        assert_eq!(
            filled.get(0).steps,
            [1.0, 5.0, 2.0, 5.0, 3.0, 6.0, 4.0, 7.0]
        );
        let dropped = push(Missing::Drop).unwrap();
        assert_eq!(dropped.get(0).steps, [2.0, 5.0, 4.0, 7.0]);
        assert_eq!(dropped.get(0).label, Label::Numbers(&[1.0, 3.0]));
        assert_eq!((filled.repaired, dropped.repaired), (2, 2));
    }

    #[test]
    fn a_class_of_steps_left_out_is_none() {
        let mut b = builder(1, LabelKind::ClassPerStep, Missing::Drop);
        for (value, class) in [(1.0, "c"), (f64::NAN, "a"), (2.0, "b")] {
            b.class(1, class).unwrap();
            b.value(1, 0, value).unwrap();
        }
        b.end(1, None).unwrap();
        let s = b.finish().unwrap();
        assert_eq!(s.classes, ["b", "c"]);
        assert_eq!(s.get(0).label, Label::Classes(&[1, 0]));
    }

    #[test]
    fn too_large_for_f32_and_nothing_at_all() {
        let read = |steps: &[f64]| {
            let mut b = builder(1, LabelKind::None, Missing::Interpolate);
            steps.iter().try_for_each(|&v| b.value(1, 0, v))?;
            b.end(1, Some("s"))
        };
        assert!(matches!(read(&[1e39]), Err(DataError::NotFinite { .. })));
        assert!(matches!(read(&[]), Err(DataError::Line { .. })));
        assert!(matches!(read(&[f64::NAN]), Err(DataError::Line { .. })));
        let none = builder(1, LabelKind::None, Missing::Interpolate);
        assert!(none.finish().is_err());
    }
}
