//! One step at a time, without allocation.

use crate::row_step::{Entering, RowStep};
use crate::{Element, Error, Network, Params, State, Weights};
use elman_kernels::{Rows, RowsMut, Start, product};

/// A network with its state, fed one step a call.
///
/// Bit for bit what [`forward`](crate::forward) gives for the whole sequence. After construction nothing is
/// allocated and no lock is taken, so it may run on an audio thread.
#[derive(Clone, Debug)]
pub struct Stepper<E> {
    weights: Weights<E>,
    layers: Vec<(Entering<E>, RowStep<E>)>,
    initial: State<E>,
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
        let layers = weights.sweeps.iter().map(|w| {
            let entering = Entering::new(w.features(), h);
            (entering, RowStep::of(network, w, 0..h))
        });
        let mut stepper = Stepper {
            layers: layers.collect(),
            initial: State::initial(network, params, 1),
            weights,
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
            set(layer, self.initial.row(index, 0));
        }
    }
    /// The state of one layer: h, then c where there is one.
    pub fn state(&self, layer: usize) -> Option<&[E]> {
        self.layers.get(layer).map(|(_, units)| &*units.state)
    }
    /// Takes over row `row` of a state. Safe in real time.
    pub fn set_state(&mut self, state: &State<E>, row: usize) -> Result<(), Error> {
        state.check_row(&self.weights.network, row)?;
        for (index, layer) in self.layers.iter_mut().enumerate() {
            set(layer, state.row(index, row));
        }
        Ok(())
    }
    /// One step: reads `x` `[F]`, writes `y` `[output width]`. Safe in real time. An error where sizes differ, or
    /// where the network reads symbols.
    pub fn step(&mut self, x: &[E], y: &mut [E]) -> Result<(), Error> {
        self.weights.network.check_features(x.len(), y.len())?;
        if let Some((entering, _)) = self.layers.first_mut() {
            entering.x().copy_from_slice(x);
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
        let weights = &self.weights;
        for layer in 0..self.layers.len() {
            let (below, rest) = self.layers.split_at_mut(layer);
            let (entering, units) = &mut rest[0];
            if let Some((below, _)) = below.last() {
                entering.x().copy_from_slice(below.h());
            }
            units.step((weights, layer), entering, symbol);
            entering.h_mut().copy_from_slice(units.h());
        }
        let top = self.layers.last().map_or(&[][..], |(top, _)| top.h());
        match &weights.readout {
            Some(readout) => {
                let h = Rows::new(top, 1, top.len());
                let y = RowsMut::new(y, 1, readout.bias.len());
                let start = Start::Row(&readout.bias);
                product(weights.level, h, &readout.weight, y, start);
            }
            None => y.copy_from_slice(top),
        }
    }
}

fn set<E: Element>((entering, units): &mut (Entering<E>, RowStep<E>), state: &[E]) {
    let h = entering.h().len();
    entering.h_mut().copy_from_slice(&state[..h]);
    units.set(state, h);
}
