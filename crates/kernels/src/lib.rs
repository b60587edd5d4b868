//! The kernels beneath elman, and the only `unsafe` code of the project.
//!
//! ```
//! use elman_kernels::{Level, Packed, Rows, RowsMut, Start, product};
//!
//! // y = x · b, with b [2, 3] packed once.
//! let b = [1.0f32, 2.0, 3.0, 4.0, 5.0, 6.0];
//! let mut packed = Packed::zeros(2, 3);
//! packed.pack(0, Rows::new(&b, 2, 3));
//! let mut y = [0.0; 3];
//! let x = Rows::new(&[1.0, 10.0], 1, 2);
//! product(Level::best(), x, &packed, RowsMut::new(&mut y, 1, 3), Start::Zero);
//! assert_eq!(y, [41.0, 52.0, 63.0]);
//! ```
//!
//! One screen of safe functions; sizes are asserted here, so that no caller can reach outside a buffer:
//!
//! | function | computes |
//! |---|---|
//! | [`Packed::pack`], [`Packed::pack_transposed`] | a matrix laid out as the product streams it |
//! | [`product`], [`product_in_turns`] | `out = start + a · b` |
//! | [`outer_add`] | `out += aᵀ · b`, the gradient of a weight matrix over all steps and rows |
//! | [`column_sum_add`] | `out += Σ_rows a`, the gradient of a bias |
//! | [`outer_add_compensated`], [`column_sum_add_compensated`] | the same over millions of rows, without losing digits |
//! | [`Level::run`] | a [`Job`]: arithmetic written once over a [`Value`], run at the widest vectors there are |
//! | [`expect_writes`], [`prefer_large_pages`] | nothing; they ask for memory in time, and for pages that hold more of it |
//! | [`Team::each`] | the same work on every shard, one thread each |
//! | [`fma_peak`] | nothing; it measures what one core could reach |
//!
//! Every result is one chain of operations per element in a fixed order, and a compensated sum is such chains in a fixed
//! order: it depends neither on the number of threads nor on how many rows are computed at once. Levels may differ from
//! each other in the last bits.

#![warn(clippy::missing_panics_doc)]

mod ahead;
#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod buffer;
mod element;
mod level;
mod math;
#[cfg(target_arch = "aarch64")]
mod neon;
mod outer;
mod packed;
mod pages;
mod peak;
mod portable;
mod product;
mod rows;
mod side;
mod simd;
mod steps;
mod sums;
mod team;
mod tile;
mod twice;
mod value;

pub use ahead::expect_writes;
pub use buffer::Buffer;
pub use element::Element;
pub use level::{Job, Level, LevelError};
pub use outer::{SUM_BLOCK, outer_add, outer_add_compensated};
pub use packed::Packed;
pub use pages::prefer_large_pages;
pub use peak::fma_peak;
pub use product::{NEAREST, Start, product, product_in_turns};
pub use rows::{Rows, RowsMut};
pub use side::Pick;
pub use steps::StepsMut;
pub use sums::{column_sum_add, column_sum_add_compensated};
pub use team::Team;
pub use value::Value;

/// The code of the README, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
