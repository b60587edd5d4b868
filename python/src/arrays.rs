//! NumPy arrays as the engine's batches, states and packed buffers, and back.
//!
//! Arrays come as views `[T, B, …]` of any strides, so a batch-first array is read where it lies, without a transposed
//! copy. The engine stores its inputs packed, and packing is the one pass over them.

use elman::core::{Batch, Element, Error, Network, State};
use numpy::ndarray::{ArrayView3, Axis};

/// A tensor `[outer, middle, inner]` on its way to Python.
pub struct Block<E> {
    pub numbers: Vec<E>,
    pub shape: [usize; 3],
}

/// Which of the two outer axes of an array is outermost.
#[derive(Clone, Copy, PartialEq)]
pub enum Order {
    /// `[T, B, …]`
    Time,
    /// `[B, T, …]`
    Batch,
}

/// An error unless an array has a shape.
pub fn require(what: &str, has: &[usize], needs: &[usize]) -> Result<(), Error> {
    match has == needs {
        true => Ok(()),
        false => Err(Error::Unsupported(format!(
            "{what} has the shape {}, and {} is needed",
            tuple(has),
            tuple(needs)
        ))),
    }
}

/// A shape as Python writes it.
pub fn tuple(shape: &[usize]) -> String {
    let sizes: Vec<String> = shape.iter().map(usize::to_string).collect();
    format!("({})", sizes.join(", "))
}

/// The inner rows of a view, each where it lies, or from a copy where the innermost axis has gaps.
fn rows<'v, E: Element>(view: &'v ArrayView3<'_, E>) -> impl Fn(usize, usize) -> &'v [E] {
    move |t, r| {
        let row = view.index_axis(Axis(0), t).index_axis_move(Axis(0), r);
        row.to_slice().unwrap_or(&[])
    }
}

/// Whether the numbers of each step of each row lie side by side.
fn gapless<E>(view: &ArrayView3<'_, E>) -> bool {
    view.len_of(Axis(2)) <= 1 || view.strides()[2] == 1
}

/// The batch that a view `[T, B, F]` holds; `lengths` `[B]` as in [`Batch::features`].
pub fn batch<E: Element>(
    x: ArrayView3<'_, E>,
    lengths: Option<&[usize]>,
) -> Result<Batch<E>, Error> {
    let (steps, count, width) = x.dim();
    let shape = [steps, count, width];
    if let Some(numbers) = x.as_slice() {
        return Batch::features(numbers, shape, lengths);
    }
    if !gapless(&x) {
        let whole: Vec<E> = x.iter().copied().collect();
        return Batch::features(&whole, shape, lengths);
    }
    Batch::of_rows(rows(&x), shape, lengths)
}

/// From a view `[T, B, width]` to the packed order of a batch.
pub fn pack<E: Element>(view: ArrayView3<'_, E>, batch: &Batch<E>) -> Vec<E> {
    let (steps, count, width) = view.dim();
    if let (Some(numbers), true) = (view.as_slice(), batch.total() == steps * count) {
        return numbers.to_vec();
    }
    let mut packed = vec![E::ZERO; batch.total() * width];
    for t in 0..batch.steps() {
        for r in 0..count {
            let Some(at) = batch.at(t, r) else { continue };
            let to = packed[at * width..][..width].iter_mut();
            let row = view.index_axis(Axis(0), t);
            to.zip(row.index_axis(Axis(0), r))
                .for_each(|(to, &x)| *to = x);
        }
    }
    packed
}

/// From the packed order of a batch to an array of `steps` steps, with zeros past each row's end.
pub fn unpack<E: Element>(
    batch: &Batch<E>,
    packed: &[E],
    (steps, width): (usize, usize),
    order: Order,
) -> Block<E> {
    let rows = batch.rows();
    let shape = match order {
        Order::Time => [steps, rows, width],
        Order::Batch => [rows, steps, width],
    };
    let even = batch.total() == steps * rows;
    if even && (order == Order::Time || rows == 1) {
        let numbers = packed.to_vec();
        return Block { numbers, shape };
    }
    let mut numbers = vec![E::ZERO; steps * rows * width];
    for t in 0..batch.steps() {
        for r in 0..rows {
            let Some(from) = batch.at(t, r) else { continue };
            let to = match order {
                Order::Time => t * rows + r,
                Order::Batch => r * steps + t,
            };
            numbers[to * width..][..width].copy_from_slice(&packed[from * width..][..width]);
        }
    }
    Block { numbers, shape }
}

/// A state from h, and c where there is one, `[layers · directions, B, H]` each.
pub fn state<E: Element>(
    network: &Network,
    rows: usize,
    slots: &[(&str, Option<ArrayView3<'_, E>>)],
) -> Result<State<E>, Error> {
    let h = network.hidden;
    let needs = [network.layers * network.directions(), rows, h];
    let mut state = State::zeros(network, rows);
    for (slot, (name, view)) in slots.iter().enumerate() {
        let Some(view) = view else { continue };
        require(name, view.shape(), &needs)?;
        for ((sweep, row, unit), &x) in view.indexed_iter() {
            state.row_mut(sweep, row)[slot * h + unit] = x;
        }
    }
    Ok(state)
}

/// One slot of a state: 0 is h, 1 is c.
pub fn slot<E: Element>(network: &Network, state: &State<E>, slot: usize) -> Block<E> {
    let (sweeps, h) = (network.layers * network.directions(), network.hidden);
    let rows = (0..sweeps).flat_map(|s| (0..state.rows()).map(move |r| (s, r)));
    let numbers = rows.flat_map(|(s, r)| &state.row(s, r)[slot * h..][..h]);
    Block {
        numbers: numbers.copied().collect(),
        shape: [sweeps, state.rows(), h],
    }
}
