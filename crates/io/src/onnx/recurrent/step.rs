//! One step of one row, of each recurrent operator: the equations of the specification, in its notation.
//!
//! Slow, and only for what no cell of the engine has: peepholes, clipping, `input_forget`, other activations.

use super::activation::Activation;
use super::call::{Call, Cell, Outputs};
use crate::onnx::operator::Real;

/// One direction's weights, and all else that a step needs.
struct Step<'a, R> {
    cell: Cell,
    inputs: usize,
    hidden: usize,
    /// Wᵀ, `[gates, inputs, hidden]`.
    w: Vec<R>,
    /// Rᵀ, `[gates, hidden, hidden]`.
    r: Vec<R>,
    /// Wb, then Rb, `[2, gates, hidden]`.
    bias: Vec<R>,
    /// P, `[3, hidden]` for the gates i, o, f.
    peepholes: Option<&'a [R]>,
    activations: &'a [Activation],
    clip: Option<f32>,
}

/// What a row carries from step to step.
struct State<R> {
    h: Vec<R>,
    /// Of the LSTM alone.
    c: Vec<R>,
}

/// Runs one direction of a node, row by row.
pub(super) fn run<R: Real>(call: &Call<'_, R>, direction: usize, to: &mut Outputs<R>) {
    let step = Step::new(call, direction);
    let hidden = call.sizes.hidden;
    for (row, &length) in call.lengths.iter().enumerate() {
        let place = call.sizes.state(direction, row);
        let mut state = State {
            h: to.h[place..][..hidden].to_vec(),
            c: to.c[place..][..hidden].to_vec(),
        };
        for own in 0..length {
            step.run(call.x(direction, own, row), &mut state);
            let at = call.sizes.y(call.step(direction, own, row), direction, row);
            to.y[at..][..hidden].copy_from_slice(&state.h);
        }
        to.h[place..][..hidden].copy_from_slice(&state.h);
        to.c[place..][..hidden].copy_from_slice(&state.c);
    }
}

impl<'a, R: Real> Step<'a, R> {
    /// One direction's weights, each gate's transposed.
    fn new(call: &Call<'a, R>, direction: usize) -> Step<'a, R> {
        let (inputs, hidden) = (call.sizes.inputs, call.sizes.hidden);
        let transposed = |from: &[R], columns: usize| {
            let mut to = Vec::with_capacity(from.len());
            for gate in from.chunks_exact((hidden * columns).max(1)) {
                to.extend(
                    (0..columns).flat_map(|c| (0..hidden).map(move |r| gate[r * columns + c])),
                );
            }
            to
        };
        Step {
            cell: call.of.cell,
            inputs,
            hidden,
            w: transposed(call.w(direction), inputs),
            r: transposed(call.r(direction), hidden),
            bias: call.bias(direction),
            peepholes: call.peepholes(direction),
            activations: &call.of.directions[direction].activations,
            clip: call.of.clip,
        }
    }
}

impl<R: Real> Step<'_, R> {
    /// The state after a step with the inputs `x`.
    fn run(&self, x: &[R], state: &mut State<R>) {
        match self.cell {
            Cell::Rnn => self.rnn(x, state),
            Cell::Gru {
                linear_before_reset,
            } => self.gru(x, state, linear_before_reset),
            Cell::Lstm { input_forget } => self.lstm(x, state, input_forget),
        }
    }

    /// Ht = f(Xt Wiᵀ + Ht-1 Riᵀ + Wbi + Rbi)
    fn rnn(&self, x: &[R], state: &mut State<R>) {
        let z = sum(&self.input(0, x), &self.recurrent(0, &state.h));
        state.h = self.activate(0, z);
    }

    fn gru(&self, x: &[R], state: &mut State<R>, linear_before_reset: bool) {
        let h = &state.h;
        // zt = f(Xt Wzᵀ + Ht-1 Rzᵀ + Wbz + Rbz), and rt likewise
        let z = self.activate(0, sum(&self.input(0, x), &self.recurrent(0, h)));
        let r = self.activate(0, sum(&self.input(1, x), &self.recurrent(1, h)));
        let recurrent = match linear_before_reset {
            // ht = g(Xt Whᵀ + (rt ⊙ Ht-1) Rhᵀ + Rbh + Wbh)
            false => self.recurrent(2, &product(&r, h)),
            // ht = g(Xt Whᵀ + rt ⊙ (Ht-1 Rhᵀ + Rbh) + Wbh)
            true => product(&r, &self.recurrent(2, h)),
        };
        let new = self.activate(1, sum(&self.input(2, x), &recurrent));
        // Ht = (1 - zt) ⊙ ht + zt ⊙ Ht-1
        for (i, h) in state.h.iter_mut().enumerate() {
            *h = (R::ONE - z[i]) * new[i] + z[i] * *h;
        }
    }

    fn lstm(&self, x: &[R], state: &mut State<R>, input_forget: bool) {
        let h = &state.h;
        let mut gates =
            [0, 1, 2, 3].map(|gate| sum(&self.input(gate, x), &self.recurrent(gate, h)));
        let peep = |gate: usize, z: &mut Vec<R>, c: &[R]| {
            if let Some(p) = self.peepholes {
                let p = &p[gate * self.hidden..];
                z.iter_mut()
                    .zip(p)
                    .zip(c)
                    .for_each(|((z, &p), &c)| *z += p * c);
            }
        };
        let [i, o, f, c] = &mut gates;
        // it = f(Xt Wiᵀ + Ht-1 Riᵀ + Pi ⊙ Ct-1 + Wbi + Rbi), and ft likewise
        peep(0, i, &state.c);
        peep(2, f, &state.c);
        let i = self.activate(0, std::mem::take(i));
        let f = match input_forget {
            false => self.activate(0, std::mem::take(f)),
            true => i.iter().map(|&i| R::ONE - i).collect(),
        };
        // ct = g(Xt Wcᵀ + Ht-1 Rcᵀ + Wbc + Rbc)
        let new = self.activate(1, std::mem::take(c));
        // Ct = ft ⊙ Ct-1 + it ⊙ ct
        for (at, c) in state.c.iter_mut().enumerate() {
            *c = f[at] * *c + i[at] * new[at];
        }
        // ot = f(Xt Woᵀ + Ht-1 Roᵀ + Po ⊙ Ct + Wbo + Rbo)
        peep(1, o, &state.c);
        let o = self.activate(0, std::mem::take(o));
        // Ht = ot ⊙ h(Ct). The cell state is not clipped, as ONNX Runtime has it; the specification's words, that clip
        // "is applied to the input of activations", could be read otherwise.
        let h = self.activations[2];
        state.h = o
            .iter()
            .zip(&state.c)
            .map(|(&o, &c)| o * h.apply(c))
            .collect();
    }

    /// Xt Wᵀ + Wb of a gate.
    fn input(&self, gate: usize, x: &[R]) -> Vec<R> {
        let size = self.inputs * self.hidden;
        times(
            x,
            &self.w[gate * size..][..size],
            &self.bias[gate * self.hidden..][..self.hidden],
        )
    }

    /// Ht-1 Rᵀ + Rb of a gate.
    fn recurrent(&self, gate: usize, h: &[R]) -> Vec<R> {
        let size = self.hidden * self.hidden;
        let bias = &self.bias[(self.cell.gates() + gate) * self.hidden..][..self.hidden];
        times(h, &self.r[gate * size..][..size], bias)
    }

    /// An activation of a gate, whose inputs are clipped first.
    fn activate(&self, which: usize, mut z: Vec<R>) -> Vec<R> {
        let activation = self.activations[which];
        let clip = self.clip.map(|c| R::of(c.into()));
        for z in &mut z {
            let clipped = clip.map_or(*z, |c| z.between(-c, c));
            *z = activation.apply(clipped);
        }
        z
    }
}

/// x M + b, M `[x, b]`.
fn times<R: Real>(x: &[R], matrix: &[R], bias: &[R]) -> Vec<R> {
    let mut z = bias.to_vec();
    for (&x, row) in x.iter().zip(matrix.chunks_exact(bias.len())) {
        z.iter_mut().zip(row).for_each(|(z, &w)| *z += x * w);
    }
    z
}

fn sum<R: Real>(a: &[R], b: &[R]) -> Vec<R> {
    a.iter().zip(b).map(|(&a, &b)| a + b).collect()
}

fn product<R: Real>(a: &[R], b: &[R]) -> Vec<R> {
    a.iter().zip(b).map(|(&a, &b)| a * b).collect()
}
