//! One test for each fault that was found.

mod networks;

use elman_core::*;
use elman_flow::*;
use networks::*;

const STEPS: usize = 60;

/// A network of any kind with weights of some size, from the zero state over noise, with a loss at every step.
fn scope_of(network: &Network, scale: f64, seed: u64, lengths: &[usize]) -> Scope {
    let mut params = random_params(network, seed);
    params.data_mut().iter_mut().for_each(|w| *w *= scale);
    let d = noise(
        lengths.iter().sum::<usize>() * network.output_width(),
        seed + 1,
    );
    on_noise(network, &params, lengths, &d)
}

fn elman() -> Network {
    Network::new(CellKind::Elman, Input::Features(2), 6, 1)
}

fn gate(flow: &Flow, text: &str) -> Outcome {
    text.parse::<Requirement>().unwrap().check(flow)
}

/// Conditions of which one of each pair would hold for any number.
const GATES: [&str; 12] = [
    "horizon>=50",
    "horizon<=50",
    "half>=0",
    "half<=9999",
    "beta<1",
    "beta>=1",
    "peak<=5",
    "peak>5",
    "window<=10",
    "window>=10",
    "omega<=1",
    "omega>=0",
];

#[test]
fn a_readout_of_zeros_passes_no_gradient_and_no_gate() {
    for &cell in CellKind::ALL {
        let network = Network::new(cell, Input::Features(2), 6, 1);
        let mut params = random_params(&network, 3);
        params.get_mut("readout.weight").unwrap().fill(0.0);
        let scope = on_noise(&network, &params, &[STEPS], &noise(STEPS, 1));
        let flow = measure_scope(&scope, &Options::default()).unwrap();
        assert_eq!(
            (flow.decay.percent, flow.decay.horizon()),
            (Horizon::Undefined, 0.0)
        );
        let verdict = verdict(&flow, &Training::default());
        assert_eq!(verdict.cause, Cause::NoGradient, "{verdict:#?}");
        assert!(verdict.also.is_empty() && verdict.proposals.is_empty());
        assert!(
            verdict
                .summary
                .starts_with("no gradient reaches the states: ")
        );
        for text in GATES {
            let outcome = gate(&flow, text);
            assert!(
                !outcome.holds && outcome.value.is_none(),
                "{cell:?}: {outcome:?}"
            );
        }
        assert!(
            gate(&flow, "horizon>=50")
                .reason
                .contains("no gradient reaches the states")
        );
        let json = serde_json::to_string(&flow).unwrap();
        assert!(json.contains(r#""percent":{"is":"undefined"}"#), "{json}");
    }
}

/// A measurement with one number replaced by `value`: of the parameters, the input, the state before, or the loss's gradient.
fn broken(network: &Network, what: &str, value: f64) -> Flow {
    let mut params = random_params(network, 3);
    let mut x = noise(STEPS * 2 * 2, 17);
    let mut state = State::zeros(network, 2);
    let mut d = noise(STEPS * 2, 4);
    match what {
        "input" => x[(37 * 2 + 1) * 2] = value,
        "state" => state.data_mut()[1] = value,
        "gradient" => d[50 * 2] = value,
        name => params.get_mut(name).unwrap()[0] = value,
    }
    let batch = Batch::features(&x, [STEPS, 2, 2], None).unwrap();
    measure(network, &params, &batch, &state, &d, &Options::default()).unwrap()
}

#[test]
fn a_number_that_is_not_finite_makes_every_figure_nan_and_is_named() {
    let two = Network {
        layers: 2,
        ..elman()
    };
    for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        for what in [
            "weight_hh_l1",
            "weight_ih_l0",
            "readout.bias",
            "input",
            "state",
            "gradient",
        ] {
            let flow = broken(&two, what, value);
            assert!(
                flow.decay.beta.is_nan() && flow.decay.horizon().is_nan(),
                "{what}"
            );
            assert!(flow.lag.ln_mean.iter().all(|ln| ln.is_nan()), "{what}");
            let said = verdict(&flow, &Training::default());
            assert_eq!(said.cause, Cause::NotANumber, "{what}: {said:#?}");
            assert!(said.also.is_empty(), "{said:#?}");
            for (name, _) in requirement_names() {
                for relation in [">=", "<="] {
                    assert!(
                        !gate(&flow, &format!("{name}{relation}0.5")).holds,
                        "{what}: {name}"
                    );
                }
            }
            let json: serde_json::Value =
                serde_json::from_str(&serde_json::to_string(&flow).unwrap()).unwrap();
            assert!(json["decay"]["beta"].is_null() && json["lag"]["ln_mean"][0].is_null());
        }
    }
    let input = broken(&two, "input", f64::NAN).not_finite.unwrap();
    assert_eq!(
        (input.step, input.row, input.layer),
        (Some(37), Some(1), None)
    );
    let weight = broken(&two, "weight_hh_l1", f64::NAN).not_finite.unwrap();
    assert_eq!(weight.parameter.as_deref(), Some("weight_hh_l1"));
    assert_eq!((weight.step, weight.layer), (Some(0), Some(1)));
    let text = weight.to_string();
    assert!(
        text.contains("weight_hh_l1") && text.contains("layer 1") && text.contains("step 0"),
        "{text}"
    );
}

#[test]
fn nan_in_one_row_is_in_the_mean_of_all() {
    let network = elman();
    let params = random_params(&network, 3);
    let mut x = noise(STEPS * 3 * 2, 17);
    x[4] = f64::NAN;
    let batch = Batch::features(&x, [STEPS, 3, 2], None).unwrap();
    let (state, d) = (State::zeros(&network, 3), noise(STEPS * 3, 4));
    let options = LightOptions::default();
    let found = light(&network, &params, &batch, &state, &d, &options).unwrap();
    assert!(
        found.beta.is_nan() && found.horizon == Horizon::Undefined,
        "{found:?}"
    );
    // At lag 0 the gradient has not passed a state yet.
    assert!(found.ln_mean[1..].iter().all(|ln| ln.is_nan()));
    for &cell in CellKind::ALL {
        let network = Network::new(cell, Input::Features(2), 6, 1);
        let params = random_params(&network, 3);
        let scope = Scope::new(&network, &params, &batch, &State::zeros(&network, 3), &d).unwrap();
        let layer = &saturation(&scope)[0];
        assert!(layer.saturated.is_nan(), "{cell:?}: {layer:?}");
        assert!(
            layer
                .gates
                .iter()
                .all(|g| g.mean.is_nan() && g.shut.is_nan())
        );
        assert!(
            cell == CellKind::ElmanLinear || layer.mean_slope.is_nan(),
            "{cell:?}"
        );
    }
}

/// Every cell with every option that the microscope takes.
fn all_networks() -> Vec<Network> {
    let mut all = Vec::new();
    for &cell in CellKind::ALL {
        for layers in [1, 2] {
            for layer_norm in [false, true] {
                for zoneout in [0.0, 0.1, 0.9] {
                    for shared in [false, true] {
                        let leaks = cell.has_leak();
                        if shared && !leaks {
                            continue;
                        }
                        all.push(Network {
                            layers,
                            layer_norm,
                            zoneout,
                            leak: Leak {
                                shared,
                                fixed: false,
                            },
                            ..Network::new(cell, Input::Features(2), 5, 1)
                        });
                    }
                }
            }
        }
    }
    all
}

#[test]
fn no_profile_lies_above_its_bound() {
    let lag = LagOptions {
        every: true,
        credit: false,
        ..LagOptions::default()
    };
    let mut bounded = 0;
    for network in all_networks() {
        let mut of_this = 0;
        for seed in 0..6 {
            for scale in [0.3, 1.0, 2.0, 6.0] {
                // Rows of unequal length: fewer losses reach further back, and the bound is of those.
                let scope = scope_of(&network, scale, seed, &[40, 7, 23]);
                let Some(bound) = lesson_bound(&scope).unwrap() else {
                    continue;
                };
                of_this += 1;
                let profile = lag_profile(&scope, &lag).unwrap();
                for (k, (ln, most)) in profile
                    .ln_mean
                    .iter()
                    .zip(bound.ln_profile(&profile))
                    .enumerate()
                {
                    assert!(
                        *ln <= most + 1e-9,
                        "{network:?}, seed {seed}, scale {scale}: lag {k}: {ln} > {most}"
                    );
                }
                assert!(bound.per_step <= bound.any_sequence + 1e-15);
            }
        }
        let gated = network.cell.about().recurrence == Recurrence::Gated;
        let known = network.layers == 1 && !network.layer_norm && !gated;
        assert_eq!(of_this > 0, known, "{network:?}");
        bounded += of_this;
    }
    assert!(bounded > 400, "{bounded}");
}

#[test]
fn the_bound_is_reached_where_it_can_be() {
    // A diagonal network without activation: the profile of its slowest unit is the bound.
    for zoneout in [0.0, 0.25] {
        let network = Network {
            zoneout,
            output: None,
            ..Network::new(CellKind::ElmanLinear, Input::Features(1), 2, 1)
        };
        let mut params = random_params(&network, 2);
        params.set("weight_hh_l0", &[0.8, 0.0, 0.0, 0.5]).unwrap();
        let mut d = vec![0.0; STEPS * 2];
        d[(STEPS - 1) * 2] = 1.0;
        let scope = on_noise(&network, &params, &[STEPS], &d);
        let bound = lesson_bound(&scope).unwrap().unwrap();
        let profile = lag_profile(&scope, &LagOptions::default()).unwrap();
        let last = profile.max_lag();
        assert!((bound.ln_profile(&profile)[last] - profile.ln_mean[last]).abs() < 1e-9);
        assert!((bound.per_step - (zoneout + (1.0 - zoneout) * 0.8)).abs() < 1e-12);
    }
}

#[test]
fn masks_and_two_directions_are_refused() {
    let network = elman();
    let params = random_params(&network, 3);
    let batch = Batch::features(&noise(STEPS * 2, 1), [STEPS, 1, 2], None).unwrap();
    let dropout = Dropout {
        state: 0.3,
        ..Dropout::default()
    };
    let draw = Draw {
        seed: 1,
        epoch: 1,
        batch: 0,
        step: 0,
    };
    let masked = batch.with_noise(&network, dropout, draw).unwrap();
    let state = State::zeros(&network, 1);
    let found = measure(
        &network,
        &params,
        &masked,
        &state,
        &noise(STEPS, 2),
        &Options::default(),
    );
    assert!(found.unwrap_err().to_string().contains("dropout"));
}

#[test]
fn a_norm_just_below_one_is_not_called_vanishing() {
    let network = Network::new(CellKind::ElmanLinear, Input::Features(1), 1, 1);
    let mut params = random_params(&network, 2);
    params.set("weight_hh_l0", &[0.99989]).unwrap();
    let mut d = vec![0.0; STEPS];
    d[STEPS - 1] = 1.0;
    let scope = on_noise(&network, &params, &[STEPS], &d);
    let flow = measure_scope(&scope, &Options::default()).unwrap();
    let said = verdict(&flow, &Training::default());
    let line = said
        .evidence
        .iter()
        .find(|l| l.starts_with("Bound"))
        .unwrap();
    assert!(line.contains("0.9999") && !line.contains("must"), "{line}");
    assert!(line.contains("at lag 59 at most 99 %"), "{line}");
}

#[test]
fn leaky_cells_are_judged_by_the_linear_map_of_a_step() {
    let network = Network::new(CellKind::Leaky, Input::Features(1), 3, 1);
    let mut params = Params::<f64>::zeros(&network).unwrap();
    // Leaks of 0.5, 0.1 and 0.02, W_hh = 0: slow units that the raw matrix does not show.
    let a: [f64; 3] = [0.5, 0.1, 0.02];
    params
        .set("leak_l0", &a.map(|a| (a / (1.0 - a)).ln()))
        .unwrap();
    params.set("readout.weight", &[1.0; 3]).unwrap();
    let mut d = vec![0.0; STEPS];
    d[STEPS - 1] = 1.0;
    let scope = on_noise(&network, &params, &[STEPS], &d);
    let flow = measure_scope(&scope, &Options::default()).unwrap();
    let m = &flow.recurrent[0];
    assert!(
        (m.radius - 0.98).abs() < 1e-12 && (m.norm - 0.98).abs() < 1e-12,
        "{m:?}"
    );
    assert_eq!(m.map, "(1-a)I + aW_hh");
    assert!((m.kept - (0.5 + 0.9 + 0.98) / 3.0).abs() < 1e-12);
    let said = verdict(&flow, &Training::default());
    assert!(
        said.evidence
            .iter()
            .any(|l| l.contains("radius of (1-a)I + aW_hh 0.980")),
        "{said:#?}"
    );
    // Each unit by its own leak: diag(1-a) + diag(a) W_hh.
    params
        .get_mut("weight_hh_l0")
        .unwrap()
        .copy_from_slice(&[0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
    let map = &recurrent_matrices(&network, &params).unwrap()[0];
    let by_hand = recurrent_matrix(&[0.5, 0.5, 0.0, 0.0, 0.9, 0.0, 0.0, 0.0, 0.98], 3).unwrap();
    assert!(
        (map.norm - by_hand.norm).abs() < 1e-12
            && (map.non_normality - by_hand.non_normality).abs() < 1e-9
    );
    // One leak for all.
    let shared = Network {
        leak: Leak {
            shared: true,
            fixed: false,
        },
        ..network
    };
    let mut params = Params::<f64>::zeros(&shared).unwrap();
    params.set("leak_l0", &[0.0]).unwrap();
    let map = &recurrent_matrices(&shared, &params).unwrap()[0];
    assert!((map.radius - 0.5).abs() < 1e-12);
}

#[test]
fn an_exponent_of_minus_infinity_has_no_error() {
    // W_hh of rank 1: the second direction dies at every step.
    let network = Network::new(CellKind::ElmanLinear, Input::Features(1), 2, 1);
    let mut params = random_params(&network, 2);
    params.set("weight_hh_l0", &[0.5, 0.0, 0.0, 0.0]).unwrap();
    let scope = on_noise(&network, &params, &[STEPS], &noise(STEPS, 3));
    let found = lyapunov(&scope, &LyapunovOptions::default()).unwrap();
    assert_eq!(found.exponents[1], f64::NEG_INFINITY);
    assert!(
        found.errors[1].is_nan() && found.errors[0] < 1e-6,
        "{:?}",
        found.errors
    );
    assert_eq!(
        (found.sum, found.kaplan_yorke),
        (Some(f64::NEG_INFINITY), Some(0.0))
    );
    let json = serde_json::to_value(&found).unwrap();
    assert!(json["exponents"][1].is_null() && json["errors"][1].is_null());
    // Growth in one direction and death in the other.
    params.set("weight_hh_l0", &[1.5, 0.0, 0.0, 0.0]).unwrap();
    let scope = on_noise(&network, &params, &[STEPS], &noise(STEPS, 3));
    let found = lyapunov(&scope, &LyapunovOptions::default()).unwrap();
    assert_eq!(found.kaplan_yorke, Some(1.0));
    assert!((found.positive_sum - 1.5f64.ln()).abs() < 1e-9);
}

#[test]
fn one_block_of_steps_gives_no_error() {
    let scope = scope_of(&elman(), 1.0, 3, &[1]);
    let found = lyapunov(&scope, &LyapunovOptions::default()).unwrap();
    assert!(
        found.errors.iter().all(|e| e.is_nan()),
        "{:?}",
        found.errors
    );
}

#[test]
fn fixed_points_say_under_which_input() {
    let scope = scope_of(&elman(), 1.0, 3, &[STEPS]);
    let options = |input| FixedPointOptions {
        input,
        starts: 4,
        ..FixedPointOptions::default()
    };
    let zero = fixed_points(&scope, &options(FixedPointInput::Zero)).unwrap();
    assert_eq!(
        (zero.input, zero.input_from),
        (HeldInput::Features(vec![0.0; 2]), "zero")
    );
    let mean = fixed_points(&scope, &options(FixedPointInput::Mean)).unwrap();
    assert!(
        mean.input_from == "mean" && matches!(mean.input, HeldInput::Features(x) if x[0] != 0.0)
    );
    let point = &mean.points[0];
    assert!(point.speed() < 1e-8 && point.radius() < 1.0 && point.unstable == 0);
    let network = Network::new(CellKind::Elman, Input::Symbols(3), 4, 3);
    let batch = Batch::symbols(&[0, 1, 2, 2], [4, 1], 3, None).unwrap();
    let params = random_params(&network, 1);
    let scope = Scope::new(
        &network,
        &params,
        &batch,
        &State::zeros(&network, 1),
        &[0.1; 12],
    )
    .unwrap();
    let refused = fixed_points(&scope, &options(FixedPointInput::Zero)).unwrap_err();
    assert!(refused.to_string().contains("use mean"), "{refused}");
    let most = fixed_points(&scope, &options(FixedPointInput::Mean)).unwrap();
    assert_eq!(most.input, HeldInput::Symbol(2));
}

#[test]
fn a_single_lag_has_no_decay_rate() {
    let d = decay(&[0.0], 0).unwrap();
    assert!(d.beta.is_nan() && d.percent == Horizon::Beyond(0), "{d:?}");
}
