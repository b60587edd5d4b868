//! Sequences as a network reads them, with what it should say.

use super::Question;
use crate::data::sequences::{Label, Sequences};
use crate::data::{
    Affine, DataError, Frame, Rising, RowLabels, Scaler, Scaling, Values, sorted_batches,
};
use crate::{Error, Loss, Piece, Read, Source, Sum, Target};
use elman_core::{Batch, Team, Trace, Weights, forward};
use std::num::NonZeroUsize;

/// Rows that are run side by side where nothing is learned.
const SIDE_BY_SIDE: NonZeroUsize = NonZeroUsize::new(64).unwrap();

/// Scaled sequences.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    /// `[T, F]` of each.
    x: Vec<Vec<f32>>,
    width: usize,
    lengths: Vec<usize>,
    answers: Vec<Answers>,
    question: Question,
    read: Read,
}

/// What should be said about one sequence, on the network's scale.
#[derive(Clone, Debug, PartialEq)]
enum Answers {
    /// Not known.
    None,
    /// One class, or one for each step.
    Classes(Vec<u32>),
    /// One number, or one for each step.
    Numbers(Vec<f32>),
}

/// How channels, and labels that are numbers, are scaled; and the mean of the latter.
pub(crate) fn fit(
    scaling: Scaling,
    sequences: &Sequences,
    train: &[usize],
) -> Result<(Scaler, Affine, f64), Error> {
    let f = sequences.channels.len();
    let rows = || train.iter().map(|&r| sequences.get(r));
    let channel = |c: usize| {
        let values = rows().flat_map(|r| r.steps.iter().skip(c).step_by(f));
        values.map(|&v| f64::from(v)).collect()
    };
    let labels: Vec<f64> = rows()
        .flat_map(|r| match r.label {
            Label::Number(y) => vec![y],
            Label::Numbers(all) => all.to_vec(),
            _ => Vec::new(),
        })
        .collect();
    let frame = |names: Vec<String>, columns: Vec<Vec<f64>>| Frame {
        file: sequences.file.clone(),
        names,
        columns: columns.into_iter().map(Values::from).collect(),
        labels: RowLabels::default(),
        line_of_row: Rising::default(),
        repaired: 0,
    };
    let scale = |frame: Frame| {
        let n = frame.columns[0].len();
        Scaler::fit(scaling, &frame, 0..n)
    };
    let channels = scale(frame(
        sequences.channels.clone(),
        (0..f).map(channel).collect(),
    ))?;
    let mean = labels.iter().sum::<f64>() / labels.len().max(1) as f64;
    let answer = match labels.is_empty() {
        true => Affine {
            name: "label".into(),
            offset: 0.0,
            scale: 1.0,
        },
        false => scale(frame(vec!["label".into()], vec![labels]))?
            .columns
            .remove(0),
    };
    Ok((channels, answer, mean))
}

impl Rows {
    /// Some of the sequences. Errors where a value is so large that it overflows on the network's scale.
    pub(crate) fn new(
        sequences: &Sequences,
        which: &[usize],
        (channels, answer): (&Scaler, &Affine),
        (question, read): (Question, Read),
    ) -> Result<Rows, Error> {
        let f = sequences.channels.len();
        let mut rows = Rows {
            x: Vec::with_capacity(which.len()),
            width: f,
            lengths: Vec::with_capacity(which.len()),
            answers: Vec::with_capacity(which.len()),
            question,
            read,
        };
        let scaled = |y: f64| ((y - answer.offset) / answer.scale) as f32;
        for row in which.iter().map(|&r| sequences.get(r)) {
            let places = row.steps.iter().enumerate();
            let x: Vec<f32> = places
                .map(|(i, &v)| channels.forward(i % f, f64::from(v)) as f32)
                .collect();
            let answers = match row.label {
                Label::None => Answers::None,
                Label::Class(c) => Answers::Classes(vec![c]),
                Label::Classes(all) => Answers::Classes(all.to_vec()),
                Label::Number(y) => Answers::Numbers(vec![scaled(y)]),
                Label::Numbers(all) => Answers::Numbers(all.iter().map(|&y| scaled(y)).collect()),
            };
            let sound = match &answers {
                Answers::Numbers(y) => y.iter().all(|y| y.is_finite()),
                _ => true,
            };
            if !sound || x.iter().any(|v| !v.is_finite()) {
                let (file, line) = (sequences.file.clone(), row.line);
                let what = format!("a value of sequence {} is too large to be scaled", row.id);
                return Err(DataError::Line { file, line, what }.into());
            }
            rows.lengths.push(x.len() / f);
            rows.x.push(x);
            rows.answers.push(answers);
        }
        Ok(rows)
    }
    /// Runs a network over all rows and calls `each` with the row and its outputs: `[width]`, or for every step
    /// `[T, width]`.
    pub(crate) fn run(
        &self,
        weights: &Weights<f32>,
        team: &Team,
        mut each: impl FnMut(usize, &[f32]),
    ) -> Result<(), Error> {
        let mut trace = Trace::new();
        for rows in sorted_batches(&self.lengths, SIDE_BY_SIDE).batches {
            let piece = self.piece(&rows, 0, usize::MAX)?;
            let state = weights.initial_state(rows.len());
            forward(weights, &piece.batch, &state, &mut trace, team)?;
            let width = trace.output_width();
            let means = match self.read {
                Read::Mean if !self.question.every_step() => piece.means(trace.outputs(), width),
                _ => Vec::new(),
            };
            for (i, &row) in rows.iter().enumerate() {
                if let Some(mean) = means.get(i * width..(i + 1) * width) {
                    each(row, mean);
                    continue;
                }
                let first = match self.question.every_step() {
                    true => 0,
                    false => self.lengths[row] - 1,
                };
                let steps = (first..self.lengths[row])
                    .filter_map(|t| trace.output(t, i))
                    .flatten();
                each(row, &steps.copied().collect::<Vec<f32>>());
            }
        }
        Ok(())
    }

    /// The loss over all rows.
    pub(crate) fn loss(
        &self,
        loss: Loss,
        weights: &Weights<f32>,
        team: &Team,
    ) -> Result<Sum, Error> {
        let (mut trace, mut spare, mut sum) = (Trace::new(), Vec::new(), Sum::default());
        for rows in sorted_batches(&self.lengths, SIDE_BY_SIDE).batches {
            let piece = self.piece(&rows, 0, usize::MAX)?;
            let state = weights.initial_state(rows.len());
            forward(weights, &piece.batch, &state, &mut trace, team)?;
            spare.resize(trace.outputs().len(), 0.0);
            let width = trace.output_width();
            sum.add(piece.loss(loss, trace.outputs(), width, 0, &mut spare)?);
        }
        Ok(sum)
    }
}

impl Source for Rows {
    fn lengths(&self) -> &[usize] {
        &self.lengths
    }
    fn piece(&self, rows: &[usize], from: usize, to: usize) -> Result<Piece, Error> {
        let lengths: Vec<usize> = rows
            .iter()
            .map(|&r| self.lengths[r].min(to) - from)
            .collect();
        let steps = lengths.iter().copied().max().unwrap_or(0);
        let (f, n) = (self.width, rows.len());
        let mut x = vec![0.0; steps * n * f];
        let mut classes = vec![0; steps * n];
        let mut numbers = vec![0.0; steps * n];
        let mut counted = vec![0.0; steps * n];
        for (i, (&row, &length)) in rows.iter().zip(&lengths).enumerate() {
            for t in 0..length {
                let at = t * n + i;
                x[at * f..][..f].copy_from_slice(&self.x[row][(from + t) * f..][..f]);
                let last = from + t + 1 == self.lengths[row];
                // A whole row's answer stands at all its steps, and counts at the last.
                let own = match self.question.every_step() {
                    true => from + t,
                    false => 0,
                };
                counted[at] = f32::from(u8::from(last || self.question.every_step()));
                match &self.answers[row] {
                    Answers::None => {}
                    Answers::Classes(all) => classes[at] = all[own],
                    Answers::Numbers(all) => numbers[at] = all[own],
                }
            }
        }
        let batch = Batch::features(&x, [steps, n, f], Some(&lengths))?;
        let target = match self.question.of_classes() {
            true => Target::Classes(batch.pack(&classes, 1)?),
            false => Target::Numbers(batch.pack(&numbers, 1)?),
        };
        let counted = Some(batch.pack(&counted, 1)?);
        let read = match self.question.every_step() {
            true => Read::Last,
            false => self.read,
        };
        Ok(Piece {
            batch,
            target,
            counted,
            read,
        })
    }
}
