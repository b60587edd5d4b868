//! `elman predict`.

use crate::output;
use anyhow::Result;
use elman::train::Trained;
use serde::Serialize;
use std::path::PathBuf;

/// Forecast the steps after the end of a series, as CSV on standard output.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  elman predict runs/sunspots --steps 11 > next.csv\n  elman predict runs/load --data today.csv --steps 24"
)]
pub struct Args {
    /// The run folder
    run: PathBuf,
    /// How many steps
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    steps: u32,
    /// A file whose end to go on from [default: the one it was trained on]
    #[arg(long, value_name = "FILE")]
    data: Option<String>,
    /// One machine-readable document on standard output
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Forecast {
    target: String,
    after: String,
    values: Vec<f64>,
}

pub fn run(args: Args) -> Result<()> {
    let trained = Trained::load(&args.run)?;
    let frame = trained.frame(args.data.as_deref())?;
    let values = trained.forecaster()?.ahead(&frame, args.steps as usize)?;
    let after = frame.labels.last().cloned().unwrap_or_default();
    let labels = following(&frame.labels, values.len());
    let target = frame.names[0].clone();
    if args.json {
        return output::json(&Forecast {
            target,
            after,
            values,
        });
    }
    let mut csv = format!("step,{}\n", quoted(&target));
    for (label, value) in labels.iter().zip(&values) {
        csv.push_str(&format!("{label},{value}\n"));
    }
    output::print(&csv)
}

/// Labels of the steps that follow: further whole numbers where the last two are neighbours, else +1, +2, …
fn following(labels: &[String], steps: usize) -> Vec<String> {
    let whole = |back: usize| {
        labels
            .len()
            .checked_sub(back)
            .and_then(|i| labels[i].parse::<i64>().ok())
    };
    let next = match (whole(2), whole(1)) {
        (Some(a), Some(b)) if b == a + 1 => Some(b),
        _ => None,
    };
    (1..=steps as i64)
        .map(|i| next.map_or(format!("+{i}"), |last| (last + i).to_string()))
        .collect()
}

fn quoted(name: &str) -> String {
    match name.contains([',', '"', '\n']) {
        true => format!("\"{}\"", name.replace('"', "\"\"")),
        false => name.into(),
    }
}
