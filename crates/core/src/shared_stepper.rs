//! One step at a time, the units of each layer shared among threads.
//!
//! A single row has nothing to share but its units. Each thread keeps the columns of W_xh and W_hh of its own units, so
//! that the caches of several cores hold what one cannot; they meet once in each layer, when h_t is whole. A sum over k
//! is nobody's but one thread's: the bits are those of [`Stepper`](crate::Stepper).

use crate::extended::Extended;
use crate::weights::{InputWeights, SweepWeights};
use crate::{CellKind, Element, Error, Level, Network, Params, State, Team, Weights, drive};
use core::ops::Range;
use elman_kernels::{Buffer, Packed, Rows, RowsMut, Start, product};
use std::sync::Arc;

/// Bytes of weights below which handing units over costs more than it saves.
const WORTH: usize = 96 * 1024;
/// Most threads: no step is long enough for more.
const MOST: usize = 16;

/// A network with its state, fed one step a call, for networks whose weights are larger than a core's own caches.
///
/// Bit for bit what [`Stepper`](crate::Stepper) gives. A step allocates nothing here either, but the other threads sleep
/// when no step comes for some fifty microseconds, and waking them takes as long: for steps that follow one another, not
/// for an audio thread.
#[derive(Debug)]
pub struct SharedStepper<E> {
    weights: Weights<E>,
    team: Arc<Team>,
    layers: Vec<Layer<E>>,
}

#[derive(Debug)]
struct Layer<E> {
    parts: Vec<Part<E>>,
    /// h of all units `[H]`: before the step, and after it.
    now: Buffer<E>,
    next: Buffer<E>,
}

/// Some neighbouring units of a layer, a network of their own but for the h that they read.
#[derive(Debug)]
struct Part<E> {
    units: Range<usize>,
    input: InputWeights<E>,
    recurrent: Packed<E>,
    x_columns: (usize, usize),
    h_columns: (usize, usize),
    bias: Vec<E>,
    unit: Vec<E>,
    state: Buffer<E>,
    after: Buffer<E>,
    drive: Buffer<E>,
    saved: Buffer<E>,
}

/// What a layer reads.
#[derive(Clone, Copy)]
enum Given<'a, E> {
    Features(&'a [E]),
    Symbol(usize),
}

impl<E: Element> SharedStepper<E> {
    /// A stepper at the learned state, or zeros; small layers stay with the caller. An error for a bidirectional
    /// network, and for one with layer normalisation, zoneout or a gate before W_hh: their steps are made whole.
    pub fn new(
        network: &Network,
        params: &Params<E>,
        team: &Arc<Team>,
    ) -> Result<SharedStepper<E>, Error> {
        if network.bidirectional || Extended::with(network, false).width > 0 {
            return Err(Error::Unsupported(
                "the units of a network that is bidirectional, or has layer normalisation, zoneout or a gate before \
                 W_hh, cannot be shared among threads: step it on one"
                    .into(),
            ));
        }
        let weights = Weights::new(network, params)?;
        let layers = weights.sweeps.iter().map(|w| {
            let h = network.hidden;
            let mut layer = Layer {
                parts: shares::<E>(network, w, team.threads())
                    .map(|units| Part::of(network, w, units))
                    .collect(),
                now: Buffer::new(),
                next: Buffer::new(),
            };
            layer.now.resize(h);
            layer.next.resize(h);
            layer
        });
        let mut stepper = SharedStepper {
            layers: layers.collect(),
            team: Arc::clone(team),
            weights,
        };
        stepper.reset();
        Ok(stepper)
    }
    /// The network it runs.
    pub fn network(&self) -> &Network {
        &self.weights.network
    }
    /// How many threads the layers are shared among, layer by layer.
    pub fn threads(&self) -> impl Iterator<Item = usize> {
        self.layers.iter().map(|l| l.parts.len())
    }
    /// Back to the state it was made with.
    pub fn reset(&mut self) {
        let initial = self.weights.initial_state(1);
        for (index, layer) in self.layers.iter_mut().enumerate() {
            layer.set(initial.row(index, 0));
        }
    }
    /// The state, of one row.
    pub fn state(&self) -> State<E> {
        let mut state = State::zeros(&self.weights.network, 1);
        for (index, layer) in self.layers.iter().enumerate() {
            let row = state.row_mut(index, 0);
            for part in &layer.parts {
                let slots = row.chunks_exact_mut(self.weights.network.hidden);
                for (to, from) in slots.zip(part.state.chunks_exact(part.units.len())) {
                    to[part.units.clone()].copy_from_slice(from);
                }
            }
        }
        state
    }
    /// Takes over row `row` of a state.
    pub fn set_state(&mut self, state: &State<E>, row: usize) -> Result<(), Error> {
        state.check_row(&self.weights.network, row)?;
        for (index, layer) in self.layers.iter_mut().enumerate() {
            layer.set(state.row(index, row));
        }
        Ok(())
    }
    /// One step: reads `x` `[F]`, writes `y` `[output width]`. An error where sizes differ, or where the network
    /// reads symbols.
    pub fn step(&mut self, x: &[E], y: &mut [E]) -> Result<(), Error> {
        self.weights.network.check_features(x.len(), y.len())?;
        self.run(Given::Features(x), y);
        Ok(())
    }
    /// The same for a network that reads symbols.
    pub fn step_symbol(&mut self, symbol: u32, y: &mut [E]) -> Result<(), Error> {
        self.weights.network.check_symbol(symbol, y.len())?;
        self.run(Given::Symbol(symbol as usize), y);
        Ok(())
    }

    fn run(&mut self, given: Given<'_, E>, y: &mut [E]) {
        let (level, kind) = (self.weights.level, self.weights.network.cell);
        for index in 0..self.layers.len() {
            let (below, layer) = self.layers.split_at_mut(index);
            let given = below.last().map_or(given, |l| Given::Features(&l.now));
            layer[0].step(&self.team, level, kind, given);
        }
        let Some(top) = self.layers.last() else {
            return;
        };
        match &self.weights.readout {
            Some(readout) => {
                let h = Rows::new(&top.now, 1, top.now.len());
                let y = RowsMut::new(y, 1, readout.bias.len());
                product(level, h, &readout.weight, y, Start::Row(&readout.bias));
            }
            None => y.copy_from_slice(&top.now),
        }
    }
}

/// The units of each thread: equal shares of whole cache lines.
fn shares<E: Element>(
    network: &Network,
    w: &SweepWeights<E>,
    threads: usize,
) -> impl Iterator<Item = Range<usize>> {
    let h = network.hidden;
    let bytes = (network.reads(w.sweep.layer) + h) * w.bias.len() * size_of::<E>();
    let parts = threads.min(bytes / WORTH).clamp(1, MOST);
    let each = h.div_ceil(parts).next_multiple_of(16);
    (0..h)
        .step_by(each)
        .map(move |from| from..h.min(from + each))
}

impl<E: Element> Layer<E> {
    fn set(&mut self, state: &[E]) {
        let h = self.now.len();
        self.now.copy_from_slice(&state[..h]);
        for part in &mut self.parts {
            let slots = part.state.chunks_exact_mut(part.units.len());
            for (to, from) in slots.zip(state.chunks_exact(h)) {
                to.copy_from_slice(&from[part.units.clone()]);
            }
        }
    }
    fn step(&mut self, team: &Team, level: Level, kind: CellKind, given: Given<'_, E>) {
        let (now, mut rest) = (&*self.now, &mut *self.next);
        let parts = self.parts.len();
        let mut shares = [const { None }; MOST];
        for (share, part) in shares.iter_mut().zip(&mut self.parts) {
            let (next, more) = rest.split_at_mut(part.units.len());
            *share = Some((part, next));
            rest = more;
        }
        team.each(&mut shares[..parts], |share| {
            if let Some((part, next)) = share {
                part.step(level, kind, given, now, next);
            }
        });
        std::mem::swap(&mut self.now, &mut self.next);
    }
}

impl<E: Element> Part<E> {
    fn of(network: &Network, w: &SweepWeights<E>, units: Range<usize>) -> Part<E> {
        let (sizes, h, n) = (network.cell.sizes(), network.hidden, units.len());
        let lane = |lane: usize| lane * h + units.start..lane * h + units.end;
        // Columns of the drive by lanes of all units, as lanes of these.
        let own = |(from, to): (usize, usize)| (from / h * n, to / h * n);
        let among = |(from, to): (usize, usize)| -> Vec<Range<usize>> {
            (0..(to - from) / h).map(lane).collect()
        };
        let some = |numbers: &[E], lanes: usize| -> Vec<E> {
            (0..lanes)
                .flat_map(|l| &numbers[lane(l)])
                .copied()
                .collect()
        };
        let input = match &w.input {
            InputWeights::Features(packed) => {
                InputWeights::Features(packed.select(&among(w.x_columns)))
            }
            InputWeights::Symbols(table) => InputWeights::Symbols(
                table
                    .chunks_exact(sizes.from_x.len() * h)
                    .flat_map(|row| some(row, sizes.from_x.len()))
                    .collect(),
            ),
        };
        let zeros = |len| {
            let mut buffer = Buffer::new();
            buffer.resize(len);
            buffer
        };
        Part {
            input,
            recurrent: w.recurrent.select(&among(w.h_columns)),
            x_columns: own(w.x_columns),
            h_columns: own(w.h_columns),
            bias: some(&w.bias, sizes.drive),
            unit: some(&w.unit, sizes.unit),
            state: zeros(sizes.state * n),
            after: zeros(sizes.state * n),
            drive: zeros(sizes.drive * n),
            saved: zeros(sizes.saved * n),
            units,
        }
    }
    /// Reads h of all units before the step, writes that of its own after it.
    fn step(
        &mut self,
        level: Level,
        kind: CellKind,
        given: Given<'_, E>,
        now: &[E],
        next: &mut [E],
    ) {
        let lanes = self.drive.len();
        self.drive.copy_from_slice(&self.bias);
        let (a, b) = self.x_columns;
        match (&self.input, given) {
            (InputWeights::Features(packed), Given::Features(x)) => {
                let z = RowsMut::new(&mut self.drive, 1, lanes).columns(a, b);
                let start = Start::Row(&self.bias[a..b]);
                product(level, Rows::new(x, 1, x.len()), packed, z, start);
            }
            (InputWeights::Symbols(table), Given::Symbol(symbol)) => {
                self.drive[a..b].copy_from_slice(&table[symbol * (b - a)..][..b - a]);
            }
            _ => unreachable!("`step` and `step_symbol` ask what the network reads"),
        }
        let (a, b) = self.h_columns;
        let z = RowsMut::new(&mut self.drive, 1, lanes).columns(a, b);
        product(
            level,
            Rows::new(now, 1, now.len()),
            &self.recurrent,
            z,
            Start::Keep,
        );
        let (width, saved) = (self.state.len(), self.saved.len());
        let step = drive::Forward {
            hidden: self.units.len(),
            drive: Rows::new(&self.drive, 1, lanes),
            unit: &self.unit,
            before: Rows::new(&self.state, 1, width),
            after: RowsMut::new(&mut self.after, 1, width),
            saved: RowsMut::new(&mut self.saved, 1, saved),
        };
        step.run(level, kind);
        std::mem::swap(&mut self.state, &mut self.after);
        next.copy_from_slice(&self.state[..self.units.len()]);
    }
}
