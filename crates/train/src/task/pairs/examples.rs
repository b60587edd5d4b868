//! What goes in and what should come out, as a transducer reads it.

use crate::data::SymbolTable;
use crate::{Error, Piece, Read, Source, Target};
use elman_core::{Batch, Given, Rows};

/// What is given, row by row.
#[derive(Clone, Debug)]
pub(crate) enum Sources {
    /// Codes of each, and how many codes there are.
    Symbols(Vec<Vec<u32>>, usize),
    /// Scaled numbers `[rows, width]`, and the width.
    Vectors(Vec<f32>, usize),
}

/// What is given to the rows of one batch.
#[derive(Debug)]
pub(crate) enum GivenBatch {
    /// Sequences.
    Symbols(Box<Batch<f32>>),
    /// Vectors `[rows, width]`, and the width.
    Vectors(Vec<f32>, usize),
}

impl GivenBatch {
    /// As the engine takes it.
    pub(crate) fn view(&self) -> Given<'_, f32> {
        match self {
            GivenBatch::Symbols(batch) => Given::Sequences(batch),
            GivenBatch::Vectors(x, width) => {
                Given::Vectors(Rows::new(x, x.len() / width.max(&1), *width))
            }
        }
    }
}

impl Sources {
    /// How many.
    pub(crate) fn len(&self) -> usize {
        match self {
            Sources::Symbols(all, _) => all.len(),
            Sources::Vectors(x, width) => x.len() / width.max(&1),
        }
    }
    /// Steps, or numbers, of one.
    pub(crate) fn length(&self, row: usize) -> usize {
        match self {
            Sources::Symbols(all, _) => all[row].len(),
            Sources::Vectors(_, width) => *width,
        }
    }
    /// Those of some rows.
    pub(crate) fn batch(&self, rows: &[usize]) -> Result<GivenBatch, Error> {
        Ok(match self {
            Sources::Symbols(all, known) => {
                let sequences = rows.iter().map(|&r| all[r].as_slice());
                GivenBatch::Symbols(Box::new(symbols(sequences.collect(), *known)?))
            }
            Sources::Vectors(x, width) => {
                let numbers = rows.iter().flat_map(|&r| &x[r * width..][..*width]);
                GivenBatch::Vectors(numbers.copied().collect(), *width)
            }
        })
    }
}

/// A batch of sequences of unequal lengths.
fn symbols(rows: Vec<&[u32]>, known: usize) -> Result<Batch<f32>, Error> {
    let lengths: Vec<usize> = rows.iter().map(|r| r.len()).collect();
    let steps = lengths.iter().copied().max().unwrap_or(0);
    let mut x = vec![0; steps * rows.len()];
    for (i, row) in rows.iter().enumerate() {
        for (t, &code) in row.iter().enumerate() {
            x[t * rows.len() + i] = code;
        }
    }
    Ok(Batch::symbols(
        &x,
        [steps, rows.len()],
        known,
        Some(&lengths),
    )?)
}

/// Sources with their targets.
#[derive(Clone, Debug)]
pub(crate) struct Examples {
    pub(crate) sources: Sources,
    /// Codes of each target, the end's at the end.
    targets: Vec<Vec<u32>>,
    lengths: Vec<usize>,
    known: usize,
}

impl Examples {
    /// From sources and as many targets, without ends.
    pub(crate) fn new(sources: Sources, mut targets: Vec<Vec<u32>>, known: usize) -> Examples {
        targets.iter_mut().for_each(|t| t.push(SymbolTable::END));
        Examples {
            sources,
            lengths: targets.iter().map(Vec::len).collect(),
            targets,
            known,
        }
    }
}

impl Source for Examples {
    fn lengths(&self) -> &[usize] {
        &self.lengths
    }
    /// What the decoder reads and should say; it is always the whole.
    fn piece(&self, rows: &[usize], _: usize, _: usize) -> Result<Piece, Error> {
        let inputs: Vec<Vec<u32>> = rows
            .iter()
            .map(|&r| {
                let (_, but_end) = self.targets[r].split_last().unwrap_or((&0, &[]));
                std::iter::once(SymbolTable::START)
                    .chain(but_end.iter().copied())
                    .collect()
            })
            .collect();
        let batch = symbols(inputs.iter().map(Vec::as_slice).collect(), self.known)?;
        Ok(Piece {
            target: Target::Classes(self.wanted(rows, &batch)),
            batch,
            counted: None,
            read: Read::Last,
        })
    }
}

impl Examples {
    /// What should be said, packed as `batch`.
    fn wanted(&self, rows: &[usize], batch: &Batch<f32>) -> Vec<u32> {
        let mut wanted = vec![0; batch.total()];
        for (i, &row) in rows.iter().enumerate() {
            for (t, &code) in self.targets[row].iter().enumerate() {
                if let Some(at) = batch.at(t, i) {
                    wanted[at] = code;
                }
            }
        }
        wanted
    }
    /// The decoder's inputs of a piece with some of them replaced: `instead(step, row of the batch, symbol)`.
    pub(crate) fn replaced(
        &self,
        batch: &Batch<f32>,
        mut instead: impl FnMut(usize, usize, u32) -> u32,
    ) -> Result<Batch<f32>, Error> {
        let rows: Vec<Vec<u32>> = (0..batch.rows())
            .map(|r| {
                let steps = 0..batch.length(r);
                let symbols = steps.filter_map(|t| Some((t, batch.symbol(t, r)?)));
                symbols.map(|(t, s)| instead(t, r, s)).collect()
            })
            .collect();
        symbols(rows.iter().map(Vec::as_slice).collect(), self.known)
    }
}
