//! What a recurrent node is, what it is given, and where its numbers are in the tensors.

use super::activation::Activation;
use crate::onnx::operator::{Args, Real, ints};
use crate::{Numbers, Tensor};

/// Which operator, and what of it changes its equations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cell {
    Rnn,
    /// Gates in the order z, r, h.
    Gru {
        linear_before_reset: bool,
    },
    /// Gates in the order i, o, f, c.
    Lstm {
        input_forget: bool,
    },
}

impl Cell {
    pub fn gates(self) -> usize {
        match self {
            Cell::Rnn => 1,
            Cell::Gru { .. } => 3,
            Cell::Lstm { .. } => 4,
        }
    }
    /// For each gate of the engine's cell, which of these gates it is.
    pub fn order(self) -> &'static [usize] {
        match self {
            Cell::Rnn => &[0],
            Cell::Gru { .. } => &[1, 0, 2],
            Cell::Lstm { .. } => &[0, 2, 3, 1],
        }
    }
    /// The activations where none are named; in the specification's letters f; f, g; f, g, h.
    pub fn activations(self) -> &'static [&'static str] {
        match self {
            Cell::Rnn => &["Tanh"],
            Cell::Gru { .. } => &["Sigmoid", "Tanh"],
            Cell::Lstm { .. } => &["Sigmoid", "Tanh", "Tanh"],
        }
    }
}

/// A node, as its attributes describe it.
#[derive(Debug)]
pub(super) struct Settings {
    pub cell: Cell,
    pub directions: Vec<Direction>,
    pub clip: Option<f32>,
    pub hidden: Option<usize>,
    /// Whether rows come before steps and directions.
    pub rows_first: bool,
}

/// One direction of a node.
#[derive(Debug)]
pub(super) struct Direction {
    /// Whether it runs from the end of each row to its start.
    pub reversed: bool,
    pub activations: Vec<Activation>,
}

/// The operator with its inputs, their shapes found right.
pub(super) struct Call<'a, R> {
    pub of: &'a Settings,
    pub sizes: Sizes,
    x: &'a [R],
    w: &'a [R],
    r: &'a [R],
    bias: Option<&'a [R]>,
    /// Steps of each row.
    pub lengths: Vec<usize>,
    initial_h: Option<&'a [R]>,
    initial_c: Option<&'a [R]>,
    peepholes: Option<&'a [R]>,
}

#[derive(Clone, Copy)]
pub(super) struct Sizes {
    steps: usize,
    pub rows: usize,
    pub inputs: usize,
    pub hidden: usize,
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
    pub fn y(&self, step: usize, direction: usize, row: usize) -> usize {
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
    pub fn state(&self, direction: usize, row: usize) -> usize {
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
    pub fn new(of: &'a Settings, args: &Args<'a>, x: &'a [R]) -> Result<Call<'a, R>, String> {
        let directions = of.directions.len();
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
        let wide = of.cell.gates().checked_mul(hidden);
        let wide = wide.ok_or("its input R is too large")?;
        let sizes = Sizes {
            steps,
            rows,
            inputs,
            hidden,
            directions,
            rows_first: of.rows_first,
        };
        // Y and the last states; the weights of a direction, transposed; the state of a row.
        let y = args.room_for(&sizes.y_shape(), size_of::<R>())?;
        let transposed = wide.saturating_mul(inputs.saturating_add(hidden).saturating_add(16));
        let all = y
            .saturating_add(2 * directions * rows * hidden)
            .saturating_add(transposed);
        args.room_for(&[all], size_of::<R>())?;
        args.need(1, "W")?;
        let missing = || "an input is missing".to_string();
        let states = sizes.state_shape();
        let of_lstm = |at, name, shape: &[usize]| match of.cell {
            Cell::Lstm { .. } => floats(args, at, name, shape),
            _ => Ok(None),
        };
        Ok(Call {
            of,
            sizes,
            x,
            w: floats(args, 1, "W", &[directions, wide, inputs])?.ok_or_else(missing)?,
            r: floats(args, 2, "R", &[directions, wide, hidden])?.ok_or_else(missing)?,
            bias: floats(args, 3, "B", &[directions, 2 * wide])?,
            lengths: lengths(args, steps, rows)?,
            initial_h: floats(args, 5, "initial_h", &states)?,
            initial_c: of_lstm(6, "initial_c", &states)?,
            peepholes: of_lstm(7, "P", &[directions, 3 * hidden])?,
        })
    }

    /// The inputs of a row, of its own step `own`: where the direction runs back, the row's end comes first.
    pub fn x(&self, direction: usize, own: usize, row: usize) -> &'a [R] {
        let place = self.sizes.x(self.step(direction, own, row), row);
        &self.x[place..][..self.sizes.inputs]
    }
    /// Where a row's own step `own` is among the steps of X and Y.
    pub fn step(&self, direction: usize, own: usize, row: usize) -> usize {
        match self.of.directions[direction].reversed {
            true => self.lengths[row] - 1 - own,
            false => own,
        }
    }
    /// W of a direction, `[G·H, I]`.
    pub fn w(&self, direction: usize) -> &'a [R] {
        part(self.w, direction, self.sizes.directions)
    }
    /// R of a direction, `[G·H, H]`.
    pub fn r(&self, direction: usize) -> &'a [R] {
        part(self.r, direction, self.sizes.directions)
    }
    /// Wb and then Rb of a direction, `[2·G·H]`; zeros where there is no B.
    pub fn bias(&self, direction: usize) -> Vec<R> {
        match self.bias {
            Some(all) => part(all, direction, self.sizes.directions).to_vec(),
            None => vec![R::ZERO; 2 * self.of.cell.gates() * self.sizes.hidden],
        }
    }
    /// P of a direction, `[3·H]`.
    pub fn peepholes(&self, direction: usize) -> Option<&'a [R]> {
        let all = self.peepholes?;
        Some(part(all, direction, self.sizes.directions))
    }
    /// The outputs before the first step: Y of zeros, and the first states in place of the last.
    pub fn outputs(&self) -> Outputs<R> {
        let states = self.sizes.directions * self.sizes.rows * self.sizes.hidden;
        let first = |given: Option<&[R]>| match given {
            Some(all) => all.to_vec(),
            None => vec![R::ZERO; states],
        };
        Outputs {
            y: vec![R::ZERO; self.sizes.y_shape().iter().product()],
            h: first(self.initial_h),
            c: first(self.initial_c),
        }
    }
}

fn part<R>(all: &[R], which: usize, of: usize) -> &[R] {
    let size = all.len() / of;
    &all[which * size..][..size]
}

/// Y, zero after a row's end, and the last states, Y_h and Y_c.
pub(super) struct Outputs<R> {
    pub y: Vec<R>,
    pub h: Vec<R>,
    /// Of the LSTM alone.
    pub c: Vec<R>,
}

impl<R> Outputs<R>
where
    Vec<R>: Into<Numbers>,
{
    /// As the operator gives them.
    pub fn tensors(self, of: &Settings, sizes: Sizes) -> Vec<Tensor> {
        let made = |shape: Vec<usize>, numbers: Vec<R>| Tensor {
            shape,
            numbers: numbers.into(),
        };
        let mut all = vec![
            made(sizes.y_shape(), self.y),
            made(sizes.state_shape(), self.h),
        ];
        if matches!(of.cell, Cell::Lstm { .. }) {
            all.push(made(sizes.state_shape(), self.c));
        }
        all
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
