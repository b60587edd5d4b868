//! The window that is proposed for a stated bias, on trained networks whose exact gradient is known.

mod networks;

use elman_core::*;
use elman_flow::*;
use networks::noise;

const STEPS: usize = 80;
const ROWS: usize = 16;

/// Recall x_{t−delay} at every step.
struct Echo {
    network: Network,
    params: Params<f64>,
    batch: Batch<f64>,
    targets: Vec<f64>,
}

impl Echo {
    fn new(cell: CellKind, delay: usize, seed: u64) -> Echo {
        let network = Network::new(cell, Input::Features(1), 12, 1);
        let x = noise(STEPS * ROWS, seed);
        let mut targets = vec![0.0; STEPS * ROWS];
        (delay * ROWS..STEPS * ROWS).for_each(|at| targets[at] = x[at - delay * ROWS]);
        Echo {
            params: Init::default().params(&network, seed).unwrap(),
            batch: Batch::features(&x, [STEPS, ROWS, 1], None).unwrap(),
            network,
            targets,
        }
    }
    fn d_outputs(&self, outputs: &[f64]) -> Vec<f64> {
        let n = outputs.len() as f64;
        outputs
            .iter()
            .zip(&self.targets)
            .map(|(y, t)| 2.0 * (y - t) / n)
            .collect()
    }
    fn trace(&self) -> (Weights<f64>, Trace<f64>) {
        let weights = Weights::new(&self.network, &self.params).unwrap();
        let mut trace = Trace::new();
        let state = State::zeros(&self.network, ROWS);
        forward(&weights, &self.batch, &state, &mut trace, &Team::new(1)).unwrap();
        (weights, trace)
    }
    /// Adam (D. Kingma and J. Ba 2015) on the whole batch.
    fn train(&mut self, updates: i32) {
        let n = self.params.data().len();
        let (mut m, mut v) = (vec![0.0; n], vec![0.0; n]);
        for update in 1..=updates {
            let (weights, trace) = self.trace();
            let d = self.d_outputs(trace.outputs());
            let cotangent = Cotangent {
                outputs: &d,
                state: None,
            };
            let (mut deltas, mut g) = (Deltas::new(), self.params.zeros_like());
            let team = Team::new(1);
            backward(
                &weights,
                &trace,
                cotangent,
                &mut deltas,
                Some(&mut g),
                &team,
            )
            .unwrap();
            for (i, w) in self.params.data_mut().iter_mut().enumerate() {
                let g = g.data()[i];
                m[i] = 0.9 * m[i] + 0.1 * g;
                v[i] = 0.999 * v[i] + 0.001 * g * g;
                let (m, v) = (
                    m[i] / (1.0 - 0.9f64.powi(update)),
                    v[i] / (1.0 - 0.999f64.powi(update)),
                );
                *w -= 0.01 * m / (v.sqrt() + 1e-8);
            }
        }
    }
    fn scope(&self) -> Scope {
        let d = self.d_outputs(self.trace().1.outputs());
        let state = State::zeros(&self.network, ROWS);
        Scope::new(&self.network, &self.params, &self.batch, &state, &d).unwrap()
    }
}

#[test]
fn the_proposed_window_keeps_its_bias() {
    let (mut kept, mut informative, mut told) = (0, 0, Vec::new());
    for seed in 0..20u64 {
        let cells = [
            CellKind::Elman,
            CellKind::Leaky,
            CellKind::Lstm,
            CellKind::Gru,
        ];
        let (cell, delay) = (cells[seed as usize % 4], 1 + seed as usize / 4);
        let mut echo = Echo::new(cell, delay, seed);
        echo.train(150);
        let scope = echo.scope();
        let profile = lag_profile(&scope, &LagOptions::default()).unwrap();
        let fit = decay(&profile.ln_mean, default_tau(profile.max_lag())).unwrap();
        let window = truncation_bias(&profile, &fit)
            .unwrap()
            .smallest_window(0.1);
        // The truth: every loss time, every lag.
        let exact = LagOptions {
            every: true,
            ..LagOptions::default()
        };
        let exact = lag_profile(&scope, &exact).unwrap().credit.unwrap();
        assert!(
            exact.left <= 1e-12 && (exact.coverage - 1.0).abs() <= 1e-12,
            "{exact:?}"
        );
        let bias = window.map_or(0.0, |w| exact.missing.get(w).copied().unwrap_or(0.0));
        kept += usize::from(bias <= 0.1);
        informative += usize::from(window.is_some_and(|w| w < STEPS));
        told.push(format!(
            "{} {delay}: window {window:?}, bias {bias:.4}, β {:.3}",
            cell.name(),
            fit.beta
        ));
    }
    println!(
        "{kept} of 20 kept, {informative} windows shorter than the sequence\n{}",
        told.join("\n")
    );
    assert!(kept >= 19 && informative >= 10, "{}", told.join("\n"));
}
