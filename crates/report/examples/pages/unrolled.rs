//! The unrolled network: the lesson's two steps, and a long sequence that is folded.

use elman_report::{Unrolled, UnrolledStep, unroll_svg};

use crate::noise::Noise;

/// Worked example 1 of the lesson, computed.
pub fn lesson() -> String {
    let mut h = [0.0f64, 0.0];
    let mut states = Vec::new();
    for x in [1.0, 2.0] {
        h = [
            (0.5 * h[0] + 0.1 * h[1] + 0.2 * x).tanh(),
            (0.1 * h[0] + 0.5 * h[1] + 0.3 * x).tanh(),
        ];
        states.push((x, h));
    }
    // L = y₂, so ∂L/∂h₂ = (1, 1) and ∂L/∂h₁ = J₂ᵀ (1, 1).
    let d = [1.0 - h[0] * h[0], 1.0 - h[1] * h[1]];
    let back = [0.5 * d[0] + 0.1 * d[1], 0.1 * d[0] + 0.5 * d[1]];
    let gradients = [back[0].hypot(back[1]), 2f64.sqrt()];
    let steps = states
        .iter()
        .zip(gradients)
        .enumerate()
        .map(|(i, ((x, h), gradient))| UnrolledStep {
            t: i as u64 + 1,
            x: vec![*x],
            h: h.to_vec(),
            h_norm: h[0].hypot(h[1]),
            slope: 1.0 - (h[0] * h[0] + h[1] * h[1]) / 2.0,
            y: vec![h[0] + h[1]],
            gradient,
            ..UnrolledStep::default()
        });
    unroll_svg(&Unrolled {
        title: "The lesson's example 1, unrolled".into(),
        subtitle: "Elman, d_h = 2; gradient of L = y₂".into(),
        steps: steps.collect(),
        ..Unrolled::default()
    })
}

/// Fifty-four steps of sixteen units.
pub fn long() -> String {
    let mut noise = Noise(9);
    let text: Vec<char> = "Call me Ishmael. Some years ago—never mind how long pr"
        .chars()
        .collect();
    let steps = text.iter().enumerate().map(|(i, c)| {
        let h: Vec<f64> = (0..16).map(|_| noise.draw()).collect();
        UnrolledStep {
            t: i as u64 + 1,
            x_name: c.to_string(),
            h_norm: h.iter().map(|v| v * v).sum::<f64>().sqrt(),
            slope: 1.0 - h.iter().map(|v| v * v).sum::<f64>() / 16.0,
            h,
            y_name: if i + 1 == text.len() {
                "e".into()
            } else {
                String::new()
            },
            gradient: 1.3 * 0.8f64.powi((text.len() - 1 - i) as i32),
            ..UnrolledStep::default()
        }
    });
    unroll_svg(&Unrolled {
        title: "Character model on Moby-Dick, row 1".into(),
        subtitle: "Elman, 1 layer of 16 units, tanh; gradient of the loss at the last step".into(),
        steps: steps.collect(),
        first: 4,
        last: 4,
        ..Unrolled::default()
    })
}
