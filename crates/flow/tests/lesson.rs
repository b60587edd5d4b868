//! The lesson's worked examples and practice problems to the last digit, through the engine in f64.
//!
//! The numbers are the lesson's, computed exactly; some that it prints are rounded early.

use elman_flow::{Item, Number, lesson};

/// Rounding of a handful of operations, with room.
const EXACT: f64 = 1e-12;

fn item(title: &str) -> Item {
    let all = lesson().unwrap();
    let found = all.into_iter().find(|i| i.title.starts_with(title));
    found.unwrap_or_else(|| panic!("no {title}"))
}

fn check(item: &Item, what: &str, exact: &[f64]) {
    let line = item.line(what).unwrap_or_else(|| panic!("no {what}"));
    let ours = line.exact.flat();
    assert_eq!(ours.len(), exact.len(), "{what}");
    for (ours, exact) in ours.iter().zip(exact) {
        let scale = if exact.abs() < 1e-12 {
            exact.abs()
        } else {
            exact.abs().max(1.0)
        };
        assert!(
            (ours - exact).abs() <= EXACT * scale,
            "{what}: {ours}, exactly {exact}"
        );
    }
}

#[test]
fn example_1() {
    let item = item("Example 1");
    check(&item, "h1", &[0.197375320224904, 0.2913126124515909]);
    check(&item, "z2", &[0.5278189213576111, 0.7653938382482859]);
    check(&item, "h2", &[0.48371209851714053, 0.644243062911466]);
    check(&item, "y1", &[0.4886879326764949]);
    check(&item, "y2", &[1.1279551614286065]);
}

#[test]
fn example_2() {
    let item = item("Example 2");
    check(&item, "tanh'(z1[0])", &[0.9610429829661166]);
    check(
        &item,
        "tanh'(z2)",
        &[0.7660226057481441, 0.5849508758904528],
    );
    let jacobian = [
        0.38301130287407203,
        0.07660226057481441,
        0.058495087589045286,
        0.2924754379452264,
    ];
    check(&item, "dh2/dh1", &jacobian);
    check(&item, "dy2/dh1", &[0.44150639046311735, 0.3690776985200408]);
    check(&item, "path 1", &[0.4243066184892773]);
    check(&item, "path 2", &[1.5320452114962881]);
    check(&item, "dy2/dW_xh[0,0]", &[1.9563518299855653]);
}

#[test]
fn example_3() {
    check(&item("Example 3"), "dh100/dh1", &[4.017345110647498e-40]);
}

#[test]
fn problem_1() {
    let item = item("Problem 1");
    check(&item, "W_hh", &[3.0, 3.0]);
    check(&item, "W_xh", &[3.0, 2.0]);
    check(&item, "b_h", &[3.0]);
}

#[test]
fn problem_2() {
    let item = item("Problem 2");
    let relative = 7583.698458335111;
    check(&item, "|dh50/dh1|", &[relative]);
    check(&item, "0.99^100", &[0.3660323412732292]);
    check(&item, "0.95^100", &[0.0059205292203339975]);
    let remark = item.remark.unwrap();
    assert!(
        remark.contains("only permits"),
        "the statement holds one way: {remark}"
    );
}

#[test]
fn problem_4() {
    // By hand: δ_3 = W_hyᵀ; δ_{t} = W_hyᵀ + W_hhᵀ diag(tanh′(z_{t+1})) δ_{t+1}; the occurrence at t gives
    // diag(tanh′(z_t)) δ_t h_{t−1}ᵀ.
    let w = [[0.5, 0.1], [0.1, 0.5]];
    let (x, w_x) = ([1.0, 2.0, -0.5], [0.2, 0.3]);
    let mut h = vec![[0.0f64; 2]];
    for t in 0..3 {
        let next = [0, 1].map(|i| (w[i][0] * h[t][0] + w[i][1] * h[t][1] + w_x[i] * x[t]).tanh());
        h.push(next);
    }
    let mut delta = [0.0; 2];
    let mut sum = [0.0; 4];
    let item = item("Problem 4");
    for t in (0..3).rev() {
        delta = delta.map(|d: f64| d + 1.0);
        let d_z = [0, 1].map(|i| (1.0 - h[t + 1][i] * h[t + 1][i]) * delta[i]);
        let part = [
            d_z[0] * h[t][0],
            d_z[0] * h[t][1],
            d_z[1] * h[t][0],
            d_z[1] * h[t][1],
        ];
        check(&item, &format!("occurrence at t = {}", t + 1), &part);
        sum.iter_mut().zip(part).for_each(|(s, p)| *s += p);
        delta = [0, 1].map(|j| w[0][j] * d_z[0] + w[1][j] * d_z[1]);
    }
    check(&item, "dL/dW_hh", &sum);
}

#[test]
fn problem_5() {
    let item = item("Problem 5");
    check(&item, "k = 10", &[10.0]);
    check(&item, "k = T", &[30.0]);
}

#[test]
fn what_the_lesson_leaves_out_is_marked() {
    let item = item("Example 2");
    assert_eq!(item.line("path 2").unwrap().printed, None);
    assert_eq!(item.line("path 1").unwrap().printed, Some("0.4247"));
    assert!(matches!(
        item.line("dh2/dh1").unwrap().exact,
        Number::Matrix(_)
    ));
}
