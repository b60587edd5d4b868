//! From a measurement of the gradient microscope to its page.

use elman_flow::{Cause, Contribution, Flow, HeldInput, Verdict};
use elman_report::chart::Eigenvalue;
use elman_report::flow::{
    Contributions, FixedPoint, LagProfile, LagShares, Lyapunov, NamedCurve, Saturation,
    SingularValues, Truncation,
};
use elman_report::{Command, Fact, FlowReport, Headline, KeyFigure, Tone, flow_page, number};

/// What a page of the microscope is made of.
pub struct Look<'a> {
    /// The run folder, as the user would type it.
    pub folder: &'a str,
    /// Which rows of which data.
    pub about: &'a str,
    /// The measurement.
    pub flow: &'a Flow,
    /// What each step adds to ∂L/∂W_hh.
    pub contributions: &'a [Contribution],
    /// What it means.
    pub verdict: &'a Verdict,
    /// The truncation window in steps, where there is one.
    pub window: Option<usize>,
    /// The relative bias for which a window is proposed.
    pub bias: f64,
}

/// The page, as HTML.
pub fn flow(look: &Look<'_>) -> String {
    let (flow, verdict) = (look.flow, look.verdict);
    let about = &flow.about;
    let tone = match verdict.cause {
        Cause::Healthy => Tone::Good,
        Cause::TaskNeedsNoLongerMemory | Cause::TransientGrowth => Tone::Mixed,
        _ => Tone::Bad,
    };
    let proposal = verdict.proposals.first();
    let w_hh = flow.recurrent.first();
    flow_page(&FlowReport {
        title: look.folder.to_string(),
        subtitle: format!(
            "{} network, {} layer(s) of {} units, {} parameters; {}",
            about.cell, about.layers, about.hidden, about.parameters, look.about
        ),
        headline: Headline {
            tone,
            sentences: vec![verdict.summary.clone()],
        },
        evidence: verdict.evidence.clone(),
        proposal: proposal.map(|p| {
            let data = match look.folder.is_empty() {
                true => String::new(),
                false => format!(" --config {}/config.toml", look.folder),
            };
            Command::new(&p.why, format!("elman train{data} {}", p.option))
        }),
        measured_over: format!(
            "{} sequences, {} loss times",
            flow.lag.sequences, flow.lag.loss_times
        ),
        key_figures: key_figures(flow),
        lag_profile: Some(lag_profile(look)),
        lag_shares: flow.lag.credit.as_ref().map(|credit| LagShares {
            lags: (0..credit.share.len() as u64).collect(),
            shares: credit.share.clone(),
        }),
        truncation: flow.bias.as_ref().map(|_| truncation(look)),
        contributions: contributions(look.contributions),
        eigenvalues: w_hh
            .iter()
            .flat_map(|w| &w.eigenvalues)
            .map(|e| Eigenvalue { re: e.re, im: e.im })
            .collect(),
        map: w_hh.map_or(String::new(), |w| w.map.into()),
        matrix: w_hh.map(matrix).unwrap_or_default(),
        singular_values: Some(singular_values(flow)),
        lyapunov: flow.lyapunov.as_ref().map(|l| Lyapunov {
            exponents: l.exponents.clone(),
            errors: l.errors.clone(),
            dimension: l.kaplan_yorke,
            entropy: Some(l.positive_sum),
        }),
        saturation: flow.saturation.iter().map(saturation).collect(),
        fixed_points: fixed_points(flow),
        facts: vec![
            Fact::new("Data", look.about),
            Fact::new("Longest lag followed", flow.lag.max_lag().to_string()),
            Fact::new("Numbers in the joint state", about.width.to_string()),
            Fact::new("Fixed points under", held_input(flow)),
        ],
        commands: vec![
            Command::new(
                "As a gate in a script",
                format!("elman doctor {} --require 'horizon>=50'", look.folder),
            ),
            Command::new(
                "One row, step by step",
                format!("elman unroll {} --svg unrolled.svg", look.folder),
            ),
        ],
        ..FlowReport::default()
    })
}

/// The input under which fixed points were looked for, in words.
pub fn held_input(flow: &Flow) -> String {
    let Some(found) = &flow.fixed_points else {
        return "not looked for".into();
    };
    let of = match found.input_from {
        "mean" => "mean input of the data",
        "zero" => "zero input",
        _ => "given input",
    };
    match &found.input {
        HeldInput::Features(x) if x.len() > SHOWN => format!("{of} ({} features)", x.len()),
        HeldInput::Features(x) => {
            let x: Vec<String> = x.iter().map(|x| number(*x)).collect();
            format!("{of} ({})", x.join(", "))
        }
        HeldInput::Symbol(symbol) if found.input_from == "mean" => {
            format!("most frequent symbol of the data (number {symbol})")
        }
        HeldInput::Symbol(symbol) => format!("{of} (symbol number {symbol})"),
    }
}

/// Features that are written out.
const SHOWN: usize = 4;

fn key_figures(flow: &Flow) -> Vec<KeyFigure> {
    let d = &flow.decay;
    let mut figures = vec![
        KeyFigure::new("Horizon at 1 %", d.percent.to_string())
            .unit("steps")
            .note("where the gradient falls to a hundredth"),
        KeyFigure::new("Horizon at 50 %", d.half.to_string()).unit("steps"),
        KeyFigure::new("Decay rate", number(d.beta))
            .unit("a step")
            .note(format!("fitted from lag {}", d.tau)),
    ];
    if let Some(bound) = &flow.bound {
        figures.push(
            KeyFigure::new("The lesson's bound", number(bound.per_step))
                .unit("a step")
                .note("on the gradient, from above only"),
        );
    }
    if let Some(l) = &flow.lyapunov
        && let Some(first) = l.exponents.first()
    {
        figures.push(
            KeyFigure::new("Largest Lyapunov exponent", number(*first))
                .unit("a step")
                .note(match l.errors.first().filter(|e| e.is_finite()) {
                    Some(error) => format!("± {}", number(*error)),
                    None => "without a standard error".into(),
                }),
        );
    }
    figures
}

fn lag_profile(look: &Look<'_>) -> LagProfile {
    let (lag, decay) = (&look.flow.lag, &look.flow.decay);
    let quantile = |of: fn(&elman_flow::Quantiles) -> f64| {
        let all = lag.ln_quantiles.iter();
        all.map(|q| of(q).exp()).collect::<Vec<f64>>()
    };
    let lags = lag.ln_mean.len();
    let bound = look.flow.bound.as_ref();
    LagProfile {
        lags: (0..lags as u64).collect(),
        median: quantile(|q| q.median),
        mean: lag.ln_mean.iter().map(|l| l.exp()).collect(),
        lower: quantile(|q| q.p25),
        upper: quantile(|q| q.p75),
        quantiles: "quartiles".into(),
        bound: bound
            .map(|b| b.ln_profile(lag).iter().map(|ln| ln.exp()).collect())
            .unwrap_or_default(),
        half: decay.half.at(),
        hundredth: decay.percent.at(),
        window: look.window.map(|w| w as f64),
    }
}

fn truncation(look: &Look<'_>) -> Truncation {
    let Some(bias) = &look.flow.bias else {
        return Truncation::default();
    };
    let windows: Vec<usize> = (1..=look.flow.lag.max_lag()).collect();
    let missing = look.flow.lag.credit.as_ref().map(|c| &c.missing);
    Truncation {
        windows: windows.iter().map(|&w| w as u64).collect(),
        estimated: windows
            .iter()
            .map(|&w| bias.relative.get(w).copied().unwrap_or(f64::NAN))
            .collect(),
        exact: missing
            .map(|m| {
                windows
                    .iter()
                    .map(|&w| m.get(w).copied().unwrap_or(f64::NAN))
                    .collect()
            })
            .unwrap_or_default(),
        wanted: Some(look.bias),
        chosen: bias.smallest_window(look.bias).map(|w| w as u64),
    }
}

fn contributions(all: &[Contribution]) -> Option<Contributions> {
    let steps = all.first()?.norms.len();
    Some(Contributions {
        row_label: "layer".into(),
        rows: all.iter().map(|c| c.name.clone()).collect(),
        steps: (1..=steps as u64).collect(),
        norms: all.iter().map(|c| c.norms.clone()).collect(),
    })
}

fn matrix(w: &elman_flow::RecurrentMatrix) -> Vec<KeyFigure> {
    vec![
        KeyFigure::new("Spectral radius", number(w.radius)),
        KeyFigure::new("Spectral norm", number(w.norm)),
        KeyFigure::new("Non-normality", number(w.non_normality))
            .note("0 for a normal matrix, 1 for a nilpotent one"),
        KeyFigure::new("Transient growth", number(w.transient))
            .note(format!("largest power at k = {}", w.peak_at)),
    ]
}

fn singular_values(flow: &Flow) -> SingularValues {
    let lengths = &flow.products.lengths;
    let curve = |name: &str, of: fn(&[f64]) -> f64| NamedCurve {
        name: name.into(),
        values: lengths.iter().map(|p| of(&p.ln_values).exp()).collect(),
    };
    SingularValues {
        lengths: lengths.iter().map(|p| p.steps as u64).collect(),
        curves: vec![
            curve("largest", |v| v.first().copied().unwrap_or(f64::NAN)),
            curve("upper quarter", |v| {
                v.get(v.len() / 4).copied().unwrap_or(f64::NAN)
            }),
            curve("median", |v| {
                v.get(v.len() / 2).copied().unwrap_or(f64::NAN)
            }),
            curve("smallest", |v| v.last().copied().unwrap_or(f64::NAN)),
        ],
    }
}

fn saturation(s: &elman_flow::Saturation) -> Saturation {
    Saturation {
        name: format!("layer {}", s.layer + 1),
        units: s.unit_slopes.len() as u64,
        saturated: s.saturated,
        mean_slope: s.mean_slope,
        dead: s.dead.len() as u64,
    }
}

fn fixed_points(flow: &Flow) -> Vec<FixedPoint> {
    let points = flow.fixed_points.iter().flat_map(|f| &f.points);
    points
        .enumerate()
        .map(|(i, p)| FixedPoint {
            name: format!("{} {}", if p.fixed { "fixed" } else { "slow" }, i + 1),
            speed: p.q,
            radius: p.radius(),
            unstable: p.unstable as u64,
            norm: p.state.iter().map(|x| x * x).sum::<f64>().sqrt(),
            found: p.found as u64,
        })
        .collect()
}
