//! Models, and running those that need no input.
#![no_main]
use elman_io::onnx::{Graph, Run};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(graph) = Graph::from_bytes("x", bytes) {
        let run = Run { wide: false, limit: 1 << 20 };
        let _ = graph.run(&[], run);
    }
});
