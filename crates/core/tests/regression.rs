//! A test for each fault that was found, and one that feeds every public function what belongs elsewhere.

mod random;

use elman_core::*;
use proptest::prelude::*;
use random::{Case, cases};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

fn simple() -> (Network, Params<f64>, Batch<f64>) {
    let network = Network::new(CellKind::Gru, Input::Features(2), 4, 3);
    let params = Init::default().params(&network, 1).unwrap();
    let x: Vec<f64> = (0..3 * 2 * 2).map(|i| (i as f64).sin()).collect();
    let batch = Batch::features(&x, [3, 2, 2], Some(&[3, 2])).unwrap();
    (network, params, batch)
}

#[test]
fn a_trace_belongs_to_the_weights_that_made_it() {
    let (network, params, batch) = simple();
    let (mut weights, team) = (Weights::new(&network, &params).unwrap(), Team::new(1));
    let other = Weights::new(&network, &params).unwrap();
    let (mut trace, mut deltas) = (Trace::new(), Deltas::new());
    let state = State::zeros(&network, 2);
    let d = [1.0; 5 * 3];
    let cotangent = Cotangent {
        outputs: &d,
        state: None,
    };
    assert!(backward(&weights, &trace, cotangent, &mut deltas, None, &team).is_err());
    forward(&weights, &batch, &state, &mut trace, &team).unwrap();
    assert!(backward(&other, &trace, cotangent, &mut deltas, None, &team).is_err());
    backward(&weights, &trace, cotangent, &mut deltas, None, &team).unwrap();
    let sweep = network.sweeps().next().unwrap();
    step_contributions(&weights, &trace, &deltas, sweep, |_, _| {}).unwrap();
    // A second run: what backward left is of the first.
    forward(&weights, &batch, &state, &mut trace, &team).unwrap();
    assert!(step_contributions(&weights, &trace, &deltas, sweep, |_, _| {}).is_err());
    weights.refresh(&params).unwrap();
    let refused = backward(&weights, &trace, cotangent, &mut deltas, None, &team);
    assert!(refused.unwrap_err().to_string().contains("refreshed"));
    let mut v = vec![1.0; 4];
    assert!(tangent(&weights, &trace, (0, 0), &mut v, &mut Tangent::new()).is_err());
    assert!(pull_back(&weights, &trace, &[(0, 0)], &mut v, &mut Pullback::new()).is_err());
}

#[test]
fn nothing_that_was_not_computed_is_given_as_zeros() {
    assert!(Deltas::<f64>::new().state_before().is_err());
    assert!(Trace::<f64>::new().final_state().is_err());
    assert!(Trace::<f64>::new().batch().is_err());
    let (network, params, batch) = simple();
    let mut unrolled = Unrolled::new(&network, &params).unwrap();
    unrolled.forward(&batch).unwrap();
    unrolled.gradient(&[1.0; 15]).unwrap();
    assert!(unrolled.deltas().state_before().is_ok());
    // A failed run leaves nothing that could be taken for one.
    let wrong = State::zeros(&network, 7);
    assert!(unrolled.forward_from(&batch, &wrong).is_err());
    assert!(unrolled.trace().outputs().is_empty() && unrolled.gradient(&[1.0; 15]).is_err());
    assert!(unrolled.deltas().state_before().is_ok());
}

#[test]
fn sizes_that_no_memory_holds_are_errors() {
    let huge = usize::MAX / 2;
    for size in [huge, usize::MAX, 1 << 40] {
        let wide = Network::new(CellKind::Lstm, Input::Features(1), size, 1);
        assert!(wide.check().is_err() && Params::<f32>::zeros(&wide).is_err());
        assert!(Layout::of(&wide).is_err());
        let deep = Network {
            layers: size,
            ..Network::new(CellKind::Elman, Input::Features(1), 1 << 20, 1)
        };
        assert!(deep.check().is_err());
        let outputs = Network::new(CellKind::Elman, Input::Features(1), 1 << 22, size);
        assert!(outputs.check().is_err());
        for shape in [[size, 2, 2], [2, size, 2], [2, 2, size]] {
            assert!(Batch::<f32>::features(&[], shape, None).is_err());
        }
        assert!(Batch::<f32>::symbols(&[], [size, 4], 3, None).is_err());
    }
    let (network, _, batch) = simple();
    assert!(batch.pack(&[0.0], usize::MAX).is_err() && batch.unpack(&[0.0], 3, 0.0).is_err());
    let companions = Companions {
        encoder: None,
        matrices: vec![("w".into(), vec![usize::MAX, 2])],
    };
    assert!(Params::<f32>::zeros_with(&network, &companions).is_err());
}

#[test]
fn a_decoder_refuses_what_it_did_not_read() {
    let plan = Plan {
        reads: Reads::Symbols(4),
        symbols: 5,
        attention: true,
    };
    let like = Network::new(CellKind::Elman, Input::Symbols(4), 3, 1);
    let (network, companions) = plan.networks(&like).unwrap();
    let params: Params<f64> = Init::default()
        .params_with(&network, &companions, 7)
        .unwrap();
    let net = Transducer::new(&network, &companions, &params).unwrap();
    let (mut trace, team) = (TransducerTrace::default(), Team::new(1));
    let source = Batch::symbols(&[1, 2, 3, 0], [2, 2], 4, None).unwrap();
    let target = Batch::symbols(&[1, 2, 3, 0], [2, 2], 5, None).unwrap();
    let state = State::zeros(&network, 2);
    // Before anything was read, there is nothing to attend to.
    assert!(
        net.decode(&[0, 1], &target, &state, &mut trace, &team)
            .is_err()
    );
    net.read(Given::Sequences(&source), &mut trace, &team)
        .unwrap();
    for attends in [&[0][..], &[0, 1, 1], &[0, 2]] {
        assert!(
            net.decode(attends, &target, &state, &mut trace, &team)
                .is_err()
        );
    }
    net.decode(&[0, 1], &target, &state, &mut trace, &team)
        .unwrap();
    let mut gradient = params.zeros_like();
    let d = vec![1.0; 4 * 5];
    // What was only decoded has no way back to the encoder.
    assert!(net.backward(&mut trace, &d, &mut gradient, &team).is_err());
    net.forward(Given::Sequences(&source), &target, &mut trace, &team)
        .unwrap();
    assert!(
        net.backward(&mut trace, &d[1..], &mut gradient, &team)
            .is_err()
    );
    let mut own = Params::zeros(&network).unwrap();
    assert!(net.backward(&mut trace, &d, &mut own, &team).is_err());
    net.backward(&mut trace, &d, &mut gradient, &team).unwrap();
    let vectors = [0.0; 6];
    let wrong = Given::Vectors(Rows::new(&vectors, 2, 3));
    assert!(net.forward(wrong, &target, &mut trace, &team).is_err());
}

#[test]
fn relu_of_nan_has_no_slope() {
    let network = Network::new(CellKind::ElmanRelu, Input::Features(1), 2, 1);
    let params = Init::default().params::<f64>(&network, 1).unwrap();
    let batch = Batch::features(&[f64::NAN, 1.0], [2, 1, 1], None).unwrap();
    let mut unrolled = Unrolled::new(&network, &params).unwrap();
    unrolled.forward(&batch).unwrap();
    let gradient = unrolled.gradient(&[1.0, 1.0]).unwrap();
    assert!(gradient.get("weight_hh_l0").unwrap()[0].is_nan());
}

/// Every public function with things of one network and sizes of another. Each gives a result or an error.
fn everything(a: &Case, b: &Case, n: usize) {
    let (own, team) = (a.network.clone(), Arc::new(Team::new(1 + n % 3)));
    let (params, foreign) = (a.params(), b.params());
    let d = vec![0.5; n];
    let weights = Weights::new(&own, &params).unwrap();
    let _ = Weights::new(&own, &foreign);
    let (mut trace, mut deltas) = (Trace::new(), Deltas::new());
    let mut gradient = foreign.zeros_like();
    for (batch, state) in [
        (a.batch(), b.state()),
        (b.batch(), a.state()),
        (a.batch(), a.state_of(n % 4)),
        (b.noisy(), a.state()),
        (a.noisy(), a.state()),
    ] {
        let _ = forward(&weights, &batch, &state, &mut trace, &team);
        for outputs in [&d, trace.outputs().to_vec().as_slice()] {
            let cotangent = Cotangent {
                outputs,
                state: Some(&state),
            };
            let into = Some(&mut gradient);
            let _ = backward(&weights, &trace, cotangent, &mut deltas, into, &team);
        }
        let sweep = Sweep {
            index: n,
            layer: n,
            reverse: n.is_multiple_of(2),
        };
        let _ = step_contributions(&weights, &trace, &deltas, sweep, |_, _| {});
        let (mut v, place) = (d.clone(), (n % 5, n % 3));
        let _ = tangent(&weights, &trace, place, &mut v, &mut Tangent::new());
        let _ = pull_back(&weights, &trace, &[place; 2], &mut v, &mut Pullback::new());
        let _ = (trace.output(n, n), trace.state_after(n), deltas.drive(n));
        let _ = (
            batch.at(n, n),
            batch.row_at(n),
            batch.x(n, n),
            batch.symbol(n, n),
        );
        let _ = (
            batch.select(&[n, 0], n),
            batch.pack(&d, n),
            batch.unpack(&d, n, 0.0),
        );
        let _ = batch.clone().with_noise(
            &b.network,
            Dropout {
                input: 0.5,
                ..Dropout::default()
            },
            Draw {
                seed: 1,
                epoch: 1,
                batch: 1,
                step: 1,
            },
        );
        let mut state = state;
        let _ = (
            state.reset(&own, &foreign, n),
            state.select(&[n, 0]),
            state.first(n),
        );
        let _ = state.add_to_learned(&b.network, |_| true, &mut gradient);
        let _ = State::initial(&own, &foreign, n);
        let mut segments = Segments::new();
        let _ = segments.forward(&weights, &batch, &state, n, &team);
        let cotangent = Cotangent {
            outputs: &d,
            state: Some(&state),
        };
        let _ = segments.backward(&weights, cotangent, Some(&mut gradient), &team);
        let _ = (segments.state_after(n), segments.outputs());
        let mut y = d.clone();
        if let Ok(mut stepper) = Stepper::new(&own, &params) {
            let _ = (
                stepper.step(&d, &mut y),
                stepper.step_symbol(n as u32, &mut y),
            );
            let _ = (
                stepper.set_state(&state, n),
                stepper.set_state(&state, 0),
                stepper.state(n),
            );
        }
        if let Ok(mut stepper) = SharedStepper::new(&own, &params, &team) {
            let _ = (
                stepper.step(&d, &mut y),
                stepper.step_symbol(n as u32, &mut y),
            );
            let _ = (stepper.set_state(&state, n), stepper.state());
        }
        let _ = check_gradient(&own, &foreign, &batch, &state, |y| {
            (0.0, vec![0.0; y.len() + n])
        });
    }
    let _ = (
        Stepper::new(&own, &foreign),
        SharedStepper::new(&own, &foreign, &team),
    );
    let _ = (params.get("no such"), params.layout().find("no such"));
    let _ = (
        gradient.set("weight_hh_l0", &d),
        gradient.get_mut("weight_hh_l0"),
    );
    let _ = Batch::<f64>::of_rows(|_, _| &d, [n, 2, 3], Some(&[n, 1]));
    let _ = Batch::<f64>::features(&d, [n, 1, 1], Some(&[n + 1]));
    let _ = Batch::<f64>::symbols(&[n as u32; 4], [2, 2], n, None);
    let _ = Window::of(n).spans(n);
    let _ = Window {
        length: n,
        stride: n % 3,
        burn_in: n % 7,
    }
    .spans(9);
    for (reads, attention) in [
        (Reads::Symbols(n), true),
        (Reads::Vectors(n), false),
        (Reads::Vectors(n), true),
    ] {
        let plan = Plan {
            reads,
            symbols: n % 4,
            attention,
        };
        let Ok((network, companions)) = plan.networks(&own) else {
            continue;
        };
        let _ = Transducer::new(&network, &companions, &foreign);
        let Ok(params) = Init::default().params_with::<f64>(&network, &companions, 1) else {
            continue;
        };
        let mut net = Transducer::new(&network, &companions, &params).unwrap();
        let _ = net.refresh(&foreign);
        let (mut trace, batch) = (TransducerTrace::default(), a.batch());
        for given in [
            Given::Sequences(&batch),
            Given::Vectors(Rows::new(&d, 1, n)),
            Given::Vectors(Rows::new(&[], 0, 3)),
        ] {
            let _ = net.read(given, &mut trace, &team);
            let _ = net.decode(&[n; 3], &b.batch(), &b.state(), &mut trace, &team);
            let _ = net.forward(given, &batch, &mut trace, &team);
            let _ = net.backward(&mut trace, &d, &mut gradient, &team);
            let _ = (net.looked(&trace, (n, n)), net.state_after(&trace));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..Default::default() })]

    #[test]
    fn wrong_sizes_lengths_and_orders_are_errors(a in cases(5), b in cases(5), n in 0usize..40) {
        let panicked = catch_unwind(AssertUnwindSafe(|| everything(&a, &b, n))).is_err();
        prop_assert!(!panicked, "{a:?} {b:?} {n}");
    }
}

#[test]
fn what_others_expect_of_types() {
    fn shared<T: Send + Sync>() {}
    shared::<(Network, Params<f32>, Weights<f32>, Batch<f32>)>();
    shared::<(Trace<f32>, Deltas<f32>, Unrolled<f32>, Stepper<f32>)>();
    fn error<T: std::error::Error + Send + Sync + 'static>() {}
    error::<Error>();
    for kind in CellKind::ALL {
        assert_eq!(kind.to_string().parse(), Ok(*kind));
    }
    let unknown = "elmann".parse::<CellKind>().unwrap_err().to_string();
    assert!(unknown.contains("elmann") && unknown.contains("gru-before"));
}

#[cfg(feature = "serde")]
#[test]
fn networks_are_data() {
    let network = Network::new(CellKind::GruBefore, Input::Symbols(3), 4, 2);
    let text = serde_json::to_string(&network).unwrap();
    assert!(text.contains("\"gru-before\""), "{text}");
    assert_eq!(serde_json::from_str::<Network>(&text).unwrap(), network);
    let wrong = text.replace("gru-before", "gruu");
    let error = serde_json::from_str::<Network>(&wrong).unwrap_err();
    assert!(error.to_string().contains("gruu"), "{error}");
}

#[cfg(feature = "ndarray")]
#[test]
fn arrays_go_in_and_out() {
    let x = ndarray::Array3::from_shape_fn((4, 2, 3), |(t, r, f)| (t * 6 + r * 3 + f) as f64);
    let given = Batch::from_array(x.view(), Some(&[4, 2])).unwrap();
    assert_eq!(given.x(1, 1).unwrap(), [9.0, 10.0, 11.0]);
    let turned = x.permuted_axes([2, 1, 0]);
    let other = Batch::from_array(turned.view().permuted_axes([2, 1, 0]), None).unwrap();
    assert_eq!(other.x(3, 0).unwrap(), [18.0, 19.0, 20.0]);
    let network = Network::new(CellKind::Lstm, Input::Features(3), 2, 1);
    let params = Init::default().params::<f64>(&network, 1).unwrap();
    assert_eq!(params.array("weight_ih_l0").unwrap().dim(), (8, 3));
    assert_eq!(params.array("bias_hh_l0").unwrap().dim(), (8, 1));
}
