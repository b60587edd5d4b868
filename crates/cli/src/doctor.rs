//! `elman doctor`.

use crate::output;
use anyhow::{Result, bail};
use clap::ValueEnum;
use elman::doctor::{Asked, Doctor, Examined};
use elman::flow::{FixedPointInput, Flow, LyapunovOptions, Outcome, Requirement, contributions};
use elman::pages;
use elman::train::Trained;
use serde::Serialize;
use std::path::PathBuf;

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
    /// Input that is held still while fixed points are looked for; mean: of the data, or the most frequent symbol
    #[arg(long, value_enum, default_value_t = Held::Mean, requires = "fixed_points")]
    fixed_point_input: Held,
    /// Lyapunov exponents to measure and print, from the largest: a number or all
    #[arg(long, value_name = "N|all", value_parser = exponents)]
    exponents: Option<usize>,
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

/// Which input is held still.
#[derive(Clone, Copy, ValueEnum)]
enum Held {
    Mean,
    Zero,
}

fn exponents(text: &str) -> Result<usize, String> {
    match text {
        "all" => Ok(usize::MAX),
        _ => match text.parse() {
            Ok(n) if n > 0 => Ok(n),
            _ => Err("expected a number of at least 1, or all".into()),
        },
    }
}

const EXAMPLES: &str = "\
Examples:
  elman doctor runs/sunspots                              the verdict, its evidence, and what to change
  elman doctor runs/book --max-lag 1000 --html flow.html  the pictures
  elman doctor runs/book --fixed-points --exponents all   attractors, and the whole Lyapunov spectrum
  elman doctor runs/book --require 'horizon>=50' --require 'saturation<=0.3'
Exit code 1 where a requirement does not hold.";

/// Seconds from which the cost is told beforehand.
const LONG: f64 = 1.0;

#[derive(Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    examined: &'a Examined,
    requirements: &'a [Outcome],
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
    let doctor = Doctor::new(&trained, Some(&args.run), &asked(&args))?;
    if doctor.cost().seconds(4e9) > LONG {
        output::say(&format!("looking at {}: {}", doctor.about(), doctor.cost()));
    }
    let examined = doctor.examine()?;
    let flow = &examined.flow;
    let outcomes: Vec<Outcome> = requirements.iter().map(|r| r.check(flow)).collect();
    if let Some(file) = &args.html {
        let look = pages::Look {
            folder: &args.run.display().to_string(),
            about: &examined.data,
            flow,
            contributions: &contributions(&examined.scope)?,
            verdict: &examined.verdict,
            window: examined.window,
            bias: args.bias,
        };
        elman::io::write_bytes(file, pages::flow(&look).as_bytes())?;
    }
    match args.json {
        true => output::json(&Document {
            examined: &examined,
            requirements: &outcomes,
        })?,
        false => output::print(&text(&examined, &outcomes, args.exponents.is_some()))?,
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

fn asked(args: &Args) -> Asked {
    let input = match args.fixed_point_input {
        Held::Mean => FixedPointInput::Mean,
        Held::Zero => FixedPointInput::Zero,
    };
    Asked {
        data: args.data.clone(),
        sequences: usize::from(args.sequences),
        max_lag: args.max_lag.map(|l| l as usize),
        fixed_points: args.fixed_points.then_some(input),
        exponents: args.exponents.unwrap_or(LyapunovOptions::default().count),
        bias: args.bias,
        ..Asked::default()
    }
}

fn text(examined: &Examined, outcomes: &[Outcome], exponents: bool) -> String {
    let (flow, verdict) = (&examined.flow, &examined.verdict);
    let mut text = format!("{}\n\n", examined.data);
    text.push_str(&profile(flow));
    text.push_str(&format!("\n{}\n", verdict.summary));
    for line in &verdict.evidence {
        text.push_str(&format!("  - {line}\n"));
    }
    for also in &verdict.also {
        text.push_str(&format!("  - Also: {}\n", also.words()));
    }
    if !verdict.proposals.is_empty() {
        text.push_str("\nSuggested changes, best first:\n");
        let rows: Vec<Vec<String>> = verdict
            .proposals
            .iter()
            .map(|p| vec![format!("  elman train … {}  ({})", p.option, p.why)])
            .collect();
        text.push_str(&output::table(&rows));
    }
    text.push_str(&fixed_points(flow));
    if exponents {
        text.push_str(&spectrum(flow));
    }
    for outcome in outcomes {
        text.push_str(&format!("\n{}", outcome.reason));
    }
    if !outcomes.is_empty() {
        text.push('\n');
    }
    text
}

/// Points that are printed.
const POINTS: usize = 20;

fn fixed_points(flow: &Flow) -> String {
    let Some(found) = &flow.fixed_points else {
        return String::new();
    };
    let fixed = found.points.iter().filter(|p| p.fixed).count();
    let mut text = format!(
        "\nFixed points under the {}: {fixed} ({} stable), and {} slow points, from {} starts\n",
        pages::held_input(flow),
        found.stable(),
        found.points.len() - fixed,
        found.starts
    );
    let head = [
        "  point",
        "kind",
        "largest |eigenvalue|",
        "speed per step",
        "found from",
    ];
    let mut rows = vec![head.map(String::from).to_vec()];
    rows.extend(found.points.iter().take(POINTS).map(|p| {
        vec![
            format!("  {}", if p.fixed { "fixed" } else { "slow" }),
            match p.unstable {
                0 => "stable".into(),
                n => format!("{n} unstable"),
            },
            format!("{:.4}", p.radius()),
            format!("{:.1e}", p.speed()),
            p.found.to_string(),
        ]
    }));
    if !found.points.is_empty() {
        text.push_str(&output::table(&rows));
    }
    if found.points.len() > POINTS {
        text.push_str(&format!(
            "  and {} more (--json)\n",
            found.points.len() - POINTS
        ));
    }
    text
}

fn spectrum(flow: &Flow) -> String {
    let Some(l) = &flow.lyapunov else {
        return String::new();
    };
    let one = |e: &f64| match e.is_finite() {
        true => format!("{e:.4}"),
        false => "−∞".into(),
    };
    let all: Vec<String> = l.exponents.iter().map(one).collect();
    format!(
        "\nLyapunov exponents per step, {} of {}, over {} steps: {}\n",
        all.len(),
        l.width,
        l.steps,
        all.join(" ")
    )
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
    format!(
        "Gradient by lag, 0 to {} steps back (full bar: as large as at lag 0; empty: a millionth of that)\n{picture}\n\
         50 % after {} steps, 1 % after {}; decay rate {:.4} a step, fitted from lag {}\n",
        lags - 1,
        d.half,
        d.percent,
        d.beta,
        d.tau
    )
}

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
        let line = [
            "elman",
            "r",
            "--max-lag",
            "7",
            "--fixed-points",
            "--exponents",
            "all",
        ];
        let asked = asked(&Only::parse_from(line).args);
        assert_eq!((asked.max_lag, asked.exponents), (Some(7), usize::MAX));
        assert_eq!(asked.fixed_points, Some(FixedPointInput::Mean));
        // What is not asked for is as everywhere.
        assert_eq!(
            super::asked(&Only::parse_from(["elman", "r"]).args),
            Asked::default()
        );
    }
}
