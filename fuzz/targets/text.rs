//! Texts, pairs, and configurations.
#![no_main]
use elman_train::Options;
use elman_train::data::{Pairs, Text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = Text::parse("x", bytes);
    let _ = Pairs::parse("x", bytes);
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = Options::from_toml("x", text);
    }
});
