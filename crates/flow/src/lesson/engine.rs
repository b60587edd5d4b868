//! The engine, run for the lesson.

use super::Number;
use crate::Error;
use elman_core::{
    Batch, CellKind, Cotangent, Deltas, Input, Network, Params, State, Tangent, Unrolled, Window,
};

/// How many inputs get a gradient from a loss at the last of `steps`, with truncated BPTT over `length`.
pub(super) fn reached_by_window(length: usize, steps: usize) -> Result<usize, Error> {
    let net = tiny()?;
    let x: Vec<f64> = (0..steps).map(|t| (t as f64 * 0.9).sin()).collect();
    let window = Window {
        length,
        stride: 1,
        burn_in: steps - 1,
    };
    let mut h = vec![0.0, 0.0];
    let mut d_x = vec![0.0; steps];
    for span in window.spans(steps) {
        let mut ran = Ran::new(&net, &h, &x[span.start..span.end])?;
        let mut d_outputs = vec![0.0; span.end - span.start];
        d_outputs[span.counted - span.start..].fill(1.0);
        let deltas = ran.pulled(&d_outputs, None)?;
        for (sum, d) in d_x[span.start..span.end].iter_mut().zip(deltas.inputs()) {
            *sum += d;
        }
        h = ran.h(span.keep - span.start).to_vec();
    }
    Ok(d_x.iter().filter(|d| **d != 0.0).count())
}

/// ‖∂h_{steps+1}/∂h_1‖ along one unit vector, for the linear network h_t = W h_{t−1}.
pub(super) fn norm_at_first(w: &[f64], units: usize, steps: usize) -> Result<f64, Error> {
    let network = Network {
        output: None,
        ..Network::new(CellKind::ElmanLinear, Input::Features(1), units, 1)
    };
    let mut params = Params::zeros(&network)?;
    params.set("weight_hh_l0", w)?;
    let net = (network, params);
    let mut ran = Ran::new(&net, &vec![0.0; units], &vec![0.0; steps])?;
    let mut d_last = State::zeros(&net.0, 1);
    d_last.row_mut(0, 0)[0] = 1.0;
    let deltas = ran.pulled(&vec![0.0; units * steps], Some(&d_last))?;
    let before = deltas.state_before()?;
    Ok(before.data().iter().map(|x| x * x).sum::<f64>().sqrt())
}

/// The network of examples 1 and 2.
pub(super) fn tiny() -> Result<(Network, Params<f64>), Error> {
    let network = Network::new(CellKind::Elman, Input::Features(1), 2, 1);
    let mut params = Params::zeros(&network)?;
    params.set("weight_hh_l0", &[0.5, 0.1, 0.1, 0.5])?;
    params.set("weight_ih_l0", &[0.2, 0.3])?;
    params.set("readout.weight", &[1.0, 1.0])?;
    Ok((network, params))
}

/// One row, run from a given h.
pub(super) struct Ran(pub Unrolled<f64>);

impl Ran {
    pub fn new(
        (network, params): &(Network, Params<f64>),
        h: &[f64],
        x: &[f64],
    ) -> Result<Ran, Error> {
        let mut state = State::zeros(network, 1);
        state.row_mut(0, 0).copy_from_slice(h);
        let mut unrolled = Unrolled::new(network, params)?.with_inputs();
        unrolled.forward_from(&Batch::features(x, [x.len(), 1, 1], None)?, &state)?;
        Ok(Ran(unrolled))
    }
    pub fn h(&self, steps: usize) -> &[f64] {
        self.0.trace().sweeps()[0].state(steps, 0)
    }
    pub fn pulled(
        &mut self,
        outputs: &[f64],
        state: Option<&State<f64>>,
    ) -> Result<&Deltas<f64>, Error> {
        Ok(self.0.backward(Cotangent { outputs, state }, None)?)
    }
    pub fn gradient(&mut self, d_outputs: &[f64]) -> Result<Params<f64>, Error> {
        Ok(self.0.gradient(d_outputs)?)
    }
    /// ∂h_{t+1}/∂h_t, t from 0: the tangents of the unit vectors.
    pub fn jacobian(&self, t: usize) -> Result<Vec<Vec<f64>>, Error> {
        let n = self.0.network().state_width();
        let mut columns = vec![0.0; n * n];
        (0..n).for_each(|i| columns[i * n + i] = 1.0);
        self.0.tangent((t, 0), &mut columns, &mut Tangent::new())?;
        let row = |i| (0..n).map(|j| columns[j * n + i]).collect();
        Ok((0..n).map(row).collect())
    }
}

pub(super) fn vector(v: &[f64]) -> Number {
    Number::Vector(v.to_vec())
}

pub(super) fn matrix(numbers: &[f64], cols: usize) -> Number {
    Number::Matrix(numbers.chunks_exact(cols).map(<[f64]>::to_vec).collect())
}
