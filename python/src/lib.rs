//! elman for Python: the facade's calls on NumPy arrays.
//!
//! No mathematics here. What a Python user sees is in `elman/*.py`, which names this module's classes and functions;
//! their types are in `elman/_elman.pyi`.

mod arrays;
mod doctor;
mod errors;
mod layers;
mod model;
mod recurrent;
mod serial;
mod threads;
mod train;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// The native part of the package.
#[pymodule]
fn _elman(module: &Bound<'_, PyModule>) -> PyResult<()> {
    // Not an ImportError, which some programs take for "not installed".
    elman::core::Level::from_environment().map_err(|e| PyValueError::new_err(e.to_string()))?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<recurrent::Recurrent>()?;
    module.add_class::<model::Trained>()?;
    module.add_function(wrap_pyfunction!(train::train, module)?)?;
    module.add_function(wrap_pyfunction!(threads::get_num_threads, module)?)?;
    module.add_function(wrap_pyfunction!(threads::set_num_threads, module)?)?;
    Ok(())
}
