//! Ten steps of each optimiser, and clipping, equal PyTorch's, from the fixtures in `tests/fixtures`.

use elman_core::*;
use elman_io::{Numbers, Tensors};
use elman_train::{Method, Optimiser, clip_norm, norm};
use std::path::Path;

const EXACT: f64 = 1e-10;

struct Fixture(Tensors);

impl Fixture {
    fn read(name: &str) -> Fixture {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        let bytes = std::fs::read(folder.join(format!("{name}.safetensors"))).unwrap();
        Fixture(Tensors::from_bytes(name, &bytes).unwrap())
    }
    fn get(&self, name: &str) -> Vec<f64> {
        match &self.0.tensors[name].numbers {
            Numbers::F64(x) => x.clone(),
            Numbers::I64(x) => x.iter().map(|&i| i as f64).collect(),
            other => panic!("{name} is of {}", other.kind()),
        }
    }
    fn option(&self, name: &str) -> f64 {
        self.0.metadata[name].parse().unwrap()
    }
    fn network(&self) -> Network {
        let [hidden, inputs] = self.0.tensors["initial.weight_ih_l0"].shape[..] else {
            panic!("weight_ih_l0 is no matrix")
        };
        let outputs = self.0.tensors["initial.readout.weight"].shape[0];
        Network::new(CellKind::Elman, Input::Features(inputs), hidden, outputs)
    }
    fn params(&self, network: &Network, prefix: &str) -> Params<f64> {
        let mut params = Params::zeros(network).unwrap();
        for view in params.layout().views().to_vec() {
            params
                .set(&view.name, &self.get(&format!("{prefix}.{}", view.name)))
                .unwrap();
        }
        params
    }
}

/// The mean squared error over every output of every valid step, and its gradient.
fn loss(fixture: &Fixture, network: &Network, params: &Params<f64>) -> (f64, Params<f64>) {
    let lengths: Vec<usize> = fixture.get("lengths").iter().map(|&l| l as usize).collect();
    let (rows, x) = (lengths.len(), fixture.get("x"));
    let width = network.input.width();
    let batch = Batch::features(&x, [x.len() / rows / width, rows, width], Some(&lengths)).unwrap();
    let target = batch
        .pack(&fixture.get("target"), network.output_width())
        .unwrap();
    let weights = Weights::new(network, params).unwrap();
    let (team, mut trace, mut deltas) = (Team::new(1), Trace::new(), Deltas::new());
    forward(
        &weights,
        &batch,
        &State::zeros(network, rows),
        &mut trace,
        &team,
    )
    .unwrap();
    let n = target.len() as f64;
    let missed: Vec<f64> = trace
        .outputs()
        .iter()
        .zip(&target)
        .map(|(y, t)| y - t)
        .collect();
    let d_outputs: Vec<f64> = missed.iter().map(|d| 2.0 * d / n).collect();
    let mut gradient = params.zeros_like();
    let cotangent = Cotangent {
        outputs: &d_outputs,
        state: None,
    };
    let into = Some(&mut gradient);
    backward(&weights, &trace, cotangent, &mut deltas, into, &team).unwrap();
    (missed.iter().map(|d| d * d).sum::<f64>() / n, gradient)
}

fn close(what: &str, ours: &[f64], theirs: &[f64]) {
    assert_eq!(ours.len(), theirs.len());
    for (a, b) in ours.iter().zip(theirs) {
        assert!(
            (a - b).abs() <= EXACT * b.abs().max(1.0),
            "{what}: {a} and {b}"
        );
    }
}

#[test]
fn ten_steps_equal_pytorch() {
    for (name, method) in [
        ("sgd", Method::Sgd),
        ("rmsprop", Method::RmsProp),
        ("adam", Method::Adam),
        ("adamw", Method::AdamW),
    ] {
        let fixture = Fixture::read(&format!("optimiser_{name}"));
        let network = fixture.network();
        let mut params = fixture.params(&network, "initial");
        let numbers = params.data().len();
        let (momentum, decay) = (
            if method == Method::Sgd {
                fixture.option("momentum")
            } else {
                0.0
            },
            fixture.option("weight_decay"),
        );
        let mut optimiser = Optimiser::new(
            method,
            momentum,
            decay,
            std::iter::once(0..numbers).collect(),
            numbers,
        );
        let losses = fixture.get("losses");
        for (step, &expected) in losses.iter().enumerate() {
            let (loss, mut gradient) = loss(&fixture, &network, &params);
            close(&format!("{name}, loss {step}"), &[loss], &[expected]);
            if step + 1 < losses.len() {
                optimiser.step(fixture.option("lr"), params.data_mut(), gradient.data_mut());
            }
        }
        assert_eq!(optimiser.steps(), 10);
        close(
            name,
            params.data(),
            fixture.params(&network, "final").data(),
        );
    }
}

#[test]
fn clipping_equals_pytorch() {
    for name in ["clip_above", "clip_below"] {
        let fixture = Fixture::read(name);
        let network = fixture.network();
        let (_, mut gradient) = loss(&fixture, &network, &fixture.params(&network, "initial"));
        close(
            name,
            gradient.data(),
            fixture.params(&network, "grad").data(),
        );
        let before = clip_norm(gradient.data_mut(), fixture.option("max_norm"));
        close(name, &[before], &fixture.get("total_norm"));
        close(
            name,
            gradient.data(),
            fixture.params(&network, "clipped").data(),
        );
        assert!(norm(gradient.data()) <= 1.0);
    }
}
