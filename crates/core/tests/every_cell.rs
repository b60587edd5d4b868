//! What must hold for every cell there is, over random networks and batches.

mod random;

use elman_core::*;
use proptest::prelude::*;
use random::{Case, cases};

/// Central differences of the fourth order leave about 1e-10 here; a wrong term is of order 1.
const GRADIENT: f64 = 1e-7;
/// Rounding of sums of a few hundred products.
const ROUNDING: f64 = 1e-12;

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..Default::default() })]

    #[test]
    fn gradients_are_central_differences(case in cases(12)) {
        let (batch, state) = (case.batch(), case.state());
        let targets = case.noise(batch.total() * case.network.output_width(), 7);
        let loss = |y: &[f64]| {
            let d: Vec<f64> = y.iter().zip(&targets).map(|(y, t)| y - t).collect();
            (d.iter().map(|d| 0.5 * d * d).sum(), d)
        };
        for check in check_gradient(&case.network, &case.params(), &batch, &state, loss).unwrap() {
            prop_assert!(check.relative_error <= GRADIENT, "{check:?} of {case:?}");
        }
    }

    #[test]
    fn gradients_with_masks_are_central_differences(case in cases(12)) {
        let (batch, state) = (case.noisy(), case.state());
        let targets = case.noise(batch.total() * case.network.output_width(), 7);
        let loss = |y: &[f64]| {
            let d: Vec<f64> = y.iter().zip(&targets).map(|(y, t)| y - t).collect();
            (d.iter().map(|d| 0.5 * d * d).sum(), d)
        };
        for check in check_gradient(&case.network, &case.params(), &batch, &state, loss).unwrap() {
            prop_assert!(check.relative_error <= GRADIENT, "{check:?} of {case:?}");
        }
    }

    #[test]
    fn tangent_is_the_transpose_of_backward(case in cases(12)) {
        prop_assume!(!case.network.bidirectional);
        // One step of one row: ⟨J v, u⟩ = ⟨v, Jᵀ u⟩ for the joint state of all layers.
        let (batch, state) = (case.first_step(), case.state_of(1));
        let weights = Weights::new(&case.network, &case.params()).unwrap();
        let (team, mut trace) = (Team::new(1), Trace::new());
        forward(&weights, &batch, &state, &mut trace, &team).unwrap();
        let n = state.data().len();
        let (v, u) = (case.noise(n, 1), case.noise(n, 2));
        let mut pushed = v.clone();
        tangent(&weights, &trace, (0, 0), &mut pushed, &mut Tangent::new()).unwrap();
        let mut d_after = State::zeros(&case.network, 1);
        d_after.data_mut().copy_from_slice(&u);
        let d_outputs = vec![0.0; trace.outputs().len()];
        let cotangent = Cotangent { outputs: &d_outputs, state: Some(&d_after) };
        let mut deltas = Deltas::new();
        backward(&weights, &trace, cotangent, &mut deltas, None, &team).unwrap();
        let pulled = deltas.state_before().unwrap();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let (left, right) = (dot(&pushed, &u), dot(&v, pulled.data()));
        prop_assert!((left - right).abs() <= ROUNDING * (1.0 + left.abs()), "{left} {right} of {case:?}");
    }

    #[test]
    fn pull_back_is_one_step_of_backward(case in cases(12)) {
        prop_assume!(!case.network.bidirectional);
        // From a gradient of the state after each row's own last step, one step down: what backward leaves of the
        // state before the last step, and its δz there.
        let (batch, state) = (case.batch(), case.state());
        let weights = Weights::new(&case.network, &case.params()).unwrap();
        let (team, mut trace) = (Team::new(1), Trace::new());
        forward(&weights, &batch, &state, &mut trace, &team).unwrap();
        let width = case.network.state_width();
        let all = case.network.layers * width;
        let places: Vec<_> = (0..batch.rows()).map(|r| (batch.length(r) - 1, r)).collect();
        let given = case.noise(places.len() * all, 4);
        let (mut pulled, mut work) = (given.clone(), Pullback::new());
        pull_back(&weights, &trace, &places, &mut pulled, &mut work).unwrap();
        for (i, &(t, row)) in places.iter().enumerate() {
            let mut before = State::zeros(&case.network, 1);
            let mut d_after = State::zeros(&case.network, 1);
            for layer in 0..case.network.layers {
                before.row_mut(layer, 0).copy_from_slice(trace.sweeps()[layer].state(t, row));
                let from = &given[i * all + layer * width..][..width];
                d_after.row_mut(layer, 0).copy_from_slice(from);
            }
            let last = case.batch_of(&[row], t, t + 1);
            let mut alone = Trace::new();
            forward(&weights, &last, &before, &mut alone, &team).unwrap();
            let d_outputs = vec![0.0; alone.outputs().len()];
            let cotangent = Cotangent { outputs: &d_outputs, state: Some(&d_after) };
            let mut deltas = Deltas::new();
            backward(&weights, &alone, cotangent, &mut deltas, None, &team).unwrap();
            let exact = deltas.state_before().unwrap();
            for (ours, exact) in pulled[i * all..][..all].iter().zip(exact.data()) {
                prop_assert!((ours - exact).abs() <= ROUNDING, "{ours} {exact} of {case:?}");
            }
            for layer in 0..case.network.layers {
                let lanes = deltas.drive(layer).len();
                prop_assert_eq!(&work.drive(layer)[i * lanes..][..lanes], deltas.drive(layer));
            }
        }
    }

    #[test]
    fn selected_rows_are_the_rows(case in cases(12)) {
        let batch = case.batch();
        let rows: Vec<usize> = (0..batch.rows()).rev().step_by(2).collect();
        let some = batch.select(&rows, 4).unwrap();
        for (i, &row) in rows.iter().enumerate() {
            prop_assert_eq!(some.length(i), batch.length(row).min(4));
            for t in 0..some.length(i) {
                prop_assert_eq!(some.x(t, i), batch.x(t, row));
                prop_assert_eq!(some.symbol(t, i), batch.symbol(t, row));
                prop_assert_eq!(some.x(t, i).is_none(), case.symbols);
            }
        }
    }

    #[test]
    fn contributions_add_up(case in cases(12)) {
        let (batch, state) = (case.batch(), case.state());
        let weights = Weights::new(&case.network, &case.params()).unwrap();
        let (team, mut trace, mut deltas) = (Team::new(1), Trace::new(), Deltas::new());
        forward(&weights, &batch, &state, &mut trace, &team).unwrap();
        let d_outputs = case.noise(trace.outputs().len(), 3);
        let mut gradient = case.params().zeros_like();
        let cotangent = Cotangent { outputs: &d_outputs, state: None };
        backward(&weights, &trace, cotangent, &mut deltas, Some(&mut gradient), &team).unwrap();
        for sweep in case.network.sweeps() {
            let whole = gradient.get(&format!("weight_hh{}", sweep.suffix())).unwrap();
            let mut sum = vec![0.0; whole.len()];
            step_contributions(&weights, &trace, &deltas, sweep, |_, part| {
                sum.iter_mut().zip(part).for_each(|(s, p)| *s += p);
            }).unwrap();
            let scale = whole.iter().fold(1.0f64, |m, x| m.max(x.abs()));
            for (s, w) in sum.iter().zip(whole) {
                prop_assert!((s - w).abs() <= ROUNDING * scale, "{s} {w} of {case:?}");
            }
        }
    }
}

#[test]
fn a_shared_leak_sums_and_a_fixed_leak_stays() {
    let mut network = Network::new(CellKind::Leaky, Input::Features(2), 9, 1);
    let own: Params<f64> = Init::default().params(&network, 4).unwrap();
    let gradient = |network: &Network, params: &Params<f64>| {
        let batch = Batch::features(&[0.3; 12], [6, 1, 2], None).unwrap();
        let weights = Weights::new(network, params).unwrap();
        let (team, mut trace, mut deltas) = (Team::new(1), Trace::new(), Deltas::new());
        let state = State::initial(network, params, 1).unwrap();
        forward(&weights, &batch, &state, &mut trace, &team).unwrap();
        let cotangent = Cotangent {
            outputs: &[1.0; 6],
            state: None,
        };
        let mut gradient = params.zeros_like();
        backward(
            &weights,
            &trace,
            cotangent,
            &mut deltas,
            Some(&mut gradient),
            &team,
        )
        .unwrap();
        gradient.get("leak_l0").unwrap().to_vec()
    };
    network.leak.shared = true;
    let mut shared: Params<f64> = Params::zeros(&network).unwrap();
    let mut same = own.clone();
    for view in shared.layout().views().to_vec() {
        if view.name == "leak_l0" {
            same.set("leak_l0", &[-0.7; 9]).unwrap();
            shared.set("leak_l0", &[-0.7]).unwrap();
        } else {
            shared
                .set(&view.name, own.get(&view.name).unwrap())
                .unwrap();
        }
    }
    let one = gradient(&network, &shared);
    network.leak.shared = false;
    let each = gradient(&network, &same);
    let sum: f64 = each.iter().sum();
    assert!(
        sum.abs() > 1e-3 && (one[0] - sum).abs() <= ROUNDING,
        "{one:?} {sum}"
    );
    network.leak.fixed = true;
    assert_eq!(gradient(&network, &same), [0.0; 9]);
}

#[test]
fn every_cell_has_its_name() {
    for &kind in CellKind::ALL {
        assert_eq!(CellKind::by_name(kind.name()), Some(kind));
    }
    assert_eq!(CellKind::by_name("transformer"), None);
}

#[test]
fn the_cases_reach_every_cell() {
    // Strategies draw kinds uniformly; this makes sure that none is left out of the list they draw from.
    assert_eq!(Case::kinds(), CellKind::ALL);
}
