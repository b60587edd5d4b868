//! A network unrolled over a batch: forward, backward and what they share, held together.

use crate::{
    Batch, Cotangent, Deltas, Element, Error, Network, Params, Pullback, State, Sweep, Tangent,
    Team, Trace, Weights, backward, forward, pull_back, step_contributions, tangent,
};
use std::sync::Arc;

/// A network, its packed parameters, and its last run. Buffers are used again by the next run.
///
/// ```
/// use elman_core::{Batch, CellKind, Error, Init, Input, Network, Unrolled};
///
/// # fn main() -> Result<(), Error> {
/// let network = Network::new(CellKind::Elman, Input::Features(2), 16, 1);
/// let params = Init::default().params::<f32>(&network, 1)?;
/// let mut unrolled = Unrolled::new(&network, &params)?;
///
/// // Five steps of three rows of two features; the second row has two steps, the third four.
/// let batch = Batch::features(&[0.1; 5 * 3 * 2], [5, 3, 2], Some(&[5, 2, 4]))?;
/// let y = unrolled.forward(&batch)?;
/// let d_y: Vec<f32> = y.iter().map(|y| 2.0 * y).collect(); // the loss is the sum of y²
/// let gradient = unrolled.gradient(&d_y)?;
/// println!("{:?}", gradient.get("weight_hh_l0")?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Unrolled<E> {
    weights: Weights<E>,
    trace: Trace<E>,
    deltas: Deltas<E>,
    team: Arc<Team>,
}

impl<E: Element> Unrolled<E> {
    /// On one thread; without the gradient of the inputs.
    pub fn new(network: &Network, params: &Params<E>) -> Result<Unrolled<E>, Error> {
        Ok(Unrolled {
            weights: Weights::new(network, params)?,
            trace: Trace::new(),
            deltas: Deltas::new(),
            team: Arc::new(Team::new(1)),
        })
    }
    /// Also takes the gradient of the inputs: [`Deltas::inputs`].
    pub fn with_inputs(mut self) -> Unrolled<E> {
        self.deltas = Deltas::with_inputs();
        self
    }
    /// Shares the rows of a batch among these threads from now on; the same bits for any number of them.
    pub fn set_team(&mut self, team: &Arc<Team>) {
        self.team = Arc::clone(team);
    }
    /// Takes changed parameters; the last run is void. An error where they are another network's.
    pub fn refresh(&mut self, params: &Params<E>) -> Result<(), Error> {
        self.weights.refresh(params)
    }

    /// Runs a batch from the learned state, or from zeros; y of all steps, packed `[Σ B_t, output width]`.
    pub fn forward(&mut self, batch: &Batch<E>) -> Result<&[E], Error> {
        let state = self.weights.initial_state(batch.rows());
        self.forward_from(batch, &state)
    }
    /// The same from a given state.
    pub fn forward_from(&mut self, batch: &Batch<E>, state: &State<E>) -> Result<&[E], Error> {
        forward(&self.weights, batch, state, &mut self.trace, &self.team)?;
        Ok(self.trace.outputs())
    }
    /// The gradient of the parameters, from ∂L/∂y of the last run. That of a learned state is not part of it: it is
    /// [`Deltas::state_before`].
    pub fn gradient(&mut self, d_outputs: &[E]) -> Result<Params<E>, Error> {
        let mut gradient = Params::zeros(self.network())?;
        let cotangent = Cotangent {
            outputs: d_outputs,
            state: None,
        };
        self.backward(cotangent, Some(&mut gradient))?;
        Ok(gradient)
    }
    /// Goes back over the last run, as often as wanted; *adds* the gradient of the parameters to `gradient`, where there
    /// is one.
    pub fn backward(
        &mut self,
        cotangent: Cotangent<'_, E>,
        gradient: Option<&mut Params<E>>,
    ) -> Result<&Deltas<E>, Error> {
        let (weights, trace) = (&self.weights, &self.trace);
        let (deltas, team) = (&mut self.deltas, &self.team);
        backward(weights, trace, cotangent, deltas, gradient, team)?;
        Ok(&self.deltas)
    }
    /// [`tangent`] at a step and a row of the last run.
    pub fn tangent(
        &self,
        place: (usize, usize),
        directions: &mut [E],
        work: &mut Tangent<E>,
    ) -> Result<(), Error> {
        tangent(&self.weights, &self.trace, place, directions, work)
    }
    /// [`pull_back`] at steps and rows of the last run.
    pub fn pull_back(
        &self,
        places: &[(usize, usize)],
        cotangents: &mut [E],
        work: &mut Pullback<E>,
    ) -> Result<(), Error> {
        pull_back(&self.weights, &self.trace, places, cotangents, work)
    }

    /// [`step_contributions`] of the last backward.
    pub fn step_contributions(
        &self,
        sweep: Sweep,
        each: impl FnMut(usize, &[E]),
    ) -> Result<(), Error> {
        step_contributions(&self.weights, &self.trace, &self.deltas, sweep, each)
    }

    /// The network.
    pub fn network(&self) -> &Network {
        self.weights.network()
    }
    /// Its parameters, packed.
    pub fn weights(&self) -> &Weights<E> {
        &self.weights
    }
    /// The last run.
    pub fn trace(&self) -> &Trace<E> {
        &self.trace
    }
    /// What the last backward left.
    pub fn deltas(&self) -> &Deltas<E> {
        &self.deltas
    }
    /// The threads.
    pub fn team(&self) -> &Arc<Team> {
        &self.team
    }
}
