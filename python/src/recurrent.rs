//! `Recurrent`: layers of either number type, as Python holds them.

use crate::arrays::{self, Block, Order, tuple};
use crate::doctor::{self, Asked};
use crate::errors;
use crate::layers::{Layers, Slots};
use crate::threads::team;
use elman::core::{CellKind, Element, Error, Input, Network};
use numpy::{
    IntoPyArray, PyArray1, PyArray3, PyArrayDyn, PyArrayMethods, PyReadonlyArray3,
    PyReadonlyArrayDyn, PyUntypedArrayMethods,
};
use pyo3::exceptions::{PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Numbers that one step may cost before other Python threads are let run meanwhile.
const LONG: usize = 1 << 16;

/// Recurrent layers with their parameters and what the last call left for backward.
#[pyclass(frozen, module = "elman._elman")]
pub struct Recurrent {
    layers: Numbers,
    long_step: bool,
}

enum Numbers {
    F32(Mutex<Layers<f32>>),
    F64(Mutex<Layers<f64>>),
}

macro_rules! with_layers {
    ($recurrent:expr, $layers:ident => $call:expr) => {
        match &$recurrent.layers {
            Numbers::F32($layers) => $call,
            Numbers::F64($layers) => $call,
        }
    };
}

/// What Python passes for h, or for h and c.
type Given<'py> = (Option<Bound<'py, PyAny>>, Option<Bound<'py, PyAny>>);

#[pymethods]
impl Recurrent {
    #[new]
    #[pyo3(signature = (cell, input, hidden, layers, bidirectional, bias, double, seed))]
    #[allow(clippy::too_many_arguments)] // one call from one place, by name
    fn new(
        cell: &str,
        input: usize,
        hidden: usize,
        layers: usize,
        bidirectional: bool,
        bias: bool,
        double: bool,
        seed: u64,
    ) -> PyResult<Recurrent> {
        let cell = CellKind::by_name(cell)
            .ok_or_else(|| PyValueError::new_err(format!("there is no cell {cell:?}")))?;
        let network = Network {
            layers,
            bidirectional,
            output: None,
            ..Network::new(cell, Input::Features(input), hidden, 1)
        };
        fits(&network)?;
        let long_step = network.layers * network.hidden * network.hidden > LONG;
        let layers = match double {
            false => Numbers::F32(Mutex::new(
                Layers::new(network, bias, seed).map_err(errors::engine)?,
            )),
            true => Numbers::F64(Mutex::new(
                Layers::new(network, bias, seed).map_err(errors::engine)?,
            )),
        };
        Ok(Recurrent { layers, long_step })
    }

    /// Every parameter's array, by its name.
    fn state_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let dict = PyDict::new(py);
        with_layers!(self, layers => {
            for (name, shape, numbers) in lock(layers).parameters() {
                dict.set_item(name, array(py, numbers.to_vec(), shape)?)?;
            }
        });
        Ok(dict)
    }
    /// Replaces parameters by arrays of this type and of their shapes.
    fn load(&self, arrays: Vec<(String, Bound<'_, PyAny>)>) -> PyResult<()> {
        with_layers!(self, layers => load(layers, arrays))
    }
    /// y `[T, B, D·H]` (or batch first) and the slots of the state after; the share `dropout` between layers is dropped.
    fn run<'py>(
        &self,
        py: Python<'py>,
        x: Bound<'py, PyAny>,
        lengths: Option<Vec<usize>>,
        state: Given<'py>,
        batch_first: bool,
        dropout: f64,
    ) -> PyResult<(Bound<'py, PyAny>, Vec<Bound<'py, PyAny>>)> {
        let order = if batch_first {
            Order::Batch
        } else {
            Order::Time
        };
        with_layers!(self, layers => run(py, layers, (x, lengths, state), (order, dropout)))
    }
    /// The gradients: of the parameters by name, of x, and of the slots of the state before.
    #[allow(clippy::type_complexity)] // a tuple that Python takes apart
    fn pull<'py>(
        &self,
        py: Python<'py>,
        dy: Bound<'py, PyAny>,
        d_state: Given<'py>,
    ) -> PyResult<(
        Bound<'py, PyDict>,
        Bound<'py, PyAny>,
        Vec<Bound<'py, PyAny>>,
    )> {
        with_layers!(self, layers => pull(py, layers, dy, d_state))
    }
    /// The microscope's verdict and figures; `dy` is ∂L/∂y `[T, B, H]`.
    fn doctor<'py>(
        &self,
        py: Python<'py>,
        x: Bound<'py, PyAny>,
        lengths: Option<Vec<usize>>,
        state: Given<'py>,
        dy: Bound<'py, PyAny>,
        asked: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let asked = Asked::read(asked)?;
        with_layers!(self, layers => examine(py, layers, (x, lengths, state, dy), &asked))
    }
    /// One step of one row, x `[F]` to y `[H]`, both without gaps.
    fn step(&self, py: Python<'_>, x: &Bound<'_, PyAny>, y: &Bound<'_, PyAny>) -> PyResult<()> {
        with_layers!(self, layers => step(py, layers, x, y, self.long_step))
    }
    /// Puts the stepper into a state of one row; zeros where none is given.
    fn reset(&self, state: Given<'_>) -> PyResult<()> {
        with_layers!(self, layers => {
            let state = state_arrays(state)?;
            lock(layers).reset(views(&state)).map_err(errors::engine)
        })
    }
    /// The slots of the stepper's state.
    fn now<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyAny>>> {
        with_layers!(self, layers => lock(layers).now().into_iter().map(|b| block(py, b)).collect())
    }
}

/// That the parameters of a network can be counted and held.
fn fits(network: &Network) -> PyResult<()> {
    /// Half of what an address space of 48 bits holds of the larger number.
    const MOST: usize = 1 << 44;
    let gates = network.cell.sizes().from_x.len();
    let widest = network.input.width().max(2 * network.hidden);
    let sizes = [network.layers, network.directions(), gates, network.hidden];
    let all = sizes.iter().try_fold(widest, |n, &m| n.checked_mul(m));
    match all {
        Some(n) if n < MOST => Ok(()),
        _ => Err(PyValueError::new_err(format!(
            "{} layers of {} units over {} inputs have more parameters than any memory holds",
            network.layers,
            network.hidden,
            network.input.width()
        ))),
    }
}

fn lock<E: Element>(layers: &Mutex<Layers<E>>) -> MutexGuard<'_, Layers<E>> {
    layers.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A view of an array of three axes; an error where it is anything else.
fn three<'py, E: numpy::Element>(
    what: &str,
    any: &Bound<'py, PyAny>,
) -> PyResult<PyReadonlyArray3<'py, E>> {
    let array = any.cast::<PyArray3<E>>().map_err(|_| {
        PyTypeError::new_err(format!("{what} is not an array of three axes of this type"))
    })?;
    Ok(array.try_readonly()?)
}

fn one<'a, 'py, E: numpy::Element>(
    what: &str,
    any: &'a Bound<'py, PyAny>,
) -> PyResult<&'a Bound<'py, PyArray1<E>>> {
    any.cast::<PyArray1<E>>().map_err(|_| {
        PyTypeError::new_err(format!("{what} is not an array of one axis of this type"))
    })
}

fn state_arrays<'py, E: numpy::Element>(
    (h, c): Given<'py>,
) -> PyResult<[Option<PyReadonlyArray3<'py, E>>; 2]> {
    let view =
        |what: &str, any: Option<Bound<'py, PyAny>>| any.map(|any| three(what, &any)).transpose();
    Ok([view("h", h)?, view("c", c)?])
}

fn views<'a, E: numpy::Element>(arrays: &'a [Option<PyReadonlyArray3<'_, E>>; 2]) -> Slots<'a, E> {
    arrays.each_ref().map(|a| a.as_ref().map(|a| a.as_array()))
}

fn load<E: Element + numpy::Element>(
    layers: &Mutex<Layers<E>>,
    arrays: Vec<(String, Bound<'_, PyAny>)>,
) -> PyResult<()> {
    let mut layers = lock(layers);
    let mut all = Vec::with_capacity(arrays.len());
    for (name, any) in arrays {
        let array = any
            .cast::<PyArrayDyn<E>>()
            .map_err(|_| PyTypeError::new_err(format!("{name} is not an array of this type")))?;
        let view = layers
            .params()
            .layout()
            .find(&name)
            .map_err(errors::engine)?;
        if array.shape() != view.shape {
            return Err(PyValueError::new_err(format!(
                "{name} has the shape {}, and {} is needed",
                tuple(array.shape()),
                tuple(&view.shape)
            )));
        }
        let array: PyReadonlyArrayDyn<'_, E> = array.try_readonly()?;
        all.push((name, array.as_array().iter().copied().collect()));
    }
    layers.load(&all).map_err(errors::engine)
}

fn run<'py, E: Element + numpy::Element>(
    py: Python<'py>,
    layers: &Mutex<Layers<E>>,
    (x, lengths, state): (Bound<'py, PyAny>, Option<Vec<usize>>, Given<'py>),
    how: (Order, f64),
) -> PyResult<(Bound<'py, PyAny>, Vec<Bound<'py, PyAny>>)> {
    let x = three::<E>("x", &x)?;
    let state = state_arrays(state)?;
    let (x, state) = (x.as_array(), views(&state));
    let (y, after) = py
        .detach(|| lock(layers).run(x, lengths.as_deref(), state, how, &team()))
        .map_err(errors::engine)?;
    Ok((block(py, y)?, blocks(py, after)?))
}

#[allow(clippy::type_complexity)] // as the method
fn pull<'py, E: Element + numpy::Element>(
    py: Python<'py>,
    layers: &Mutex<Layers<E>>,
    dy: Bound<'py, PyAny>,
    d_state: Given<'py>,
) -> PyResult<(
    Bound<'py, PyDict>,
    Bound<'py, PyAny>,
    Vec<Bound<'py, PyAny>>,
)> {
    let dy = three::<E>("dy", &dy)?;
    let d_state = state_arrays(d_state)?;
    let (dy, d_state) = (dy.as_array(), views(&d_state));
    let gradients = py
        .detach(|| lock(layers).pull(dy, d_state, &team()))
        .map_err(errors::engine)?;
    let gradients = gradients.ok_or_else(|| {
        PyRuntimeError::new_err(
            "there is nothing to go back through: call the layers on x first (and again after load_state_dict)",
        )
    })?;
    let dict = PyDict::new(py);
    for (name, shape, numbers) in gradients.parameters {
        dict.set_item(name, array(py, numbers, &shape)?)?;
    }
    Ok((
        dict,
        block(py, gradients.input)?,
        blocks(py, gradients.state)?,
    ))
}

type Seen<'py> = (
    Bound<'py, PyAny>,
    Option<Vec<usize>>,
    Given<'py>,
    Bound<'py, PyAny>,
);

fn examine<'py, E: Element + numpy::Element>(
    py: Python<'py>,
    layers: &Mutex<Layers<E>>,
    (x, lengths, state, dy): Seen<'py>,
    asked: &Asked,
) -> PyResult<Bound<'py, PyAny>> {
    let (x, dy) = (three::<E>("x", &x)?, three::<E>("dy", &dy)?);
    let state = state_arrays(state)?;
    // A copy, so that a long measurement keeps nobody from using the layers.
    let (network, params, batch, before, d_outputs) = {
        let layers = lock(layers);
        let (network, params) = (layers.network().clone(), layers.params().clone());
        let (steps, rows, width) = x.as_array().dim();
        let needs = [steps, rows, network.input.width()];
        let batch = arrays::require("x", &[steps, rows, width], &needs)
            .and_then(|()| arrays::batch(x.as_array(), lengths.as_deref()))
            .map_err(errors::engine)?;
        let needs = [steps, rows, network.output_width()];
        arrays::require("dy", dy.as_array().shape(), &needs).map_err(errors::engine)?;
        let before = layers
            .state(rows, ["h0", "c0"], views(&state))
            .map_err(errors::engine)?;
        let d_outputs = arrays::pack(dy.as_array(), &batch);
        (network, params, batch, before, d_outputs)
    };
    doctor::examine(py, (&network, &params), &batch, &before, &d_outputs, asked)
}

fn step<E: Element + numpy::Element>(
    py: Python<'_>,
    layers: &Mutex<Layers<E>>,
    x: &Bound<'_, PyAny>,
    y: &Bound<'_, PyAny>,
    long: bool,
) -> PyResult<()> {
    let (x, mut y) = (
        one::<E>("x", x)?.try_readonly()?,
        one::<E>("out", y)?.try_readwrite()?,
    );
    let (x, y) = (x.as_slice()?, y.as_slice_mut()?);
    let stepped: Result<(), Error> = match long {
        true => py.detach(|| lock(layers).step(x, y)),
        false => lock(layers).step(x, y),
    };
    stepped.map_err(errors::engine)
}

fn blocks<'py, E: Element + numpy::Element>(
    py: Python<'py>,
    all: Vec<Block<E>>,
) -> PyResult<Vec<Bound<'py, PyAny>>> {
    all.into_iter().map(|b| block(py, b)).collect()
}

fn block<'py, E: Element + numpy::Element>(
    py: Python<'py>,
    block: Block<E>,
) -> PyResult<Bound<'py, PyAny>> {
    array(py, block.numbers, &block.shape)
}

/// Numbers as an array, which takes them over without a copy.
pub fn array<'py, E: numpy::Element>(
    py: Python<'py>,
    numbers: Vec<E>,
    shape: &[usize],
) -> PyResult<Bound<'py, PyAny>> {
    Ok(numbers.into_pyarray(py).reshape(shape)?.into_any())
}
