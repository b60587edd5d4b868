//! elman's models and checkpoints, and PyTorch's state_dicts.
#![no_main]
use elman_io::{ImportOptions, Model, Tensors, import_state_dict};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = Model::from_bytes("x", bytes);
    let _ = Tensors::from_own_bytes("x", bytes);
    if let Ok(all) = Tensors::from_bytes("x", bytes) {
        let _ = import_state_dict("x", &all, &ImportOptions::default());
    }
});
