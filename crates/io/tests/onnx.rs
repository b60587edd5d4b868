//! Networks written as ONNX models and run again, beside the engine; and models that are damaged.

use elman_core::{
    Batch, CellKind, Init, Input, Network, Params, State, Team, Trace, Weights, forward,
};
use elman_io::onnx::{Graph, Run, Surroundings, export};
use elman_io::{Error, Model, Numbers, Tensor};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn model(cell: CellKind, layers: usize, bidirectional: bool) -> Model {
    let network = Network {
        layers,
        bidirectional,
        ..Network::new(cell, Input::Features(2), 4, 3)
    };
    let params: Params<f32> = Init::default().params(&network, 7).unwrap();
    Model {
        network,
        companions: Default::default(),
        params,
        extra: BTreeMap::new(),
    }
}

/// What a graph makes of `x` `[T, B, F]` from a state of zeros: its output `y`.
fn run(graph: &Graph, x: &[f32], [t, b, f]: [usize; 3], states: usize) -> Vec<f32> {
    let x = Tensor::f32(&[t, b, f], x);
    let zeros = Tensor::f32(&[states, b, 4], &vec![0.0; states * b * 4]);
    let mut inputs = vec![("x", &x), ("h0", &zeros)];
    if graph.inputs().any(|port| port.name == "c0") {
        inputs.push(("c0", &zeros));
    }
    let outputs = graph.run(&inputs, Run::default()).unwrap();
    let Numbers::F32(y) = &outputs[0].numbers else {
        panic!("32 bits")
    };
    y.clone()
}

#[test]
fn what_is_written_computes_what_the_engine_computes() {
    use CellKind::*;
    for cell in [Elman, ElmanRelu, ElmanLinear, Lstm, Gru, GruBefore] {
        for (layers, both) in [(1, false), (2, false), (2, true)] {
            let model = model(cell, layers, both);
            let bytes = export(&model, &Surroundings::default()).unwrap();
            let graph = Graph::from_bytes("x", &bytes).unwrap();
            let x: Vec<f32> = (0..6 * 3 * 2).map(|i| (i as f32 * 0.7).sin()).collect();
            let batch = Batch::features(&x, [6, 3, 2], None).unwrap();
            let weights = Weights::new(&model.network, &model.params).unwrap();
            let mut trace = Trace::new();
            let state = State::zeros(&model.network, 3);
            forward(&weights, &batch, &state, &mut trace, &Team::new(1)).unwrap();
            let y = run(&graph, &x, [6, 3, 2], layers * model.network.directions());
            let largest = y.iter().zip(trace.outputs()).map(|(a, b)| (a - b).abs());
            let largest = largest.fold(0.0, f32::max);
            assert!(largest < 1e-5, "{cell:?} {layers} {both}: {largest}");
        }
    }
}

#[test]
fn a_leak_has_no_operator() {
    let error = export(&model(CellKind::Leaky, 1, false), &Surroundings::default()).unwrap_err();
    assert!(
        error.to_string().contains("no operator for the cell leaky"),
        "{error}"
    );
}

#[test]
fn every_cut_is_an_error_or_a_smaller_model() {
    let bytes = export(&model(CellKind::Lstm, 1, false), &Surroundings::default()).unwrap();
    for cut in 0..bytes.len() {
        match Graph::from_bytes("x", &bytes[..cut]) {
            Err(error) => assert!(error.to_string().starts_with("x: "), "{error}"),
            Ok(_) => panic!("cut at {cut} of {}", bytes.len()),
        }
    }
}

#[test]
fn what_the_operators_have_not_is_refused() {
    let mut normed = model(CellKind::Lstm, 1, false);
    normed.network.layer_norm = true;
    normed.params = Init::default().params(&normed.network, 7).unwrap();
    let mut zoned = model(CellKind::Gru, 1, false);
    zoned.network.zoneout = 0.1;
    for model in [normed, zoned] {
        let error = export(&model, &Surroundings::default()).unwrap_err();
        assert!(
            error.to_string().contains("neither layer normalisation"),
            "{error}"
        );
        assert!(elman_io::export_state_dict(&model, "", "fc").is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn bytes_that_change(changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..5)) {
        let mut bytes = export(&model(CellKind::Gru, 1, false), &Surroundings::default()).unwrap();
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let x = Tensor::f32(&[2, 1, 2], &[0.5; 4]);
        let h0 = Tensor::f32(&[1, 1, 4], &[0.0; 4]);
        match Graph::from_bytes("x", &bytes) {
            Ok(graph) => {
                let limit = 1 << 20;
                let _ = graph.run(&[("x", &x), ("h0", &h0)], Run { wide: false, limit });
            }
            Err(error) => {
                let of_the_system = matches!(error, Error::Read { .. });
                prop_assert!(!of_the_system);
            }
        }
    }
}
