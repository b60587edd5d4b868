//! One parameter's gradient as a sum over all steps and rows, in parts that threads share.
//!
//! A sum of up to [`SUM_BLOCK`] rows is one chain of additions. A longer one would lose digits with every row: at forty
//! million rows a chain of `f32` is half of what it should be. So it is cut into short chains, whose sums are added with
//! compensation. Neither depends on the threads.

use crate::Element;
use elman_kernels::{
    Level, Pick, Rows, RowsMut, SUM_BLOCK, column_sum_add, column_sum_add_compensated, outer_add,
    outer_add_compensated,
};

/// Whether a sum of so many rows is compensated.
pub(crate) fn is_long(rows: usize) -> bool {
    rows > SUM_BLOCK
}

/// Where a sum is added, and what it has lost by rounding beside it, where it is long.
pub(crate) struct Place<'a, E> {
    pub out: &'a mut [E],
    pub lost: Option<&'a mut [E]>,
}

impl<'a, E> Place<'a, E> {
    pub fn split_at(self, at: usize) -> (Self, Self) {
        let (o0, o1) = self.out.split_at_mut(at);
        let (l0, l1) = self.lost.map(|lost| lost.split_at_mut(at)).unzip();
        (Place { out: o0, lost: l0 }, Place { out: o1, lost: l1 })
    }
}

/// A part of one parameter's gradient: some of its rows. `lost` is what a compensated sum has lost by rounding, of the
/// shape of `out`; none where the sum is one chain.
pub(crate) enum Sum<'a, E> {
    /// `out += aᵀ b`
    Outer {
        a: Rows<'a, E>,
        b: Rows<'a, E>,
        pick: Pick<'a>,
        out: RowsMut<'a, E>,
        lost: Option<RowsMut<'a, E>>,
    },
    /// The same where b is one-hot
    Symbols {
        a: Rows<'a, E>,
        order: &'a BySymbol,
        /// What each place's one is, where it is not 1.
        kept: &'a [E],
        out: RowsMut<'a, E>,
    },
    /// `out += Σ_rows a`
    Columns {
        a: Rows<'a, E>,
        out: &'a mut [E],
        lost: Option<&'a mut [E]>,
    },
}

impl<'a, E: Element> Sum<'a, E> {
    /// `to += aᵀ b`, with as many rows as `a` has columns.
    pub fn outer(a: Rows<'a, E>, b: Rows<'a, E>, pick: Pick<'a>, to: Place<'a, E>) -> Self {
        let (rows, cols) = (a.cols(), b.cols());
        Sum::Outer {
            a,
            b,
            pick,
            out: RowsMut::new(to.out, rows, cols),
            lost: to.lost.map(|lost| RowsMut::new(lost, rows, cols)),
        }
    }
    /// `to += Σ_rows a`.
    pub fn columns(a: Rows<'a, E>, to: Place<'a, E>) -> Self {
        let Place { out, lost } = to;
        Sum::Columns { a, out, lost }
    }
    /// Adds the summands `from..to`, the first of them first. Those of symbols are all added with the first.
    pub fn run(&mut self, level: Level, from: usize, to: usize) {
        match self {
            Sum::Outer {
                a,
                b,
                pick,
                out,
                lost,
            } => {
                let (a, out) = (a.slice(from, to), out.reborrow());
                let (b, pick) = match pick {
                    Pick::All => (b.slice(from, to), Pick::All),
                    Pick::These(these) => (*b, Pick::These(&these[from..to])),
                };
                let Some(lost) = lost else {
                    return outer_add(level, a, b, pick, out);
                };
                for r in 0..if from == 0 { lost.rows() } else { 0 } {
                    lost.row(r).fill(E::ZERO);
                }
                outer_add_compensated(level, a, b, pick, out, lost.reborrow());
            }
            Sum::Columns { a, out, lost } => {
                let a = a.slice(from, to);
                let Some(lost) = lost else {
                    return column_sum_add(level, a, out);
                };
                if from == 0 {
                    lost.fill(E::ZERO);
                }
                column_sum_add_compensated(level, a, out, lost);
            }
            Sum::Symbols { .. } if from > 0 => {}
            Sum::Symbols {
                a,
                order,
                kept,
                out,
            } => {
                let mut work = vec![E::ZERO; 3 * out.rows()];
                let (sum, rest) = work.split_at_mut(out.rows());
                let (lost, chain) = rest.split_at_mut(out.rows());
                for (symbol, places) in order.present() {
                    sum.fill(E::ZERO);
                    match is_long(a.rows()) {
                        false => add_rows(*a, places, kept, sum),
                        true => {
                            lost.fill(E::ZERO);
                            for places in places.chunks(CHAIN) {
                                chain.fill(E::ZERO);
                                add_rows(*a, places, kept, chain);
                                add_compensated(sum, lost, chain);
                            }
                        }
                    }
                    for (i, &x) in sum.iter().enumerate() {
                        out.row(i)[symbol] += x;
                    }
                }
            }
        }
    }
    /// Cuts the rows of the result into `parts`; each part is summed just as the whole would be.
    pub fn split(self, parts: usize) -> Vec<Sum<'a, E>> {
        let mut rest = self;
        let mut done = Vec::with_capacity(parts);
        for left in (1..=parts).rev() {
            let rows = match &rest {
                Sum::Outer { out, .. } | Sum::Symbols { out, .. } => out.rows(),
                Sum::Columns { out, .. } => out.len(),
            };
            let (head, tail) = rest.split_at(rows / left);
            done.push(head);
            rest = tail;
        }
        done
    }
    fn split_at(self, at: usize) -> (Sum<'a, E>, Sum<'a, E>) {
        let halves = |a: Rows<'a, E>| (a.columns(0, at), a.columns(at, a.cols()));
        match self {
            Sum::Outer {
                a,
                b,
                pick,
                out,
                lost,
            } => {
                let ((a0, a1), (o0, o1)) = (halves(a), out.split(at));
                let (l0, l1) = lost.map(|lost| lost.split(at)).unzip();
                let make = |a, out, lost| Sum::Outer {
                    a,
                    b,
                    pick,
                    out,
                    lost,
                };
                (make(a0, o0, l0), make(a1, o1, l1))
            }
            Sum::Symbols {
                a,
                order,
                kept,
                out,
            } => {
                let ((a0, a1), (o0, o1)) = (halves(a), out.split(at));
                let make = |a, out| Sum::Symbols {
                    a,
                    order,
                    kept,
                    out,
                };
                (make(a0, o0), make(a1, o1))
            }
            Sum::Columns { a, out, lost } => {
                let ((a0, a1), (o0, o1)) = (halves(a), out.split_at_mut(at));
                let (l0, l1) = lost.map(|lost| lost.split_at_mut(at)).unzip();
                let make = |a, out, lost| Sum::Columns { a, out, lost };
                (make(a0, o0, l0), make(a1, o1, l1))
            }
        }
    }
}

/// Rows of a chain of a symbol's long sum: rounding may go the same way in every chain, and of so few it stays below 1e-6.
const CHAIN: usize = 8;

/// Adds some rows of `a`, times what is `kept` of each where it is not all, one by one.
fn add_rows<E: Element>(a: Rows<'_, E>, places: &[(usize, usize)], kept: &[E], to: &mut [E]) {
    for &(s, at) in places {
        match kept.get(at) {
            None => to.iter_mut().zip(a.row(s)).for_each(|(t, &x)| *t += x),
            Some(&k) => to.iter_mut().zip(a.row(s)).for_each(|(t, &x)| *t += k * x),
        }
    }
}

/// `sum += x`, with what rounding takes from it kept in `lost` and put back the next time (Kahan).
pub(crate) fn add_compensated<E: Element>(sum: &mut [E], lost: &mut [E], x: &[E]) {
    for ((sum, lost), &x) in sum.iter_mut().zip(lost).zip(x) {
        let x = x + *lost;
        let new = *sum + x;
        *lost = x - (new - *sum);
        *sum = new;
    }
}

/// The places of each symbol in a batch, so that an embedding's gradient is summed symbol by symbol, and those that do
/// not occur cost nothing. Its buffers are used again.
#[derive(Clone, Debug, Default)]
pub(crate) struct BySymbol {
    /// Where each symbol's places end.
    ends: Vec<usize>,
    /// (row of δz, place in the batch), in the order of δz for each symbol.
    places: Vec<(usize, usize)>,
}

impl BySymbol {
    /// Sorts the places of `symbols`, each below `known`, read through `pick`.
    pub fn sort(&mut self, symbols: &[u32], known: usize, pick: Pick<'_>) {
        let at = |s: usize| match pick {
            Pick::All => s,
            Pick::These(these) => these[s],
        };
        self.ends.clear();
        self.ends.resize(known, 0);
        for &symbol in symbols {
            self.ends[symbol as usize] += 1;
        }
        let mut before = 0;
        for end in &mut self.ends {
            // For now where the symbol begins; it moves on with each place.
            (*end, before) = (before, before + *end);
        }
        self.places.clear();
        self.places.resize(symbols.len(), (0, 0));
        for s in 0..symbols.len() {
            let end = &mut self.ends[symbols[at(s)] as usize];
            self.places[*end] = (s, at(s));
            *end += 1;
        }
    }
    /// The symbols that occur, each with its places.
    fn present(&self) -> impl Iterator<Item = (usize, &[(usize, usize)])> {
        let begins = std::iter::once(&0).chain(&self.ends);
        let all = begins.zip(&self.ends).enumerate();
        all.filter(|(_, (from, to))| from < to)
            .map(|(symbol, (&from, &to))| (symbol, &self.places[from..to]))
    }
    /// Bytes that the buffers hold.
    pub fn bytes(&self) -> usize {
        size_of_val(&*self.ends) + size_of_val(&*self.places)
    }
}
