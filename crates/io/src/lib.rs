//! Networks in and out of files.
//!
//! Readers take hostile bytes: whatever they are given, they return an error that names file, tensor or number, and
//! use no more memory than a small multiple of the file.
#![forbid(unsafe_code)]

mod atomic;
mod checksum;
mod error;
mod model;
mod tensors;

pub use atomic::{write_atomically, write_bytes};
pub use error::Error;
pub use model::{Model, read_model, write_model};
pub use tensors::{Numbers, Tensor, Tensors};
