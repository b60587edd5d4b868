//! `elman doctor`.

use crate::output;
use anyhow::{Result, bail};
use elman::flow::{
    Clipping, Flow, LagOptions, Options, Outcome, Requirement, Scope, Training, Verdict,
    contributions, cost, measure_scope, verdict,
};
use elman::pages;
use elman::train::{Config, Probe, Run, Trained};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Look at a network's gradients: why it learns, or does not, and what to change.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The run folder
    run: PathBuf,
    /// Data to look at [default: what it was trained on]
    #[arg(long, value_name = "FILE")]
    data: Option<String>,
    /// The longest lag to follow the gradient back, in steps [default: as far as the sequences reach, at most 200]
    #[arg(long, value_name = "STEPS", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    max_lag: Option<u32>,
    /// Sequences to look at; memory and time grow with them
    #[arg(long, value_name = "ROWS", default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..))]
    sequences: u16,
    /// Also look for fixed and slow points, which takes longest
    #[arg(long)]
    fixed_points: bool,
    /// The relative bias of the gradient for which a truncation window is proposed
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    bias: f64,
    /// Fail unless this holds, as in horizon>=50; may be given several times
    #[arg(long, value_name = "NAME>=NUMBER")]
    require: Vec<String>,
    /// Write a page with the pictures
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// One machine-readable document on standard output
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  elman doctor runs/sunspots                              the verdict, its evidence, and what to change
  elman doctor runs/book --max-lag 1000 --html flow.html  the pictures
  elman doctor runs/book --require 'horizon>=50' --require 'saturation<=0.3'
Exit code 1 where a requirement does not hold.";

/// Longest lag that is followed unless asked for.
const LAGS: usize = 200;
/// Seconds from which the cost is told beforehand.
const LONG: f64 = 1.0;

#[derive(Serialize)]
struct Document<'a> {
    data: &'a str,
    loss: f64,
    explained: f64,
    verdict: &'a Verdict,
    requirements: &'a [Outcome],
    flow: &'a Flow,
}

pub fn run(args: Args) -> Result<()> {
    let requirements: Vec<Requirement> = args
        .require
        .iter()
        .map(|r| {
            r.parse()
                .map_err(|e| output::Usage(format!("--require {e}")))
        })
        .collect::<Result<_, _>>()?;
    if !(args.bias > 0.0 && args.bias < 1.0) {
        bail!(output::Usage(format!(
            "--bias is {}, and must be above 0 and below 1",
            args.bias
        )));
    }
    let trained = Trained::load(&args.run)?;
    let probe = probe(&trained, &args)?;
    let options = options(&args);
    let cost = cost(&trained.network, &probe.batch, &options);
    if cost.seconds(4e9) > LONG {
        output::say(&format!("looking at {}: {cost}", probe.about));
    }
    let scope = Scope::of_rows(
        &trained.network,
        &trained.params,
        &probe.batch,
        &probe.state,
        &probe.d_outputs,
        options.sequences,
    )?;
    let flow = measure_scope(&scope, &options)?;
    let training = training(&trained.config, &probe, &args.run)?;
    let verdict = verdict(&flow, &training);
    let outcomes: Vec<Outcome> = requirements.iter().map(|r| r.check(&flow)).collect();
    if let Some(file) = &args.html {
        let look = pages::Look {
            folder: &args.run.display().to_string(),
            about: &probe.about,
            flow: &flow,
            contributions: &contributions(&scope)?,
            verdict: &verdict,
            window: training.window,
            bias: args.bias,
        };
        elman::io::write_bytes(file, pages::flow(&look).as_bytes())?;
    }
    match args.json {
        true => output::json(&Document {
            data: &probe.about,
            loss: probe.loss,
            explained: probe.explained(),
            verdict: &verdict,
            requirements: &outcomes,
            flow: &flow,
        })?,
        false => output::print(&text(&probe, &flow, &verdict, &outcomes))?,
    }
    let failed: Vec<&str> = outcomes
        .iter()
        .filter(|o| !o.holds)
        .map(|o| o.reason.as_str())
        .collect();
    match failed.is_empty() {
        true => Ok(()),
        false => bail!("{}", failed.join("; ")),
    }
}

fn probe(trained: &Trained, args: &Args) -> Result<Probe> {
    let config = &trained.config;
    if trained.network.bidirectional {
        bail!(
            "this network reads from both ends, so that no gradient runs back through time alone; the microscope looks \
             at networks of one direction"
        );
    }
    // Twice the lag, so that many loss times reach so far back.
    let steps = match args.max_lag {
        Some(lag) => 2 * lag as usize,
        None => (2 * LAGS).max(4 * config.window.steps().unwrap_or(0)),
    };
    let rows = usize::from(args.sequences);
    Ok(trained.probe(args.data.as_deref(), rows, steps)?)
}

fn options(args: &Args) -> Options {
    let defaults = Options::default();
    Options {
        sequences: usize::from(args.sequences),
        lag: LagOptions {
            max_lag: Some(args.max_lag.map_or(LAGS, |l| l as usize)),
            ..LagOptions::default()
        },
        fixed_points: args
            .fixed_points
            .then(elman::flow::FixedPointOptions::default),
        biases: vec![0.5, args.bias, 0.01],
        ..defaults
    }
}

/// What the run tells beside its weights.
fn training(config: &Config, probe: &Probe, run: &Path) -> Result<Training> {
    let epochs = match run.is_dir() {
        true => Run::open(run)?.epochs()?,
        false => Vec::new(),
    };
    let last = epochs.last();
    let norms = last.map(|e| Clipping {
        steps: 0,
        median: e.gradient_norm,
        p99: e.gradient_norm_max,
        largest: e.gradient_norm_max,
        clipped: e.clipped,
        not_finite: 0.0,
    });
    Ok(Training {
        window: config.window.steps().or(last.and_then(|e| e.window)),
        clip: Some(config.clip).filter(|&c| c > 0.0),
        norms,
        explained: Some(probe.explained()).filter(|e| e.is_finite()),
        memory: None,
    })
}

fn text(probe: &Probe, flow: &Flow, verdict: &Verdict, outcomes: &[Outcome]) -> String {
    let mut text = format!("{}\n\n", probe.about);
    text.push_str(&profile(flow));
    text.push_str(&format!("\n{}\n", verdict.summary));
    for line in &verdict.evidence {
        text.push_str(&format!("  - {line}\n"));
    }
    for also in &verdict.also {
        text.push_str(&format!("  - also: {}\n", also.words()));
    }
    if !verdict.proposals.is_empty() {
        text.push_str("\nto try, the first first:\n");
        let rows: Vec<Vec<String>> = verdict
            .proposals
            .iter()
            .map(|p| vec![format!("  elman train … {}  ({})", p.option, p.why)])
            .collect();
        text.push_str(&output::table(&rows));
    }
    for outcome in outcomes {
        text.push_str(&format!("\n{}", outcome.reason));
    }
    if !outcomes.is_empty() {
        text.push('\n');
    }
    text
}

/// Columns of the picture of the gradient by lag.
const COLUMNS: usize = 60;
/// Decades that it spans.
const DECADES: f64 = 6.0;

/// The gradient by lag as bars, one character a lag or several, each eighth of a height an eighth of six decades.
fn profile(flow: &Flow) -> String {
    let bars = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let lags = flow.lag.ln_mean.len();
    let columns = lags.min(COLUMNS);
    let mut picture = String::new();
    for column in 0..columns {
        let lag = column * (lags - 1) / columns.saturating_sub(1).max(1);
        let decades = flow.lag.ratio(lag).log10();
        let height = (1.0 + decades / DECADES) * bars.len() as f64;
        picture.push(match height {
            h if h.is_nan() || h < 0.0 => ' ',
            h => bars[(h as usize).min(bars.len() - 1)],
        });
    }
    let d = &flow.decay;
    let horizon = |h: Option<f64>| match h {
        Some(h) => format!("{h:.1}"),
        None => format!("{} or more", d.measured_to),
    };
    format!(
        "gradient by lag, 0 to {} steps back (full height: as at lag 0; empty: a millionth of it)\n{picture}\n\
         half after {} steps, a hundredth after {}; {:.4} a step from lag {}\n",
        lags - 1,
        horizon(d.half),
        horizon(d.percent),
        d.beta,
        d.tau
    )
}

/// For the tests of the picture.
#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Only {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn options_follow_the_flags() {
        let args = Only::parse_from(["elman", "r", "--max-lag", "7", "--fixed-points"]).args;
        let options = options(&args);
        assert_eq!(options.lag.max_lag, Some(7));
        assert!(options.fixed_points.is_some() && options.biases.contains(&0.1));
    }
}
