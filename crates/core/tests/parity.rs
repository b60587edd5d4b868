//! Outputs, states and every gradient equal PyTorch's, from the fixtures that `fixtures/make.py` wrote.

use elman_core::*;
use safetensors::{Dtype, SafeTensors};
use std::collections::HashMap;
use std::path::Path;

/// Tolerances of issue and fixture: rounding in f32 over a few steps, and in f64.
const F32: f64 = 1e-5;
const F64: f64 = 1e-10;

struct Fixture {
    tensors: HashMap<String, Vec<f64>>,
    about: HashMap<String, String>,
}

fn read(path: &Path) -> Fixture {
    let bytes = std::fs::read(path).unwrap();
    let (_, header) = SafeTensors::read_metadata(&bytes).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let numbers = |name: &str| {
        let view = tensors.tensor(name).unwrap();
        match view.dtype() {
            Dtype::F32 => view
                .data()
                .chunks_exact(4)
                .map(|b| f64::from(f32::from_le_bytes(b.try_into().unwrap())))
                .collect(),
            Dtype::F64 => view
                .data()
                .chunks_exact(8)
                .map(|b| f64::from_le_bytes(b.try_into().unwrap()))
                .collect(),
            Dtype::I64 => view
                .data()
                .chunks_exact(8)
                .map(|b| i64::from_le_bytes(b.try_into().unwrap()) as f64)
                .collect(),
            other => panic!("{name} is {other:?}"),
        }
    };
    Fixture {
        tensors: tensors
            .names()
            .into_iter()
            .map(|n| (n.to_string(), numbers(n)))
            .collect(),
        about: header.metadata().clone().unwrap(),
    }
}

impl Fixture {
    fn get<E: Element>(&self, name: &str) -> Vec<E> {
        let from = self
            .tensors
            .get(name)
            .unwrap_or_else(|| panic!("no {name}"));
        from.iter().map(|&x| E::of(x)).collect()
    }
    fn size(&self, name: &str) -> usize {
        self.about[name].parse().unwrap()
    }
    /// PyTorch's `[sweeps, B, H]` of h, and of c where there is one.
    fn state<E: Element>(&self, network: &Network, rows: usize, names: [&str; 2]) -> State<E> {
        let h = network.hidden;
        let mut state = State::zeros(network, rows);
        for (slot, name) in names.iter().enumerate().take(network.cell.sizes().state) {
            let from = self.get::<E>(name);
            for sweep in network.sweeps() {
                for row in 0..rows {
                    let at = (sweep.index * rows + row) * h;
                    state.row_mut(sweep.index, row)[slot * h..][..h]
                        .copy_from_slice(&from[at..][..h]);
                }
            }
        }
        state
    }
}

fn close<E: Element>(what: &str, ours: &[E], theirs: &[E], tolerance: f64) {
    assert_eq!(ours.len(), theirs.len(), "{what}");
    let scale = theirs.iter().fold(1.0f64, |m, x| m.max(x.to_f64().abs()));
    for (a, b) in ours.iter().zip(theirs) {
        let apart = (a.to_f64() - b.to_f64()).abs();
        assert!(apart <= tolerance * scale, "{what}: {a} and {b}");
    }
}

fn compare<E: Element>(fixture: &Fixture, tolerance: f64) {
    let cell = match fixture.about["cell"].as_str() {
        "rnn_tanh" => CellKind::Elman,
        "rnn_relu" => CellKind::ElmanRelu,
        "lstm" => CellKind::Lstm,
        "gru" => CellKind::Gru,
        other => panic!("{other}"),
    };
    let network = Network {
        layers: fixture.size("layers"),
        bidirectional: fixture.about["directions"] == "2",
        ..Network::new(
            cell,
            Input::Features(fixture.size("inputs")),
            fixture.size("hidden"),
            fixture.size("outputs"),
        )
    };
    let lengths: Vec<usize> = fixture
        .get::<f64>("lengths")
        .iter()
        .map(|&l| l as usize)
        .collect();
    let (rows, x) = (lengths.len(), fixture.get::<E>("x"));
    let width = network.input.width();
    let shape = [x.len() / rows / width, rows, width];
    let batch = Batch::features(&x, shape, Some(&lengths)).unwrap();
    let mut params = Params::<E>::zeros(&network).unwrap();
    for view in params.layout().views().to_vec() {
        params.set(&view.name, &fixture.get(&view.name)).unwrap();
    }
    let weights = Weights::new(&network, &params).unwrap();
    let state = fixture.state::<E>(&network, rows, ["h0", "c0"]);
    let (team, mut trace) = (Team::new(2), Trace::new());
    forward(&weights, &batch, &state, &mut trace, &team).unwrap();

    let outputs = network.output_width();
    close(
        "y",
        trace.outputs(),
        &batch.pack(&fixture.get("y"), outputs).unwrap(),
        tolerance,
    );
    let last = fixture.state::<E>(&network, rows, ["h_n", "c_n"]);
    let ours = trace.final_state().unwrap();
    close("h_n, c_n", ours.data(), last.data(), tolerance);

    let d_outputs = batch
        .pack(&fixture.get::<E>("cotangent.y"), outputs)
        .unwrap();
    let d_state = fixture.state::<E>(&network, rows, ["cotangent.h_n", "cotangent.c_n"]);
    let cotangent = Cotangent {
        outputs: &d_outputs,
        state: Some(&d_state),
    };
    let (mut deltas, mut gradient) = (Deltas::with_inputs(), params.zeros_like());
    let into = Some(&mut gradient);
    backward(&weights, &trace, cotangent, &mut deltas, into, &team).unwrap();
    for view in params.layout().views() {
        let theirs = fixture.get::<E>(&format!("grad.{}", view.name));
        close(
            &view.name,
            gradient.get(&view.name).unwrap(),
            &theirs,
            tolerance,
        );
    }
    let d_x = batch.pack(&fixture.get::<E>("grad.x"), width).unwrap();
    close("grad.x", deltas.inputs(), &d_x, tolerance);
    let before = fixture.state::<E>(&network, rows, ["grad.h0", "grad.c0"]);
    let ours = deltas.state_before().unwrap();
    close("grad.h0, grad.c0", ours.data(), before.data(), tolerance);
}

#[test]
fn equals_pytorch() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let networks = ["rnn_", "lstm_", "gru_"];
        if !networks.iter().any(|n| name.starts_with(n)) || !name.ends_with(".safetensors") {
            continue;
        }
        let fixture = read(&path);
        match name.contains("f32") {
            true => compare::<f32>(&fixture, F32),
            false => compare::<f64>(&fixture, F64),
        }
        seen += 1;
    }
    assert_eq!(
        seen, 32,
        "two activations, LSTM and GRU; 1 and 2 layers and directions; f32 and f64"
    );
}

/// ONNX's GRU with `linear_before_reset = 0`, both directions and unequal lengths (`fixtures/make_onnx.py`).
#[test]
fn gru_before_equals_onnx() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let fixture = read(&folder.join("onnx_gru_before.safetensors"));
    let network = Network {
        bidirectional: true,
        output: None,
        ..Network::new(CellKind::GruBefore, Input::Features(3), 5, 1)
    };
    let mut params = Params::<f32>::zeros(&network).unwrap();
    for view in params.layout().views().to_vec() {
        params.set(&view.name, &fixture.get(&view.name)).unwrap();
    }
    let lengths: Vec<usize> = fixture
        .get::<f64>("lengths")
        .iter()
        .map(|&l| l as usize)
        .collect();
    let batch = Batch::features(&fixture.get::<f32>("x"), [7, 4, 3], Some(&lengths)).unwrap();
    let state = fixture.state::<f32>(&network, 4, ["h0", ""]);
    let weights = Weights::new(&network, &params).unwrap();
    let mut trace = Trace::new();
    forward(&weights, &batch, &state, &mut trace, &Team::new(1)).unwrap();
    let y = batch.pack(&fixture.get::<f32>("y"), 10).unwrap();
    close("y", trace.outputs(), &y, F32);
    let last = fixture.state::<f32>(&network, 4, ["h_n", ""]);
    let ours = trace.final_state().unwrap();
    close("h_n", ours.data(), last.data(), F32);
    // The other form of the reset gate is another network.
    let other = Network {
        cell: CellKind::Gru,
        ..network
    };
    let mut same = Params::<f32>::zeros(&other).unwrap();
    same.data_mut().copy_from_slice(params.data());
    let weights = Weights::new(&other, &same).unwrap();
    forward(&weights, &batch, &state, &mut trace, &Team::new(1)).unwrap();
    let apart = trace.outputs().iter().zip(&y).map(|(a, b)| (a - b).abs());
    assert!(apart.fold(0.0, f32::max) > 1e-3);
}
