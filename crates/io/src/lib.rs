//! Networks in and out of files: safetensors, PyTorch's names, ONNX, NumPy arrays, TensorBoard's events.
//!
//! ```
//! use elman_core::{CellKind, Init, Input, Network};
//! use elman_io::Model;
//!
//! let network = Network::new(CellKind::Gru, Input::Features(2), 8, 1);
//! let model = Model {
//!     params: Init::default().params(&network, 1)?,
//!     network,
//!     companions: Default::default(),
//!     extra: Default::default(),
//! };
//! let bytes = model.to_bytes()?; // a safetensors file
//! assert_eq!(Model::from_bytes("model", &bytes)?.network, model.network);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
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
mod numbers;
pub mod onnx;
mod state_dict;
mod strided;
mod tensorboard;
mod tensors;
mod wire;

pub use atomic::{write_atomically, write_bytes};
pub use checksum::crc32;
pub use error::Error;
pub use file::read_file;
pub use model::{Model, Stored, read_model, write_model};
pub use npy::{npy_from_bytes, npy_to_bytes, read_npy, write_npy};
pub use numbers::Numbers;
pub use state_dict::{ImportOptions, Imported, export_state_dict, import_state_dict};
pub use tensorboard::EventFile;
pub use tensors::{Tensor, Tensors};

/// The code of the README, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
