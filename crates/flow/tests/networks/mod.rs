//! Networks on random data, for the tests.
#![allow(dead_code, reason = "each test file uses its own part")]

use elman_core::*;
use elman_flow::Scope;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Uniform over ±1.
pub fn noise(n: usize, seed: u64) -> Vec<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..n).map(|_| 2.0 * rng.random::<f64>() - 1.0).collect()
}

/// Every parameter uniform over ±1/√H.
pub fn random_params(network: &Network, seed: u64) -> Params<f64> {
    let mut params = Params::zeros(network).unwrap();
    let scale = 1.0 / (network.hidden as f64).sqrt();
    let values: Vec<f64> = noise(params.data().len(), seed)
        .iter()
        .map(|x| x * scale)
        .collect();
    params.data_mut().copy_from_slice(&values);
    params
}

/// A network from the zero state over random features.
pub fn on_noise(
    network: &Network,
    params: &Params<f64>,
    lengths: &[usize],
    d_outputs: &[f64],
) -> Scope {
    let (steps, rows) = (*lengths.iter().max().unwrap(), lengths.len());
    let width = network.input.width();
    let x = noise(steps * rows * width, 17);
    let batch = Batch::features(&x, [steps, rows, width], Some(lengths)).unwrap();
    Scope::new(
        network,
        params,
        &batch,
        &State::zeros(network, rows),
        d_outputs,
    )
    .unwrap()
}

/// A random network with a random gradient at every output.
pub fn random(cell: CellKind, hidden: usize, layers: usize, lengths: &[usize]) -> Scope {
    let network = Network {
        layers,
        ..Network::new(cell, Input::Features(2), hidden, 1)
    };
    let d = noise(lengths.iter().sum(), 23);
    on_noise(&network, &random_params(&network, 11), lengths, &d)
}
