//! One step of a single row: some neighbouring units of a layer.
//!
//! There, z = b + W_xh x_t + W_hh h_{t-1} is one product, of x_t and h_{t-1} side by side with both matrices in one, and
//! every other step goes over its columns from the last to the first: what the caches still have comes first. Each
//! z is the chain of multiply-adds that [`forward`](crate::forward) makes, over x and then over h.

use crate::extended::{Extended, Masks, Step};
use crate::weights::{InputWeights, SweepWeights};
use crate::{CellKind, Element, Level, Network, Weights, drive};
use core::ops::Range;
use elman_kernels::{Buffer, Packed, Rows, RowsMut, Start, product_in_turns};
use std::collections::BTreeSet;

/// x_t and h_{t-1} of all units, side by side; h from a cache line on.
#[derive(Clone, Debug)]
pub(crate) struct Entering<E> {
    data: Buffer<E>,
    /// Where x begins, and h.
    at: (usize, usize),
}

impl<E: Element> Entering<E> {
    /// For `reads` features (none where symbols are read) and `hidden` units.
    pub fn new(reads: usize, hidden: usize) -> Self {
        let h = reads.next_multiple_of(16);
        Entering {
            data: zeros(h + hidden),
            at: (h - reads, h),
        }
    }
    pub fn x(&mut self) -> &mut [E] {
        &mut self.data[self.at.0..self.at.1]
    }
    pub fn h(&self) -> &[E] {
        &self.data[self.at.1..]
    }
    pub fn h_mut(&mut self) -> &mut [E] {
        &mut self.data[self.at.1..]
    }
}

/// Some neighbouring units of a layer, their weights and their state.
#[derive(Clone, Debug)]
pub(crate) struct RowStep<E> {
    pub units: Range<usize>,
    blocks: Vec<Block<E>>,
    /// Whether no two of them feed the same z, so that their order is free.
    free: bool,
    /// W_ihᵀ with the bias added, where symbols are read, and the columns of z that it feeds.
    symbols: Option<(Vec<E>, Range<usize>)>,
    bias: Vec<E>,
    unit: Vec<E>,
    /// `[S·units]`
    pub state: Buffer<E>,
    after: Buffer<E>,
    drive: Buffer<E>,
    saved: Buffer<E>,
    extra: Buffer<E>,
    turned: bool,
}

/// Neighbouring columns of z that read the same numbers of [`Entering`]: x, h or both.
#[derive(Clone, Debug)]
struct Block<E> {
    columns: Range<usize>,
    reads: Range<usize>,
    weight: Packed<E>,
}

fn zeros<E: Element>(len: usize) -> Buffer<E> {
    let mut buffer = Buffer::new();
    buffer.resize(len);
    buffer
}

impl<E: Element> RowStep<E> {
    /// The units `units` of a layer. With an extended step, which makes its products with h itself, all of them.
    pub fn of(network: &Network, w: &SweepWeights<E>, units: Range<usize>) -> Self {
        let (sizes, h, n) = (network.cell.sizes(), network.hidden, units.len());
        let extra = Extended::with(network, false).width;
        let lane = |lane: usize| lane * h + units.start..lane * h + units.end;
        // Columns of z by lanes of all units, as lanes of these.
        let own = |(from, to): (usize, usize)| from / h * n..to / h * n;
        let among = |(from, to): (usize, usize)| -> Vec<Range<usize>> {
            (0..(to - from) / h).map(lane).collect()
        };
        let some = |numbers: &[E], lanes: usize| -> Vec<E> {
            (0..lanes)
                .flat_map(|l| &numbers[lane(l)])
                .copied()
                .collect()
        };
        let (mut operands, mut symbols) = (Vec::new(), None);
        match &w.input {
            InputWeights::Features(packed) => {
                operands.push((packed.select(&among(w.x_columns)), own(w.x_columns)));
            }
            InputWeights::Symbols(table) => {
                let lanes = sizes.from_x.len();
                let rows = table.chunks_exact(lanes * h);
                let rows = rows.flat_map(|row| some(row, lanes)).collect();
                symbols = Some((rows, own(w.x_columns)));
            }
        }
        if extra == 0 {
            operands.push((w.recurrent.select(&among(w.h_columns)), own(w.h_columns)));
        }
        let blocks = blocks(&operands);
        let free = |two: &[Block<E>]| two[0].columns.end <= two[1].columns.start;
        RowStep {
            free: blocks.windows(2).all(free),
            blocks,
            symbols,
            bias: some(&w.bias, sizes.drive),
            unit: some(&w.unit, sizes.unit),
            state: zeros(sizes.state * n),
            after: zeros(sizes.state * n),
            drive: zeros(sizes.drive * n),
            saved: zeros(sizes.saved * n),
            extra: zeros(extra),
            turned: false,
            units,
        }
    }
    /// Takes these units' part of a state of all units.
    pub fn set(&mut self, state: &[E], hidden: usize) {
        let slots = self.state.chunks_exact_mut(self.units.len());
        for (to, from) in slots.zip(state.chunks_exact(hidden)) {
            to.copy_from_slice(&from[self.units.clone()]);
        }
    }
    /// h of these units, after the step.
    pub fn h(&self) -> &[E] {
        &self.state[..self.units.len()]
    }
    /// One step, of layer `layer` of `weights`.
    pub fn step(
        &mut self,
        (weights, layer): (&Weights<E>, usize),
        entering: &Entering<E>,
        symbol: Option<u32>,
    ) {
        self.begin(weights.level, entering, symbol);
        match self.extra.is_empty() {
            true => self.cell(weights.level, weights.network.cell),
            false => self.extended(weights, layer),
        }
        std::mem::swap(&mut self.state, &mut self.after);
    }

    /// z, or what of it does not come from h where the step is an extended one.
    fn begin(&mut self, level: Level, entering: &Entering<E>, symbol: Option<u32>) {
        let row = &entering.data[entering.at.0..];
        let lanes = self.drive.len();
        self.drive.copy_from_slice(&self.bias);
        if let (Some((table, columns)), Some(symbol)) = (&self.symbols, symbol) {
            let from = &table[symbol as usize * columns.len()..][..columns.len()];
            self.drive[columns.clone()].copy_from_slice(from);
        }
        for i in 0..self.blocks.len() {
            let block = match self.turned {
                false => &self.blocks[i],
                true => &self.blocks[self.blocks.len() - 1 - i],
            };
            let z = RowsMut::new(&mut self.drive, 1, lanes);
            product_in_turns(
                level,
                Rows::new(row, 1, row.len()).columns(block.reads.start, block.reads.end),
                &block.weight,
                z.columns(block.columns.start, block.columns.end),
                Start::Keep,
                self.turned,
            );
        }
        self.turned = self.free && !self.turned;
    }
    fn cell(&mut self, level: Level, kind: CellKind) {
        let step = drive::Forward {
            hidden: self.units.len(),
            drive: Rows::new(&self.drive, 1, self.drive.len()),
            unit: &self.unit,
            before: Rows::new(&self.state, 1, self.state.len()),
            after: row(&mut self.after),
            saved: row(&mut self.saved),
        };
        step.run(level, kind);
    }
    fn extended(&mut self, weights: &Weights<E>, layer: usize) {
        let step = Step {
            weights,
            w: &weights.sweeps[layer],
            columns: Extended::with(&weights.network, false),
            masks: Masks::NONE,
        };
        step.forward(
            row(&mut self.drive),
            Rows::new(&self.state, 1, self.state.len()),
            row(&mut self.after),
            row(&mut self.saved),
            row(&mut self.extra),
        );
    }
}

fn row<E>(data: &mut Buffer<E>) -> RowsMut<'_, E> {
    let n = data.len();
    RowsMut::new(data, 1, n)
}

/// Bytes of weights that stay in the level-1 cache anyway, so that a product more costs more than it saves.
const SMALL: usize = 28 * 1024;

/// What z is summed from: matrices, the first of which reads x, and the columns that each feeds.
type Operands<E> = [(Packed<E>, Range<usize>)];

/// The products of a step: of columns that read the same, or where they are small and more than operands, of those.
fn blocks<E: Element>(operands: &Operands<E>) -> Vec<Block<E>> {
    let joined = joined(operands);
    let numbers: usize = operands.iter().map(|(w, c)| w.k() * c.len()).sum();
    match joined.len() > operands.len() && numbers * size_of::<E>() <= SMALL {
        true => (0..operands.len())
            .flat_map(|i| feeding(operands, &operands[i].1, i..i + 1))
            .collect(),
        false => joined,
    }
}

/// Cut where the columns of an operand begin or end, each with the rows of all that feed it.
fn joined<E: Element>(operands: &Operands<E>) -> Vec<Block<E>> {
    let ends = operands.iter().flat_map(|(_, c)| [c.start, c.end]);
    let cuts: BTreeSet<usize> = ends.collect();
    let cuts: Vec<usize> = cuts.into_iter().collect();
    cuts.windows(2)
        .flat_map(|ends| feeding(operands, &(ends[0]..ends[1]), 0..operands.len()))
        .collect()
}

/// The rows of those among `operands` that feed `columns`, one below another.
fn feeding<E: Element>(
    operands: &Operands<E>,
    columns: &Range<usize>,
    among: Range<usize>,
) -> Option<Block<E>> {
    let mut block = None::<Block<E>>;
    let mut before = 0;
    for (i, (weight, of)) in operands.iter().enumerate() {
        let reads = before..before + weight.k();
        before = reads.end;
        if !among.contains(&i) || of.start > columns.start || of.end < columns.end {
            continue;
        }
        let own = columns.start - of.start..columns.end - of.start;
        let weight = weight.select(core::slice::from_ref(&own));
        block = Some(match block {
            None => Block {
                columns: columns.clone(),
                reads,
                weight,
            },
            Some(block) => Block {
                reads: block.reads.start..reads.end,
                weight: block.weight.over(&weight),
                ..block
            },
        });
    }
    block
}
