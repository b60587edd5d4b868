//! One step at a time, the units of each layer shared among threads.
//!
//! A single row has nothing to share but its units. Each thread keeps the columns of W_xh and W_hh of its own units, so
//! that the caches of several cores hold what one cannot; they meet once in each layer, when h_t is whole. A sum over k
//! is nobody's but one thread's: the bits are those of [`Stepper`](crate::Stepper).

use crate::row_step::{Entering, RowStep};
use crate::step::StepPlan;
use crate::weights::SweepWeights;
use crate::{Element, Error, Network, Params, State, Team, Weights};
use core::ops::Range;
use elman_kernels::{Rows, RowsMut};
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
    shares: Vec<RowStep<E>>,
    /// x_t and h_{t-1} of all units, and room for those of the next step.
    now: Entering<E>,
    next: Entering<E>,
}

impl<E: Element> SharedStepper<E> {
    /// A stepper at the learned state, or zeros; small layers stay with the caller. An error for a bidirectional
    /// network, and for one with layer normalisation, zoneout or a gate before W_hh: their steps are made whole.
    pub fn new(
        network: &Network,
        params: &Params<E>,
        team: &Arc<Team>,
    ) -> Result<SharedStepper<E>, Error> {
        if network.bidirectional || !StepPlan::unmasked(network).is_plain() {
            return Err(Error::Unsupported(
                "the units of a network that is bidirectional, or has layer normalisation, zoneout or a gate before \
                 W_hh, cannot be shared among threads: step it on one"
                    .into(),
            ));
        }
        let weights = Weights::new(network, params)?;
        let layers = weights.sweeps.iter().map(|w| {
            let shares = shares::<E>(network, w, team.threads());
            let entering = Entering::new(w.features(), network.hidden);
            Layer {
                shares: shares.map(|u| RowStep::of(network, w, u)).collect(),
                now: entering.clone(),
                next: entering,
            }
        });
        let mut stepper = SharedStepper {
            layers: layers.collect(),
            team: Arc::clone(team),
            weights: weights.for_steps(),
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
        self.layers.iter().map(|l| l.shares.len())
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
            for share in &layer.shares {
                let slots = row.chunks_exact_mut(self.weights.network.hidden);
                for (to, from) in slots.zip(share.state.chunks_exact(share.units.len())) {
                    to[share.units.clone()].copy_from_slice(from);
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
        if let Some(layer) = self.layers.first_mut() {
            layer.now.x_mut().copy_from_slice(x);
        }
        self.run(None, y);
        Ok(())
    }
    /// The same for a network that reads symbols.
    pub fn step_symbol(&mut self, symbol: u32, y: &mut [E]) -> Result<(), Error> {
        self.weights.network.check_symbol(symbol, y.len())?;
        self.run(Some(symbol), y);
        Ok(())
    }

    fn run(&mut self, symbol: Option<u32>, y: &mut [E]) {
        for index in 0..self.layers.len() {
            let (below, layers) = self.layers.split_at_mut(index);
            if let Some(below) = below.last() {
                layers[0].now.x_mut().copy_from_slice(below.now.h());
            }
            layers[0].step(&self.team, &self.weights, symbol);
        }
        if let Some(top) = self.layers.last() {
            let (h, width) = (top.now.h(), y.len());
            let y = RowsMut::new(y, 1, width);
            self.weights.read_out(Rows::new(h, 1, h.len()), y);
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
        let h = self.now.h().len();
        self.now.h_mut().copy_from_slice(&state[..h]);
        for share in &mut self.shares {
            share.set(state, h);
        }
    }
    fn step(&mut self, team: &Team, weights: &Weights<E>, symbol: Option<u32>) {
        let (now, mut rest) = (&self.now, self.next.h_mut());
        let count = self.shares.len();
        let mut shares = [const { None }; MOST];
        for (to, share) in shares.iter_mut().zip(&mut self.shares) {
            let (next, more) = rest.split_at_mut(share.units.len());
            *to = Some((share, next));
            rest = more;
        }
        team.each(&mut shares[..count], |share| {
            if let Some((share, next)) = share {
                share.step(weights, now, symbol);
                next.copy_from_slice(share.h());
            }
        });
        std::mem::swap(&mut self.now, &mut self.next);
    }
}
