//! A network under the microscope: its parameters in f64, run over a batch, with the gradient of the loss at every
//! output.

use crate::Error;
use elman_core::{
    Batch, Cotangent, Deltas, Element, Network, Params, Pullback, State, Tangent, Team, Trace,
    Weights, backward, forward, pull_back, tangent,
};

/// Everything that a measurement reads. Made once; every measurement borrows it.
///
/// The joint state s holds all layers: h of layer 0, c where there is one, then layer 1. L is the sum over steps and
/// rows of losses L_s of one output each.
#[derive(Debug)]
pub struct Scope {
    pub(crate) params: Params<f64>,
    pub(crate) weights: Weights<f64>,
    pub(crate) batch: Batch<f64>,
    pub(crate) state: State<f64>,
    pub(crate) trace: Trace<f64>,
    pub(crate) d_outputs: Vec<f64>,
    pub(crate) team: Team,
}

impl Scope {
    /// Runs the batch from `state` in f64, whatever type it comes in. `d_outputs` is ∂L/∂y of every step and row,
    /// packed as [`Trace::outputs`] is; a step without a loss has zeros.
    ///
    /// Errors where sizes disagree, and for a bidirectional network, which has no recurrent Jacobian.
    pub fn new<E: Element>(
        network: &Network,
        params: &Params<E>,
        batch: &Batch<E>,
        state: &State<E>,
        d_outputs: &[E],
    ) -> Result<Scope, Error> {
        if network.bidirectional {
            let text = "a bidirectional network has no single recurrent Jacobian, so its gradient has no one path \
                        back in time to measure: train one direction, or measure the layers apart";
            return Err(elman_core::Error::Unsupported(text.into()).into());
        }
        let (params, batch, state) = (params.convert(), batch.convert(), state.convert());
        let weights = Weights::new(network, &params)?;
        let (team, mut trace) = (Team::new(1), Trace::new());
        forward(&weights, &batch, &state, &mut trace, &team)?;
        let needs = trace.outputs().len();
        if d_outputs.len() != needs {
            return Err(Error::Size {
                what: "the gradient of the outputs",
                has: d_outputs.len(),
                needs,
            });
        }
        Ok(Scope {
            params,
            weights,
            batch,
            state,
            trace,
            d_outputs: d_outputs.iter().map(|d| d.to_f64()).collect(),
            team,
        })
    }

    /// The same for at most `rows` of the batch's rows, evenly chosen.
    pub fn of_rows<E: Element>(
        network: &Network,
        params: &Params<E>,
        batch: &Batch<E>,
        state: &State<E>,
        d_outputs: &[E],
        rows: usize,
    ) -> Result<Scope, Error> {
        if rows >= batch.rows() {
            return Scope::new(network, params, batch, state, d_outputs);
        }
        let width = network.output_width();
        let needs = batch.total() * width;
        if d_outputs.len() != needs {
            return Err(Error::Size {
                what: "the gradient of the outputs",
                has: d_outputs.len(),
                needs,
            });
        }
        let all: Vec<usize> = (0..batch.rows()).collect();
        let chosen = spread(&all, rows.max(1));
        let some = batch.select(&chosen, usize::MAX)?;
        let mut d = vec![E::ZERO; some.total() * width];
        for (i, &row) in chosen.iter().enumerate() {
            for t in 0..some.length(i) {
                if let (Some(to), Some(from)) = (some.at(t, i), batch.at(t, row)) {
                    d[to * width..][..width].copy_from_slice(&d_outputs[from * width..][..width]);
                }
            }
        }
        Scope::new(network, params, &some, &state.select(&chosen), &d)
    }

    /// The network.
    pub fn network(&self) -> &Network {
        self.weights.network()
    }
    /// The batch, in f64.
    pub fn batch(&self) -> &Batch<f64> {
        &self.batch
    }
    /// What forward left, in f64.
    pub fn trace(&self) -> &Trace<f64> {
        &self.trace
    }
    /// The parameters, in f64.
    pub fn params(&self) -> &Params<f64> {
        &self.params
    }
    /// Numbers in the joint state of a row: layers · slots · H.
    pub fn width(&self) -> usize {
        self.network().layers * self.network().state_width()
    }
    /// The joint state of a row after `steps` steps.
    pub fn state(&self, steps: usize, row: usize) -> Vec<f64> {
        let sweeps = self.trace.sweeps().iter();
        sweeps.flat_map(|s| s.state(steps, row)).copied().collect()
    }
    /// ∂L_t/∂y_t of a row; `None` past its end.
    pub fn d_output(&self, t: usize, row: usize) -> Option<&[f64]> {
        let width = self.trace.output_width();
        let at = self.batch.at(t, row)?;
        self.d_outputs.get(at * width..(at + 1) * width)
    }
    /// The steps of a row at which a loss stands, from the first.
    pub fn loss_times(&self, row: usize) -> Vec<usize> {
        let counts = |t: &usize| {
            self.d_output(*t, row)
                .is_some_and(|d| d.iter().any(|x| *x != 0.0))
        };
        (0..self.batch.length(row)).filter(counts).collect()
    }
    /// ∂L_t/∂s_t: what the loss at step `t` says of the state after it, W_hyᵀ ∂L_t/∂y_t, added to `to`.
    pub(crate) fn add_direct(&self, t: usize, row: usize, scale: f64, to: &mut [f64]) {
        let (h, width) = (self.network().hidden, self.network().state_width());
        let top = (self.network().layers - 1) * width;
        let Some(d_y) = self.d_output(t, row) else {
            return;
        };
        let to = &mut to[top..top + h];
        match self.params.get("readout.weight") {
            Ok(w_hy) => {
                for (d, w) in d_y.iter().zip(w_hy.chunks_exact(h)) {
                    to.iter_mut()
                        .zip(w)
                        .for_each(|(to, w)| *to += scale * d * w);
                }
            }
            Err(_) => to.iter_mut().zip(d_y).for_each(|(to, d)| *to += scale * d),
        }
    }
    /// Replaces each direction `[n, width]` by J_t v.
    pub fn push(
        &self,
        t: usize,
        row: usize,
        directions: &mut [f64],
        work: &mut Tangent<f64>,
    ) -> Result<(), Error> {
        let place = (t, row);
        Ok(tangent(
            &self.weights,
            &self.trace,
            place,
            directions,
            work,
        )?)
    }
    /// Replaces each cotangent `[n, width]` by J_tᵀ u, each at its own step and row.
    pub fn pull(
        &self,
        places: &[(usize, usize)],
        cotangents: &mut [f64],
        work: &mut Pullback<f64>,
    ) -> Result<(), Error> {
        Ok(pull_back(
            &self.weights,
            &self.trace,
            places,
            cotangents,
            work,
        )?)
    }
    /// J_t of a row, dense: row i, column j is ∂(s_t)_i/∂(s_{t−1})_j, with t from 0.
    pub fn jacobian(&self, t: usize, row: usize) -> Result<Vec<f64>, Error> {
        let n = self.width();
        let mut columns = identity(n);
        self.push(t, row, &mut columns, &mut Tangent::new())?;
        Ok(transposed(&columns, n))
    }
    /// The gradient of all parameters for a cotangent packed like the outputs.
    pub(crate) fn gradient_of(&self, d_outputs: &[f64]) -> Result<Params<f64>, Error> {
        let (mut deltas, mut gradient) = (Deltas::new(), self.params.zeros_like());
        let cotangent = Cotangent {
            outputs: d_outputs,
            state: None,
        };
        backward(
            &self.weights,
            &self.trace,
            cotangent,
            &mut deltas,
            Some(&mut gradient),
            &self.team,
        )?;
        Ok(gradient)
    }
    /// The gradient of all parameters, of the whole loss.
    pub fn gradient(&self) -> Result<Params<f64>, Error> {
        self.gradient_of(&self.d_outputs)
    }
    /// About `count` places (step, row), spread evenly over all steps of all rows that have `after` more steps.
    pub(crate) fn places(&self, count: usize, after: usize) -> Vec<(usize, usize)> {
        let all: Vec<(usize, usize)> = (0..self.batch.rows())
            .flat_map(|row| {
                let last = (self.batch.length(row) + 1).saturating_sub(after.max(1));
                (0..last).map(move |t| (t, row))
            })
            .collect();
        spread(&all, count)
    }
}

/// About `count` of some things, evenly spread and always with the last.
pub(crate) fn spread<T: Copy>(all: &[T], count: usize) -> Vec<T> {
    let n = count.min(all.len());
    (1..=n).map(|i| all[i * all.len() / n - 1]).collect()
}

/// The unit vectors, one after another.
pub(crate) fn identity(n: usize) -> Vec<f64> {
    let mut eye = vec![0.0; n * n];
    (0..n).for_each(|i| eye[i * n + i] = 1.0);
    eye
}

pub(crate) fn transposed(a: &[f64], n: usize) -> Vec<f64> {
    (0..n * n).map(|at| a[(at % n) * n + at / n]).collect()
}

/// Brings a whole matrix back to a safe size; as `scaled::rescale` does.
pub(crate) fn rescale_all(v: &mut [f64], ln_scale: &mut f64) {
    let largest = v.iter().fold(0.0f64, |m, x| m.max(x.abs()));
    if largest > 0.0 && largest.is_finite() && !(1e-100..1e100).contains(&largest) {
        v.iter_mut().for_each(|x| *x /= largest);
        *ln_scale += largest.ln();
    }
}
