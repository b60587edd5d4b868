//! Networks in and out of files: safetensors, PyTorch's names, ONNX, NumPy arrays, TensorBoard's events.
//!
//! Readers take hostile bytes: whatever they are given, they return an error that names file, tensor or number, and
//! use no more memory than a small multiple of the file.
#![forbid(unsafe_code)]

mod atomic;
mod checksum;
mod error;
mod file;
mod model;
pub mod names;
mod npy;
pub mod onnx;
mod state_dict;
mod tensorboard;
mod tensors;
mod wire;

pub use atomic::{write_atomically, write_bytes};
pub use checksum::crc32;
pub use error::Error;
pub use file::read_file;
pub use model::{Model, read_model, write_model};
pub use npy::{npy_from_bytes, npy_to_bytes, read_npy, write_npy};
pub use state_dict::{ImportOptions, Imported, export_state_dict, import_state_dict};
pub use tensorboard::EventFile;
pub use tensors::{Numbers, Tensor, Tensors};
