//! RNN, LSTM and GRU, with everything that their specification has.
//!
//! Specification: <https://onnx.ai/onnx/operators/onnx__LSTM.html> and its kin. Shapes with layout 0, S steps, B rows,
//! D directions: X `[S, B, I]`, W `[D, G·H, I]`, R `[D, G·H, H]`, B `[D, 2·G·H]`, sequence_lens `[B]`, initial states
//! `[D, B, H]`, P `[D, 3·H]`; Y `[S, D, B, H]`, last states `[D, B, H]`. With layout 1: X `[B, S, I]`, states
//! `[B, D, H]`, Y `[B, S, D, H]`.

mod activation;
mod step;

use super::attributes::Attributes;
use super::ops::{Args, Operator, Real, ints};
use crate::{Numbers, Tensor};
use activation::Activation;
use step::{Cell, State, Step};

type Made = Result<Box<dyn Operator>, String>;

pub(crate) fn rnn(attributes: &mut Attributes<'_>) -> Made {
    Recurrent::made(Cell::Rnn, attributes)
}
pub(crate) fn gru(attributes: &mut Attributes<'_>) -> Made {
    let linear_before_reset = attributes.flag("linear_before_reset")?;
    Recurrent::made(
        Cell::Gru {
            linear_before_reset,
        },
        attributes,
    )
}
pub(crate) fn lstm(attributes: &mut Attributes<'_>) -> Made {
    let input_forget = attributes.flag("input_forget")?;
    Recurrent::made(Cell::Lstm { input_forget }, attributes)
}

#[derive(Debug)]
struct Recurrent {
    cell: Cell,
    /// For each direction, whether it runs back.
    reversed: Vec<bool>,
    /// For each direction, in order.
    activations: Vec<Activation>,
    clip: Option<f32>,
    hidden: Option<usize>,
    /// Whether rows come before steps and directions.
    rows_first: bool,
}

impl Recurrent {
    fn made(cell: Cell, attributes: &mut Attributes<'_>) -> Made {
        let reversed = match attributes.text("direction")?.unwrap_or("forward") {
            "forward" => vec![false],
            "reverse" => vec![true],
            "bidirectional" => vec![false, true],
            other => return Err(format!("its direction {other:?} is not supported")),
        };
        let alphas = attributes.floats("activation_alpha")?.unwrap_or_default();
        let betas = attributes.floats("activation_beta")?.unwrap_or_default();
        let default = cell.activations().repeat(reversed.len());
        let names = attributes.texts("activations")?.unwrap_or(default.clone());
        if names.len() != default.len() {
            return Err(format!(
                "it names {} activations, and needs {}: {} for each direction",
                names.len(),
                default.len(),
                cell.activations().len()
            ));
        }
        let clip = attributes.float("clip")?;
        if let Some(clip) = clip.filter(|c| c.is_nan() || *c < 0.0) {
            return Err(format!("its clip is {clip}, and must not be negative"));
        }
        let hidden = attributes.int("hidden_size")?;
        let hidden =
            hidden.map(|n| usize::try_from(n).map_err(|_| format!("its hidden_size is {n}")));
        let rows_first = match attributes.int("layout")?.unwrap_or(0) {
            0 => false,
            1 => true,
            other => return Err(format!("its layout {other} is not supported")),
        };
        Ok(Box::new(Recurrent {
            cell,
            reversed,
            activations: Activation::all(&names, &alphas, &betas)?,
            clip,
            hidden: hidden.transpose()?,
            rows_first,
        }))
    }
}

impl Operator for Recurrent {
    fn run(&self, args: &Args<'_>) -> Result<Vec<Tensor>, String> {
        match &args.need(0, "X")?.numbers {
            Numbers::F32(x) => Call::new(self, args, x)?.run(),
            Numbers::F64(x) => Call::new(self, args, x)?.run(),
            other => Err(format!(
                "its input X is of {}, and floats are needed",
                other.kind()
            )),
        }
    }
}

/// The operator with its inputs, their shapes found right.
struct Call<'a, R> {
    of: &'a Recurrent,
    sizes: Sizes,
    x: &'a [R],
    w: &'a [R],
    r: &'a [R],
    bias: Option<&'a [R]>,
    /// Steps of each row.
    lengths: Vec<usize>,
    initial_h: Option<&'a [R]>,
    initial_c: Option<&'a [R]>,
    peepholes: Option<&'a [R]>,
}

#[derive(Clone, Copy)]
struct Sizes {
    steps: usize,
    rows: usize,
    inputs: usize,
    hidden: usize,
    directions: usize,
    rows_first: bool,
}

impl Sizes {
    /// Where the inputs of a row at a step are in X, in numbers.
    fn x(&self, step: usize, row: usize) -> usize {
        match self.rows_first {
            false => (step * self.rows + row) * self.inputs,
            true => (row * self.steps + step) * self.inputs,
        }
    }
    /// Where the hidden state of a row after a step is in Y.
    fn y(&self, step: usize, direction: usize, row: usize) -> usize {
        let place = match self.rows_first {
            false => (step * self.directions + direction) * self.rows + row,
            true => (row * self.steps + step) * self.directions + direction,
        };
        place * self.hidden
    }
    fn y_shape(&self) -> Vec<usize> {
        match self.rows_first {
            false => vec![self.steps, self.directions, self.rows, self.hidden],
            true => vec![self.rows, self.steps, self.directions, self.hidden],
        }
    }
    /// Where a row's state is among the first or last states.
    fn state(&self, direction: usize, row: usize) -> usize {
        let place = match self.rows_first {
            false => direction * self.rows + row,
            true => row * self.directions + direction,
        };
        place * self.hidden
    }
    fn state_shape(&self) -> Vec<usize> {
        match self.rows_first {
            false => vec![self.directions, self.rows, self.hidden],
            true => vec![self.rows, self.directions, self.hidden],
        }
    }
}

/// Input `at`, where it is given: floats of the type of X and of the shape that the others make.
fn floats<'a, R: Real>(
    args: &Args<'a>,
    at: usize,
    name: &str,
    shape: &[usize],
) -> Result<Option<&'a [R]>, String> {
    let Some(tensor) = args.get(at) else {
        return Ok(None);
    };
    if tensor.shape != shape {
        return Err(format!(
            "its input {name} is {:?}, and must be {shape:?}",
            tensor.shape
        ));
    }
    let numbers = R::of_tensor(tensor);
    let numbers = numbers
        .ok_or_else(|| format!("its input {name} is of {}, unlike X", tensor.numbers.kind()))?;
    Ok(Some(numbers))
}

impl<'a, R: Real> Call<'a, R> {
    fn new(of: &'a Recurrent, args: &Args<'a>, x: &'a [R]) -> Result<Call<'a, R>, String> {
        let (gates, directions) = (of.cell.gates(), of.reversed.len());
        let &[first, second, inputs] = args.need(0, "X")?.shape.as_slice() else {
            return Err(format!(
                "its input X is {:?}, and must have 3 axes",
                args.need(0, "X")?.shape
            ));
        };
        let (steps, rows) = if of.rows_first {
            (second, first)
        } else {
            (first, second)
        };
        let r_shape = &args.need(2, "R")?.shape;
        let &[_, _, hidden] = r_shape.as_slice() else {
            return Err(format!("its input R is {r_shape:?}, and must have 3 axes"));
        };
        if hidden == 0 || of.hidden.is_some_and(|said| said != hidden) {
            let said = of.hidden.unwrap_or(hidden);
            return Err(format!(
                "its hidden_size is {said}, and its input R is {r_shape:?}"
            ));
        }
        let sizes = Sizes {
            steps,
            rows,
            inputs,
            hidden,
            directions,
            rows_first: of.rows_first,
        };
        let wide = gates
            .checked_mul(hidden)
            .ok_or("its input R is too large")?;
        // Y and the last states; the weights of a direction, turned; the state of a row.
        let y = args.room_for(&sizes.y_shape(), size_of::<R>())?;
        let turned = wide.saturating_mul(inputs.saturating_add(hidden).saturating_add(16));
        let all = y
            .saturating_add(2 * directions * rows * hidden)
            .saturating_add(turned);
        args.room_for(&[all], size_of::<R>())?;
        args.need(1, "W")?;
        let missing = || "an input is missing".to_string();
        let is_lstm = matches!(of.cell, Cell::Lstm { .. });
        let states = sizes.state_shape();
        Ok(Call {
            of,
            sizes,
            x,
            w: floats(args, 1, "W", &[directions, wide, inputs])?.ok_or_else(missing)?,
            r: floats(args, 2, "R", &[directions, wide, hidden])?.ok_or_else(missing)?,
            bias: floats(args, 3, "B", &[directions, 2 * wide])?,
            lengths: lengths(args, steps, rows)?,
            initial_h: floats(args, 5, "initial_h", &states)?,
            initial_c: match is_lstm {
                true => floats(args, 6, "initial_c", &states)?,
                false => None,
            },
            peepholes: match is_lstm {
                true => floats(args, 7, "P", &[directions, 3 * hidden])?,
                false => None,
            },
        })
    }

    /// One direction's weights, each gate's turned round.
    fn step(&self, direction: usize) -> Step<'a, R> {
        let Sizes { inputs, hidden, .. } = self.sizes;
        let (cell, gates) = (self.of.cell, self.of.cell.gates());
        let turned = |from: &[R], columns: usize| {
            let size = gates * hidden * columns;
            let from = &from[direction * size..][..size];
            let mut to = Vec::with_capacity(size);
            for gate in from.chunks_exact((hidden * columns).max(1)) {
                to.extend(
                    (0..columns).flat_map(|c| (0..hidden).map(move |r| gate[r * columns + c])),
                );
            }
            to
        };
        let each = cell.activations().len();
        let biases = 2 * gates * hidden;
        Step {
            cell,
            inputs,
            hidden,
            w: turned(self.w, inputs),
            r: turned(self.r, hidden),
            bias: match self.bias {
                Some(bias) => bias[direction * biases..][..biases].to_vec(),
                None => vec![R::ZERO; biases],
            },
            peepholes: self
                .peepholes
                .map(|p| &p[direction * 3 * hidden..][..3 * hidden]),
            activations: &self.of.activations[direction * each..][..each],
            clip: self.of.clip,
        }
    }

    /// Y, Y_h and, of the LSTM, Y_c. Y is zero after a row's end.
    fn run(&self) -> Result<Vec<Tensor>, String>
    where
        Vec<R>: Into<Numbers>,
    {
        let Sizes {
            rows,
            inputs,
            hidden,
            directions,
            ..
        } = self.sizes;
        let mut y = vec![R::ZERO; self.sizes.y_shape().iter().product()];
        let mut last_h = vec![R::ZERO; directions * rows * hidden];
        let mut last_c = last_h.clone();
        for direction in 0..directions {
            let step = self.step(direction);
            for (row, &length) in self.lengths.iter().enumerate() {
                let place = self.sizes.state(direction, row);
                let initial = |of: Option<&[R]>| match of {
                    Some(all) => all[place..][..hidden].to_vec(),
                    None => vec![R::ZERO; hidden],
                };
                let mut state = State {
                    h: initial(self.initial_h),
                    c: initial(self.initial_c),
                };
                for t in 0..length {
                    // A row that runs back begins at its own end.
                    let t = if self.of.reversed[direction] {
                        length - 1 - t
                    } else {
                        t
                    };
                    step.run(&self.x[self.sizes.x(t, row)..][..inputs], &mut state);
                    y[self.sizes.y(t, direction, row)..][..hidden].copy_from_slice(&state.h);
                }
                last_h[place..][..hidden].copy_from_slice(&state.h);
                last_c[place..][..hidden].copy_from_slice(&state.c);
            }
        }
        let states = self.sizes.state_shape();
        let made = |shape: Vec<usize>, numbers: Vec<R>| Tensor {
            shape,
            numbers: numbers.into(),
        };
        let mut all = vec![made(self.sizes.y_shape(), y), made(states.clone(), last_h)];
        if matches!(self.of.cell, Cell::Lstm { .. }) {
            all.push(made(states, last_c));
        }
        Ok(all)
    }
}

/// How many steps each row has.
fn lengths(args: &Args<'_>, steps: usize, rows: usize) -> Result<Vec<usize>, String> {
    let Some(tensor) = args.get(4) else {
        return Ok(vec![steps; rows]);
    };
    if tensor.shape != [rows] {
        return Err(format!(
            "its input sequence_lens is {:?}, and must be [{rows}]",
            tensor.shape
        ));
    }
    let checked = ints(tensor, "sequence_lens")?
        .into_iter()
        .map(|n| match usize::try_from(n) {
            Ok(n) if n <= steps => Ok(n),
            _ => Err(format!(
                "its input sequence_lens has {n}, and there are {steps} steps"
            )),
        });
    checked.collect()
}
