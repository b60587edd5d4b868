//! Two patients of the gradient microscope.

use elman_report::chart::Eigenvalue;
use elman_report::flow::{
    Contributions, FixedPoint, LagProfile, LagShares, Lyapunov, NamedCurve, Saturation,
    SingularValues, Truncation,
};
use elman_report::{Command, Fact, FlowReport, Headline, KeyFigure, Tone};

use crate::noise::Noise;

fn eigenvalues(n: usize, radius: f64, noise: &mut Noise) -> Vec<Eigenvalue> {
    (0..n / 2)
        .flat_map(|_| {
            let (r, angle) = (
                radius * noise.draw().abs().sqrt(),
                std::f64::consts::PI * noise.draw(),
            );
            let (re, im) = (r * angle.cos(), r * angle.sin());
            [Eigenvalue { re, im }, Eigenvalue { re, im: -im }]
        })
        .collect()
}

fn profile(
    lags: usize,
    rate: f64,
    bound: f64,
    window: Option<f64>,
    noise: &mut Noise,
) -> LagProfile {
    let median: Vec<f64> = (0..lags)
        .map(|k| 0.31 * rate.powi(k as i32) * (1.0 + 0.12 * noise.draw()))
        .collect();
    let horizon = |share: f64| Some(share.ln() / rate.ln());
    LagProfile {
        lags: (0..lags as u64).collect(),
        mean: median
            .iter()
            .enumerate()
            .map(|(k, m)| m * (1.25 + 0.01 * k as f64))
            .collect(),
        lower: median
            .iter()
            .enumerate()
            .map(|(k, m)| m * 0.6 * 0.975f64.powi(k as i32))
            .collect(),
        upper: median
            .iter()
            .enumerate()
            .map(|(k, m)| m * 2.1 * 1.02f64.powi(k as i32))
            .collect(),
        median,
        quantiles: "5–95 % of 128 loss times".into(),
        bound: (0..lags).map(|k| 0.31 * bound.powi(k as i32)).collect(),
        half: horizon(0.5),
        hundredth: horizon(0.01),
        window,
    }
}

pub fn vanishing() -> FlowReport {
    let mut noise = Noise(11);
    let steps: Vec<u64> = (1..=60).collect();
    let norms = (0..6)
        .map(|row| {
            let loss = 10 * (row + 1) as u64;
            steps
                .iter()
                .map(|t| {
                    if *t > loss {
                        f64::NAN
                    } else {
                        0.3 * 0.71f64.powi((loss - t) as i32) * (1.0 + 0.5 * noise.draw())
                    }
                })
                .collect()
        })
        .collect();
    let windows: Vec<u64> = (1..=40).collect();
    let raw: Vec<f64> = (0..30).map(|k: i32| 0.71f64.powi(k)).collect();
    let sum: f64 = raw.iter().sum();
    FlowReport {
        title: "runs/adding-100".into(),
        subtitle: "Elman network, 1 layer of 32 units, tanh · T = 100 · weights of epoch 40".into(),
        headline: Headline {
            tone: Tone::Bad,
            sentences: vec![
                "Vanishing by weights: after 13 steps back only 1 % of the gradient is left, and the task needs up to 100.".into(),
                "The units are not saturated (mean φ′ 0.93); it is ‖W_hh‖ = 0.81 that shrinks the gradient at every step.".into(),
            ],
        },
        evidence: vec![
            "Decay rate β = 0.71 per step (lags 3 to 60); an orthogonal W_hh with these slopes would give 0.93.".into(),
            "Spectral radius of W_hh 0.74, norm 0.81: no direction keeps what it is given.".into(),
            "Share of saturated values 0.4 %; no dead units.".into(),
            "No step was clipped; the window (100) is longer than the horizon (13).".into(),
        ],
        proposal: Some(Command::new("Start W_hh as an orthogonal matrix with gain 1.07, so that ‖W_hh‖ · mean φ′ is 1", "elman train adding.csv --target y --init orthogonal --gain 1.07 --seed 1")),
        measured_over: "32 sequences, 4 loss times each".into(),
        key_figures: vec![
            KeyFigure::new("Horizon (1 %)", "13").unit("steps").note("needed: about 100"),
            KeyFigure::new("Decay rate β", "0.71").unit("per step").note("1 keeps the gradient"),
            KeyFigure::new("Spectral radius", "0.74").note("of W_hh"),
            KeyFigure::new("Mean φ′", "0.93").note("1 is linear, 0 saturated"),
        ],
        lag_profile: Some(profile(60, 0.71, 0.81, None, &mut noise)),
        lag_shares: Some(LagShares { lags: (0..30).collect(), shares: raw.iter().map(|v| v / sum).collect() }),
        truncation: Some(Truncation {
            estimated: windows.iter().map(|w| 1.6 * 0.71f64.powi(*w as i32)).collect(),
            exact: windows.iter().map(|w| 0.7 * 0.7f64.powi(*w as i32) * (1.0 + 0.2 * noise.draw())).collect(),
            windows,
            wanted: Some(0.05),
            chosen: Some(11),
        }),
        contributions: Some(Contributions { row_label: "loss at step".into(), rows: (1..=6).map(|r| (10 * r).to_string()).collect(), steps, norms }),
        history: Some(crate::sunspots::history(&mut noise)),
        map: "W_hh".into(),
        eigenvalues: eigenvalues(32, 0.74, &mut noise),
        matrix: vec![
            KeyFigure::new("Spectral radius", "0.741"),
            KeyFigure::new("Spectral norm ‖W_hh‖₂", "0.812"),
            KeyFigure::new("Henrici non-normality", "0.21"),
            KeyFigure::new("Transient peak max ‖Wᵏ‖", "0.812").note("at k = 1"),
        ],
        singular_values: Some(SingularValues {
            lengths: (1..=40).collect(),
            curves: [("largest", 0.74f64), ("median", 0.55), ("smallest", 0.09)]
                .iter()
                .map(|(name, rate)| NamedCurve { name: (*name).into(), values: (1..=40).map(|k| rate.powi(k)).collect() })
                .collect(),
        }),
        lyapunov: Some(Lyapunov {
            exponents: (0..32).map(|i| -0.31 - 0.07 * f64::from(i) - 0.0008 * f64::from(i * i)).collect(),
            errors: (0..32).map(|i| 0.03 + 0.002 * f64::from(i)).collect(),
            dimension: Some(0.0),
            entropy: None,
        }),
        saturation: vec![
            Saturation { name: "layer 1".into(), units: 32, saturated: 0.004, mean_slope: 0.93, dead: 0 },
            Saturation { name: "layer 2".into(), units: 32, saturated: 0.112, mean_slope: 0.71, dead: 1 },
        ],
        fixed_points: vec![
            FixedPoint { name: "1".into(), speed: 1.2e-21, radius: 0.74, unstable: 0, norm: 0.03, found: 61 },
            FixedPoint { name: "2".into(), speed: 3.1e-7, radius: 1.04, unstable: 1, norm: 2.4, found: 3 },
        ],
        facts: vec![Fact::new("Cost", "1.8 s, 41 MB"), Fact::new("Arithmetic", "f64 with running rescaling")],
        commands: vec![Command::new("Hold a run to a horizon in CI", "elman doctor runs/adding-100 --require 'horizon>=50'")],
    }
}

/// Long lags, a bound that runs away, points on and outside the unit circle.
pub fn long() -> FlowReport {
    let mut noise = Noise(5);
    let shares: Vec<f64> = (0..1000)
        .map(|k| 0.008 * 0.992f64.powi(k) + 0.004 * noise.draw())
        .collect();
    FlowReport {
        title: "runs/copy-1000".into(),
        subtitle: "LSTM, 1 layer of 128 units".into(),
        headline: Headline {
            tone: Tone::Good,
            sentences: vec!["Healthy: the gradient reaches 571 steps back.".into()],
        },
        lag_profile: Some(profile(1000, 0.992, 1.4, Some(800.0), &mut noise)),
        lag_shares: Some(LagShares {
            lags: (0..1000).collect(),
            shares,
        }),
        eigenvalues: eigenvalues(128, 1.12, &mut noise),
        lyapunov: Some(Lyapunov {
            exponents: (0..256).map(|i| 0.02 - 0.004 * f64::from(i)).collect(),
            ..Lyapunov::default()
        }),
        contributions: Some(Contributions {
            row_label: "sequence".into(),
            rows: (1..=100).map(|r| r.to_string()).collect(),
            steps: (1..=1000).collect(),
            norms: (0..100)
                .map(|_| {
                    (0..1000)
                        .map(|t| 0.001 * 0.992f64.powi(1000 - t) * (1.0 + 0.9 * noise.draw()))
                        .collect()
                })
                .collect(),
        }),
        ..FlowReport::default()
    }
}
