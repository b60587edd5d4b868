//! Scores of what was said in answer to a source.

use crate::task::{PairModel, PairPart, Search, Spoken};
use crate::{Error, Evaluation};
use elman_core::Team;
use serde::Serialize;

/// How well a network says what it should, on one part of the data.
#[derive(Clone, Debug, Serialize)]
pub struct PairScores {
    /// The part's name.
    pub part: String,
    /// Whether training had no share in it.
    pub held_out: bool,
    /// Sources.
    pub count: usize,
    /// Share said exactly as (one of) the references.
    pub exact: f64,
    /// The rest: the word error rate.
    pub word_error_rate: f64,
    /// Symbols to put in, take out or change to reach the nearest reference, over the references' symbols.
    pub symbol_error_rate: f64,
    /// Share that always saying the commonest target would get right.
    pub commonest: f64,
    /// Some of them.
    pub examples: Vec<PairExample>,
}

/// A source and what was said.
#[derive(Clone, Debug, Serialize)]
pub struct PairExample {
    /// The source's symbols, or the name of its vector.
    pub source: Vec<String>,
    /// The nearest reference.
    pub target: Vec<String>,
    /// What was said.
    pub said: Vec<String>,
    /// Weights over the source's steps, for each symbol said; empty without attention.
    pub attention: Vec<Vec<f32>>,
}

/// Examples that are kept of a part.
const EXAMPLES: usize = 12;

/// Edits from one sequence to another — V. Levenshtein (1966).
fn edits<T: PartialEq>(from: &[T], to: &[T]) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in to.iter().enumerate() {
            let change = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[to.len()]
}

/// Scores a model on parts of the data.
pub(crate) fn pairs(
    model: &PairModel,
    parts: &[PairPart],
    how: Search,
    team: &Team,
) -> Result<Evaluation, Error> {
    let mut scored = Vec::new();
    for part in parts {
        let all: Vec<usize> = (0..part.sources.len()).collect();
        let said = model.spoken(&part.sources, &all, how, team)?;
        scored.push(score(model, part, &said));
    }
    Ok(Evaluation::Pairs {
        beam: how.beam,
        separator: model.separator().into(),
        parts: scored,
    })
}

fn score(model: &PairModel, part: &PairPart, said: &[Spoken]) -> PairScores {
    let cut = model.target().cut();
    let (mut right, mut wrong_symbols, mut symbols) = (0, 0, 0);
    let mut counts = std::collections::BTreeMap::<&str, usize>::new();
    let mut examples = Vec::new();
    for ((spoken, references), name) in said.iter().zip(&part.references).zip(&part.names) {
        let nearest = references
            .iter()
            .map(|r| {
                let target: Vec<String> = cut.of(r).map(str::to_owned).collect();
                (edits(&spoken.symbols, &target), target)
            })
            .min_by_key(|(edits, _)| *edits);
        let (edits, target) = nearest.unwrap_or_default();
        right += usize::from(edits == 0);
        wrong_symbols += edits;
        symbols += target.len();
        let first = references.first().map_or("", String::as_str);
        *counts.entry(first).or_default() += 1;
        if examples.len() < EXAMPLES {
            examples.push(PairExample {
                source: model.source_symbols(name),
                target,
                said: spoken.symbols.clone(),
                attention: spoken.attention.clone(),
            });
        }
    }
    let n = said.len().max(1) as f64;
    let exact = right as f64 / n;
    PairScores {
        part: part.name.into(),
        held_out: part.name != "training" && part.name != "validation",
        count: said.len(),
        exact,
        word_error_rate: 1.0 - exact,
        symbol_error_rate: wrong_symbols as f64 / symbols.max(1) as f64,
        commonest: counts.values().max().copied().unwrap_or(0) as f64 / n,
        examples,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edit_distances() {
        let of = |a: &str, b: &str| edits(a.as_bytes(), b.as_bytes());
        assert_eq!(of("kitten", "sitting"), 3);
        assert_eq!((of("", "abc"), of("abc", ""), of("abc", "abc")), (3, 3, 0));
        assert_eq!(of("abcd", "acd"), 1);
    }
}
