//! The command elman.
#![forbid(unsafe_code)]
fn main() {}
