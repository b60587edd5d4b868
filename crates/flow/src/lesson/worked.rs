//! The worked examples and practice problems, each on the lesson's own weights.

use super::engine::{Ran, matrix, norm_at_first, reached_by_window, tiny, vector};
use super::{Item, Number};
use crate::Error;
use elman_core::{CellKind, Input, Layout, Network};

pub(super) fn example_1() -> Result<Item, Error> {
    let net = tiny()?;
    let ran = Ran::new(&net, &[0.0, 0.0], &[1.0, 2.0])?;
    let mut item = Item {
        title: "Example 1: unrolling a tiny RNN",
        question: "W_hh = [[0.5, 0.1], [0.1, 0.5]], W_xh = [[0.2], [0.3]], b_h = 0, W_hy = [1, 1], b_y = 0, h0 = 0, \
                   x = [1, 2]: compute h1, h2, y1, y2.",
        lines: Vec::new(),
        remark: Some(
            "The lesson rounds h1 before it computes z2, so its last digits of h2 and y2 are off.",
        ),
    };
    let state = "h_t = tanh(W_hh h_{t-1} + W_xh x_t + b_h)";
    item.add("h1", state, Some("0.1974, 0.2913"), vector(ran.h(1)));
    let z2: Vec<f64> = ran.h(2).iter().map(|h| h.atanh()).collect();
    let z = "z_2 = W_hh h_1 + W_xh x_2 + b_h";
    item.add("z2", z, Some("0.5278, 0.7654"), vector(&z2));
    item.add("h2", state, Some("0.4832, 0.6437"), vector(ran.h(2)));
    let y = ran.0.trace().outputs();
    let output = "y_t = W_hy h_t + b_y";
    item.add("y1", output, Some("0.4887"), Number::Scalar(y[0]));
    item.add("y2", output, Some("1.1269"), Number::Scalar(y[1]));
    Ok(item)
}

pub(super) fn example_2() -> Result<Item, Error> {
    let net = tiny()?;
    let mut ran = Ran::new(&net, &[0.0, 0.0], &[1.0, 2.0])?;
    let mut item = Item {
        title: "Example 2: BPTT gradient for one weight occurrence",
        question: "The network of example 1: how does y2 depend on W_xh[0,0], through which path?",
        lines: Vec::new(),
        remark: Some(
            "The lesson computes path 1 and stops; the whole derivative is the sum of both paths.",
        ),
    };
    let slope = |h: &[f64]| h.iter().map(|h| 1.0 - h * h).collect::<Vec<f64>>();
    let derivative = "tanh'(z) = 1 - tanh(z)^2";
    let first = Number::Scalar(slope(ran.h(1))[0]);
    item.add("tanh'(z1[0])", derivative, Some("0.9610"), first);
    let second = vector(&slope(ran.h(2)));
    item.add("tanh'(z2)", derivative, Some("0.7665, 0.5856"), second);
    let printed = Some("[[0.3833, 0.0767], [0.0586, 0.2928]]");
    let j = ran.jacobian(1)?;
    item.add(
        "dh2/dh1",
        "diag(tanh'(z_2)) W_hh",
        printed,
        Number::Matrix(j),
    );
    // The loss is y2 alone: the window that holds only step 2 hands back dy2/dh1.
    let mut late = Ran::new(&net, ran.h(1), &[2.0])?;
    let direct = late.gradient(&[1.0])?;
    let d_h1 = late.0.deltas().state_before()?;
    let printed = Some("0.4419, 0.3695");
    item.add("dy2/dh1", "W_hy dh2/dh1", printed, vector(d_h1.row(0, 0)));
    let whole = ran.gradient(&[0.0, 1.0])?;
    let at_2 = direct.get("weight_ih_l0")?[0];
    let whole = whole.get("weight_ih_l0")?[0];
    let path = "dy2/dh2 dh2/dh1 dh1/dW_xh[0,0]";
    item.add("path 1", path, Some("0.4247"), Number::Scalar(whole - at_2));
    let path = "dy2/dh2 tanh'(z_2) x_2";
    item.add("path 2", path, None, Number::Scalar(at_2));
    item.add(
        "dy2/dW_xh[0,0]",
        "path 1 + path 2",
        None,
        Number::Scalar(whole),
    );
    Ok(item)
}

pub(super) fn example_3() -> Result<Item, Error> {
    let mut item = Item {
        title: "Example 3: vanishing gradient demonstration",
        question: "One unit, W_hh = 0.5, tanh' about 0.8: what fraction of the gradient at time 100 reaches time 1?",
        lines: Vec::new(),
        remark: None,
    };
    let reached = norm_at_first(&[0.8 * 0.5], 1, 99)?;
    item.add(
        "dh100/dh1",
        "(0.8 * 0.5)^99",
        Some("10^(-39)"),
        Number::Scalar(reached),
    );
    Ok(item)
}

pub(super) fn problem_1() -> Result<Item, Error> {
    let mut item = Item {
        title: "Problem 1",
        question: "An RNN has d_h = 3, d_in = 2: what are the dimensions of W_hh, W_xh, b_h?",
        lines: Vec::new(),
        remark: None,
    };
    let layout = Layout::of(&Network {
        output: None,
        ..Network::new(CellKind::Elman, Input::Features(2), 3, 1)
    })?;
    for (what, name, formula, printed) in [
        ("W_hh", "weight_hh_l0", "d_h x d_h", "3x3"),
        ("W_xh", "weight_ih_l0", "d_h x d_in", "3x2"),
        ("b_h", "bias_ih_l0", "d_h", "3x1"),
    ] {
        let shape = layout.find(name)?.shape.clone();
        item.add(what, formula, Some(printed), Number::Shape(shape));
    }
    Ok(item)
}

pub(super) fn problem_2() -> Result<Item, Error> {
    let mut item = Item {
        title: "Problem 2",
        question: "|W_hh| = 1.2 and max |tanh'| = 1: what happens to gradients over 50 time steps?",
        lines: Vec::new(),
        remark: Some(
            "Both statements hold one way. |dh_t/dh_k| <= (|W_hh| max tanh')^(t-k) is a bound: |W_hh| < 1 is enough \
             for the gradient to vanish; |W_hh| > 1 only permits it to explode. Here W_hh is 1.2 times a rotation \
             and the network is linear, which reaches the bound; most networks stay far below it. The bound and the \
             measured product are two different curves.",
        ),
    };
    let (sin, cos) = 0.7f64.sin_cos();
    let w = [1.2 * cos, -1.2 * sin, 1.2 * sin, 1.2 * cos];
    let most = norm_at_first(&w, 2, 49)?;
    item.add(
        "|dh50/dh1|",
        "at most (1.2 * 1)^49",
        Some("7.5x10^3"),
        Number::Scalar(most),
    );
    for (norm, what, printed) in [(0.99, "0.99^100", "0.37"), (0.95, "0.95^100", "0.006")] {
        let reached = norm_at_first(&[norm], 1, 100)?;
        let formula = "section 5: |W_hh|^100, linear";
        item.add(what, formula, Some(printed), Number::Scalar(reached));
    }
    Ok(item)
}

pub(super) fn problem_4() -> Result<Item, Error> {
    let net = tiny()?;
    let mut ran = Ran::new(&net, &[0.0, 0.0], &[1.0, 2.0, -0.5])?;
    let mut item = Item {
        title: "Problem 4",
        question: "Compute dL/dW_hh for T = 3 as a sum of contributions from t = 1, 2, 3 (here: the network of \
                   example 1, x = [1, 2, -0.5], L = y1 + y2 + y3).",
        lines: Vec::new(),
        remark: Some(
            "The lesson's expansion of delta_1 writes its product from j = k down to 2. In the order of application \
             it is delta_t = sum over k >= t of (prod from j = t+1 to k of W_hh^T diag(tanh'(z_j))) W_hy^T dL_k/dy_k, \
             the factor with j = t+1 leftmost, since delta_t takes W_hh^T diag(tanh'(z_{t+1})) delta_{t+1}.",
        ),
    };
    let gradient = ran.gradient(&[1.0, 1.0, 1.0])?;
    let Some(sweep) = ran.0.network().sweeps().next() else {
        return Err(Error::Nothing("the network has no layer".into()));
    };
    let mut parts = Vec::new();
    ran.0.step_contributions(sweep, |t, part| {
        parts.push((t, part.to_vec()));
    })?;
    for (t, part) in &parts {
        let formula =
            "tanh'(z_t) delta_t h_{t-1}^T: what all losses L_s, s >= t, say of the occurrence at t";
        item.add(
            format!("occurrence at t = {}", t + 1),
            formula,
            None,
            matrix(part, 2),
        );
    }
    let whole = matrix(gradient.get("weight_hh_l0")?, 2);
    item.add("dL/dW_hh", "the sum of the three", None, whole);
    Ok(item)
}

pub(super) fn problem_5() -> Result<Item, Error> {
    let mut item = Item {
        title: "Problem 5",
        question: "Truncated BPTT with k = 10: what is the longest dependency the RNN can learn? And with k = T (here 30)?",
        lines: Vec::new(),
        remark: Some(
            "A window of k is what gradients reach. State carried from window to window may still hold older input, \
             but no gradient teaches the network to put it there.",
        ),
    };
    for (length, what, printed) in [(10, "k = 10", "10"), (30, "k = T", "T")] {
        let formula = "steps whose input receives a gradient from the loss at the last step";
        let reached = reached_by_window(length, 30)?;
        item.add(what, formula, Some(printed), Number::Shape(vec![reached]));
    }
    Ok(item)
}
