//! ONNX: graphs in, run without any other runtime; networks out.
//!
//! [`Graph::read`] takes a model whose operators are known here, above all RNN, LSTM and GRU with everything that
//! their specification has, and [`Graph::run`] computes its outputs. [`export`](export()) writes a network as such a model.
//!
//! Nodes may stand in any order. Only what the outputs need is read: a node or a tensor that nothing uses stops no model.
//!
//! Where the specification is silent:
//! - A row whose `sequence_lens` is 0 has zeros in Y, and its last state is its first one (`initial_h`, `initial_c`, or
//!   zeros where there is none). ONNX Runtime 1.32 gives zeros as the last state in any case.
//! - A constant may hold infinities, as masks do; one that holds NaN, which only a failed training leaves, is an error.
//! - A depth of OneHot below 1, and a float beyond the integers of 64 bits, are errors where they are sizes.
//!
//! What a file may make the reader allocate is bounded by the file: messages are read where they lie, structure is
//! counted, and numbers are what the file holds. What running it may allocate is bounded by [`Run::limit`].

mod attributes;
mod export;
mod fields;
mod graph;
mod operator;
mod ops;
mod order;
mod parts;
mod read;
mod recurrent;
mod tensor;

pub use export::{Surroundings, export};
pub use graph::{Dim, Graph, Port, Run};
