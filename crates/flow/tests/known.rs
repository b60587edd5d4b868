//! Every measurement against an answer that is known without it.

mod networks;

use elman_core::*;
use elman_flow::*;
use networks::*;

/// Rounding of a few hundred operations.
const ROUNDING: f64 = 1e-12;

fn close(what: &str, ours: f64, exact: f64, tolerance: f64) {
    let scale = exact.abs().max(1.0);
    assert!(
        (ours - exact).abs() <= tolerance * scale,
        "{what}: {ours}, exactly {exact}"
    );
}

/// A linear network with W_hh = gain · Q, Q orthogonal, and a loss at the last step.
fn rotation(gain: f64, units: usize, steps: usize) -> Scope {
    let network = Network {
        output: None,
        ..Network::new(CellKind::ElmanLinear, Input::Features(2), units, 1)
    };
    let init = Init {
        recurrent: Recurrent::Orthogonal(gain),
        ..Init::default()
    };
    let params: Params<f64> = init.params(&network, 3).unwrap();
    let mut d = vec![0.0; steps * units];
    d[(steps - 1) * units..].fill(0.5);
    on_noise(&network, &params, &[steps], &d)
}

#[test]
fn lag_profile_of_a_scaled_rotation() {
    for gain in [0.3, 0.9, 1.0, 1.1] {
        let scope = rotation(gain, 7, 1000);
        let profile = lag_profile(&scope, &LagOptions::default()).unwrap();
        assert_eq!(
            (profile.max_lag(), profile.sequences, profile.loss_times),
            (999, 1, 1)
        );
        for (k, ln) in profile.ln_mean.iter().enumerate() {
            let exact = profile.ln_mean[0] + k as f64 * f64::ln(gain);
            close("ln φ_k", *ln, exact, ROUNDING);
        }
        let decay = decay(&profile.ln_mean, default_tau(999)).unwrap();
        close("β", decay.beta, gain, ROUNDING);
        close("the largest slope", decay.largest, gain, ROUNDING);
        if gain < 1.0 {
            close(
                "horizon",
                decay.percent.at().unwrap_or(1e9),
                100f64.ln() / -gain.ln(),
                1e-9,
            );
            close(
                "horizon",
                decay.extrapolated.unwrap(),
                100f64.ln() / -gain.ln(),
                1e-9,
            );
        }
        let bound = lesson_bound(&scope).unwrap().unwrap();
        close("the bound is reached", bound.per_step, gain, ROUNDING);
    }
}

#[test]
fn products_of_an_orthogonal_matrix() {
    let scope = rotation(1.0, 6, 60);
    let measured = jacobian_products(&scope, &[1, 10, 50], 5).unwrap();
    assert_eq!(
        measured.lengths.iter().map(|l| l.steps).collect::<Vec<_>>(),
        [1, 10, 50]
    );
    for stats in &measured.lengths {
        stats
            .ln_values
            .iter()
            .for_each(|ln| close("ln σ", *ln, 0.0, ROUNDING));
        close("stable rank", stats.stable_rank.median, 6.0, ROUNDING);
        close("κ", stats.ln_condition.p95, 0.0, ROUNDING);
        close("stretch", stats.ln_mean_stretch.median, 0.0, ROUNDING);
    }
    let omega = omega(&arrival(&scope).unwrap());
    assert!(omega.mean <= ROUNDING && omega.steps == 60, "{omega:?}");
    let spectrum = lyapunov(&scope, &LyapunovOptions::default()).unwrap();
    spectrum
        .exponents
        .iter()
        .for_each(|l| close("λ", *l, 0.0, ROUNDING));
    // Shortened by half at each step: Ω = (½ − 1)².
    let halved = elman_flow::omega(&arrival(&rotation(0.5, 6, 60)).unwrap());
    close("Ω", halved.mean, 0.25, ROUNDING);
}

#[test]
fn nilpotent_shift() {
    let n = 6;
    let mut w = vec![0.0; n * n];
    (1..n).for_each(|i| w[i * n + i - 1] = 1.0);
    let m = recurrent_matrix(&w, n).unwrap();
    assert!(
        m.radius < 1e-2,
        "eigenvalues of a Jordan block are ill-conditioned: {}",
        m.radius
    );
    close("non-normality", m.non_normality, 1.0, 1e-4);
    assert_eq!(m.powers.len(), n + 1);
    m.powers[..n]
        .iter()
        .for_each(|p| close("‖W^k‖", *p, 1.0, ROUNDING));
    close("‖W^n‖", m.powers[n], 0.0, ROUNDING);
    // The same as a network: nothing fades for n − 1 steps, then all of it is gone.
    let network = Network {
        output: None,
        ..Network::new(CellKind::ElmanLinear, Input::Features(1), n, 1)
    };
    let mut params = Params::zeros(&network).unwrap();
    params.set("weight_hh_l0", &w).unwrap();
    let mut d = vec![0.0; 20 * n];
    d[20 * n - 1] = 1.0;
    let scope = on_noise(&network, &params, &[20], &d);
    let profile = lag_profile(&scope, &LagOptions::default()).unwrap();
    for (k, ln) in profile.ln_mean.iter().enumerate() {
        assert_eq!(*ln, if k < n { 0.0 } else { f64::NEG_INFINITY }, "lag {k}");
    }
    let decay = decay(&profile.ln_mean, 1).unwrap();
    assert_eq!(
        (decay.zero_from, decay.percent),
        (Some(n), Horizon::At(n as f64))
    );
}

#[test]
fn transient_growth_of_a_non_normal_matrix() {
    // Both eigenvalues are 0.5; one large entry above the diagonal makes ‖W^k‖ grow first.
    let m = recurrent_matrix(&[0.5, 8.0, 0.0, 0.5], 2).unwrap();
    close("radius", m.radius, 0.5, 1e-6);
    // W^k = [[2^-k, 16 k 2^-k], [0, 2^-k]]: largest where k 2^-k is, at 1 and 2.
    let exact = |k: f64| {
        let (a, b) = (0.5f64.powf(k), 16.0 * k * 0.5f64.powf(k));
        let trace = 2.0 * a * a + b * b;
        ((trace + (trace * trace - 4.0 * a.powi(4)).sqrt()) / 2.0).sqrt()
    };
    m.powers
        .iter()
        .enumerate()
        .for_each(|(k, p)| close("‖W^k‖", *p, exact(k as f64), 1e-9));
    close("peak", m.peak, exact(1.0), 1e-9);
    assert!(m.transient > 8.0 && m.non_normality > 0.9);
}

#[test]
fn scalar_tanh_in_closed_form() {
    let network = Network::new(CellKind::Elman, Input::Features(1), 1, 1);
    let mut params = Params::zeros(&network).unwrap();
    let (w, u, v) = (1.3, 0.7, -2.0);
    params.set("weight_hh_l0", &[w]).unwrap();
    params.set("weight_ih_l0", &[u]).unwrap();
    params.set("readout.weight", &[v]).unwrap();
    let steps = 300;
    let mut d = vec![0.0; steps];
    d[steps - 1] = 3.0;
    let scope = on_noise(&network, &params, &[steps], &d);
    let mut h = vec![0.0f64];
    for t in 0..steps {
        h.push((w * h[t] + u * scope.batch().x(t, 0).unwrap()[0]).tanh());
    }
    let profile = lag_profile(&scope, &LagOptions::default()).unwrap();
    let mut ln = (3.0 * v).abs().ln();
    for k in 0..steps {
        close("ln |∂L/∂h|", profile.ln_mean[k], ln, 1e-11);
        let step = (w * (1.0 - h[steps - k].powi(2))).abs();
        close(
            "J",
            scope.jacobian(steps - 1 - k, 0).unwrap()[0].abs(),
            step,
            ROUNDING,
        );
        ln += step.ln();
    }
    let exponent = (1..=steps)
        .map(|t| (w * (1.0 - h[t].powi(2))).abs().ln())
        .sum::<f64>()
        / steps as f64;
    let options = LyapunovOptions {
        warm_up: 0,
        ..LyapunovOptions::default()
    };
    let spectrum = lyapunov(&scope, &options).unwrap();
    close("λ", spectrum.exponents[0], exponent, 1e-11);
    assert_eq!((spectrum.sequences, spectrum.steps), (1, steps));
    // The bound holds, and is another curve.
    let bound = lesson_bound(&scope).unwrap().unwrap();
    let first = profile.ln_mean[0];
    assert!((0..steps).all(|k| profile.ln_mean[k] <= bound.ln_at(k, first) + 1e-9));
    assert!(
        bound.any_sequence > 1.0 && profile.ln_mean[steps - 1] < first - 10.0,
        "W > 1 only permits growth"
    );
}

#[test]
fn lyapunov_of_a_linear_map() {
    // Eigenvalues 0.9, −0.5, 0.2 behind a change of basis.
    let a = [[0.9, 1.0, -2.0], [0.0, -0.5, 0.7], [0.0, 0.0, 0.2]];
    let step = |_: &mut [f64], v: &mut [f64]| {
        for v in v.chunks_exact_mut(3) {
            let x: Vec<f64> = a
                .iter()
                .map(|r| r[0] * v[0] + r[1] * v[1] + r[2] * v[2])
                .collect();
            v.copy_from_slice(&x);
        }
    };
    let mut map = Map {
        state: vec![0.0; 3],
        step,
    };
    let options = LyapunovOptions {
        warm_up: 100,
        steps: 300,
        ..LyapunovOptions::default()
    };
    let spectrum = lyapunov_of(&mut map, &options).unwrap();
    for (ours, exact) in spectrum.exponents.iter().zip([0.9f64, 0.5, 0.2]) {
        close("λ", *ours, exact.ln(), 1e-9);
    }
    assert_eq!(
        (spectrum.kaplan_yorke, spectrum.predictability),
        (Some(0.0), None)
    );
}

#[test]
fn lyapunov_of_the_henon_map() {
    let step = |s: &mut [f64], v: &mut [f64]| {
        for v in v.chunks_exact_mut(2) {
            (v[0], v[1]) = (-2.8 * s[0] * v[0] + v[1], 0.3 * v[0]);
        }
        (s[0], s[1]) = (1.0 - 1.4 * s[0] * s[0] + s[1], 0.3 * s[0]);
    };
    let mut map = Map {
        state: vec![0.1, 0.1],
        step,
    };
    let options = LyapunovOptions {
        warm_up: 1000,
        steps: 100_000,
        ..LyapunovOptions::default()
    };
    let spectrum = lyapunov_of(&mut map, &options).unwrap();
    close("λ1", spectrum.exponents[0], 0.419, 0.003);
    close("Σλ = ln b", spectrum.sum.unwrap(), 0.3f64.ln(), 1e-9);
    close(
        "Kaplan and Yorke",
        spectrum.kaplan_yorke.unwrap(),
        1.258,
        0.003,
    );
    let apart = (spectrum.exponents[0] - 0.41922).abs();
    assert!(
        apart <= 4.0 * spectrum.errors[0],
        "{apart} is far from 0, and the error bar is {}",
        spectrum.errors[0]
    );
    assert!(spectrum.errors[0] < 0.01);
}

fn lorenz(s: [f64; 3]) -> [f64; 3] {
    [
        10.0 * (s[1] - s[0]),
        s[0] * (28.0 - s[2]) - s[1],
        s[0] * s[1] - 8.0 / 3.0 * s[2],
    ]
}
fn lorenz_tangent(s: [f64; 3], v: [f64; 3]) -> [f64; 3] {
    [
        10.0 * (v[1] - v[0]),
        v[0] * (28.0 - s[2]) - s[0] * v[2] - v[1],
        s[0] * v[1] + v[0] * s[1] - 8.0 / 3.0 * v[2],
    ]
}

#[test]
fn lyapunov_of_lorenz_63() {
    const DT: f64 = 0.01;
    let add = |a: [f64; 3], b: [f64; 3], c: f64| [0, 1, 2].map(|i| a[i] + c * b[i]);
    let step = |s: &mut [f64], v: &mut [f64]| {
        // Runge and Kutta of the fourth order, of the state and of its tangent together.
        let s0 = [s[0], s[1], s[2]];
        let k1 = lorenz(s0);
        let s1 = add(s0, k1, DT / 2.0);
        let k2 = lorenz(s1);
        let s2 = add(s0, k2, DT / 2.0);
        let k3 = lorenz(s2);
        let s3 = add(s0, k3, DT);
        let k4 = lorenz(s3);
        for v in v.chunks_exact_mut(3) {
            let v0 = [v[0], v[1], v[2]];
            let l1 = lorenz_tangent(s0, v0);
            let l2 = lorenz_tangent(s1, add(v0, l1, DT / 2.0));
            let l3 = lorenz_tangent(s2, add(v0, l2, DT / 2.0));
            let l4 = lorenz_tangent(s3, add(v0, l3, DT));
            (0..3).for_each(|i| v[i] += DT / 6.0 * (l1[i] + 2.0 * l2[i] + 2.0 * l3[i] + l4[i]));
        }
        (0..3).for_each(|i| s[i] += DT / 6.0 * (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]));
    };
    let mut map = Map {
        state: vec![1.0, 1.0, 20.0],
        step,
    };
    let options = LyapunovOptions {
        warm_up: 5000,
        steps: 200_000,
        ..LyapunovOptions::default()
    };
    let spectrum = lyapunov_of(&mut map, &options).unwrap();
    let per_time: Vec<f64> = spectrum.exponents.iter().map(|l| l / DT).collect();
    close("λ1", per_time[0], 0.906, 0.01);
    close("λ2", per_time[1], 0.0, 0.005);
    close("λ3", per_time[2], -14.57, 0.01);
    close(
        "Σλ = −(10 + 1 + 8/3)",
        spectrum.sum.unwrap() / DT,
        -41.0 / 3.0,
        1e-5,
    );
    close(
        "steps until an error doubles",
        spectrum.predictability.unwrap() * DT,
        2f64.ln() / 0.906,
        0.01,
    );
    close("dimension", spectrum.kaplan_yorke.unwrap(), 2.062, 0.003);
}

/// ln |det A| by elimination.
fn ln_det(mut a: Vec<f64>, n: usize) -> f64 {
    let mut ln = 0.0;
    for i in 0..n {
        let pivot = (i..n)
            .max_by(|&p, &q| a[p * n + i].abs().total_cmp(&a[q * n + i].abs()))
            .unwrap();
        (0..n).for_each(|c| a.swap(i * n + c, pivot * n + c));
        ln += a[i * n + i].abs().ln();
        for r in i + 1..n {
            let factor = a[r * n + i] / a[i * n + i];
            (i..n).for_each(|c| a[r * n + c] -= factor * a[i * n + c]);
        }
    }
    ln
}

#[test]
fn exponents_add_up_to_the_determinant() {
    for &cell in CellKind::ALL {
        let about = cell.about();
        if about.activation == "relu" && about.recurrence != Recurrence::Leaky {
            continue; // a unit at rest has a zero row: ln 0
        }
        let scope = random(cell, 5, 1, &[40]);
        let n = scope.width();
        let options = LyapunovOptions {
            warm_up: 0,
            count: n,
            ..LyapunovOptions::default()
        };
        let spectrum = lyapunov(&scope, &options).unwrap();
        let exact: f64 = (0..40)
            .map(|t| ln_det(scope.jacobian(t, 0).unwrap(), n))
            .sum::<f64>()
            / 40.0;
        close(cell.name(), spectrum.sum.unwrap(), exact, 1e-10);
    }
}

#[test]
fn finite_time_exponents_agree_with_the_spectrum() {
    for (gain, sign) in [(0.5, -1.0), (3.0, 1.0)] {
        let network = Network::new(CellKind::Elman, Input::Features(2), 20, 1);
        let params: Params<f64> = Init {
            recurrent: Recurrent::Orthogonal(gain),
            ..Init::default()
        }
        .params(&network, 1)
        .unwrap();
        let scope = on_noise(&network, &params, &[400], &vec![1.0; 400]);
        let spectrum = lyapunov(&scope, &LyapunovOptions::default()).unwrap();
        let local = finite_time(&scope, &[10, 200], 20, 0).unwrap();
        assert_eq!(local.iter().map(|f| f.steps).collect::<Vec<_>>(), [10, 200]);
        assert!(
            spectrum.exponents[0] * sign > 0.0,
            "{:?}",
            spectrum.exponents
        );
        close(
            "long k",
            local[1].exponent.median,
            spectrum.exponents[0],
            0.1,
        );
        assert_eq!(local[1].growing, f64::from(u8::from(sign > 0.0)));
    }
}

#[test]
fn jacobians_are_central_differences() {
    const STEP: f64 = 1e-5;
    for &cell in CellKind::ALL {
        for layers in [1, 2] {
            let scope = random(cell, 4, layers, &[3]);
            let (network, n) = (scope.network().clone(), scope.width());
            let j = scope.jacobian(2, 0).unwrap();
            let last = Batch::features(scope.batch().x(2, 0).unwrap(), [1, 1, 2], None).unwrap();
            let weights = Weights::new(&network, scope.params()).unwrap();
            let after = |i: usize, step: f64| {
                let mut state = State::zeros(&network, 1);
                state.data_mut().copy_from_slice(&scope.state(2, 0));
                state.data_mut()[i] += step;
                let mut trace = Trace::new();
                forward(&weights, &last, &state, &mut trace, &Team::new(1)).unwrap();
                trace.final_state().unwrap().data().to_vec()
            };
            for c in 0..n {
                let (up, down) = (after(c, STEP), after(c, -STEP));
                for r in 0..n {
                    let exact = (up[r] - down[r]) / (2.0 * STEP);
                    close(
                        &format!("{} J[{r}][{c}]", cell.name()),
                        j[r * n + c],
                        exact,
                        1e-7,
                    );
                }
            }
        }
    }
}

#[test]
fn credits_add_up_to_the_gradient() {
    for &cell in CellKind::ALL {
        for layers in [1, 2] {
            let scope = random(cell, 5, layers, &[20, 13, 20]);
            // Every loss time, every lag.
            let options = LagOptions {
                every: true,
                ..LagOptions::default()
            };
            let profile = lag_profile(&scope, &options).unwrap();
            let credit = profile.credit.unwrap();
            close(
                "Σ shares",
                credit.share.iter().sum::<f64>() + credit.beyond,
                1.0,
                ROUNDING,
            );
            close("nothing is beyond", credit.beyond, 0.0, ROUNDING);
            close(
                "all is kept",
                *credit.kept.last().unwrap(),
                credit.whole,
                ROUNDING,
            );
            assert!(credit.left <= ROUNDING, "{}: {}", cell.name(), credit.left);
            assert_eq!(credit.missing.len(), 20);
            assert_eq!((profile.reaching[0], profile.loss_times), (53, 53));
            close("all losses", credit.coverage, 1.0, ROUNDING);
            assert!(profile.weight_factor > 0.0);
        }
    }
}

/// With a loss at the last step alone, the window K is the gradient over the last K steps from the carried state.
#[test]
fn the_measured_bias_is_that_of_truncated_bptt() {
    let steps = 15;
    for &cell in CellKind::ALL {
        let network = Network::new(cell, Input::Features(2), 5, 1);
        let params = random_params(&network, 5);
        let mut d = vec![0.0; steps];
        d[steps - 1] = 1.0;
        let scope = on_noise(&network, &params, &[steps], &d);
        let profile = lag_profile(&scope, &LagOptions::default()).unwrap();
        let whole = scope.gradient().unwrap();
        let whole = whole.get("weight_hh_l0").unwrap();
        let bias = truncation_bias(&profile, &decay(&profile.ln_mean, 3).unwrap()).unwrap();
        for window in 1..steps {
            let start = steps - window;
            let x: Vec<f64> = (start..steps)
                .flat_map(|t| scope.batch().x(t, 0).unwrap())
                .copied()
                .collect();
            let late = Batch::features(&x, [window, 1, 2], None).unwrap();
            let state = scope.trace().state_after(start).unwrap();
            let cut = Scope::new(&network, &params, &late, &state, &d[start..])
                .unwrap()
                .gradient()
                .unwrap();
            let cut = cut.get("weight_hh_l0").unwrap();
            let apart: f64 = cut
                .iter()
                .zip(whole)
                .map(|(c, w)| (c - w) * (c - w))
                .sum::<f64>()
                .sqrt();
            let size = whole.iter().map(|w| w * w).sum::<f64>().sqrt();
            close(cell.name(), bias.measured[window], apart / size, 1e-10);
            assert!(
                bias.measured[window] <= bias.relative[window] * (1.0 + 1e-9) + 1e-12,
                "{}: window {window} has the bias {} and the bound {}",
                cell.name(),
                bias.measured[window],
                bias.relative[window]
            );
        }
    }
}

#[test]
fn the_smallest_window_of_a_scaled_rotation() {
    // M and ‖ĝ‖ vary with h; the bound must hold, and fall as β^K.
    let scope = rotation(0.8, 6, 200);
    let profile = lag_profile(&scope, &LagOptions::default()).unwrap();
    let fit = decay(&profile.ln_mean, default_tau(199)).unwrap();
    let bias = truncation_bias(&profile, &fit).unwrap();
    for delta in [0.5, 0.1, 0.01] {
        let window = bias.smallest_window(delta).unwrap();
        assert!(bias.measured[window] <= delta && bias.relative[window] <= delta);
        assert!(window < 60 && bias.relative[window - 1] > delta, "{window}");
        assert!(bias.smallest_measured_window(delta).unwrap() <= window);
    }
    // Measured over 20 lags only, the rest is the geometric series: the same window.
    let short = LagOptions {
        max_lag: Some(20),
        ..LagOptions::default()
    };
    let short = lag_profile(&scope, &short).unwrap();
    let fit = decay(&short.ln_mean, 5).unwrap();
    let extrapolated = truncation_bias(&short, &fit)
        .unwrap()
        .smallest_window(0.01)
        .unwrap();
    let measured = bias.smallest_window(0.01).unwrap();
    assert!(
        extrapolated.abs_diff(measured) <= 5,
        "{extrapolated} and {measured}"
    );
    // No window is enough where nothing fades.
    let never = lag_profile(&rotation(1.05, 6, 100), &LagOptions::default()).unwrap();
    let fit = decay(&never.ln_mean, 10).unwrap();
    assert_eq!(
        truncation_bias(&never, &fit).unwrap().smallest_window(0.1),
        None
    );
}

#[test]
fn saturation_built_by_hand() {
    // h = tanh(b): two units at ±tanh(5), one at tanh(0.5), one at 0.
    let network = Network::new(CellKind::Elman, Input::Features(1), 4, 1);
    let mut params = Params::zeros(&network).unwrap();
    params.set("bias_ih_l0", &[5.0, -5.0, 0.5, 0.0]).unwrap();
    let scope = on_noise(&network, &params, &[6, 3], &[1.0; 9]);
    let s = &saturation(&scope)[0];
    assert_eq!(
        (s.sequences, s.steps, s.dead.as_slice(), s.gates.len()),
        (2, 9, [0usize, 1].as_slice(), 0)
    );
    close("saturated", s.saturated, 0.5, ROUNDING);
    let exact = [5.0f64, -5.0, 0.5, 0.0].map(|b| 1.0 - b.tanh().powi(2));
    (0..4).for_each(|i| close("φ′", s.unit_slopes[i], exact[i], ROUNDING));
    close(
        "mean φ′",
        s.mean_slope,
        exact.iter().sum::<f64>() / 4.0,
        ROUNDING,
    );
    let lstm = Network::new(CellKind::Lstm, Input::Features(1), 2, 1);
    let mut params = Params::zeros(&lstm).unwrap();
    params
        .set("bias_ih_l0", &[-9.0, 0.0, 9.0, 9.0, 0.0, 0.0, 0.0, 0.0])
        .unwrap();
    let gates = &saturation(&on_noise(&lstm, &params, &[4], &[1.0; 4]))[0].gates;
    assert_eq!(
        (gates[0].name, gates[0].shut, gates[0].open),
        ("input", 0.5, 0.0)
    );
    assert_eq!(
        (gates[1].name, gates[1].shut, gates[1].open),
        ("forget", 0.0, 1.0)
    );
}

#[test]
fn noise_built_by_hand() {
    let mut norms: Vec<f64> = (1..=100).map(f64::from).collect();
    let c = clipping(&norms, Some(90.0)).unwrap();
    assert_eq!(
        (c.steps, c.median, c.p99, c.largest, c.clipped),
        (100, 50.0, 99.0, 100.0, 0.1)
    );
    norms[0] = f64::NAN;
    assert_eq!(clipping(&norms, None).unwrap().not_finite, 0.01);
    // y = b_y: the gradient of row r is its cotangent, here 1 and 3 at the only step: mean 2, deviation √2.
    let network = Network::new(CellKind::ElmanLinear, Input::Features(1), 1, 1);
    let params = Params::<f64>::zeros(&network).unwrap();
    let noise = gradient_noise(&on_noise(&network, &params, &[1, 1], &[1.0, 3.0]), 8).unwrap();
    assert_eq!(
        (noise.sequences, noise.norms.as_slice(), noise.mean_norm),
        (2, [1.0, 3.0].as_slice(), 2.0)
    );
    close("spread", noise.spread, 2f64.sqrt(), ROUNDING);
    close(
        "signal to noise",
        noise.signal_to_noise.unwrap(),
        2f64.sqrt(),
        ROUNDING,
    );
}

#[test]
fn mean_field_positions() {
    let at = |cell, w, b| mean_field(cell, w, b).unwrap().unwrap();
    let critical = at(CellKind::Elman, 1.0, 0.0);
    assert_eq!((critical.q, critical.chi, critical.depth), (0.0, 1.0, None));
    let ordered = at(CellKind::Elman, 0.8, 0.0);
    close("χ", ordered.chi, 0.64, ROUNDING);
    close("depth", ordered.depth.unwrap(), -1.0 / 0.64f64.ln(), 1e-9);
    let chaotic = at(CellKind::Elman, 2.0, 0.0);
    assert!(chaotic.q > 0.5 && chaotic.chi > 1.0, "{chaotic:?}");
    close(
        "linear",
        at(CellKind::ElmanLinear, 0.5, 1.0).q,
        4.0 / 3.0,
        ROUNDING,
    );
    close(
        "relu, He",
        at(CellKind::ElmanRelu, 2f64.sqrt(), 0.0).chi,
        1.0,
        ROUNDING,
    );
    assert_eq!(mean_field(CellKind::Gru, 1.0, 0.0).unwrap(), None);
}

#[test]
fn flip_flop_of_three_bits_has_eight_stable_points() {
    // h_i = tanh(2 h_i + 3 x_i): each unit remembers the sign of its last pulse.
    let network = Network::new(CellKind::Elman, Input::Features(3), 3, 3);
    let mut params = Params::<f64>::zeros(&network).unwrap();
    params
        .set(
            "weight_hh_l0",
            &[2.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 2.0],
        )
        .unwrap();
    params
        .set(
            "weight_ih_l0",
            &[3.0, 0.0, 0.0, 0.0, 3.0, 0.0, 0.0, 0.0, 3.0],
        )
        .unwrap();
    let steps = 400;
    let mut x = vec![0.0; steps * 3];
    let mut seed = 1u64;
    for t in (0..steps).step_by(3) {
        seed = seed
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        x[t * 3 + (seed >> 33) as usize % 3] = if seed >> 62 & 1 == 0 { 1.0 } else { -1.0 };
    }
    let batch = Batch::features(&x, [steps, 1, 3], None).unwrap();
    let state = State::zeros(&network, 1);
    let scope = Scope::new(&network, &params, &batch, &state, &vec![0.0; steps * 3]).unwrap();
    let still = FixedPointOptions {
        input: FixedPointInput::Held(HeldInput::Features(vec![0.0; 3])),
        starts: 300,
        noise: 1.0,
        ..Default::default()
    };
    let found = fixed_points(&scope, &still).unwrap();
    assert_eq!(found.stable(), 8, "{found:?}");
    // h = tanh(2 h) at ±0.9575; a saddle has a coordinate at 0, with the eigenvalue 2.
    for p in found.points.iter().filter(|p| p.fixed) {
        let zeros = p.state.iter().filter(|s| s.abs() < 1e-6).count();
        assert_eq!(p.unstable, zeros, "{p:?}");
        let rest = p.state.iter().filter(|s| s.abs() >= 1e-6);
        rest.for_each(|s| close("h = tanh 2h", (2.0 * s).tanh(), *s, 1e-8));
        assert!(zeros == 0 || (p.eigenvalues[0].re - 2.0).abs() < 1e-6);
    }
}

#[test]
fn unrolled_rows_tell_the_recursion() {
    let scope = random(CellKind::Elman, 4, 1, &[7, 5]);
    let unrolled = unroll(&scope, 1).unwrap();
    assert_eq!(unrolled.steps.len(), 5);
    let last = &unrolled.steps[4];
    // At the last step only its own loss arrives: W_hyᵀ ∂L/∂y.
    let w = scope.params().get("readout.weight").unwrap();
    let d = scope.d_output(4, 1).unwrap()[0];
    close(
        "g_T",
        last.ln_gradient,
        (d.abs() * w.iter().map(|w| w * w).sum::<f64>().sqrt()).ln(),
        ROUNDING,
    );
    let h = scope.state(5, 1);
    close(
        "‖h‖",
        last.layers[0].norm,
        h.iter().map(|h| h * h).sum::<f64>().sqrt(),
        ROUNDING,
    );
    close(
        "φ′",
        last.layers[0].mean_slope,
        h.iter().map(|h| 1.0 - h * h).sum::<f64>() / 4.0,
        ROUNDING,
    );
    assert!(unroll(&scope, 2).is_err());
}
