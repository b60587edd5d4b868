//! Random networks, batches and states for the property tests.
#![allow(dead_code, reason = "each test file uses its own part")]

use elman_core::*;
use proptest::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

#[derive(Clone, Debug)]
pub struct Case {
    pub network: Network,
    pub lengths: Vec<usize>,
    pub symbols: bool,
    pub seed: u64,
}

pub fn cases(widest: usize) -> impl Strategy<Value = Case> {
    let sizes = (1usize..4, 1usize..=widest, 1usize..3, any::<bool>());
    let kinds = prop::sample::select(Case::kinds());
    let rows = prop::collection::vec(1usize..7, 1..5);
    let output = prop::option::of(1usize..4);
    (kinds, sizes, output, rows, any::<bool>(), any::<u64>()).prop_map(
        |(cell, (input, hidden, layers, bidirectional), output, lengths, symbols, seed)| Case {
            network: Network {
                cell,
                input: match symbols {
                    true => Input::Symbols(input),
                    false => Input::Features(input),
                },
                hidden,
                layers,
                bidirectional,
                output,
                learned_state: seed % 2 == 0,
                // Of two or three normalised units hardly anything still depends on z: differences would measure rounding.
                layer_norm: hidden > 3 && (seed >> 8) % 3 == 0,
                zoneout: match (seed >> 16) % 3 {
                    0 => 0.3,
                    _ => 0.0,
                },
                leak: match cell.has_leak() {
                    false => Leak::default(),
                    true => Leak {
                        shared: seed % 3 == 0,
                        fixed: seed % 5 == 0,
                    },
                },
            },
            lengths,
            symbols,
            seed,
        },
    )
}

impl Case {
    pub fn kinds() -> &'static [CellKind] {
        CellKind::ALL
    }
    pub fn noise(&self, n: usize, stream: u64) -> Vec<f64> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(stream);
        (0..n).map(|_| 2.0 * rng.random::<f64>() - 1.0).collect()
    }
    pub fn params(&self) -> Params<f64> {
        let mut params = Params::zeros(&self.network).unwrap();
        let n = params.data().len();
        let scale = 1.0 / (self.network.hidden as f64).sqrt();
        let values: Vec<f64> = self.noise(n, 11).iter().map(|x| x * scale).collect();
        params.data_mut().copy_from_slice(&values);
        params
    }
    /// Inputs `[T, B, F]`, padded with NaN, which must never be read.
    pub fn x(&self) -> (Vec<f64>, usize) {
        let steps = self.lengths.iter().max().unwrap() + 1;
        let (rows, width) = (self.lengths.len(), self.network.input.width());
        let mut x = self.noise(steps * rows * width, 12);
        for (r, &length) in self.lengths.iter().enumerate() {
            for t in length..steps {
                x[(t * rows + r) * width..][..width].fill(f64::NAN);
            }
        }
        (x, steps)
    }
    pub fn ids(&self) -> (Vec<u32>, usize) {
        let steps = self.lengths.iter().max().unwrap() + 1;
        let (rows, known) = (self.lengths.len(), self.network.input.width());
        let mut ids: Vec<u32> = self
            .noise(steps * rows, 12)
            .iter()
            .map(|x| (x.abs() * 1e6) as u32 % known as u32)
            .collect();
        for (r, &length) in self.lengths.iter().enumerate() {
            (length..steps).for_each(|t| ids[t * rows + r] = u32::MAX);
        }
        (ids, steps)
    }
    pub fn batch(&self) -> Batch<f64> {
        let rows: Vec<usize> = (0..self.lengths.len()).collect();
        self.batch_of(&rows, 0, usize::MAX)
    }
    /// Steps `from..to` of some of the rows.
    pub fn batch_of(&self, rows: &[usize], from: usize, to: usize) -> Batch<f64> {
        let lengths: Vec<usize> = rows
            .iter()
            .map(|&r| self.lengths[r].min(to).saturating_sub(from))
            .collect();
        let steps = *lengths.iter().max().unwrap();
        let (all, width) = (self.lengths.len(), self.network.input.width());
        if self.symbols {
            let (ids, _) = self.ids();
            let mut x = Vec::new();
            for t in from..from + steps {
                x.extend(rows.iter().map(|&r| ids[t * all + r]));
            }
            return Batch::symbols(&x, [steps, rows.len()], width, Some(&lengths)).unwrap();
        }
        let (given, _) = self.x();
        let mut x = Vec::new();
        for t in from..from + steps {
            for &r in rows {
                x.extend_from_slice(&given[(t * all + r) * width..][..width]);
            }
        }
        Batch::features(&x, [steps, rows.len(), width], Some(&lengths)).unwrap()
    }
    /// The whole batch with masks of every kind, or of some.
    pub fn noisy(&self) -> Batch<f64> {
        let share = |bit: u32, share| {
            if self.seed >> bit & 1 == 1 {
                share
            } else {
                0.0
            }
        };
        let dropout = Dropout {
            between: share(20, 0.4),
            input: share(21, 0.3),
            state: match self.network.cell.sizes().from_h {
                [] => 0.0,
                _ => share(22, 0.5),
            },
        };
        let draw = Draw {
            seed: self.seed,
            epoch: 1,
            batch: 2,
            step: 3,
        };
        let batch = self.batch();
        batch.with_noise(&self.network, dropout, draw).unwrap()
    }
    pub fn first_step(&self) -> Batch<f64> {
        self.batch_of(&[0], 0, 1)
    }
    pub fn state(&self) -> State<f64> {
        self.state_of(self.lengths.len())
    }
    pub fn state_of(&self, rows: usize) -> State<f64> {
        let mut state = State::zeros(&self.network, rows);
        let n = state.data().len();
        state.data_mut().copy_from_slice(&self.noise(n, 13));
        state
    }
}
