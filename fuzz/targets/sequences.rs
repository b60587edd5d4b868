//! Sequences as .ts and as lines of JSON.
#![no_main]
use elman_train::data::Missing;
use elman_train::data::sequences::{JsonlOptions, LabelKind, parse_jsonl, parse_ts};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = parse_ts("x", bytes, Missing::Refuse);
    for kind in [LabelKind::None, LabelKind::Class, LabelKind::Number, LabelKind::ClassPerStep] {
        let _ = parse_jsonl("x", bytes, JsonlOptions { kind, missing: Missing::Refuse });
    }
});
