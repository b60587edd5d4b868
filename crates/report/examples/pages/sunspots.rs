//! A run on the yearly sunspot numbers (the truth is real, the rest made up).

use elman_report::training::{
    EpochPoint, ErrorRow, ErrorTable, ForecastPart, LearningCurves, Metric,
};
use elman_report::{Command, Fact, FlowHistory, Headline, KeyFigure, Tone, TrainingReport};

use crate::noise::Noise;

const FIRST: [f64; 35] = [
    26.1, 14.2, 5.8, 16.7, 44.3, 63.9, 69.0, 77.8, 64.9, 35.7, 21.2, 11.1, 5.7, 8.7, 36.1, 79.7,
    114.4, 109.6, 88.8, 67.8, 47.5, 30.6, 16.3, 9.6, 33.2, 92.6, 151.6, 136.3, 134.7, 83.9, 69.4,
    31.5, 13.9, 4.4, 38.0,
];
const SECOND: [f64; 24] = [
    141.7, 190.2, 184.8, 159.0, 112.3, 53.9, 37.5, 27.9, 10.2, 15.1, 47.0, 93.8, 105.9, 105.5,
    104.5, 66.6, 68.9, 38.0, 34.5, 15.5, 12.6, 27.5, 92.5, 155.4,
];

fn part(label: &str, from: usize, truth: &[f64], noise: &mut Noise) -> ForecastPart {
    let forecast: Vec<f64> = truth
        .iter()
        .map(|t| (t + 14.0 * noise.draw() + 0.06 * noise.draw() * t).max(0.0))
        .collect();
    ForecastPart {
        label: label.into(),
        quantity: "sunspot number".into(),
        x_label: "year".into(),
        x: (from..from + truth.len()).map(|y| y.to_string()).collect(),
        truth: truth.to_vec(),
        lower: forecast.iter().map(|f| (f - 17.0f64).max(0.0)).collect(),
        upper: forecast.iter().map(|f| f + 17.0).collect(),
        forecast,
        interval: "80 % of validation errors".into(),
        note: "One step ahead: each year from the true values of the years before it.".into(),
        ..ForecastPart::default()
    }
}

fn errors(part: &str, values: [[f64; 3]; 4]) -> ErrorTable {
    let names = [
        "this network",
        "persistence",
        "seasonal naive (11 years)",
        "linear autoregression (12)",
    ];
    ErrorTable {
        part: part.into(),
        metrics: vec![
            Metric::new("RMSE", "sunspots"),
            Metric::new("MAE", "sunspots"),
            Metric::new("ARV", ""),
        ],
        rows: names
            .iter()
            .zip(values)
            .map(|(name, values)| ErrorRow {
                model: (*name).into(),
                own: *name == "this network",
                values: values.to_vec(),
            })
            .collect(),
    }
}

fn curves(noise: &mut Noise) -> LearningCurves {
    let epochs = (1..=240u64)
        .map(|epoch| {
            let t = epoch as f64;
            let train = 0.0085 + 0.19 * (-t / 22.0).exp() + 0.0006 * noise.draw();
            let gradient_norm =
                0.16 + 2.6 * (-t / 14.0).exp() * (1.0 + 0.3 * noise.draw()) + 0.03 * noise.draw();
            EpochPoint {
                epoch,
                train,
                validation: train
                    + 0.0032
                    + 0.000_012 * (t - 150.0).max(0.0)
                    + 0.0011 * noise.draw(),
                gradient_norm,
                gradient_norm_max: gradient_norm * (1.9 + 0.6 * noise.draw()),
                clipped: (0.9 * (-t / 18.0).exp()).clamp(0.0, 1.0),
                learning_rate: if t < 10.0 {
                    3e-4 * t
                } else {
                    1.5e-3 * (1.0 + (std::f64::consts::PI * (t - 10.0) / 230.0).cos())
                },
            }
        })
        .collect();
    LearningCurves {
        loss: "mean squared error (scaled)".into(),
        epochs,
        best_epoch: Some(163),
        clip: Some(1.0),
    }
}

pub fn history(noise: &mut Noise) -> FlowHistory {
    let lags: Vec<u64> = (0..48).collect();
    let epochs: Vec<u64> = (0..60).map(|e| e * 4 + 1).collect();
    let rate = |e: u64| 0.62 + 0.24 * (1.0 - (-(e as f64) / 60.0).exp());
    FlowHistory {
        norms: epochs
            .iter()
            .map(|e| {
                lags.iter()
                    .map(|k| 0.4 * rate(*e).powi(*k as i32) * (1.0 + 0.25 * noise.draw()))
                    .collect()
            })
            .collect(),
        horizon: epochs
            .iter()
            .map(|e| 100f64.ln() / -rate(*e).ln())
            .collect(),
        epochs,
        lags,
        measured_over: "16 sequences, 8 loss times each".into(),
    }
}

pub fn report() -> TrainingReport {
    let mut noise = Noise(7);
    TrainingReport {
        title: "Yearly sunspot numbers".into(),
        subtitle: "Elman network, 1 layer of 32 units, tanh · 1,121 parameters · seed 1".into(),
        headline: Headline {
            tone: Tone::Good,
            sentences: vec![
                "The network earns its place: on 1921–1955 its error is 24 % below the linear autoregression's.".into(),
                "On 1956–1979, whose peaks are higher than any before, the lead over the linear autoregression is 9 %; persistence and the seasonal naive forecast are far behind on both.".into(),
            ],
        },
        key_figures: vec![
            KeyFigure::new("ARV, test 1921–1955", "0.0784").note("linear autoregression: 0.103"),
            KeyFigure::new("RMSE, test 1921–1955", "12.9").unit("sunspots").note("linear autoregression: 14.8"),
            KeyFigure::new("ARV, test 1956–1979", "0.301").note("linear autoregression: 0.331"),
            KeyFigure::new("Best validation loss", "0.0112").note("epoch 163 of 240"),
            KeyFigure::new("Training time", "21.4").unit("s").note("2 threads, 11,200 steps/s"),
        ],
        forecasts: vec![part("Test 1921–1955", 1921, &FIRST, &mut noise), part("Test 1956–1979", 1956, &SECOND, &mut noise)],
        errors: vec![
            errors("Test 1921–1955", [[12.92, 9.71, 0.0784], [26.4, 20.9, 0.327], [31.7, 24.2, 0.472], [14.81, 11.3, 0.103]]),
            errors("Test 1956–1979", [[25.3, 18.2, 0.301], [36.9, 29.6, 0.641], [58.1, 43.7, 1.588], [26.5, 19.8, 0.331]]),
        ],
        curves: Some(curves(&mut noise)),
        flow: Some(history(&mut noise)),
        facts: vec![
            Fact::new("Data", "yearly sunspot numbers, 1700–2008, embedded"),
            Fact::new("Split", "train 1700–1900, validation 1901–1920, test 1921–1955 and 1956–1979"),
            Fact::new("Scaling", "mean 45.2, standard deviation 36.4, fitted on the training part"),
            Fact::new("Window", "40 steps, stride 40, burn-in 12"),
        ],
        config: "[model]\ncell = \"elman\"\nhidden = 32\nlayers = 1\nactivation = \"tanh\"\n\n[train]\nepochs = 240\nwindow = 40\nclip = 1.0\noptimiser = \"adam\"\nlearning_rate = 3e-3\nseed = 1\n".into(),
        reproduce: "elman train --seed 1 --out runs/sunspots".into(),
        commands: vec![
            Command::new("Measure it again on held-out data", "elman evaluate runs/sunspots"),
            Command::new("Forecast the next 20 years", "elman predict runs/sunspots --steps 20"),
            Command::new("Go on training", "elman train --resume runs/sunspots --epochs 400"),
            Command::new("See why it learns, or does not", "elman doctor runs/sunspots --html flow.html"),
        ],
        ..TrainingReport::default()
    }
}
