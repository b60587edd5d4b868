//! From files as people have them to plain numbers, with nothing of the engine in it.
//!
//! | file | purpose |
//! |---|---|
//! | `error` | what can be wrong with data, each as one line that says what, where and what to do |
//! | `source` | bytes → text: missing files, byte-order marks, UTF-8 |
//! | `delimited`, `dialect`, `cell` | text → records → cells: delimiter, header, decimal comma, gaps |
//! | `reader`, `shape`, `table` | a delimited file as typed columns; `frame`: the columns chosen from it, without gaps |
//! | `values`, `row_labels`, `rising` | numbers, labels and lines of rows in few bytes |
//! | `split` | which rows train, validate and test |
//! | `scale` | standardising, fitted on the training part only |
//! | `series` | the embedded sunspot numbers |
//! | `baselines` | what a network has to beat, and the measures to beat it by |
//! | `text` | characters ↔ codes; `texts`: many short texts in one buffer |
//! | `sequences` | many sequences with labels: `.ts`, long and wide CSV, JSON lines, `.npy` |
//! | `pairs` | source and target texts, symbols ↔ codes |
//! | `shuffle` | random orders and splits that a seed fixes for good |
//! | `bucket` | batches of similar lengths |
//!
//! ```
//! use elman_train::data::{Missing, Split, Fractions, Scaling, Scaler, Table};
//!
//! let table = Table::parse("load.csv", b"hour;load\n1;1,5\n2;2,5\n3;3,0\n4;4,0\n5;4,5\n6;4,0\n7;3,5\n")?;
//! let frame = table.select(&["load"], Missing::Refuse)?;
//! let split = Split::fractions(frame.rows(), Fractions::default())?;
//! let scaler = Scaler::fit(Scaling::Standard, &frame, split.train().clone())?;
//! let scaled = scaler.forward(0, frame.columns[0].get(0));
//! assert!((scaler.inverse(0, scaled) - 1.5).abs() < 1e-12);
//! # Ok::<(), elman_train::data::DataError>(())
//! ```

pub mod baselines;
mod bucket;
mod cell;
mod delimited;
mod dialect;
mod error;
mod frame;
mod names;
mod pairs;
mod reader;
mod rising;
mod row_labels;
mod scale;
pub mod sequences;
mod series;
mod shape;
mod shuffle;
mod source;
mod split;
mod table;
#[cfg(test)]
mod table_tests;
mod text;
mod texts;
mod values;

pub use bucket::{Batches, random_batches, sorted_batches};
pub use error::{DataError, Result};
pub use frame::{Frame, Missing};
pub use pairs::{Pairs, SymbolTable, Symbols};
pub use rising::Rising;
pub use row_labels::RowLabels;
pub use scale::{Affine, Scaler, Scaling};
pub use series::{SUNSPOTS_CSV, SUNSPOTS_PARTS, SUNSPOTS_TARGET, sunspots, sunspots_split};
pub use shuffle::{Drawn, draw, shuffle};
pub use split::{Fractions, LabelRange, Part, Split, TEST, TRAIN, VALIDATION};
pub use table::{ReadOptions, Table};
pub use text::{Encoded, Text, Vocabulary};
pub use texts::Texts;
pub use values::Values;
