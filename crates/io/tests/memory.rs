//! What a file says of its sizes is not believed: reading takes no more memory than a small multiple of the file.
//! Alone in its file, because it watches the memory of its process.
#![cfg(target_os = "linux")]

use elman_core::{CellKind, Companions, Init, Input, Network};
use elman_io::{Model, Tensors};
use std::collections::BTreeMap;

/// The largest address space that this process ever had, in MB.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|l| l.starts_with("VmPeak:")).unwrap();
    let kilobytes = line.split_whitespace().nth(1).unwrap();
    kilobytes.parse::<u64>().unwrap() / 1024
}

#[test]
fn sizes_are_not_believed() {
    // 300 units: 90 000 numbers, enough that a matrix of claimed sizes below that number takes gigabytes.
    let network = Network::new(CellKind::Elman, Input::Features(1), 300, 1);
    let model = Model {
        params: Init::default().params(&network, 1).unwrap(),
        network,
        companions: Companions::default(),
        extra: BTreeMap::new(),
    };
    let bytes = model.to_bytes().unwrap();
    let whole = Tensors::from_bytes("x", &bytes).unwrap();
    let before = peak();
    for (key, value) in [
        ("elman.input", "features:90000"),
        ("elman.input", "symbols:90000"),
        ("elman.output", "90000"),
        ("elman.layers", "90000"),
        ("elman.hidden", "30000"),
        ("elman.hidden", "4294967296"),
        ("elman.layers", "18446744073709551615"),
    ] {
        let mut bad = whole.clone();
        bad.metadata.insert(key.into(), value.into());
        let bad = bad.to_bytes().unwrap();
        assert!(
            Model::from_bytes("x", &bad).is_err(),
            "{key} may not be {value}"
        );
    }
    // A header that says it is as long as it may be, and one that announces a tensor of many bytes.
    let mut long = 100_000_000u64.to_le_bytes().to_vec();
    long.extend_from_slice(&[b' '; 64]);
    assert!(Tensors::from_bytes("x", &long).is_err());
    let header = r#"{"w":{"dtype":"F64","shape":[1000000000],"data_offsets":[0,8000000000]}}"#;
    let mut wide = (header.len() as u64).to_le_bytes().to_vec();
    wide.extend_from_slice(header.as_bytes());
    assert!(Tensors::from_bytes("x", &wide).is_err());
    let grown = peak() - before;
    assert!(
        grown < 64,
        "reading files of {} kB took {grown} MB",
        bytes.len() / 1024
    );
}
