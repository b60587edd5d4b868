//! What PyTorch's users have comes in, goes out the same to the bit, and where it is not clear, the option is named.

use elman_core::{CellKind, Companions, Init, Input, Network};
use elman_io::{
    ImportOptions, Model, Numbers, Tensor, Tensors, export_state_dict, import_state_dict,
};
use std::collections::BTreeMap;

fn model(cell: CellKind, layers: usize, bidirectional: bool) -> Model {
    let network = Network {
        layers,
        bidirectional,
        ..Network::new(cell, Input::Features(3), 4, 2)
    };
    let params = Init::default().params(&network, 7).unwrap();
    Model {
        network,
        companions: Companions::default(),
        params,
        extra: BTreeMap::new(),
    }
}

fn error(tensors: &Tensors, options: &ImportOptions) -> String {
    let error = import_state_dict("w.safetensors", tensors, options).unwrap_err();
    error.to_string()
}

#[test]
fn a_round_trip_changes_no_bit() {
    for cell in [
        CellKind::Elman,
        CellKind::ElmanRelu,
        CellKind::Lstm,
        CellKind::Gru,
    ] {
        for (layers, both, prefix) in [(1, false, ""), (2, true, "rnn."), (3, false, "net.core.")] {
            let model = model(cell, layers, both);
            let out = export_state_dict(&model, prefix, "fc").unwrap();
            let bytes = out.to_bytes().unwrap();
            let options = ImportOptions {
                cell: Some(cell),
                ..ImportOptions::default()
            };
            let all = Tensors::from_bytes("x", &bytes).unwrap();
            let back = import_state_dict("x", &all, &options).unwrap();
            assert_eq!(back.model.network, model.network);
            let bits = |m: &Model| {
                m.params
                    .data()
                    .iter()
                    .map(|x| x.to_bits())
                    .collect::<Vec<_>>()
            };
            assert_eq!(bits(&back.model), bits(&model));
            assert_eq!((back.rounding, back.ignored.len()), (0.0, 0));
        }
    }
}

#[test]
fn gates_tell_the_cell_and_tanh_must_be_said() {
    let nothing = ImportOptions::default();
    for cell in [CellKind::Lstm, CellKind::Gru] {
        let all = export_state_dict(&model(cell, 1, false), "", "out").unwrap();
        let back = import_state_dict("x", &all, &nothing).unwrap();
        assert_eq!(back.model.network.cell, cell);
    }
    let rnn = export_state_dict(&model(CellKind::Elman, 1, false), "", "out").unwrap();
    assert!(error(&rnn, &nothing).contains("option cell: elman, elman-relu"));
    let gru = ImportOptions {
        cell: Some(CellKind::Gru),
        ..ImportOptions::default()
    };
    assert!(error(&rnn, &gru).contains("the option cell says gru"));
}

#[test]
fn what_is_not_clear_names_its_option() {
    let nothing = ImportOptions::default();
    let mut all = export_state_dict(&model(CellKind::Lstm, 1, false), "a.", "fc").unwrap();
    for name in ["b.weight_ih_l0", "b.weight_hh_l0"] {
        let from = name.replace("b.", "a.");
        all.tensors.insert(name.into(), all.tensors[&from].clone());
    }
    assert!(error(&all, &nothing).contains("option prefix: \"a.\", \"b.\""));
    let a = ImportOptions {
        prefix: Some("a.".into()),
        ..ImportOptions::default()
    };
    assert!(error(&all, &a).contains("ignore-others"));
    let ignoring = ImportOptions {
        ignore_others: true,
        ..a
    };
    let back = import_state_dict("x", &all, &ignoring).unwrap();
    assert_eq!(back.ignored, ["b.weight_hh_l0", "b.weight_ih_l0"]);

    let mut all = export_state_dict(&model(CellKind::Lstm, 1, false), "", "fc").unwrap();
    all.tensors
        .insert("head.weight".into(), Tensor::f32(&[1, 4], &[0.0; 4]));
    assert!(error(&all, &nothing).contains("option readout: fc, head, none"));
    let mut all = export_state_dict(&model(CellKind::Lstm, 1, false), "", "fc").unwrap();
    all.tensors
        .insert("weight_hr_l0".into(), Tensor::f32(&[2, 4], &[0.0; 8]));
    assert!(error(&all, &nothing).contains("projection"));
}

#[test]
fn missing_biases_are_zero_and_64_bits_are_rounded_and_said() {
    let model = model(CellKind::Gru, 1, false);
    let mut all = export_state_dict(&model, "", "fc").unwrap();
    all.tensors.retain(|name, _| !name.contains("bias"));
    let back = import_state_dict("x", &all, &ImportOptions::default()).unwrap();
    assert!(
        back.model
            .params
            .get("bias_hh_l0")
            .unwrap()
            .iter()
            .all(|&b| b == 0.0)
    );

    let third = Numbers::F64(vec![1.0 / 3.0; 12 * 4]);
    let w = all.tensors.get_mut("weight_hh_l0").unwrap();
    w.numbers = third;
    let back = import_state_dict("x", &all, &ImportOptions::default()).unwrap();
    assert!(
        back.rounding > 1e-9 && back.rounding < 6e-8,
        "{}",
        back.rounding
    );
    let w = all.tensors.get_mut("weight_hh_l0").unwrap();
    w.numbers = Numbers::F64(vec![1e300; 12 * 4]);
    assert!(
        error(&all, &ImportOptions::default())
            .contains("number 0 of tensor \"weight_hh_l0\" is inf")
    );
}

#[test]
fn what_pytorch_has_not_is_said() {
    for cell in [CellKind::Leaky, CellKind::ElmanLinear] {
        let error = export_state_dict(&model(cell, 1, false), "", "fc").unwrap_err();
        assert!(error.to_string().contains("export to ONNX"), "{error}");
    }
}
