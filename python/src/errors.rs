//! The library's errors as Python's exceptions, with the same words.

use elman::train::data::DataError;
use elman::{core, flow, train};
use pyo3::PyErr;
use pyo3::exceptions::{
    PyFileNotFoundError, PyFloatingPointError, PyOSError, PyRuntimeError, PyValueError,
};

/// What the engine refuses: wrong sizes, names, values.
pub fn engine(error: core::Error) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// What cannot be measured as asked.
pub fn measurement(error: flow::Error) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// What stops training, or the use of a trained network.
pub fn training(error: train::Error) -> PyErr {
    use train::Error;
    let text = error.to_string();
    match error {
        Error::Data(DataError::NotFound { .. }) => PyFileNotFoundError::new_err(text),
        Error::Run { path, .. } if !path.exists() => PyFileNotFoundError::new_err(text),
        Error::Data(DataError::Unreadable { .. }) | Error::Io(_) => PyOSError::new_err(text),
        Error::Diverged { .. } => PyFloatingPointError::new_err(text),
        Error::Internal(_) => PyRuntimeError::new_err(text),
        _ => PyValueError::new_err(text),
    }
}
