//! The kernels beneath elman, and the only `unsafe` code of the project.
//!
//! One screen of safe functions; sizes are asserted here, so that no caller can reach outside a buffer:
//!
//! | function | computes |
//! |---|---|
//! | [`Packed::pack`], [`Packed::pack_transposed`] | a matrix laid out as the product streams it |
//! | [`product`], [`product_in_turns`] | `out = start + a · b` |
//! | [`outer_add`] | `out += aᵀ · b`, the gradient of a weight matrix over all steps and rows |
//! | [`column_sum_add`] | `out += Σ_rows a`, the gradient of a bias |
//! | [`Level::run`] | a [`Job`]: arithmetic written once over a [`Value`], run at the widest vectors there are |
//! | [`expect_writes`], [`prefer_large_pages`] | nothing; they ask for memory in time, and for pages that hold more of it |
//! | [`Team::each`] | the same work on every shard, one thread each |
//! | [`fma_peak`] | nothing; it measures what one core could reach |
//!
//! Every result is one chain of operations per element in a fixed order: it depends neither on the number of
//! threads nor on how many rows are computed at once. Levels may differ from each other in the last bits.

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
pub use level::{Job, Level};
pub use outer::{Pick, outer_add};
pub use packed::Packed;
pub use pages::prefer_large_pages;
pub use peak::fma_peak;
pub use product::{NEAREST, Start, product, product_in_turns};
pub use rows::{Rows, RowsMut};
pub use steps::StepsMut;
pub use sums::column_sum_add;
pub use team::Team;
pub use value::Value;
