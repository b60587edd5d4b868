//! The node on the engine: weights packed once for a model, buffers used again in every run.
//!
//! A direction runs here where it is what a cell of the engine computes; else by the equations in `step.rs`.

use super::activation::Activation;
use super::call::{Call, Cell, Outputs, Settings};
use super::step;
use crate::Numbers;
use crate::Tensor;
use crate::names::reorder;
use crate::onnx::operator::{Args, Real};
use elman_core::{
    Batch, CellKind, Error, Input, Network, Params, State, Team, Trace, Weights, forward,
};
use std::cmp::Reverse;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Numbers of states and gates that are computed before they are copied to Y: what a level-2 cache holds.
const SEGMENT: usize = 128 * 1024;
/// The widest block of columns to which packed weights are filled up.
const BLOCK: usize = 64;

/// For each direction, its weights; `None` where the engine has no cell for it.
type Directions<R> = Arc<Vec<Option<Weights<R>>>>;

/// What is kept from run to run.
#[derive(Debug)]
pub(super) struct Engine<R> {
    /// Only where the weights are the same in every run.
    weights: Mutex<Option<Directions<R>>>,
    /// Buffers; as many as there were runs at once.
    traces: Mutex<Vec<Trace<R>>>,
}

impl<R> Default for Engine<R> {
    fn default() -> Engine<R> {
        Engine {
            weights: Mutex::new(None),
            traces: Mutex::new(Vec::new()),
        }
    }
}

/// What a mutex guards here is whole at any time, so a run that ended within does no harm.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<R: Real> Engine<R>
where
    Vec<R>: Into<Numbers>,
{
    /// Y, Y_h and, of the LSTM, Y_c.
    pub fn run(&self, call: &Call<'_, R>, args: &Args<'_>) -> Result<Vec<Tensor>, String> {
        let directions = self.directions(call, args).map_err(|e| e.to_string())?;
        let mut trace = locked(&self.traces).pop().unwrap_or_default();
        let mut to = call.outputs();
        for (direction, weights) in directions.iter().enumerate() {
            match weights {
                None => step::run(call, direction, &mut to),
                Some(weights) => sweep(call, direction, weights, &mut trace, &mut to)
                    .map_err(|e| e.to_string())?,
            }
        }
        locked(&self.traces).push(trace);
        Ok(to.tensors(call.of, call.sizes))
    }

    /// The weights of each direction: those that were kept, or packed now. None at all where there is no room for them
    /// beside the values: the equations need less.
    fn directions(&self, call: &Call<'_, R>, args: &Args<'_>) -> Result<Directions<R>, Error> {
        let count = call.of.directions.len();
        if args.room_for(&[needs(call)], size_of::<R>()).is_err() {
            return Ok(Arc::new(vec![None; count]));
        }
        let packed = || {
            let all = (0..count).map(|direction| {
                let cell = cell_of(call.of, direction);
                let cell =
                    cell.filter(|_| call.sizes.inputs > 0 && call.peepholes(direction).is_none());
                cell.map(|cell| pack(call, direction, cell)).transpose()
            });
            Ok(Arc::new(all.collect::<Result<_, _>>()?))
        };
        if !args.are_fixed(1..4) {
            return packed();
        }
        let mut kept = locked(&self.weights);
        if let Some(directions) = &*kept {
            return Ok(directions.clone());
        }
        let directions = packed()?;
        *kept = Some(directions.clone());
        Ok(directions)
    }
}

/// The cell that computes what a direction asks for, where there is one.
fn cell_of(of: &Settings, direction: usize) -> Option<CellKind> {
    const TANH: Activation = Activation::TANH;
    const SIGMOID: Activation = Activation::SIGMOID;
    if of.clip.is_some() {
        return None;
    }
    match (of.cell, of.directions[direction].activations.as_slice()) {
        (Cell::Rnn, [TANH]) => Some(CellKind::Elman),
        (Cell::Rnn, [Activation::RELU]) => Some(CellKind::ElmanRelu),
        (Cell::Rnn, [Activation::IDENTITY]) => Some(CellKind::ElmanLinear),
        (
            Cell::Gru {
                linear_before_reset,
            },
            [SIGMOID, TANH],
        ) => Some(match linear_before_reset {
            true => CellKind::Gru,
            false => CellKind::GruBefore,
        }),
        (
            Cell::Lstm {
                input_forget: false,
            },
            [SIGMOID, TANH, TANH],
        ) => Some(CellKind::Lstm),
        _ => None,
    }
}

/// Numbers that the weights, packed for forward and for backward, and a segment's buffers take at most.
fn needs<R: Real>(call: &Call<'_, R>) -> usize {
    let sizes = call.sizes;
    let wide = call.of.cell.gates().saturating_mul(sizes.hidden);
    let reads = sizes.inputs.saturating_add(sizes.hidden);
    // Of each matrix: as a parameter, and packed twice, its columns and its rows filled up.
    let matrices = (wide + BLOCK).saturating_mul(reads + 2 * BLOCK);
    let row = sizes.inputs.saturating_add(16 * sizes.hidden);
    let segment = row.saturating_mul(sizes.rows).saturating_add(4 * SEGMENT);
    let directions = call.of.directions.len();
    matrices
        .saturating_mul(3 * directions)
        .saturating_add(segment)
}

/// The weights of a direction as the engine has them.
fn pack<R: Real>(
    call: &Call<'_, R>,
    direction: usize,
    cell: CellKind,
) -> Result<Weights<R>, Error> {
    let network = Network {
        output: None,
        ..Network::new(
            cell,
            Input::Features(call.sizes.inputs),
            call.sizes.hidden,
            1,
        )
    };
    let mut params = Params::zeros(&network)?;
    let bias = call.bias(direction);
    let (bias_ih, bias_hh) = bias.split_at(bias.len() / 2);
    for (name, given) in [
        ("weight_ih_l0", call.w(direction)),
        ("weight_hh_l0", call.r(direction)),
        ("bias_ih_l0", bias_ih),
        ("bias_hh_l0", bias_hh),
    ] {
        let place = params.layout().find(name)?.range();
        params.data_mut()[place].copy_from_slice(&reorder(given, call.of.cell.order()));
    }
    Weights::new(&network, &params)
}

/// Runs one direction, some steps of all rows at a time.
fn sweep<R: Real>(
    call: &Call<'_, R>,
    direction: usize,
    weights: &Weights<R>,
    trace: &mut Trace<R>,
    to: &mut Outputs<R>,
) -> Result<(), Error> {
    let (network, sizes) = (weights.network(), call.sizes);
    let (hidden, width) = (sizes.hidden, network.state_width());
    let team = Team::new(1);
    // Longest first: the rows that are left after some steps are the first ones.
    let mut order: Vec<usize> = (0..sizes.rows).collect();
    order.sort_by_key(|&row| Reverse(call.lengths[row]));
    let (mut from, mut left) = (0, order.as_slice());
    loop {
        left = &left[..left.partition_point(|&row| call.lengths[row] > from)];
        let Some(&longest) = left.first() else {
            return Ok(());
        };
        let numbers = left.len() * (width + 4 * hidden);
        let steps = (SEGMENT / numbers).max(1).min(call.lengths[longest] - from);
        let lengths: Vec<usize> = left
            .iter()
            .map(|&row| steps.min(call.lengths[row] - from))
            .collect();
        let x = |t: usize, r: usize| call.x(direction, from + t, left[r]);
        let batch = Batch::of_rows(x, [steps, left.len(), sizes.inputs], Some(&lengths))?;
        let mut state = State::zeros(network, left.len());
        for (r, &row) in left.iter().enumerate() {
            let place = sizes.state(direction, row);
            let (h, c) = state.row_mut(0, r).split_at_mut(hidden);
            h.copy_from_slice(&to.h[place..][..hidden]);
            c.copy_from_slice(&to.c[place..][..width - hidden]);
        }
        forward(weights, &batch, &state, trace, &team)?;
        let states = &trace.sweeps()[0];
        for (r, (&row, &length)) in left.iter().zip(&lengths).enumerate() {
            for t in 0..length {
                let at = sizes.y(call.step(direction, from + t, row), direction, row);
                let h = &states.state(t + 1, r)[..hidden];
                to.y[at..][..hidden].copy_from_slice(h);
            }
            let place = sizes.state(direction, row);
            let (h, c) = states.state(length, r).split_at(hidden);
            to.h[place..][..hidden].copy_from_slice(h);
            to.c[place..][..c.len()].copy_from_slice(c);
        }
        from += steps;
    }
}
