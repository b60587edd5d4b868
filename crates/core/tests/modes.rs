//! The lesson's output modes through the engine: gradients of a cross-entropy that stands at every step, at each row's
//! last step, or on the mean over a row's steps, against central differences in f64. (Encoder and decoder, and a
//! vector to a sequence: `transducer.rs`.)

use elman_core::*;

const CLASSES: usize = 3;

/// −log softmax(y)[class], and its gradient.
fn cross_entropy(y: &[f64], class: usize) -> (f64, Vec<f64>) {
    let top = y.iter().copied().fold(f64::MIN, f64::max);
    let sum: f64 = y.iter().map(|y| (y - top).exp()).sum();
    let mut d: Vec<f64> = y.iter().map(|y| (y - top).exp() / sum).collect();
    d[class] -= 1.0;
    (sum.ln() + top - y[class], d)
}

/// The loss of packed outputs and its gradient, answers read in one of the ways.
fn loss(batch: &Batch<f64>, how: &str, outputs: &[f64]) -> (f64, Vec<f64>) {
    let (mut total, mut d_outputs) = (0.0, vec![0.0; outputs.len()]);
    for row in 0..batch.rows() {
        let steps = batch.length(row);
        let places: Vec<usize> = (0..steps).filter_map(|t| batch.at(t, row)).collect();
        let y = |at: usize| &outputs[at * CLASSES..][..CLASSES];
        match how {
            "every step" => {
                for (t, &at) in places.iter().enumerate() {
                    let (l, d) = cross_entropy(y(at), (row + t) % CLASSES);
                    total += l;
                    d_outputs[at * CLASSES..][..CLASSES].copy_from_slice(&d);
                }
            }
            "last" => {
                let at = places[steps - 1];
                let (l, d) = cross_entropy(y(at), row % CLASSES);
                total += l;
                d_outputs[at * CLASSES..][..CLASSES].copy_from_slice(&d);
            }
            _ => {
                let mean = |c: usize| places.iter().map(|&at| y(at)[c]).sum::<f64>();
                let means: Vec<f64> = (0..CLASSES).map(|c| mean(c) / steps as f64).collect();
                let (l, d) = cross_entropy(&means, row % CLASSES);
                total += l;
                for at in places {
                    for (to, d) in d_outputs[at * CLASSES..][..CLASSES].iter_mut().zip(&d) {
                        *to = d / steps as f64;
                    }
                }
            }
        }
    }
    (total, d_outputs)
}

#[test]
fn gradients_of_every_cell_direction_and_mode() {
    let lengths = [4, 2, 5];
    let x: Vec<f64> = (0..5 * 3 * 2).map(|i| (i as f64 * 1.9).sin()).collect();
    let batch = Batch::features(&x, [5, 3, 2], Some(&lengths)).unwrap();
    for &cell in CellKind::ALL {
        for bidirectional in [false, true] {
            for how in ["every step", "last", "mean"] {
                let network = Network {
                    layers: 2,
                    bidirectional,
                    ..Network::new(cell, Input::Features(2), 3, CLASSES)
                };
                let mut params: Params<f64> = Init::default().params(&network, 11).unwrap();
                for (i, p) in params.data_mut().iter_mut().enumerate() {
                    *p += 0.1 * (i as f64 * 1.3).sin();
                }
                let state = State::zeros(&network, 3);
                let of = |outputs: &[f64]| loss(&batch, how, outputs);
                for check in check_gradient(&network, &params, &batch, &state, of).unwrap() {
                    assert!(
                        check.relative_error <= 1e-7,
                        "{cell:?} bidirectional {bidirectional} {how}: {check:?}"
                    );
                }
            }
        }
    }
}
