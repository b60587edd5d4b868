//! What a decoder says when nobody tells it: greedily, or by beam search.
//!
//! A hypothesis of n symbols with log-probability l scores l / ((5 + n) / 6)^α — Y. Wu et al., "Google's neural machine
//! translation system" (2016), section 7. α = 0 is the probability itself, which favours the short.

use super::Sources;
use crate::Error;
use crate::data::SymbolTable;
use elman_core::{Batch, State, Team, Transducer, TransducerTrace};

/// How to search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Search {
    /// Hypotheses kept for each row; 1 is greedy.
    pub beam: usize,
    /// α: how far length is made up for, from 0.
    pub length_penalty: f64,
    /// Symbols after which it stops.
    pub bound: usize,
}

/// What was said for one row.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Hypothesis {
    /// Codes, without start and end.
    pub(crate) codes: Vec<u32>,
    /// Log-probability, the end's included where it came.
    pub(crate) log_probability: f64,
    /// Where it looked at each symbol (and at the end): weights over the source's steps; empty without attention.
    pub(crate) looked: Vec<Vec<f32>>,
}

impl Hypothesis {
    fn score(&self, alpha: f64) -> f64 {
        let length = (5.0 + self.codes.len() as f64) / 6.0;
        self.log_probability / length.powf(alpha)
    }
}

/// Hypotheses that are run side by side.
const SIDE_BY_SIDE: usize = 256;

/// A hypothesis that goes on, and the row it is for.
#[derive(Clone)]
struct Open {
    row: usize,
    last: u32,
    said: Hypothesis,
}

/// The best hypothesis for each of the rows.
pub(crate) fn search(
    net: &Transducer<f32>,
    sources: &Sources,
    rows: &[usize],
    how: Search,
    team: &Team,
) -> Result<Vec<Hypothesis>, Error> {
    // Rows of similar lengths go together; the answers come back in the order asked for.
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(sources.length(rows[i])));
    let mut best = vec![Hypothesis::default(); rows.len()];
    let share = (SIDE_BY_SIDE / how.beam.max(1)).max(1);
    for part in order.chunks(share) {
        let chosen: Vec<usize> = part.iter().map(|&i| rows[i]).collect();
        let said = side_by_side(net, sources, &chosen, how, team)?;
        part.iter().zip(said).for_each(|(&i, h)| best[i] = h);
    }
    Ok(best)
}

fn side_by_side(
    net: &Transducer<f32>,
    sources: &Sources,
    rows: &[usize],
    how: Search,
    team: &Team,
) -> Result<Vec<Hypothesis>, Error> {
    let given = sources.batch(rows)?;
    let mut trace = TransducerTrace::default();
    let mut state: State<f32> = net.read(given.view(), &mut trace, team)?;
    let mut ended: Vec<Vec<Hypothesis>> = vec![Vec::new(); rows.len()];
    let start = |row| Open {
        row,
        last: SymbolTable::START,
        said: Hypothesis::default(),
    };
    let mut open: Vec<Open> = (0..rows.len()).map(start).collect();
    for step in 0..=how.bound {
        if open.is_empty() {
            break;
        }
        let attends: Vec<usize> = open.iter().map(|o| o.row).collect();
        let last: Vec<u32> = open.iter().map(|o| o.last).collect();
        let batch = Batch::symbols(&last, [1, open.len()], net.symbols(), None)?;
        net.decode(&attends, &batch, &state, &mut trace, team)?;
        let (mut next, mut parents) = (Vec::new(), Vec::new());
        for group in groups(&open) {
            let row = open[group.start].row;
            let must_end = step == how.bound;
            for (parent, code, log_probability) in
                candidates(&open, group, &batch, trace.outputs(), how.beam, must_end)
            {
                let mut said = open[parent].said.clone();
                said.log_probability = log_probability;
                let looked = net.looked(&trace, (0, parent));
                if !looked.is_empty() {
                    said.looked.push(looked.to_vec());
                }
                if code == SymbolTable::END {
                    ended[row].push(said);
                } else {
                    said.codes.push(code);
                    let last = code;
                    next.push(Open { row, last, said });
                    parents.push(parent);
                }
            }
        }
        // A row with as many ended hypotheses as the beam is wide is done.
        let keep: Vec<usize> = (0..next.len())
            .filter(|&i| ended[next[i].row].len() < how.beam)
            .collect();
        let parents: Vec<usize> = keep.iter().map(|&i| parents[i]).collect();
        state = net.state_after(&trace)?.select(&parents);
        open = keep.into_iter().map(|i| next[i].clone()).collect();
    }
    let alpha = how.length_penalty;
    let best = |all: Vec<Hypothesis>| {
        let all = all.into_iter();
        all.max_by(|a, b| a.score(alpha).total_cmp(&b.score(alpha)))
            .unwrap_or_default()
    };
    Ok(ended.into_iter().map(best).collect())
}

/// Neighbouring hypotheses of the same row.
fn groups(open: &[Open]) -> Vec<std::ops::Range<usize>> {
    let mut at = 0;
    let sizes = open.chunk_by(|a, b| a.row == b.row).map(<[Open]>::len);
    sizes
        .map(|n| {
            at += n;
            at - n..at
        })
        .collect()
}

/// The likeliest ways to go on for one row: parent, symbol, log-probability of the whole; the end alone where it must
/// end now.
fn candidates(
    open: &[Open],
    group: std::ops::Range<usize>,
    batch: &Batch<f32>,
    outputs: &[f32],
    beam: usize,
    must_end: bool,
) -> Vec<(usize, u32, f64)> {
    let width = outputs.len() / batch.total();
    let mut all = Vec::new();
    for parent in group {
        let at = batch.at(0, parent).unwrap_or(0);
        let y = &outputs[at * width..][..width];
        let top = y.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f64 = y.iter().map(|&y| f64::from(y - top).exp()).sum();
        let before = open[parent].said.log_probability - sum.ln() - f64::from(top);
        for (code, &y) in y.iter().enumerate() {
            let code = code as u32;
            let never = [SymbolTable::UNKNOWN, SymbolTable::START].contains(&code);
            if !never && (!must_end || code == SymbolTable::END) {
                all.push((parent, code, before + f64::from(y)));
            }
        }
    }
    all.sort_by(|a, b| b.2.total_cmp(&a.2));
    all.truncate(beam);
    all
}
