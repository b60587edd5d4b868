//! One step of a single row: some neighbouring units of a layer.
//!
//! Columns of z that read both x_t and h_{t-1} take both in one product, with the two side by side and W_xh above W_hh. Each
//! z is the chain of multiply-adds that [`forward`](crate::forward) makes: b, then over x, then over h. A step takes
//! about as long as reading the weights, so every other one reads them from the last to the first, as far as their order
//! is free: what the caches still have comes first.

use crate::step::{Masks, Step, StepPlan};
use crate::weights::{InputWeights, SweepWeights};
use crate::{CellKind, Element, Level, Network, Weights, drive};
use core::ops::Range;
use elman_kernels::{Buffer, NEAREST, Packed, Rows, RowsMut, Start, product_in_turns};

/// x_t and h_{t-1} of all units, side by side. h begins a cache line, so that threads which write parts of it write whole
/// lines.
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
    pub fn x_mut(&mut self) -> &mut [E] {
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
    /// Which layer it is of.
    layer: usize,
    products: Vec<Product<E>>,
    /// Whether no two products feed the same z, so that their order is free.
    free: bool,
    /// Whether the next step begins with the last product, and with its last columns.
    turned: bool,
    /// `[symbols, columns]`, where symbols are read: W_ihᵀ with the bias added, and the columns of z that it feeds.
    symbols: Option<(Vec<E>, Range<usize>)>,
    /// `[lanes·units]`
    bias: Vec<E>,
    drive: Buffer<E>,
    /// `[U·units]`
    unit: Vec<E>,
    /// `[S·units]`: now, and room for the one after.
    pub state: Buffer<E>,
    after: Buffer<E>,
    /// `[saved·units]`
    saved: Buffer<E>,
    /// What else than products and a cell the step has.
    plan: StepPlan,
    extra: Buffer<E>,
}

/// Neighbouring columns of z that read the same numbers: x, h or both.
#[derive(Clone, Debug)]
struct Product<E> {
    columns: Range<usize>,
    /// Counted from the first of x.
    reads: Range<usize>,
    /// `[reads, columns]`
    weight: Packed<E>,
}

fn zeros<E: Element>(len: usize) -> Buffer<E> {
    let mut buffer = Buffer::new();
    buffer.resize(len);
    buffer
}

impl<E: Element> RowStep<E> {
    /// The units `units` of a layer: all of them where a step is not plain, since such a step makes its products with h
    /// itself.
    pub fn of(network: &Network, w: &SweepWeights<E>, units: Range<usize>) -> Self {
        let (sizes, h, n) = (network.cell.sizes(), network.hidden, units.len());
        let plan = StepPlan::unmasked(network);
        debug_assert!(plan.is_plain() || n == h);
        let some = |numbers: &[E], lanes: usize| -> Vec<E> {
            (0..lanes)
                .flat_map(|l| &numbers[l * h..][units.clone()])
                .copied()
                .collect()
        };
        let lanes = |(from, to): (usize, usize)| from / h..to / h;
        let (from_x, from_h) = (lanes(w.x_columns), lanes(w.h_columns));
        let (mut operands, mut symbols) = (Vec::new(), None);
        match &w.input {
            InputWeights::Features(packed) => operands.push((packed, from_x)),
            InputWeights::Symbols(table) => {
                let rows = table.chunks_exact(from_x.len() * h);
                let rows = rows.flat_map(|row| some(row, from_x.len())).collect();
                symbols = Some((rows, from_x.start * n..from_x.end * n));
            }
        }
        if plan.is_plain() {
            operands.push((&w.recurrent, from_h));
        }
        let products = products(&operands, &units, h);
        let free = |two: &[Product<E>]| two[0].columns.end <= two[1].columns.start;
        RowStep {
            layer: w.sweep.layer,
            free: products.windows(2).all(free),
            turned: false,
            products,
            symbols,
            bias: some(&w.bias, sizes.drive),
            drive: zeros(sizes.drive * n),
            unit: some(&w.unit, sizes.unit),
            state: zeros(sizes.state * n),
            after: zeros(sizes.state * n),
            saved: zeros(sizes.saved * n),
            plan,
            extra: zeros(plan.width),
            units,
        }
    }
    /// Takes these units' part of a state of all `hidden` units.
    pub fn set(&mut self, state: &[E], hidden: usize) {
        let slots = self.state.chunks_exact_mut(self.units.len());
        for (to, from) in slots.zip(state.chunks_exact(hidden)) {
            to.copy_from_slice(&from[self.units.clone()]);
        }
    }
    /// h of these units.
    pub fn h(&self) -> &[E] {
        &self.state[..self.units.len()]
    }
    /// One step.
    pub fn step(&mut self, weights: &Weights<E>, entering: &Entering<E>, symbol: Option<u32>) {
        self.begin(weights.level, entering, symbol);
        match self.plan.is_plain() {
            true => self.cell(weights.level, weights.network.cell),
            false => self.rest(weights),
        }
        std::mem::swap(&mut self.state, &mut self.after);
    }

    /// z, or what of it does not come from h where the step is not plain.
    fn begin(&mut self, level: Level, entering: &Entering<E>, symbol: Option<u32>) {
        let row = &entering.data[entering.at.0..];
        self.drive.copy_from_slice(&self.bias);
        if let (Some((table, columns)), Some(symbol)) = (&self.symbols, symbol) {
            let from = &table[symbol as usize * columns.len()..][..columns.len()];
            self.drive[columns.clone()].copy_from_slice(from);
        }
        let (last, turned) = (self.products.len().wrapping_sub(1), self.turned);
        for i in 0..self.products.len() {
            let product = &self.products[if turned { last - i } else { i }];
            let (from, to) = (&product.reads, &product.columns);
            product_in_turns(
                level,
                Rows::new(row, 1, row.len()).columns(from.start, from.end),
                &product.weight,
                one_row(&mut self.drive).columns(to.start, to.end),
                Start::Keep,
                turned,
            );
        }
        self.turned = self.free && !turned;
    }
    fn cell(&mut self, level: Level, kind: CellKind) {
        let step = drive::Forward {
            hidden: self.units.len(),
            drive: Rows::new(&self.drive, 1, self.drive.len()),
            unit: &self.unit,
            before: Rows::new(&self.state, 1, self.state.len()),
            after: one_row(&mut self.after),
            saved: one_row(&mut self.saved),
        };
        step.run(level, kind);
    }
    /// A step that is not plain makes its products with h itself.
    fn rest(&mut self, weights: &Weights<E>) {
        let step = Step {
            weights,
            w: &weights.sweeps[self.layer],
            plan: self.plan,
            masks: Masks::NONE,
            turned: false,
        };
        step.forward(
            one_row(&mut self.drive),
            Rows::new(&self.state, 1, self.state.len()),
            one_row(&mut self.after),
            one_row(&mut self.saved),
            one_row(&mut self.extra),
        );
    }
}

fn one_row<E: Element>(data: &mut Buffer<E>) -> RowsMut<'_, E> {
    let n = data.len();
    RowsMut::new(data, 1, n)
}

/// A matrix, and the lanes of z that it feeds. Of several, the first reads x.
type Operand<'a, E> = (&'a Packed<E>, Range<usize>);

/// One product for neighbouring lanes that read the same. Where these are more than there are operands, and the weights
/// stay in the level-1 cache anyway, one for each operand: then a call costs more than it saves.
fn products<E: Element>(
    operands: &[Operand<'_, E>],
    units: &Range<usize>,
    hidden: usize,
) -> Vec<Product<E>> {
    let ends = operands.iter().flat_map(|(_, l)| [l.start, l.end]);
    let mut cuts: Vec<usize> = ends.collect();
    cuts.sort_unstable();
    cuts.dedup();
    let numbers: usize = operands
        .iter()
        .map(|(w, lanes)| w.k() * lanes.len() * units.len())
        .sum();
    let small = numbers * size_of::<E>() <= NEAREST;
    match small && cuts.len() > operands.len() + 1 {
        true => (0..operands.len())
            .flat_map(|i| feeding(operands, operands[i].1.clone(), i..i + 1, units, hidden))
            .collect(),
        false => cuts
            .windows(2)
            .flat_map(|l| feeding(operands, l[0]..l[1], 0..operands.len(), units, hidden))
            .collect(),
    }
}

/// The rows of those among `operands` that feed `lanes`, one matrix above the other.
fn feeding<E: Element>(
    operands: &[Operand<'_, E>],
    lanes: Range<usize>,
    among: Range<usize>,
    units: &Range<usize>,
    hidden: usize,
) -> Option<Product<E>> {
    let mut product = None::<Product<E>>;
    let mut before = 0;
    for (i, (weight, of)) in operands.iter().enumerate() {
        let reads = before..before + weight.k();
        before = reads.end;
        if !among.contains(&i) || of.start > lanes.start || of.end < lanes.end {
            continue;
        }
        let own: Vec<Range<usize>> = (lanes.start - of.start..lanes.end - of.start)
            .map(|l| l * hidden + units.start..l * hidden + units.end)
            .collect();
        let weight = weight.select(&own);
        product = Some(match product {
            None => Product {
                columns: lanes.start * units.len()..lanes.end * units.len(),
                reads,
                weight,
            },
            Some(above) => Product {
                reads: above.reads.start..reads.end,
                weight: above.weight.over(&weight),
                ..above
            },
        });
    }
    product
}
