//! One step at a time, without allocation.

use crate::row_step::{Entering, RowStep};
use crate::{Element, Error, Network, Params, State, Weights};
use elman_kernels::{Rows, RowsMut};

/// A network with its state, fed one step a call.
///
/// Bit for bit what [`forward`](crate::forward) gives for the whole sequence. After construction nothing is
/// allocated and no lock is taken, so it may run on an audio thread.
#[derive(Clone, Debug)]
pub struct Stepper<E> {
    weights: Weights<E>,
    layers: Vec<Layer<E>>,
    initial: State<E>,
}

#[derive(Clone, Debug)]
struct Layer<E> {
    entering: Entering<E>,
    units: RowStep<E>,
}

impl<E: Element> Layer<E> {
    /// Takes over a state `[S·H]`.
    fn set(&mut self, state: &[E]) {
        let h = self.entering.h().len();
        self.entering.h_mut().copy_from_slice(&state[..h]);
        self.units.set(state, h);
    }
}

impl<E: Element> Stepper<E> {
    /// A stepper at the learned state, or zeros. An error for a bidirectional network: it needs the future.
    pub fn new(network: &Network, params: &Params<E>) -> Result<Stepper<E>, Error> {
        if network.bidirectional {
            return Err(Error::Unsupported(
                "a bidirectional network cannot run step by step: its reverse direction starts at the end".into(),
            ));
        }
        let weights = Weights::new(network, params)?;
        let h = network.hidden;
        let layers = weights.sweeps.iter().map(|w| Layer {
            entering: Entering::new(w.features(), h),
            units: RowStep::of(network, w, 0..h),
        });
        let mut stepper = Stepper {
            layers: layers.collect(),
            initial: weights.initial_state(1),
            weights: weights.for_steps(),
        };
        stepper.reset();
        Ok(stepper)
    }
    /// The network it runs.
    pub fn network(&self) -> &Network {
        &self.weights.network
    }
    /// Back to the state it was made with. Safe in real time.
    pub fn reset(&mut self) {
        for (index, layer) in self.layers.iter_mut().enumerate() {
            layer.set(self.initial.row(index, 0));
        }
    }
    /// The state of one layer: h, then c where there is one.
    pub fn state(&self, layer: usize) -> Option<&[E]> {
        self.layers.get(layer).map(|l| &*l.units.state)
    }
    /// Takes over row `row` of a state. Safe in real time.
    pub fn set_state(&mut self, state: &State<E>, row: usize) -> Result<(), Error> {
        state.check_row(&self.weights.network, row)?;
        for (index, layer) in self.layers.iter_mut().enumerate() {
            layer.set(state.row(index, row));
        }
        Ok(())
    }
    /// One step: reads `x` `[F]`, writes `y` `[output width]`. Safe in real time. An error where sizes differ, or
    /// where the network reads symbols.
    pub fn step(&mut self, x: &[E], y: &mut [E]) -> Result<(), Error> {
        self.weights.network.check_features(x.len(), y.len())?;
        if let Some(layer) = self.layers.first_mut() {
            layer.entering.x_mut().copy_from_slice(x);
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
            let (below, rest) = self.layers.split_at_mut(index);
            let Layer { entering, units } = &mut rest[0];
            if let Some(below) = below.last() {
                entering.x_mut().copy_from_slice(below.entering.h());
            }
            units.step(&self.weights, entering, symbol);
            entering.h_mut().copy_from_slice(units.h());
        }
        if let Some(top) = self.layers.last() {
            let (h, width) = (top.entering.h(), y.len());
            let y = RowsMut::new(y, 1, width);
            self.weights.read_out(Rows::new(h, 1, h.len()), y);
        }
    }
}
