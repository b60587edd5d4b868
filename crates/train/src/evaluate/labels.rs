//! Scores of answers about sequences.

use crate::data::sequences::Sequences;
use crate::task::{Answer, LabelModel, LabelPart, largest};
use crate::{Error, Evaluation};
use elman_core::Team;
use serde::Serialize;

/// How often classes were told apart, on one part of the data.
#[derive(Clone, Debug, Serialize)]
pub struct ClassScores {
    /// The part's name.
    pub part: String,
    /// Whether training had no share in it.
    pub held_out: bool,
    /// Sequences, or steps where every step has its label.
    pub count: usize,
    /// Share named rightly.
    pub accuracy: f64,
    /// Mean over the classes that occur, or were named, of F1 = 2 right / (named + true).
    pub macro_f1: f64,
    /// Accuracy of always naming the commonest class of the part.
    pub majority: f64,
    /// Names of the classes.
    pub classes: Vec<String>,
    /// How often, `[true class][named class]`.
    pub confusion: Vec<Vec<u64>>,
}

/// Errors of numbers, on one part of the data, in the label's units.
#[derive(Clone, Debug, Serialize)]
pub struct NumberScores {
    /// The part's name.
    pub part: String,
    /// Whether training had no share in it.
    pub held_out: bool,
    /// Numbers compared.
    pub count: usize,
    /// Root mean squared error.
    pub rmse: f64,
    /// Mean absolute error.
    pub mae: f64,
    /// Root mean squared error of always saying the mean of the training part's labels.
    pub rmse_of_mean: f64,
}

impl ClassScores {
    /// From what is true and what was named, class by class.
    pub(crate) fn of(
        part: &str,
        held_out: bool,
        classes: &[String],
        pairs: impl Iterator<Item = (u32, u32)>,
    ) -> ClassScores {
        let n = classes.len();
        let mut confusion = vec![vec![0u64; n]; n];
        for (truth, named) in pairs {
            confusion[truth as usize][named as usize] += 1;
        }
        let all: u64 = confusion.iter().flatten().sum();
        let right: u64 = (0..n).map(|c| confusion[c][c]).sum();
        let true_of = |c: usize| confusion[c].iter().sum::<u64>();
        let named_as = |c: usize| confusion.iter().map(|row| row[c]).sum::<u64>();
        let f1: Vec<f64> = (0..n)
            .filter(|&c| true_of(c) + named_as(c) > 0)
            .map(|c| 2.0 * confusion[c][c] as f64 / (true_of(c) + named_as(c)) as f64)
            .collect();
        let share = |count: u64| count as f64 / all.max(1) as f64;
        ClassScores {
            part: part.into(),
            held_out,
            count: all as usize,
            accuracy: share(right),
            macro_f1: f1.iter().sum::<f64>() / f1.len().max(1) as f64,
            majority: share((0..n).map(true_of).max().unwrap_or(0)),
            classes: classes.to_vec(),
            confusion,
        }
    }
}

/// Scores a network on parts of the data.
pub(crate) fn labels(
    model: &LabelModel,
    parts: &[LabelPart<'_>],
    team: &Team,
) -> Result<Evaluation, Error> {
    let name = model.question().name().to_string();
    if model.question().of_classes() {
        let score = |part: &LabelPart<'_>| classes(model, part, team);
        return Ok(Evaluation::Classes {
            question: name,
            parts: parts.iter().map(score).collect::<Result<_, Error>>()?,
        });
    }
    let mean = model.mean_label();
    let score = |part: &LabelPart<'_>| numbers(model, part, mean, team);
    Ok(Evaluation::Numbers {
        question: name,
        parts: parts.iter().map(score).collect::<Result<_, Error>>()?,
    })
}

fn classes(model: &LabelModel, part: &LabelPart<'_>, team: &Team) -> Result<ClassScores, Error> {
    let answers = model.answers(part.sequences, &part.which, team)?;
    let width = model.classes().len();
    let pairs = answers.iter().zip(&part.which).flat_map(|(answer, &row)| {
        let truth = LabelModel::truth(part.sequences.get(row).label).0;
        let named: Vec<u32> = match answer {
            Answer::Classes(p) => p.chunks_exact(width).map(largest).collect(),
            Answer::Numbers(_) => Vec::new(),
        };
        truth.into_iter().zip(named)
    });
    Ok(ClassScores::of(
        part.name,
        part.held_out(),
        model.classes(),
        pairs,
    ))
}

fn numbers(
    model: &LabelModel,
    part: &LabelPart<'_>,
    mean: f64,
    team: &Team,
) -> Result<NumberScores, Error> {
    let answers = model.answers(part.sequences, &part.which, team)?;
    let (mut squares, mut sizes, mut from_mean, mut count) = (0.0, 0.0, 0.0, 0);
    for (answer, &row) in answers.iter().zip(&part.which) {
        let Answer::Numbers(said) = answer else {
            continue;
        };
        let truth = LabelModel::truth(part.sequences.get(row).label).1;
        for (y, t) in said.iter().zip(truth) {
            squares += (y - t).powi(2);
            sizes += (y - t).abs();
            from_mean += (t - mean).powi(2);
            count += 1;
        }
    }
    let n = count.max(1) as f64;
    Ok(NumberScores {
        part: part.name.into(),
        held_out: part.held_out(),
        count,
        rmse: (squares / n).sqrt(),
        mae: sizes / n,
        rmse_of_mean: (from_mean / n).sqrt(),
    })
}

/// Scores a network on a whole other file, with its labels.
pub(crate) fn labels_elsewhere(
    model: &LabelModel,
    sequences: &mut Sequences,
    team: &Team,
) -> Result<Evaluation, Error> {
    if model.question().of_classes() {
        sequences.use_classes(model.classes())?;
    }
    let part = LabelPart {
        name: "the whole file",
        which: (0..sequences.len()).collect(),
        sequences,
    };
    labels(model, &[part], team)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let names = ["a", "b", "c"].map(String::from);
        let pairs = [(0, 0), (0, 0), (0, 1), (1, 1)];
        let s = ClassScores::of("test", true, &names, pairs.into_iter());
        assert_eq!(s.confusion, [vec![2, 1, 0], vec![0, 1, 0], vec![0, 0, 0]]);
        // F1 of a: 4 / (2 + 3); of b: 2 / (2 + 1); c neither occurs nor is named.
        assert!((s.macro_f1 - (0.8 + 2.0 / 3.0) / 2.0).abs() < 1e-15);
        assert_eq!((s.accuracy, s.majority, s.count), (0.75, 0.75, 4));
    }
}
