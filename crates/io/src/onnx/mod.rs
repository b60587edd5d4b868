//! ONNX: graphs in, run without any other runtime; networks out.
//!
//! [`Graph::read`] takes a model whose operators are known here, above all RNN, LSTM and GRU with everything that
//! their specification has, and [`Graph::run`] computes its outputs. [`export`](export()) writes a network as such a model.
//!
//! What a file may make the reader allocate is bounded by the file: messages are read where they lie, structure is
//! counted, and numbers are what the file holds. What running it may allocate is bounded by [`Run::limit`].

mod attributes;
mod export;
mod fields;
mod graph;
mod ops;
mod read;
mod recurrent;
mod tensor;

pub use export::{Surroundings, export};
pub use graph::{Dim, Graph, Port, Run};
