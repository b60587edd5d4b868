//! Recurrent layers with their parameters and what the last call left for backward.

use crate::arrays::{self, Block, Order};
use elman::core::{
    Batch, Cotangent, Draw, Dropout, Element, Error, Init, Network, Params, Recurrent, State,
    Stepper, Team, Unrolled,
};
use numpy::ndarray::ArrayView3;
use std::sync::Arc;

/// A view of h, and of c where the cell has one.
pub type Slots<'v, E> = [Option<ArrayView3<'v, E>>; 2];

/// Layers of one cell, without a readout.
pub struct Layers<E: Element> {
    network: Network,
    params: Params<E>,
    unrolled: Unrolled<E>,
    biases: bool,
    /// What the last call read; none before it, and after a change of the parameters.
    read: Option<Read<E>>,
    stepper: Option<Stepper<E>>,
    /// Of the masks, and how many were drawn.
    seed: u64,
    drawn: u64,
}

/// What a call read.
struct Read<E> {
    batch: Batch<E>,
    /// T of the array, which may be more than the longest row has.
    steps: usize,
    order: Order,
}

/// The gradients that backward gives.
pub struct Gradients<E> {
    pub parameters: Vec<(String, Vec<usize>, Vec<E>)>,
    pub input: Block<E>,
    pub state: Vec<Block<E>>,
}

impl<E: Element> Layers<E> {
    /// Fresh layers, their parameters uniform over ±1/√H as PyTorch's are. Without `biases` these are 0 and have no
    /// names.
    pub fn new(network: Network, biases: bool, seed: u64) -> Result<Layers<E>, Error> {
        let init = Init {
            recurrent: Recurrent::Uniform,
            ..Init::default()
        };
        network.check()?;
        let mut params = init.params(&network, seed)?;
        if !biases {
            for view in params.layout().views().to_vec() {
                if view.name.starts_with("bias_") {
                    params.data_mut()[view.range()].fill(E::ZERO);
                }
            }
        }
        Ok(Layers {
            unrolled: Unrolled::new(&network, &params)?.with_inputs(),
            network,
            params,
            biases,
            read: None,
            stepper: None,
            seed,
            drawn: 0,
        })
    }
    /// What they are.
    pub fn network(&self) -> &Network {
        &self.network
    }
    /// Their parameters.
    pub fn params(&self) -> &Params<E> {
        &self.params
    }
    /// How many slots their state has.
    pub fn slots(&self) -> usize {
        self.network.cell.sizes().state
    }
    /// Name, shape and numbers of each parameter.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &[usize], &[E])> {
        self.named(&self.params)
    }
    fn named<'a>(
        &self,
        all: &'a Params<E>,
    ) -> impl Iterator<Item = (&'a str, &'a [usize], &'a [E])> + use<'a, E> {
        let biases = self.biases;
        let views = all.layout().views().iter();
        let named = views.filter(move |v| biases || !v.name.starts_with("bias_"));
        named.map(|v| (v.name.as_str(), v.shape.as_slice(), &all.data()[v.range()]))
    }
    /// Replaces parameters, all of them or none; what the last call left is gone.
    pub fn load(&mut self, all: &[(String, Vec<E>)]) -> Result<(), Error> {
        let mut params = self.params.clone();
        for (name, numbers) in all {
            params.set(name, numbers)?;
        }
        self.unrolled.refresh(&params)?;
        self.params = params;
        self.read = None;
        self.stepper = None;
        Ok(())
    }

    /// The share `dropout` of what each layer gives to the one above is dropped, anew at every step and call.
    fn masked(&mut self, batch: Batch<E>, dropout: f64) -> Result<Batch<E>, Error> {
        let draw = Draw {
            seed: self.seed,
            epoch: (self.drawn >> 32) & 0x3fff_ffff,
            batch: self.drawn & 0xffff_ffff,
            step: 0,
        };
        self.drawn = self.drawn.wrapping_add(1);
        let dropout = Dropout {
            between: dropout,
            ..Dropout::default()
        };
        batch.with_noise(&self.network, dropout, draw)
    }

    /// Runs `x` `[T, B, F]` from a state; outputs `[T, B, D·H]` (in `order`) and the state's slots after.
    pub fn run(
        &mut self,
        x: ArrayView3<'_, E>,
        lengths: Option<&[usize]>,
        state: Slots<'_, E>,
        (order, dropout): (Order, f64),
        team: &Arc<Team>,
    ) -> Result<(Block<E>, Vec<Block<E>>), Error> {
        let (steps, rows, width) = x.dim();
        arrays::require(
            "x",
            &[steps, rows, width],
            &[steps, rows, self.network.input.width()],
        )?;
        let mut batch = arrays::batch(x, lengths)?;
        if dropout > 0.0 && self.network.layers > 1 {
            batch = self.masked(batch, dropout)?;
        }
        let before = self.state(rows, ["h0", "c0"], state)?;
        self.read = None;
        self.unrolled.set_team(team);
        self.unrolled.forward_from(&batch, &before)?;
        let size = (steps, self.network.output_width());
        let y = arrays::unpack(&batch, self.unrolled.trace().outputs(), size, order);
        let after = self.unrolled.trace().final_state()?;
        self.read = Some(Read {
            batch,
            steps,
            order,
        });
        Ok((y, self.split(&after)))
    }

    /// The gradients of all parameters, of the input and of the state before, of the last [`run`](Layers::run).
    /// `None` where there was none since the parameters changed.
    pub fn pull(
        &mut self,
        dy: ArrayView3<'_, E>,
        d_state: Slots<'_, E>,
        team: &Arc<Team>,
    ) -> Result<Option<Gradients<E>>, Error> {
        let Some(read) = &self.read else {
            return Ok(None);
        };
        let batch = &read.batch;
        let needs = [read.steps, batch.rows(), self.network.output_width()];
        arrays::require("dy", dy.shape(), &needs)?;
        let given = d_state.iter().any(Option::is_some);
        let state = match given {
            true => Some(self.state(batch.rows(), ["dh", "dc"], d_state)?),
            false => None,
        };
        let d_outputs = arrays::pack(dy, batch);
        let cotangent = Cotangent {
            outputs: &d_outputs,
            state: state.as_ref(),
        };
        let mut gradient = self.params.zeros_like();
        self.unrolled.set_team(team);
        let deltas = self.unrolled.backward(cotangent, Some(&mut gradient))?;
        let size = (read.steps, self.network.input.width());
        let input = arrays::unpack(batch, deltas.inputs(), size, read.order);
        let before = deltas.state_before()?;
        let parameters = self
            .named(&gradient)
            .map(|(name, shape, numbers)| (name.to_string(), shape.to_vec(), numbers.to_vec()));
        Ok(Some(Gradients {
            parameters: parameters.collect(),
            input,
            state: self.split(&before),
        }))
    }

    /// One step of one row: reads `x` `[F]`, writes `y` `[H]`. Nothing is allocated after the first.
    pub fn step(&mut self, x: &[E], y: &mut [E]) -> Result<(), Error> {
        if self.stepper.is_none() {
            self.stepper = Some(Stepper::new(&self.network, &self.params)?);
        }
        match &mut self.stepper {
            Some(stepper) => stepper.step(x, y),
            None => Ok(()),
        }
    }
    /// The stepper goes back to a state of one row, or to zeros.
    pub fn reset(&mut self, state: Slots<'_, E>) -> Result<(), Error> {
        let state = self.state(1, ["h0", "c0"], state)?;
        let mut stepper = match self.stepper.take() {
            Some(stepper) => stepper,
            None => Stepper::new(&self.network, &self.params)?,
        };
        let set = stepper.set_state(&state, 0);
        self.stepper = Some(stepper);
        set
    }
    /// The stepper's state: its slots `[layers, 1, H]`.
    pub fn now(&self) -> Vec<Block<E>> {
        let mut state = State::zeros(&self.network, 1);
        if let Some(stepper) = &self.stepper {
            for layer in 0..self.network.layers {
                let now = stepper.state(layer).unwrap_or(&[]);
                state.row_mut(layer, 0).copy_from_slice(now);
            }
        }
        self.split(&state)
    }

    /// The state of `rows` rows from its slots.
    pub fn state(
        &self,
        rows: usize,
        names: [&str; 2],
        [h, c]: Slots<'_, E>,
    ) -> Result<State<E>, Error> {
        let slots = [(names[0], h), (names[1], c)];
        arrays::state(&self.network, rows, &slots[..self.slots()])
    }
    fn split(&self, state: &State<E>) -> Vec<Block<E>> {
        let slots = 0..self.slots();
        slots
            .map(|s| arrays::slot(&self.network, state, s))
            .collect()
    }
}
