//! The whole measurement, what it says, and what it costs.

mod networks;

use elman_core::*;
use elman_flow::{Error, *};
use networks::*;

const STEPS: usize = 120;

/// Tanh units on noise of some size, with a loss at the last step.
fn tanh_network(gain: f64, input: f64, steps: usize) -> Scope {
    let network = Network::new(CellKind::Elman, Input::Features(2), 24, 1);
    let init = Init {
        recurrent: Recurrent::Orthogonal(gain),
        ..Init::default()
    };
    let params: Params<f64> = init.params(&network, 9).unwrap();
    let x: Vec<f64> = noise(steps * 4 * 2, 5).iter().map(|x| x * input).collect();
    let batch = Batch::features(&x, [steps, 4, 2], None).unwrap();
    let mut d = vec![0.0; steps * 4];
    d[(steps - 1) * 4..].copy_from_slice(&[1.0, -1.0, 0.5, 1.5]);
    Scope::new(&network, &params, &batch, &State::zeros(&network, 4), &d).unwrap()
}

/// A linear network with a given W_hh, a loss at the last step.
fn linear(w: &[f64], n: usize) -> Scope {
    let network = Network {
        output: None,
        ..Network::new(CellKind::ElmanLinear, Input::Features(1), n, 1)
    };
    let mut params = random_params(&network, 2);
    params.set("weight_hh_l0", w).unwrap();
    let mut d = vec![0.0; STEPS * n];
    d[(STEPS - 1) * n] = 1.0;
    on_noise(&network, &params, &[STEPS], &d)
}

fn judge(scope: &Scope, training: Training) -> Verdict {
    verdict(
        &measure_scope(scope, &Options::default()).unwrap(),
        &training,
    )
}

fn proposes(verdict: &Verdict, option: &str) {
    let found = verdict.proposals.iter().any(|p| p.option == option);
    assert!(found, "no {option} among {:?}", verdict.proposals);
}

#[test]
fn networks_made_sick_in_a_known_way() {
    let weights = judge(&tanh_network(0.3, 0.1, STEPS), Training::default());
    assert_eq!(weights.cause, Cause::VanishingByWeights, "{weights:#?}");
    proposes(&weights, "--init orthogonal --gain 1.0");
    assert!(
        weights.evidence[0].contains("over 4 sequences and 4 loss times"),
        "{weights:#?}"
    );

    let saturation = judge(&tanh_network(1.0, 30.0, STEPS), Training::default());
    assert_eq!(
        saturation.cause,
        Cause::VanishingBySaturation,
        "{saturation:#?}"
    );
    proposes(&saturation, "--scale standard");

    let exploding = judge(&linear(&[1.2, 0.1, 0.0, 1.2], 2), Training::default());
    assert_eq!(exploding.cause, Cause::Exploding, "{exploding:#?}");
    proposes(&exploding, "--clip 1.0");

    let transient = judge(
        &linear(&[0.9, 8.0, 0.0, 0.9], 2),
        Training {
            memory: Some(20),
            ..Training::default()
        },
    );
    assert_eq!(transient.cause, Cause::TransientGrowth, "{transient:#?}");

    let window = Training {
        window: Some(10),
        ..Training::default()
    };
    let window = judge(&linear(&[0.98, 0.0, 0.0, 0.98], 2), window);
    assert_eq!(window.cause, Cause::WindowLimited, "{window:#?}");
    let steps: usize = window.proposals[0]
        .option
        .strip_prefix("--window ")
        .unwrap()
        .parse()
        .unwrap();
    assert!((30..=STEPS).contains(&steps), "{steps}");

    let healthy = judge(&tanh_network(1.0, 0.05, 40), Training::default());
    assert_eq!(healthy.cause, Cause::Healthy, "{healthy:#?}");
    assert!(healthy.proposals.is_empty() && healthy.also.is_empty());
}

#[test]
fn what_is_learned_needs_no_longer_memory() {
    let scope = tanh_network(0.3, 0.1, STEPS);
    let learned = Training {
        explained: Some(0.9),
        ..Training::default()
    };
    assert_eq!(judge(&scope, learned).cause, Cause::TaskNeedsNoLongerMemory);
    // Unless the task is known to reach further.
    let known = Training {
        memory: Some(60),
        ..learned
    };
    assert_eq!(judge(&scope, known).cause, Cause::VanishingByWeights);
    // Sequences that disagree: the mean of many gradients is near zero.
    let network = Network::new(CellKind::Elman, Input::Features(2), 8, 1);
    let params: Params<f64> = Init::default().params(&network, 1).unwrap();
    let rows = 16;
    let mut d = vec![0.0; 40 * rows];
    (0..rows).for_each(|r| d[39 * rows + r] = if r % 2 == 0 { 1.0 } else { -1.0 });
    let x = [
        vec![0.02; 2 * rows],
        noise(39 * rows * 2, 1).iter().map(|x| 0.02 * x).collect(),
    ]
    .concat();
    let batch = Batch::features(&x, [40, rows, 2], None).unwrap();
    let scope = Scope::new(&network, &params, &batch, &State::zeros(&network, rows), &d).unwrap();
    let nothing = judge(
        &scope,
        Training {
            explained: Some(0.0),
            ..Training::default()
        },
    );
    assert_eq!(
        nothing.cause,
        Cause::TaskNeedsNoLongerMemory,
        "{nothing:#?}"
    );
}

#[test]
fn everything_of_every_cell() {
    for &cell in CellKind::ALL {
        for layers in [1, 2] {
            let scope = random(cell, 6, layers, &[30, 25, 30]);
            let options = Options {
                fixed_points: Some(FixedPointOptions {
                    starts: 4,
                    ..FixedPointOptions::default()
                }),
                ..Options::default()
            };
            let flow = measure_scope(&scope, &options).unwrap();
            assert_eq!(
                (flow.about.sequences, flow.about.steps, flow.about.longest),
                (3, 85, 30)
            );
            let gated = cell.about().recurrence == Recurrence::Gated;
            assert_eq!(flow.bound.is_some(), !gated && layers == 1);
            assert_eq!(flow.saturation.len(), layers);
            // Where W_hh is a vector, its diagonal matrix.
            let matrices = cell.sizes().from_h.len().max(1);
            assert_eq!(flow.recurrent.len(), layers * matrices);
            let text = serde_json::to_string(&flow).unwrap();
            assert!(text.contains("\"ln_mean\":[") && text.contains("\"exponents\":["));
            let lesson = lesson_on(&scope, 1).unwrap();
            assert_eq!(lesson.len(), 6);
        }
    }
}

#[test]
fn one_precision_and_rows_chosen() {
    let network = Network::new(CellKind::Gru, Input::Symbols(5), 8, 3);
    let params: Params<f32> = Init::default().params(&network, 1).unwrap();
    let ids: Vec<u32> = (0..20 * 10).map(|i| (i * 7 % 5) as u32).collect();
    let batch = Batch::<f32>::symbols(&ids, [20, 10], 5, None).unwrap();
    let state = State::zeros(&network, 10);
    let d = vec![0.1f32; 20 * 10 * 3];
    let options = Options {
        sequences: 4,
        ..Options::default()
    };
    let flow = measure(&network, &params, &batch, &state, &d, &options).unwrap();
    assert_eq!((flow.about.sequences, flow.about.steps), (4, 80));
    let wrong = measure(&network, &params, &batch, &state, &d[1..], &options);
    assert!(matches!(wrong, Err(Error::Size { needs: 600, .. })));
    let both = Network {
        bidirectional: true,
        ..network
    };
    let params: Params<f32> = Init::default().params(&both, 1).unwrap();
    let refused = measure(
        &both,
        &params,
        &batch,
        &State::zeros(&both, 10),
        &d,
        &options,
    );
    assert!(refused.unwrap_err().to_string().contains("bidirectional"));
}

#[test]
fn costs_grow_linearly_with_length() {
    let network = Network::new(CellKind::Lstm, Input::Features(4), 64, 1);
    let options = Options {
        lyapunov: None,
        lag: LagOptions {
            max_lag: Some(500),
            ..LagOptions::default()
        },
        ..Options::default()
    };
    let at = |steps: usize| {
        let batch = Batch::<f32>::features(&vec![0.0; steps * 8 * 4], [steps, 8, 4], None).unwrap();
        cost(&network, &batch, &options)
    };
    let (one, two, four) = (at(1000), at(2000), at(4000));
    assert_eq!(four.bytes - two.bytes, 2 * (two.bytes - one.bytes));
    assert_eq!(
        four.operations - two.operations,
        2 * (two.operations - one.operations)
    );
    assert!(one.to_string().contains(" MB and "), "{one}");
}

#[test]
fn requirements_hold_or_tell_why_not() {
    let flow = measure_scope(&tanh_network(0.5, 0.1, STEPS), &Options::default()).unwrap();
    let check = |text: &str| text.parse::<Requirement>().unwrap().check(&flow);
    assert!(check("beta<1").holds && check("saturation<=0.2").holds && check("horizon<=50").holds);
    let short = check("horizon>=50");
    assert!(
        !short.holds && short.reason.starts_with("horizon>=50 does not hold: "),
        "{short:?}"
    );
    let unmeasured = Flow {
        lyapunov: None,
        ..flow.clone()
    };
    let unknown = "lyapunov<0"
        .parse::<Requirement>()
        .unwrap()
        .check(&unmeasured);
    assert!(!unknown.holds && unknown.reason.contains("not measured"));
    // A horizon past the longest lag is at least that long, and never shown to be shorter.
    let long = measure_scope(&linear(&[1.0], 1), &Options::default()).unwrap();
    let check = |text: &str| text.parse::<Requirement>().unwrap().check(&long);
    assert!(
        check("horizon>=100").holds
            && !check("horizon>=1000").holds
            && !check("horizon<=1000").holds
    );
    for (name, _) in requirement_names() {
        format!("{name}>=0")
            .parse::<Requirement>()
            .unwrap()
            .check(&flow);
    }
}

#[test]
fn the_light_measurement_is_the_same_profile() {
    let scope = tanh_network(0.9, 0.1, STEPS);
    let (network, params) = (scope.network(), scope.params());
    let mut d = vec![0.0; STEPS * 4];
    d[(STEPS - 1) * 4..].copy_from_slice(&[1.0, -1.0, 0.5, 1.5]);
    let state = State::zeros(network, 4);
    let options = LightOptions::default();
    let quick = light(network, params, scope.batch(), &state, &d, &options).unwrap();
    let whole = measure_scope(&scope, &Options::default()).unwrap();
    assert_eq!(
        (quick.sequences, quick.loss_times, quick.measured_to),
        (4, 4, 119)
    );
    assert_eq!(quick.ln_mean, whole.lag.ln_mean);
    assert_eq!(
        (quick.beta, quick.horizon),
        (whole.decay.beta, whole.decay.percent)
    );
    assert!(light_share(network, scope.batch().steps(), 100_000, &options) < 0.05);
    assert!(light_share(network, scope.batch().steps(), 1000, &options) > 0.05);
}

/// Runs forward and backward and asks the watch.
fn watched(network: &Network, params: &Params<f32>, x: &[f32], steps: usize) -> Option<Alarm> {
    let batch = Batch::features(x, [steps, 1, network.input.width()], None).unwrap();
    let weights = Weights::new(network, params).unwrap();
    let (team, mut trace, mut deltas) = (Team::new(1), Trace::new(), Deltas::new());
    forward(
        &weights,
        &batch,
        &State::zeros(network, 1),
        &mut trace,
        &team,
    )
    .unwrap();
    let mut d = vec![0.0f32; trace.outputs().len()];
    *d.last_mut().unwrap() = 1.0;
    let cotangent = Cotangent {
        outputs: &d,
        state: None,
    };
    backward(&weights, &trace, cotangent, &mut deltas, None, &team).unwrap();
    watch(network, &batch, &trace, Some(&deltas))
}

#[test]
fn the_watch_names_step_layer_and_cause() {
    let network = Network {
        layers: 2,
        ..Network::new(CellKind::ElmanLinear, Input::Features(1), 1, 1)
    };
    let mut params = Params::<f32>::zeros(&network).unwrap();
    params.data_mut().fill(0.5);
    assert_eq!(watched(&network, &params, &[1.0; 50], 50), None);
    // h of layer 1 grows by 10 a step: past 1e5 at step 6.
    params.set("weight_hh_l1", &[10.0]).unwrap();
    let alarm = watched(&network, &params, &[0.0; 50], 50).unwrap();
    assert_eq!(
        (alarm.what, alarm.layer, alarm.not_finite),
        ("h", Some(1), false),
        "{alarm}"
    );
    assert!(
        (4..=6).contains(&alarm.step) && alarm.cause.contains("grows by 10.0"),
        "{alarm}"
    );
    params.set("weight_hh_l1", &[f32::NAN]).unwrap();
    let alarm = watched(&network, &params, &[0.0; 50], 50).unwrap();
    assert_eq!(
        (alarm.what, alarm.step, alarm.layer, alarm.not_finite),
        ("h", 0, Some(1), true),
        "{alarm}"
    );
    params.set("weight_hh_l1", &[0.5]).unwrap();
    let mut x = [0.0; 50];
    x[7] = f32::NAN;
    let alarm = watched(&network, &params, &x, 50).unwrap();
    assert_eq!(
        (alarm.what, alarm.step, alarm.layer),
        ("x", 7, None),
        "{alarm}"
    );
    // States stay at 0, the gradient grows by 3 a step: 3^13 > 1e6.
    let mut still = Params::<f32>::zeros(&network).unwrap();
    still.set("weight_hh_l1", &[3.0]).unwrap();
    still.set("readout.weight", &[1.0]).unwrap();
    let alarm = watched(&network, &still, &[0.0; 50], 50).unwrap();
    assert_eq!(
        (alarm.what, alarm.step, alarm.layer),
        ("dz", 49 - 13, Some(1)),
        "{alarm}"
    );
    assert!(alarm.cause.contains("explodes"), "{alarm}");
}

/// What the promise of seconds rests on; run with `--ignored --nocapture`.
#[test]
#[ignore = "measures time"]
fn a_thousand_lags_at_128_units() {
    for cell in [CellKind::Elman, CellKind::Lstm, CellKind::Gru] {
        let network = Network::new(cell, Input::Features(4), 128, 1);
        let params: Params<f64> = Init::default().params(&network, 1).unwrap();
        let (steps, rows) = (1200, 16);
        let batch = Batch::features(&noise(steps * rows * 4, 1), [steps, rows, 4], None).unwrap();
        let (state, d) = (State::zeros(&network, rows), vec![1.0; steps * rows]);
        let lag = LagOptions {
            max_lag: Some(1000),
            ..LagOptions::default()
        };
        let options = Options {
            lag,
            ..Options::default()
        };
        let scope = Scope::new(&network, &params, &batch, &state, &d).unwrap();
        let begun = std::time::Instant::now();
        let profile = lag_profile(&scope, &lag).unwrap();
        assert_eq!((profile.max_lag(), profile.loss_times), (1000, 128));
        let followed = begun.elapsed();
        let begun = std::time::Instant::now();
        measure_scope(&scope, &options).unwrap();
        let said = cost(&network, &batch, &options);
        println!(
            "{}: lags {followed:.1?}, all {:.1?}, said {said}",
            cell.name(),
            begun.elapsed()
        );
    }
}
