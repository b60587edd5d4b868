//! Arrays; what is read must come back.
#![no_main]
use elman_io::{npy_from_bytes, npy_to_bytes};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(tensor) = npy_from_bytes("x", bytes) {
        let again = npy_to_bytes(&tensor).expect("an array that was read can be written");
        let back = npy_from_bytes("x", &again).expect("and read again");
        assert_eq!(npy_to_bytes(&back).expect("twice"), again);
    }
});
