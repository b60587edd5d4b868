//! The lesson's worked examples and practice problems, computed by the engine, to the last digit.
//!
//! The printed numbers of the lesson are rounded early; these are exact. Examples 1 and 2 share a network of two tanh
//! units and one input.

use elman_core::*;

const EXACT: f64 = 1e-12;

fn close(what: &str, ours: f64, exact: f64) {
    let apart = (ours - exact).abs();
    assert!(
        apart <= EXACT * exact.abs().max(1.0),
        "{what}: {ours}, exactly {exact}"
    );
}

/// The network of examples 1 and 2.
fn tiny() -> (Network, Params<f64>) {
    let network = Network::new(CellKind::Elman, Input::Features(1), 2, 1);
    let mut params = Params::zeros(&network).unwrap();
    params.set("weight_hh_l0", &[0.5, 0.1, 0.1, 0.5]).unwrap();
    params.set("weight_ih_l0", &[0.2, 0.3]).unwrap();
    params.set("readout.weight", &[1.0, 1.0]).unwrap();
    (network, params)
}

/// A run of one row from the zero state.
struct Ran {
    weights: Weights<f64>,
    batch: Batch<f64>,
    trace: Trace<f64>,
    team: Team,
}

fn run(network: &Network, params: &Params<f64>, x: &[f64]) -> Ran {
    let width = network.input.width();
    let batch = Batch::features(x, [x.len() / width, 1, width], None).unwrap();
    let weights = Weights::new(network, params).unwrap();
    let (team, mut trace) = (Team::new(1), Trace::new());
    forward(
        &weights,
        &batch,
        &State::zeros(network, 1),
        &mut trace,
        &team,
    )
    .unwrap();
    Ran {
        weights,
        batch,
        trace,
        team,
    }
}

impl Ran {
    fn gradient(&self, params: &Params<f64>, d_outputs: &[f64]) -> (Params<f64>, Deltas<f64>) {
        let (mut deltas, mut gradient) = (Deltas::with_inputs(), params.zeros_like());
        let cotangent = Cotangent {
            outputs: d_outputs,
            state: None,
        };
        let into = Some(&mut gradient);
        backward(
            &self.weights,
            &self.trace,
            cotangent,
            &mut deltas,
            into,
            &self.team,
        )
        .unwrap();
        (gradient, deltas)
    }
    /// ∂h_t/∂h_{t−1}, column by column: the tangents of the unit vectors.
    fn jacobian(&self, t: usize, n: usize) -> Vec<Vec<f64>> {
        let mut columns = vec![0.0; n * n];
        (0..n).for_each(|i| columns[i * n + i] = 1.0);
        let mut work = Tangent::new();
        tangent(&self.weights, &self.trace, (t, 0), &mut columns, &mut work).unwrap();
        (0..n)
            .map(|i| (0..n).map(|j| columns[j * n + i]).collect())
            .collect()
    }
    fn h(&self, steps: usize) -> &[f64] {
        self.trace.sweeps()[0].state(steps, 0)
    }
}

#[test]
fn example_1_unrolling_a_tiny_rnn() {
    let (network, params) = tiny();
    let ran = run(&network, &params, &[1.0, 2.0]);
    close("h1", ran.h(1)[0], 0.197375320224904);
    close("h1", ran.h(1)[1], 0.2913126124515909);
    close("z2", ran.h(2)[0].atanh(), 0.5278189213576111);
    close("z2", ran.h(2)[1].atanh(), 0.7653938382482859);
    close("h2", ran.h(2)[0], 0.48371209851714053);
    close("h2", ran.h(2)[1], 0.644243062911466);
    close("y1", ran.trace.outputs()[0], 0.4886879326764949);
    close("y2", ran.trace.outputs()[1], 1.1279551614286065);
}

#[test]
fn example_2_bptt_gradient_for_one_weight_occurrence() {
    let (network, params) = tiny();
    let ran = run(&network, &params, &[1.0, 2.0]);
    let slope = |h: f64| 1.0 - h * h;
    close("tanh'(z1)", slope(ran.h(1)[0]), 0.9610429829661166);
    close("tanh'(z2)", slope(ran.h(2)[0]), 0.7660226057481441);
    close("tanh'(z2)", slope(ran.h(2)[1]), 0.5849508758904528);
    let j = ran.jacobian(1, 2);
    let exact = [
        [0.38301130287407203, 0.07660226057481441],
        [0.058495087589045286, 0.2924754379452264],
    ];
    for (ours, exact) in j.iter().flatten().zip(exact.iter().flatten()) {
        close("dh2/dh1", *ours, *exact);
    }
    // The loss is y2 alone. Its gradient for h1 is what the window that ends before step 2 would be handed.
    let (gradient, deltas) = ran.gradient(&params, &[0.0, 1.0]);
    let second = run_from(&network, &params, ran.h(1), &[2.0]);
    let (direct, late) = second.gradient(&params, &[1.0]);
    let d_h1 = late.state_before().unwrap();
    close("dy2/dh1", d_h1.row(0, 0)[0], 0.44150639046311735);
    close("dy2/dh1", d_h1.row(0, 0)[1], 0.3690776985200408);
    let whole = gradient.get("weight_ih_l0").unwrap()[0];
    let at_2 = direct.get("weight_ih_l0").unwrap()[0];
    close("path 2, direct", at_2, 1.5320452114962881);
    close("path 1, through h1", whole - at_2, 0.4243066184892773);
    close("dy2/dW_xh[0,0]", whole, 1.9563518299855653);
    // Path 1 is also δz_1 x_1.
    close("path 1, from δz_1", deltas.drive(0)[0], 0.4243066184892773);
}

/// A run of one row from a given h.
fn run_from(network: &Network, params: &Params<f64>, h: &[f64], x: &[f64]) -> Ran {
    let mut ran = run(network, params, x);
    let mut state = State::zeros(network, 1);
    state.row_mut(0, 0).copy_from_slice(h);
    forward(&ran.weights, &ran.batch, &state, &mut ran.trace, &ran.team).unwrap();
    ran
}

/// A linear network h_t = W h_{t−1} of `units`, run for `steps`.
fn linear(w: &[f64], units: usize, steps: usize) -> Ran {
    let network = Network {
        output: None,
        ..Network::new(CellKind::ElmanLinear, Input::Features(1), units, 1)
    };
    let mut params = Params::zeros(&network).unwrap();
    params.set("weight_hh_l0", w).unwrap();
    run(&network, &params, &vec![0.0; steps])
}

/// Sends a gradient of size 1 at the last of `steps` states back to the first.
fn norm_at_first(ran: &Ran, units: usize, steps: usize) -> f64 {
    let network = ran.weights.network();
    let mut d_last = State::zeros(network, 1);
    d_last.row_mut(0, 0)[0] = 1.0;
    let zeros = vec![0.0; units * steps];
    let cotangent = Cotangent {
        outputs: &zeros,
        state: Some(&d_last),
    };
    let mut deltas = Deltas::new();
    backward(
        &ran.weights,
        &ran.trace,
        cotangent,
        &mut deltas,
        None,
        &ran.team,
    )
    .unwrap();
    let before = deltas.state_before().unwrap();
    before.data().iter().map(|x| x * x).sum::<f64>().sqrt()
}

#[test]
fn example_3_vanishing_gradient() {
    // tanh' ≈ 0.8 and W_hh = 0.5: each of the 99 steps from h_100 to h_1 multiplies by 0.4.
    let ran = linear(&[0.8 * 0.5], 1, 99);
    let ours = norm_at_first(&ran, 1, 99);
    let exact = 4.017345110647498e-40;
    assert!((ours / exact - 1.0).abs() <= EXACT, "{ours}");
}

#[test]
fn problem_1_dimensions() {
    let network = Network {
        output: None,
        ..Network::new(CellKind::Elman, Input::Features(2), 3, 1)
    };
    let layout = Layout::of(&network).unwrap();
    assert_eq!(layout.find("weight_hh_l0").unwrap().shape, [3, 3]);
    assert_eq!(layout.find("weight_ih_l0").unwrap().shape, [3, 2]);
    assert_eq!(layout.find("bias_ih_l0").unwrap().shape, [3]);
}

#[test]
fn problem_2_exploding_gradient() {
    // ‖W_hh‖ = 1.2 and max |φ'| = 1 bound the product by 1.2^49; 1.2 times a rotation reaches the bound.
    let (sin, cos) = 0.7f64.sin_cos();
    let w = [1.2 * cos, -1.2 * sin, 1.2 * sin, 1.2 * cos];
    let ours = norm_at_first(&linear(&w, 2, 49), 2, 49);
    let exact = 7583.698458335111;
    assert!((ours / exact - 1.0).abs() <= EXACT, "{ours}");
    for (norm, exact) in [(0.99, 0.3660323412732292), (0.95, 0.0059205292203339975)] {
        let ours = norm_at_first(&linear(&[norm], 1, 100), 1, 100);
        assert!((ours / exact - 1.0).abs() <= EXACT, "{ours}");
    }
}

#[test]
fn problem_4_sum_over_occurrences() {
    // ∂L/∂W_hh for T = 3 as the sum over loss times t and occurrences k ≤ t, written out by hand from the Jacobians,
    // against the engine's whole and its contributions by step.
    let (network, params) = tiny();
    let ran = run(&network, &params, &[1.0, 2.0, -0.5]);
    let d_y = [0.3, -0.7, 1.1];
    let (gradient, deltas) = ran.gradient(&params, &d_y);
    let mut by_step = [[0.0; 4]; 3];
    for (t, d) in d_y.iter().enumerate() {
        // ∂L_t/∂h_t = W_hyᵀ ∂L_t/∂y_t, then back through ∂h_t/∂h_k.
        let mut d_h = [*d, *d];
        for k in (0..=t).rev() {
            for i in 0..2 {
                let d_z = d_h[i] * (1.0 - ran.h(k + 1)[i] * ran.h(k + 1)[i]);
                for j in 0..2 {
                    by_step[k][i * 2 + j] += d_z * ran.h(k)[j];
                }
            }
            let j = ran.jacobian(k, 2);
            d_h = [0, 1].map(|c| d_h[0] * j[0][c] + d_h[1] * j[1][c]);
        }
    }
    let sweep = network.sweeps().next().unwrap();
    step_contributions(&ran.weights, &ran.trace, &deltas, sweep, |t, part| {
        for (ours, exact) in part.iter().zip(&by_step[t]) {
            close("contribution of a step", *ours, *exact);
        }
    })
    .unwrap();
    for (i, ours) in gradient.get("weight_hh_l0").unwrap().iter().enumerate() {
        close("dL/dW_hh", *ours, by_step.iter().map(|s| s[i]).sum());
    }
}

#[test]
fn problem_5_truncation() {
    // The loss stands at the last of 30 steps. With a window of 10 the inputs of the last 10 steps get a gradient and
    // no other; with the window of all steps, every one does.
    let (network, params) = tiny();
    let x: Vec<f64> = (0..30).map(|t| (t as f64 * 0.9).sin()).collect();
    for (length, reached) in [(10, 10), (30, 30)] {
        let window = Window {
            length,
            stride: 1,
            burn_in: 29,
        };
        let mut state = State::zeros(&network, 1);
        let mut d_x = vec![0.0; 30];
        for span in window.spans(30) {
            let ran = run_from(&network, &params, state.row(0, 0), &x[span.start..span.end]);
            let mut d_outputs = vec![0.0; span.end - span.start];
            (span.counted..span.end).for_each(|t| d_outputs[t - span.start] = 1.0);
            let (_, deltas) = ran.gradient(&params, &d_outputs);
            for (t, d) in (span.start..span.end).zip(deltas.inputs()) {
                d_x[t] += d;
            }
            state = ran.trace.state_after(span.keep - span.start).unwrap();
        }
        let nonzero = d_x.iter().filter(|d| **d != 0.0).count();
        assert_eq!(nonzero, reached, "{d_x:?}");
        assert!(d_x[30 - reached..].iter().all(|d| *d != 0.0));
    }
}
