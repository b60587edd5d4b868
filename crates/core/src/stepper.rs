//! One step at a time, without allocation.

use crate::extended::{Extended, Masks, Step};
use crate::weights::InputWeights;
use crate::{Element, Error, Network, Params, State, Weights, drive};
use elman_kernels::{Rows, RowsMut, Start, product};

/// A network with its state, fed one step a call.
///
/// Bit for bit what [`forward`](crate::forward) gives for the whole sequence. After construction nothing is
/// allocated and no lock is taken, so it may run on an audio thread.
#[derive(Clone, Debug)]
pub struct Stepper<E> {
    weights: Weights<E>,
    /// For each layer `[S·H]`.
    states: Vec<Vec<E>>,
    initial: State<E>,
    after: Vec<E>,
    drive: Vec<E>,
    saved: Vec<E>,
    extra: Vec<E>,
}

impl<E: Element> Stepper<E> {
    /// A stepper at the learned state, or zeros. An error for a bidirectional network: it needs the future.
    pub fn new(network: &Network, params: &Params<E>) -> Result<Stepper<E>, Error> {
        if network.bidirectional {
            return Err(Error::Unsupported(
                "a bidirectional network cannot run step by step: its reverse direction starts at the end".into(),
            ));
        }
        let sizes = network.cell.sizes();
        let mut stepper = Stepper {
            weights: Weights::new(network, params)?,
            states: vec![vec![E::ZERO; network.state_width()]; network.layers],
            initial: State::initial(network, params, 1),
            after: vec![E::ZERO; network.state_width()],
            drive: vec![E::ZERO; sizes.drive * network.hidden],
            saved: vec![E::ZERO; sizes.saved * network.hidden],
            extra: vec![E::ZERO; Extended::with(network, false).width],
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
        for (layer, state) in self.states.iter_mut().enumerate() {
            state.copy_from_slice(self.initial.row(layer, 0));
        }
    }
    /// The state of one layer: h, then c where there is one.
    pub fn state(&self, layer: usize) -> Option<&[E]> {
        self.states.get(layer).map(Vec::as_slice)
    }
    /// Takes over row `row` of a state. Safe in real time.
    pub fn set_state(&mut self, state: &State<E>, row: usize) -> Result<(), Error> {
        state.check_row(&self.weights.network, row)?;
        for (layer, to) in self.states.iter_mut().enumerate() {
            to.copy_from_slice(state.row(layer, row));
        }
        Ok(())
    }
    /// One step: reads `x` `[F]`, writes `y` `[output width]`. Safe in real time. An error where sizes differ, or
    /// where the network reads symbols.
    pub fn step(&mut self, x: &[E], y: &mut [E]) -> Result<(), Error> {
        self.weights.network.check_features(x.len(), y.len())?;
        self.first(|weights, drive| {
            let w = &weights.sweeps[0];
            if let InputWeights::Features(packed) = &w.input {
                let (a, b) = w.x_columns;
                let n = drive.len();
                let z = RowsMut::new(drive, 1, n).columns(a, b);
                let start = Start::Row(&w.bias[a..b]);
                product(weights.level, Rows::new(x, 1, x.len()), packed, z, start);
            }
        });
        self.rest(y);
        Ok(())
    }
    /// The same for a network that reads symbols.
    pub fn step_symbol(&mut self, symbol: u32, y: &mut [E]) -> Result<(), Error> {
        self.weights.network.check_symbol(symbol, y.len())?;
        self.first(|weights, drive| {
            let w = &weights.sweeps[0];
            if let InputWeights::Symbols(table) = &w.input {
                let (a, b) = w.x_columns;
                let row = &table[symbol as usize * (b - a)..][..b - a];
                drive[a..b].copy_from_slice(row);
            }
        });
        self.rest(y);
        Ok(())
    }

    /// Layer 0, whose drive `from_input` begins.
    fn first(&mut self, from_input: impl FnOnce(&Weights<E>, &mut [E])) {
        self.drive.copy_from_slice(&self.weights.sweeps[0].bias);
        from_input(&self.weights, &mut self.drive);
        self.advance(0);
    }
    /// The layers above, and the readout.
    fn rest(&mut self, y: &mut [E]) {
        let h = self.weights.network.hidden;
        for layer in 1..self.states.len() {
            let w = &self.weights.sweeps[layer];
            self.drive.copy_from_slice(&w.bias);
            if let InputWeights::Features(packed) = &w.input {
                let (a, b) = w.x_columns;
                let x = Rows::new(&self.states[layer - 1], 1, h);
                let n = self.drive.len();
                let z = RowsMut::new(&mut self.drive, 1, n).columns(a, b);
                let start = Start::Row(&w.bias[a..b]);
                product(self.weights.level, x, packed, z, start);
            }
            self.advance(layer);
        }
        let top = &self.states[self.states.len() - 1][..h];
        match &self.weights.readout {
            Some(readout) => {
                let n = y.len();
                let (top, start) = (Rows::new(top, 1, h), Start::Row(&readout.bias));
                let y = RowsMut::new(y, 1, n);
                product(self.weights.level, top, &readout.weight, y, start);
            }
            None => y.copy_from_slice(top),
        }
    }
    /// Adds W_hh h to the drive of a layer and steps its cell.
    fn advance(&mut self, layer: usize) {
        let network = &self.weights.network;
        let (w, before) = (&self.weights.sweeps[layer], &mut self.states[layer]);
        let (a, b) = w.h_columns;
        let (lanes, width, saved) = (self.drive.len(), before.len(), self.saved.len());
        if !self.extra.is_empty() {
            let step = Step {
                weights: &self.weights,
                w,
                columns: Extended::with(network, false),
                masks: Masks::NONE,
            };
            let extra = self.extra.len();
            step.forward(
                RowsMut::new(&mut self.drive, 1, lanes),
                Rows::new(before, 1, width),
                RowsMut::new(&mut self.after, 1, width),
                RowsMut::new(&mut self.saved, 1, saved),
                RowsMut::new(&mut self.extra, 1, extra),
            );
            std::mem::swap(before, &mut self.after);
            return;
        }
        product(
            self.weights.level,
            Rows::new(before, 1, network.hidden),
            &w.recurrent,
            RowsMut::new(&mut self.drive, 1, lanes).columns(a, b),
            Start::Keep,
        );
        let step = drive::Forward {
            hidden: network.hidden,
            drive: Rows::new(&self.drive, 1, lanes),
            unit: &w.unit,
            before: Rows::new(before, 1, width),
            after: RowsMut::new(&mut self.after, 1, width),
            saved: RowsMut::new(&mut self.saved, 1, saved),
        };
        step.run(self.weights.level, network.cell);
        std::mem::swap(before, &mut self.after);
    }
}
