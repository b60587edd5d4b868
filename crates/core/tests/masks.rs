//! Dropout, zoneout and layer normalisation: what they do to a network, and what they leave alone.

mod random;

use elman_core::*;
use proptest::prelude::*;
use random::{Case, cases};

const DRAW: Draw = Draw {
    seed: 5,
    epoch: 1,
    batch: 0,
    step: 0,
};

fn ran(network: &Network, params: &Params<f64>, batch: &Batch<f64>, threads: usize) -> Trace<f64> {
    let weights = Weights::new(network, params).unwrap();
    let state = State::zeros(network, batch.rows());
    let mut trace = Trace::new();
    forward(&weights, batch, &state, &mut trace, &Team::new(threads)).unwrap();
    trace
}

/// Ones for ever, into one layer of `units`.
fn ones(network: &Network, steps: usize, rows: usize) -> Batch<f64> {
    let width = network.input.width();
    let x = vec![1.0; steps * rows * width];
    Batch::features(&x, [steps, rows, width], None).unwrap()
}

/// h = x, so that masks can be read off the outputs.
fn identity(units: usize, state: f64) -> (Network, Params<f64>) {
    let network = Network {
        output: None,
        ..Network::new(CellKind::ElmanLinear, Input::Features(units), units, 1)
    };
    let mut params = Params::zeros(&network).unwrap();
    let eye = |x: f64| (0..units * units).map(move |i| if i % (units + 1) == 0 { x } else { 0.0 });
    let w: Vec<f64> = eye(1.0).collect();
    params.set("weight_ih_l0", &w).unwrap();
    let w: Vec<f64> = eye(state).collect();
    params.set("weight_hh_l0", &w).unwrap();
    (network, params)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..Default::default() })]

    #[test]
    fn threads_change_no_bit_of_a_masked_run(case in cases(20)) {
        let (batch, state) = (case.noisy(), case.state());
        let d = case.noise(batch.total() * case.network.output_width(), 3);
        let weights = Weights::new(&case.network, &case.params()).unwrap();
        let run = |threads| {
            let (team, mut trace, mut gradient) = (Team::new(threads), Trace::new(), case.params().zeros_like());
            forward(&weights, &batch, &state, &mut trace, &team).unwrap();
            let cotangent = Cotangent { outputs: &d, state: None };
            let mut deltas = Deltas::new();
            backward(&weights, &trace, cotangent, &mut deltas, Some(&mut gradient), &team).unwrap();
            (trace.outputs().to_vec(), gradient.data().to_vec())
        };
        prop_assert_eq!(run(1), run(3));
    }

    #[test]
    fn the_same_draw_gives_the_same_masks(case in cases(12)) {
        let run = |batch: &Batch<f64>| ran(&case.network, &case.params(), batch, 1).outputs().to_vec();
        prop_assert_eq!(run(&case.noisy()), run(&case.noisy()));
    }
}

#[test]
fn masks_that_last_are_the_same_at_every_step_and_in_every_window() {
    let (network, params) = identity(40, 0.0);
    let dropout = Dropout {
        input: 0.5,
        ..Dropout::default()
    };
    let masked = |step| {
        let batch = ones(&network, 6, 3);
        batch
            .with_noise(&network, dropout, Draw { step, ..DRAW })
            .unwrap()
    };
    let batch = masked(0);
    let trace = ran(&network, &params, &batch, 1);
    let at = |t, row| trace.output(t, row).unwrap().to_vec();
    for t in 1..6 {
        assert_eq!(at(t, 1), at(0, 1));
    }
    assert_ne!(at(0, 0), at(0, 1), "each row has its own");
    assert!(at(0, 0).iter().all(|&x| x == 0.0 || x == 2.0));
    assert!(at(0, 0).contains(&0.0) && at(0, 0).contains(&2.0));
    let later = ran(&network, &params, &masked(64), 1);
    assert_eq!(later.outputs(), trace.outputs());
}

#[test]
fn the_state_is_masked_where_it_enters_the_product_only() {
    let (network, params) = identity(30, 1.0);
    let dropout = Dropout {
        state: 0.5,
        ..Dropout::default()
    };
    let batch = ones(&network, 3, 1)
        .with_noise(&network, dropout, DRAW)
        .unwrap();
    let trace = ran(&network, &params, &batch, 1);
    // h_1 = 1, h_2 = 1 + m, h_3 = 1 + m (1 + m) with m 0 or 2.
    let steps: Vec<&[f64]> = (0..3).map(|t| trace.output(t, 0).unwrap()).collect();
    for ((&first, &second), &third) in steps[0].iter().zip(steps[1]).zip(steps[2]) {
        let unit = [first, second, third];
        assert!(
            unit == [1.0, 1.0, 1.0] || unit == [1.0, 3.0, 7.0],
            "{unit:?}"
        );
    }
}

#[test]
fn dropout_between_layers_is_new_at_every_step_and_keeps_the_mean() {
    let network = Network {
        layers: 2,
        ..Network::new(CellKind::ElmanLinear, Input::Features(1), 50, 1)
    };
    let mut params = Params::<f64>::zeros(&network).unwrap();
    params.set("weight_ih_l0", &[1.0; 50]).unwrap();
    params.set("weight_ih_l1", &[1.0 / 50.0; 2500]).unwrap();
    params.set("readout.weight", &[1.0 / 50.0; 50]).unwrap();
    let dropout = Dropout {
        between: 0.3,
        ..Dropout::default()
    };
    let batch = ones(&network, 400, 2);
    assert!(
        ran(&network, &params, &batch, 1)
            .outputs()
            .iter()
            .all(|y| (y - 1.0).abs() < 1e-12)
    );
    let batch = batch.with_noise(&network, dropout, DRAW).unwrap();
    let trace = ran(&network, &params, &batch, 1);
    let y = trace.outputs();
    let mean = y.iter().sum::<f64>() / y.len() as f64;
    // A mean of 50 masks has the deviation √(0.3/0.7/50) = 0.093, twice over; of 800 steps 0.005.
    assert!((mean - 1.0).abs() < 0.025, "{mean}");
    assert!(y[0] != y[2] && y[0] != y[1], "new masks for steps and rows");
}

#[test]
fn symbols_are_dropped_whole_and_for_the_whole_row() {
    let network = Network {
        output: None,
        ..Network::new(CellKind::ElmanLinear, Input::Symbols(9), 3, 1)
    };
    let mut params = Params::<f64>::zeros(&network).unwrap();
    params.set("weight_ih_l0", &[1.0; 27]).unwrap();
    params.set("bias_ih_l0", &[0.25; 3]).unwrap();
    let dropout = Dropout {
        input: 0.5,
        ..Dropout::default()
    };
    let ids: Vec<u32> = (0..18).map(|t| t % 9).collect();
    let batch = Batch::symbols(&ids, [18, 1], 9, None).unwrap();
    let batch = batch.with_noise(&network, dropout, DRAW).unwrap();
    let trace = ran(&network, &params, &batch, 1);
    let at = |t| trace.output(t, 0).unwrap();
    let dropped = (0..9).filter(|&t| at(t) == [0.25; 3]).count();
    assert!((1..9).contains(&dropped), "{dropped} of 9");
    for t in 0..9 {
        assert_eq!(at(t), at(t + 9), "the same symbol again");
        assert!(at(t) == [0.25; 3] || at(t) == [2.25; 3]);
    }
}

#[test]
fn zoneout_keeps_whole_units_and_its_expectation_elsewhere() {
    let mut network = Network::new(CellKind::Lstm, Input::Features(2), 40, 1);
    network.output = None;
    let params: Params<f64> = Init::default().params(&network, 3).unwrap();
    network.zoneout = 0.4;
    let batch = ones(&network, 30, 1);
    let noisy = batch
        .clone()
        .with_noise(&network, Dropout::default(), DRAW)
        .unwrap();
    let (sure, random) = (
        ran(&network, &params, &batch, 1),
        ran(&network, &params, &noisy, 1),
    );
    let mut kept = 0;
    for t in 0..30 {
        let [before, after] = [t, t + 1].map(|t| random.sweeps()[0].state(t, 0));
        let made = random.sweeps()[0].made(t, 0);
        for i in 0..40 {
            let (h, c) = (i, 40 + i);
            let keeps = after[h] == before[h];
            let from = if keeps { before } else { made };
            assert!(
                after[h] == from[h] && after[c] == from[c],
                "h and c together"
            );
            kept += usize::from(keeps);
        }
        let [before, after] = [t, t + 1].map(|t| sure.sweeps()[0].state(t, 0));
        let made = sure.sweeps()[0].made(t, 0);
        for i in 0..80 {
            let mean = 0.4 * before[i] + 0.6 * made[i];
            assert!((after[i] - mean).abs() < 1e-15);
        }
    }
    // 1200 draws: 480 with a deviation of 17.
    assert!((410..550).contains(&kept), "{kept}");
}

#[test]
fn layer_normalisation_is_the_formula() {
    let mut network = Network::new(CellKind::Elman, Input::Features(2), 6, 1);
    (network.layer_norm, network.output) = (true, None);
    let case = Case {
        network: network.clone(),
        lengths: vec![1],
        symbols: false,
        seed: 9,
    };
    let params = case.params();
    let batch = case.first_step();
    let trace = ran(&network, &params, &batch, 1);
    let (x, w) = (batch.x(0, 0).unwrap(), params.get("weight_ih_l0").unwrap());
    let a: Vec<f64> = (0..6)
        .map(|i| w[2 * i] * x[0] + w[2 * i + 1] * x[1])
        .collect();
    let mean = a.iter().sum::<f64>() / 6.0;
    let variance = a.iter().map(|a| (a - mean) * (a - mean)).sum::<f64>() / 6.0;
    for (i, &sum) in a.iter().enumerate() {
        let [gain, b_ih, b_hh] =
            ["gain_l0", "bias_ih_l0", "bias_hh_l0"].map(|n| params.get(n).unwrap()[i]);
        let z = gain * (sum - mean) / (variance + 1e-5).sqrt() + b_ih + b_hh;
        assert!((trace.outputs()[i] - z.tanh()).abs() < 1e-12);
    }
}

#[test]
fn a_jacobian_of_a_masked_run_is_refused() {
    let (network, params) = identity(4, 0.5);
    let dropout = Dropout {
        state: 0.5,
        ..Dropout::default()
    };
    let batch = ones(&network, 2, 1)
        .with_noise(&network, dropout, DRAW)
        .unwrap();
    let weights = Weights::new(&network, &params).unwrap();
    let trace = ran(&network, &params, &batch, 1);
    let mut v = vec![1.0; 4];
    let refused = tangent(&weights, &trace, (0, 0), &mut v, &mut Tangent::new());
    assert!(matches!(refused, Err(Error::Unsupported(_))));
    let mut wrong = network.clone();
    wrong.zoneout = 1.0;
    assert!(wrong.check().is_err());
    let share = Dropout {
        input: 1.0,
        ..dropout
    };
    assert!(
        ones(&network, 2, 1)
            .with_noise(&network, share, DRAW)
            .is_err()
    );
}
