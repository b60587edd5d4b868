//! `elman evaluate`.

use crate::output;
use anyhow::Result;
use elman::core::Team;
use elman::train::{Evaluation, ForecastScores, Trained};
use std::path::PathBuf;

/// Score a trained network beside simple baselines.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  elman evaluate runs/sunspots\n  elman evaluate runs/load --data next-year.csv --json"
)]
pub struct Args {
    /// The run folder
    run: PathBuf,
    /// Another file to score it on [default: the parts of its own]
    #[arg(long, value_name = "FILE")]
    data: Option<String>,
    /// One machine-readable document on standard output
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args) -> Result<()> {
    let trained = Trained::load(&args.run)?;
    let team = Team::new(1);
    let evaluation = match &args.data {
        Some(file) => trained.evaluate_file(file, &team)?,
        None => trained.evaluate(&team)?,
    };
    match args.json {
        true => output::json(&evaluation),
        false => output::print(&summary(&evaluation)),
    }
}

/// Tables of errors.
pub fn summary(evaluation: &Evaluation) -> String {
    match evaluation {
        Evaluation::Forecast { target, parts } => {
            let tables: Vec<String> = parts.iter().map(part).collect();
            let note = "ARV: mean squared error over the variance of the whole series";
            format!("{target}, one step ahead ({note})\n\n{}", tables.join("\n"))
        }
        Evaluation::Text(s) => {
            let row = |name: &str, bits: f64| vec![name.to_string(), format!("{bits:.3}")];
            let head = vec!["bits per character".to_string(), String::new()];
            let rows = [
                head,
                row("network", s.network),
                row("pairs of characters", s.bigram),
                row("single characters", s.unigram),
            ];
            let table = output::table(&rows);
            format!(
                "{}, {} characters\n\n{table}\n{}\n",
                s.part, s.characters, s.sample
            )
        }
    }
}

fn part(p: &ForecastScores) -> String {
    let head = [p.part.as_str(), "RMSE", "MAE", "ARV"].map(String::from);
    let mut rows = vec![head.to_vec()];
    rows.extend(p.scores.iter().map(|s| {
        let a = &s.accuracy;
        let number = |x: f64| format!("{x:.4}");
        vec![
            format!("  {}", s.by),
            number(a.rmse),
            number(a.mae),
            number(a.arv),
        ]
    }));
    output::table(&rows)
}
