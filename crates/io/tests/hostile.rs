//! Files that are damaged, or made to do harm: always an error that names the file, never a panic.

use elman_core::{CellKind, Companions, Init, Input, Network};
use elman_io::{
    Error, ImportOptions, Model, Numbers, Tensor, Tensors, import_state_dict, read_model,
    write_bytes,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn model() -> Model {
    let network = Network {
        layers: 2,
        bidirectional: true,
        learned_state: true,
        ..Network::new(CellKind::Gru, Input::Features(2), 3, 1)
    };
    let extra = BTreeMap::from([("note".to_string(), "\"größe\"\n".to_string())]);
    Model {
        params: Init::default().params(&network, 5).unwrap(),
        network,
        companions: Companions::default(),
        extra,
    }
}

/// Some bytes as a safetensors file under a header.
fn file(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend_from_slice(data);
    bytes
}

/// The message of an error that a file of the name `x` must give.
fn refused(bytes: &[u8]) -> String {
    let error = Model::from_bytes("x", bytes).unwrap_err();
    assert!(matches!(error, Error::Format { .. }), "{error}");
    let text = error.to_string();
    assert!(text.starts_with("x: ") && !text.contains('\n'), "{text}");
    text
}

#[test]
fn what_is_no_safetensors_file() {
    let one = r#"{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
    let cases: [(&str, Vec<u8>); 14] = [
        ("nothing", vec![]),
        ("half a length", vec![3, 0, 0]),
        ("a length beyond the end", 100u64.to_le_bytes().to_vec()),
        ("the longest length", [0xFF; 8].to_vec()),
        ("no JSON", file("{{{{", &[])),
        ("a list", file("[]", &[])),
        ("not UTF-8", {
            let mut bytes = file("    ", &[]);
            bytes[9] = 0xFF;
            bytes
        }),
        ("nested without end", file(&"[".repeat(100_000), &[])),
        ("data missing", file(one, &[0; 3])),
        ("data left over", file(one, &[0; 5])),
        (
            "a shape that overflows",
            file(
                r#"{"w":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}"#,
                &[],
            ),
        ),
        (
            "a shape of other numbers",
            file(
                r#"{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#,
                &[0; 4],
            ),
        ),
        (
            "offsets that run back",
            file(
                r#"{"w":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#,
                &[0; 4],
            ),
        ),
        (
            "metadata that are no text",
            file(r#"{"__metadata__":{"elman.format":1}}"#, &[]),
        ),
    ];
    for (name, bytes) in cases {
        let error = refused(&bytes);
        assert!(error.contains("safetensors"), "{name}: {error}");
        assert!(Tensors::from_bytes("x", &bytes).is_err());
        assert!(Tensors::from_own_bytes("x", &bytes).is_err());
    }
}

#[test]
fn what_is_no_model_of_elman() {
    let whole = Tensors::from_bytes("x", &model().to_bytes().unwrap()).unwrap();
    let with = |change: &dyn Fn(&mut Tensors)| {
        let mut all = whole.clone();
        change(&mut all);
        refused(&all.to_bytes().unwrap())
    };
    let says = |key: &str, value: &str| {
        with(&|all| {
            all.metadata.insert(key.into(), value.into());
        })
    };
    let cases = [
        (says("elman.format", "99"), "format 99"),
        (says("elman.cell", "transformer"), "\"transformer\""),
        (says("elman.input", "pixels:3"), "elman.input"),
        (says("elman.input", "features:-3"), "elman.input"),
        (says("elman.input", "features:0"), "sizes"),
        (
            says("elman.input", "features:18446744073709551615"),
            "sizes",
        ),
        (says("elman.hidden", "many"), "elman.hidden"),
        (says("elman.hidden", "0"), "sizes"),
        (says("elman.layers", "0"), "sizes"),
        (says("elman.layers", "3"), ""),
        (says("elman.output", "0"), "sizes"),
        (says("elman.output", "18446744073709551615"), "sizes"),
        (says("elman.bidirectional", "perhaps"), "bidirectional"),
        (says("elman.learned_state", ""), "learned_state"),
        (
            with(&|all| {
                all.metadata.remove("elman.format");
            }),
            "elman.format",
        ),
        (
            with(&|all| {
                all.metadata.remove("elman.hidden");
            }),
            "elman.hidden",
        ),
        (
            with(&|all| {
                let tensor = all.tensors.remove("weight_hh_l0").unwrap();
                all.tensors.insert("weight_hh_l9".into(), tensor);
            }),
            "\"weight_hh_l0\"",
        ),
        (
            with(&|all| {
                let tensor = all.tensors.get_mut("weight_hh_l0").unwrap();
                tensor.shape.reverse();
            }),
            "[3, 9]",
        ),
        (
            with(&|all| {
                let tensor = all.tensors.get_mut("weight_hh_l0").unwrap();
                let Numbers::F32(x) = &mut tensor.numbers else {
                    panic!("32 bits")
                };
                x[5] = f32::NAN;
            }),
            "number 5",
        ),
        (
            with(&|all| {
                let tensor = all.tensors.get_mut("weight_hh_l0").unwrap();
                tensor.numbers = Numbers::F64(vec![0.0; tensor.numbers.len()]);
            }),
            "32-bit",
        ),
    ];
    for (error, word) in cases {
        assert!(error.contains(word), "no {word:?} in {error:?}");
    }
    // Without its checksum, and with another.
    let text = String::from_utf8_lossy(&model().to_bytes().unwrap()).into_owned();
    let at = text.find("elman.crc32").unwrap();
    let mut bytes = model().to_bytes().unwrap();
    bytes[at] = b'E';
    assert!(refused(&bytes).contains("no checksum"));
    bytes[at] = b'e';
    let value = at + "elman.crc32\":\"".len();
    bytes[value] = if bytes[value] == b'0' { b'1' } else { b'0' };
    assert!(refused(&bytes).contains("damaged or changed"));
}

#[test]
fn files_that_cannot_be_read_or_written() {
    let folder = tempfile::tempdir().unwrap();
    let there = folder.path().join("m");
    assert!(matches!(read_model(&there), Err(Error::Read { .. })));
    assert!(read_model(folder.path()).is_err());
    let error = write_bytes(&there.join("below"), b"x").unwrap_err();
    assert!(matches!(error, Error::Write { .. }), "{error}");
    // A folder stands where the file should go: nothing is left beside it.
    std::fs::create_dir(&there).unwrap();
    std::fs::write(there.join("inside"), b"x").unwrap();
    let error = write_bytes(&there, b"x").unwrap_err();
    assert!(matches!(error, Error::Write { .. }), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// Reads bytes in every way there is; none may panic.
fn read(bytes: &[u8]) -> bool {
    let model = Model::from_bytes("x", bytes);
    let own = Tensors::from_own_bytes("x", bytes);
    if let Ok(all) = Tensors::from_bytes("x", bytes) {
        let options = ImportOptions {
            cell: Some(CellKind::Elman),
            ignore_others: true,
            ..ImportOptions::default()
        };
        let _ = import_state_dict("x", &all, &options);
        let _ = import_state_dict("x", &all, &ImportOptions::default());
        all.to_bytes().unwrap();
    }
    model.is_ok() || own.is_ok()
}

/// A tensor of any small shape.
fn tensor() -> impl Strategy<Value = Tensor> {
    proptest::collection::vec(0usize..4, 0..4).prop_map(|shape| Tensor {
        numbers: Numbers::F32(vec![0.5; shape.iter().product()]),
        shape,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(!read(&bytes));
    }

    #[test]
    fn any_bytes_as_a_header(header in "[\\[\\]{}\":,a-zA-Z0-9_\\. -]{0,200}", data in 0usize..64) {
        prop_assert!(!read(&file(&header, &vec![0; data])));
    }

    #[test]
    fn bits_that_flip(flips in proptest::collection::vec((any::<prop::sample::Index>(), 0u8..8), 1..6)) {
        let whole = model().to_bytes().unwrap();
        let mut bytes = whole.clone();
        for (at, bit) in flips {
            bytes[at.index(whole.len())] ^= 1 << bit;
        }
        // An even number of flips of one bit changes nothing.
        prop_assert!(bytes == whole || !read(&bytes));
    }

    #[test]
    fn parts_cut_out_and_doubled(from: prop::sample::Index, to: prop::sample::Index, twice: bool) {
        let whole = model().to_bytes().unwrap();
        let (a, b) = (from.index(whole.len()), to.index(whole.len()));
        let (a, b) = (a.min(b), a.max(b));
        let (first, second) = if twice { (b, a) } else { (a, b) };
        let bytes = [&whole[..first], &whole[second..]].concat();
        prop_assert!(bytes == whole || !read(&bytes));
    }

    #[test]
    fn any_sizes_and_tensors(
        cell in 0..CellKind::ALL.len(),
        sizes in proptest::collection::vec(prop_oneof![0u64..5, any::<u64>()], 4),
        flags: [bool; 2],
        named in proptest::collection::btree_map("(weight|bias)_(ih|hh)_l[01](_reverse)?|readout.(weight|bias)", tensor(), 0..8),
    ) {
        let mut all = Tensors { tensors: named, ..Tensors::default() };
        for (key, value) in [
            ("format", "1".to_string()),
            ("cell", CellKind::ALL[cell].name().to_string()),
            ("input", format!("{}:{}", if flags[0] { "features" } else { "symbols" }, sizes[0])),
            ("hidden", sizes[1].to_string()),
            ("layers", sizes[2].to_string()),
            ("bidirectional", flags[0].to_string()),
            ("output", sizes[3].to_string()),
            ("learned_state", flags[1].to_string()),
        ] {
            all.metadata.insert(format!("elman.{key}"), value);
        }
        read(&all.to_bytes().unwrap());
    }
}
