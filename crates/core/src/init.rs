//! Starting values of the parameters.
//!
//! The generator is ChaCha8, one stream for each parameter's name, so that adding a parameter leaves the others' values
//! alone. Numbers are drawn in f64 and rounded.

use crate::cell::{Special, with_cell};
use crate::{Companions, Element, Error, Network, Params};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// How W_hh starts, gate by gate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Recurrent {
    /// A random orthogonal matrix times a gain — A. Saxe, J. McClelland and S. Ganguli (2014).
    Orthogonal(f64),
    /// The identity times a gain: with ReLU, the IRNN of Q. Le, N. Jaitly and G. Hinton (2015).
    Identity(f64),
    /// Uniform over ±1/√H, as PyTorch does.
    Uniform,
    /// Uniform over ±√(3/H): the variance 1/H of X. Glorot and Y. Bengio (2010) for a square matrix.
    Xavier,
}

/// How parameters start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Init {
    /// W_hh. Every other weight: uniform over ±√(6/(fan in + fan out)) (Glorot and Bengio 2010), or as PyTorch does
    /// where this is [`Recurrent::Uniform`]; biases 0, but as the cell says (an LSTM's forget gate).
    pub recurrent: Recurrent,
    /// Shortest and longest time constant in steps, where given: leaky cells spread their leaks log-uniformly over
    /// it; LSTM and GRU start their gates by it (chrono initialisation, C. Tallec and Y. Ollivier 2018).
    pub memory: Option<(f64, f64)>,
    /// The bias of an LSTM's forget gate, where `memory` does not say it (1: F. Gers and others 2000).
    pub forget_bias: f64,
}

impl Default for Init {
    fn default() -> Self {
        Init {
            recurrent: Recurrent::Orthogonal(1.0),
            memory: None,
            forget_bias: 1.0,
        }
    }
}

impl Init {
    /// Parameters for `network`, the same for the same seed.
    pub fn params<E: Element>(&self, network: &Network, seed: u64) -> Result<Params<E>, Error> {
        let mut params = Params::<f64>::zeros(network)?;
        let h = network.hidden;
        let layout = params.layout().clone();
        let stream = |view: usize| generator(seed, &layout.views()[view].name);
        let like_torch = self.recurrent == Recurrent::Uniform;
        let torch_bound = 1.0 / (h as f64).sqrt();
        for sweep in network.sweeps() {
            let views = layout.sweep(sweep).clone();
            let width = network.reads(sweep.layer);
            let bound = match like_torch {
                true => torch_bound,
                false => (6.0 / (width + h) as f64).sqrt(),
            };
            let range = layout.views()[views.w_ih].range();
            uniform(
                &mut params.data_mut()[range],
                bound,
                &mut stream(views.w_ih),
            );
            if let Some(w_hh) = views.w_hh {
                let range = layout.views()[w_hh].range();
                let mut rng = stream(w_hh);
                for gate in params.data_mut()[range].chunks_exact_mut(h * h) {
                    self.recurrent.fill(gate, h, &mut rng);
                }
            }
            if like_torch {
                for view in [Some(views.b_ih), views.b_hh].into_iter().flatten() {
                    let range = layout.views()[view].range();
                    uniform(&mut params.data_mut()[range], bound, &mut stream(view));
                }
            }
            let units = network.unit_width();
            if let Some(gain) = views.gain {
                let range = layout.views()[gain].range();
                params.data_mut()[range].fill(1.0);
            }
            let mut unit = vec![0.0; units * views.unit.len()];
            let range = layout.views()[views.b_ih].range();
            let mut rng = generator(seed, &format!("start{}", sweep.suffix()));
            let special = Special {
                hidden: h,
                bias: &mut params.data_mut()[range],
                unit: &mut unit,
                memory: self.memory,
                forget_bias: self.forget_bias,
                // One for all units starts in the middle of the range.
                uniform: &mut || match network.leak.shared {
                    true => 0.5,
                    false => rng.random::<f64>(),
                },
            };
            with_cell!(network.cell, C => <C as crate::cell::Cell>::start(special));
            for (&view, from) in views.unit.iter().zip(unit.chunks_exact(units)) {
                let range = layout.views()[view].range();
                params.data_mut()[range].copy_from_slice(from);
            }
        }
        if let Some((weight, bias)) = layout.readout() {
            let reads = network.directions() * h;
            let bound = match like_torch {
                true => 1.0 / (reads as f64).sqrt(),
                false => (6.0 / (reads + network.output_width()) as f64).sqrt(),
            };
            for view in [weight, bias] {
                if view == weight || like_torch {
                    let range = layout.views()[view].range();
                    uniform(&mut params.data_mut()[range], bound, &mut stream(view));
                }
            }
        }
        Ok(params.convert())
    }
}

/// What an encoder's seed differs by, so that it does not start as its decoder.
const ENCODER: u64 = 0x9e37_79b9_7f4a_7c15;

impl Init {
    /// Parameters for `network` and what stands beside it, the same for the same seed. Matrices start uniform over
    /// ±√(6/(fan in + fan out)); what has one dimension is a bias, and starts at 0.
    pub fn params_with<E: Element>(
        &self,
        network: &Network,
        companions: &Companions,
        seed: u64,
    ) -> Result<Params<E>, Error> {
        let own: Params<E> = self.params(network, seed)?;
        let mut params = Params::zeros_with(network, companions)?;
        params.data_mut()[..own.data().len()].copy_from_slice(own.data());
        if let Some(encoder) = &companions.encoder {
            let its: Params<E> = self.params(encoder, seed ^ ENCODER)?;
            let range = params.encoder();
            params.data_mut()[range].copy_from_slice(its.data());
        }
        for (name, shape) in &companions.matrices {
            let &[rows, cols] = shape.as_slice() else {
                continue;
            };
            let mut rng = generator(seed, name);
            let mut numbers = vec![0.0; rows * cols];
            uniform(&mut numbers, (6.0 / (rows + cols) as f64).sqrt(), &mut rng);
            let numbers: Vec<E> = numbers.into_iter().map(E::of).collect();
            params.set(name, &numbers)?;
        }
        Ok(params)
    }
}

/// The generator of the parameter called `name`.
fn generator(seed: u64, name: &str) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(match name {
        // A network of one layer starts as it did when streams were numbered.
        "weight_ih_l0" => 0,
        "weight_hh_l0" => 1,
        "bias_ih_l0" => 2,
        "bias_hh_l0" => 3,
        "readout.weight" => 4,
        "readout.bias" => 5,
        // FNV-1a; the upper bits keep apart from the streams of orders and masks.
        other => {
            other.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
                (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
            }) | 3 << 62
        }
    });
    rng
}

fn uniform(to: &mut [f64], bound: f64, rng: &mut impl Rng) {
    to.iter_mut()
        .for_each(|x| *x = (2.0 * rng.random::<f64>() - 1.0) * bound);
}

impl Recurrent {
    fn fill(self, to: &mut [f64], h: usize, rng: &mut impl Rng) {
        match self {
            Recurrent::Uniform => uniform(to, 1.0 / (h as f64).sqrt(), rng),
            Recurrent::Xavier => uniform(to, (3.0 / h as f64).sqrt(), rng),
            Recurrent::Identity(gain) => (0..h).for_each(|i| to[i * h + i] = gain),
            Recurrent::Orthogonal(gain) => {
                orthogonal(to, h, rng);
                to.iter_mut().for_each(|x| *x *= gain);
            }
        }
    }
}

/// Gram-Schmidt on normal rows, each row made orthogonal twice: once is not enough in floating point.
fn orthogonal(to: &mut [f64], h: usize, rng: &mut impl Rng) {
    to.iter_mut().for_each(|x| *x = StandardNormal.sample(rng));
    for i in 0..h {
        let (done, rest) = to.split_at_mut(i * h);
        let row = &mut rest[..h];
        for _ in 0..2 {
            for q in done.chunks_exact(h) {
                let along: f64 = q.iter().zip(row.iter()).map(|(a, b)| a * b).sum();
                row.iter_mut().zip(q).for_each(|(x, q)| *x -= along * q);
            }
        }
        let norm = row.iter().map(|x| x * x).sum::<f64>().sqrt();
        row.iter_mut().for_each(|x| *x /= norm);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CellKind, Input};

    #[test]
    fn orthogonal_is() {
        let network = Network::new(CellKind::Elman, Input::Features(3), 17, 2);
        let params: Params<f64> = Init::default().params(&network, 5).unwrap();
        let w = params.get("weight_hh_l0").unwrap();
        for i in 0..17 {
            for j in 0..17 {
                let dot: f64 = (0..17).map(|k| w[i * 17 + k] * w[j * 17 + k]).sum();
                assert!((dot - f64::from(u8::from(i == j))).abs() < 1e-14);
            }
        }
    }
    #[test]
    fn adding_a_parameter_leaves_the_others_alone() {
        let small = Network::new(CellKind::Lstm, Input::Features(3), 4, 2);
        let large = Network {
            learned_state: true,
            layer_norm: true,
            bidirectional: true,
            layers: 2,
            output: None,
            ..small.clone()
        };
        for init in [Init::default(), like_torch()] {
            let small: Params<f64> = init.params(&small, 7).unwrap();
            let large: Params<f64> = init.params(&large, 7).unwrap();
            for name in ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"] {
                assert_eq!(small.get(name).unwrap(), large.get(name).unwrap(), "{name}");
            }
            let two = ["weight_hh_l1", "weight_hh_l1_reverse"].map(|n| large.get(n).unwrap());
            assert_ne!(two[0], two[1]);
        }
    }
    fn like_torch() -> Init {
        Init {
            recurrent: Recurrent::Uniform,
            ..Init::default()
        }
    }
    #[test]
    fn leaks_spread_over_the_range_or_stand_in_its_middle() {
        let memory = Some((2.0, 200.0));
        let start = |shared| {
            let mut network = Network::new(CellKind::Leaky, Input::Features(3), 40, 2);
            network.leak.shared = shared;
            let init = Init {
                memory,
                ..Init::default()
            };
            let params = init.params::<f64>(&network, 1).unwrap();
            let tau = |a: &f64| -1.0 / (1.0 - 1.0 / (1.0 + (-a).exp())).ln();
            params.get("leak_l0").unwrap().iter().map(tau).collect()
        };
        let own: Vec<f64> = start(false);
        assert_eq!(own.len(), 40);
        assert!(own.iter().all(|t| (2.0..=200.0).contains(t)), "{own:?}");
        let below = own.iter().filter(|t| **t < 20.0).count();
        assert!(
            (10..=30).contains(&below),
            "log-uniform: {below} of 40 below 20"
        );
        let one: Vec<f64> = start(true);
        assert!(one.len() == 1 && (one[0] - 20.0).abs() < 1e-9, "{one:?}");
    }
    #[test]
    fn the_forget_bias_is_what_is_asked_for() {
        let network = Network::new(CellKind::Lstm, Input::Features(3), 4, 2);
        let init = Init {
            forget_bias: 2.5,
            ..Init::default()
        };
        let params = init.params::<f32>(&network, 1).unwrap();
        assert_eq!(params.get("bias_ih_l0").unwrap()[4..8], [2.5; 4]);
    }
    #[test]
    fn a_cell_without_a_leak_shares_none() {
        let mut network = Network::new(CellKind::Gru, Input::Features(3), 4, 2);
        network.leak.fixed = true;
        assert!(matches!(network.check(), Err(Error::Unsupported(_))));
    }
    #[test]
    fn seeds_and_cells() {
        let network = Network::new(CellKind::Lstm, Input::Features(3), 4, 2);
        let make = |seed| Init::default().params::<f32>(&network, seed).unwrap();
        assert_eq!(make(1).data(), make(1).data());
        assert_ne!(make(1).data(), make(2).data());
        let bias = make(1);
        let bias = bias.get("bias_ih_l0").unwrap();
        assert_eq!(bias[4..8], [1.0; 4], "the forget gate");
        assert!(bias[..4].iter().chain(&bias[8..]).all(|&b| b == 0.0));
    }
}
