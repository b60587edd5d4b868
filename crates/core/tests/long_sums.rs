//! Gradients summed over millions of steps and rows keep their digits, whoever adds them up.

use elman_core::*;

/// What rounding may take of a sum, relative to it.
const LOST: f64 = 1e-6;

/// Gradients of a batch of `rows` sequences of `steps`, with ∂L/∂y = 0.1 everywhere: sums of terms of one sign, whose
/// roundings all go one way.
fn gradient(network: &Network, batch: &Batch<f32>, threads: usize) -> (Params<f32>, Deltas<f32>) {
    let mut params = Params::zeros(network).unwrap();
    let values = params.data_mut().iter_mut().enumerate();
    values.for_each(|(i, p)| *p = 0.2 + 0.05 * (i % 3) as f32);
    let weights = Weights::new(network, &params).unwrap();
    let (team, mut trace) = (Team::new(threads), Trace::new());
    let state = State::zeros(network, batch.rows());
    forward(&weights, batch, &state, &mut trace, &team).unwrap();
    let outputs = vec![0.1; trace.outputs().len()];
    let cotangent = Cotangent {
        outputs: &outputs,
        state: None,
    };
    let (mut deltas, mut gradient) = (Deltas::new(), params.zeros_like());
    let to = Some(&mut gradient);
    backward(&weights, &trace, cotangent, &mut deltas, to, &team).unwrap();
    (gradient, deltas)
}

fn close(what: &str, got: f32, right: f64) {
    let error = (f64::from(got) / right - 1.0).abs();
    println!("{what}: {got}, not {right}: {error:.1e}");
    assert!(error <= LOST, "{what}: {got}, not {right}: {error:.1e}");
}

/// The columns of δz, summed in f64.
fn sums(drive: &[f32], width: usize) -> Vec<f64> {
    let mut sums = vec![0.0; width];
    for row in drive.chunks(width) {
        sums.iter_mut()
            .zip(row)
            .for_each(|(s, &x)| *s += f64::from(x));
    }
    sums
}

#[test]
fn biases_and_weights() {
    let (steps, rows) = (2000, 1000);
    let network = Network::new(CellKind::Elman, Input::Features(1), 2, 1);
    let x: Vec<f32> = (0..steps * rows)
        .map(|i| 0.5 + (i % 97) as f32 / 97.0)
        .collect();
    let batch = Batch::features(&x, [steps, rows, 1], None).unwrap();
    let (one, deltas) = gradient(&network, &batch, 1);
    close(
        "readout.bias",
        one.get("readout.bias").unwrap()[0],
        0.1f32 as f64 * (steps * rows) as f64,
    );
    let right = sums(deltas.drive(0), 2);
    for name in ["bias_ih_l0", "bias_hh_l0"] {
        for (&got, &right) in one.get(name).unwrap().iter().zip(&right) {
            close(name, got, right);
        }
    }
    for (unit, &got) in one.get("weight_ih_l0").unwrap().iter().enumerate() {
        let terms = deltas.drive(0).chunks(2).zip(&x);
        let right: f64 = terms.map(|(d, &x)| f64::from(d[unit]) * f64::from(x)).sum();
        close("weight_ih_l0", got, right);
    }
    let (three, _) = gradient(&network, &batch, 3);
    assert_eq!(one.data(), three.data(), "threads change no bit");
}

#[test]
fn embeddings() {
    let (steps, rows, known) = (500, 400, 3);
    let network = Network::new(CellKind::Lstm, Input::Symbols(known), 2, 1);
    // Symbol 2 never occurs, symbol 1 seldom.
    let x: Vec<u32> = (0..steps * rows)
        .map(|i| u32::from(i % 1000 == 7))
        .collect();
    let batch = Batch::symbols(&x, [steps, rows], known, None).unwrap();
    let (one, deltas) = gradient(&network, &batch, 1);
    let got = one.get("weight_ih_l0").unwrap();
    for unit in 0..8 {
        for symbol in 0..2 {
            let places = deltas
                .drive(0)
                .chunks(8)
                .zip(&x)
                .filter(|(_, s)| **s == symbol);
            let right = places.map(|(d, _)| f64::from(d[unit])).sum();
            close("weight_ih_l0", got[unit * known + symbol as usize], right);
        }
        assert_eq!(got[unit * known + 2], 0.0);
    }
    let (three, _) = gradient(&network, &batch, 3);
    assert_eq!(one.data(), three.data(), "threads change no bit");
}

/// A NaN in z reaches the gradient through every activation, at every level.
#[test]
fn a_broken_network_has_no_gradient() {
    for &cell in CellKind::ALL {
        let network = Network::new(cell, Input::Features(1), 5, 1);
        let params = Params::zeros(&network).unwrap();
        let batch = Batch::features(&[f32::NAN, 1.0], [1, 2, 1], None).unwrap();
        for level in Level::available() {
            let mut params = params.clone();
            params.data_mut().fill(0.5);
            let weights = Weights::at_level(&network, &params, level).unwrap();
            let (team, mut trace, mut deltas) = (Team::new(1), Trace::new(), Deltas::new());
            let state = State::zeros(&network, 2);
            forward(&weights, &batch, &state, &mut trace, &team).unwrap();
            // The loss itself may look away.
            let cotangent = Cotangent {
                outputs: &[0.0; 2],
                state: None,
            };
            let mut gradient = params.zeros_like();
            let to = Some(&mut gradient);
            backward(&weights, &trace, cotangent, &mut deltas, to, &team).unwrap();
            let linear = cell.name().contains("linear");
            let bias = gradient.get("bias_ih_l0").unwrap();
            assert!(
                linear || bias.iter().all(|g| g.is_nan()),
                "{} {}: {bias:?}",
                cell.name(),
                level.name()
            );
        }
    }
}
