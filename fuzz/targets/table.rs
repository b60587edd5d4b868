//! Tables, and each as sequences one a row and one after the other.
#![no_main]
use elman_train::data::sequences::{LabelKind, LongOptions, WideOptions, parse_long, parse_wide};
use elman_train::data::{Missing, Table};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = Table::parse("x", bytes);
    for kind in [LabelKind::None, LabelKind::Class, LabelKind::NumberPerStep] {
        let (label, missing) = (Some("y".to_string()), Missing::Refuse);
        let long = LongOptions { id: "id".into(), label: label.clone(), kind, missing, ..LongOptions::default() };
        let _ = parse_long("x", bytes, &long);
        let _ = parse_wide("x", bytes, &WideOptions { channels: 2, label, kind, missing });
    }
});
