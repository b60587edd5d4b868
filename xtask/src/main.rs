//! Chores.
#![forbid(unsafe_code)]
fn main() {}
