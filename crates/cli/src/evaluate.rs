//! `elman evaluate`.

use crate::output;
use anyhow::Result;
use elman::core::Team;
use elman::train::{ClassScores, Evaluation, ForecastScores, NumberScores, PairScores, Trained};
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
    /// The .npy file with the labels of a .npy file
    #[arg(long, value_name = "FILE", requires = "data")]
    labels: Option<String>,
    /// One machine-readable document on standard output
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args) -> Result<()> {
    let trained = Trained::load(&args.run)?;
    let team = Team::new(1);
    let evaluation = match &args.data {
        Some(file) => trained.evaluate_file(file, args.labels.as_deref(), &team)?,
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
        Evaluation::Classes { parts, .. } => {
            let tables: Vec<String> = parts.iter().map(classes).collect();
            tables.join("\n")
        }
        Evaluation::Numbers { parts, .. } => numbers(parts),
        Evaluation::Pairs {
            beam,
            separator,
            parts,
        } => pairs(*beam, separator, parts),
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

/// Classes up to which the whole confusion matrix is printed.
const FEW: usize = 12;

fn classes(p: &ClassScores) -> String {
    let percent = |x: f64| format!("{:.2} %", 100.0 * x);
    let row = |name: &str, value: String| vec![format!("  {name}"), value];
    let rows = [
        vec![format!("{}, {} labels", p.part, p.count), String::new()],
        row("accuracy", percent(p.accuracy)),
        row("macro-F1", percent(p.macro_f1)),
        row("always the commonest class", percent(p.majority)),
    ];
    let mut text = output::table(&rows);
    if p.held_out && p.classes.len() <= FEW {
        let mut rows = vec![
            std::iter::once("  true, named".to_string())
                .chain(p.classes.iter().cloned())
                .collect::<Vec<_>>(),
        ];
        for (class, counts) in p.classes.iter().zip(&p.confusion) {
            let counts = counts.iter().map(u64::to_string);
            rows.push(
                std::iter::once(format!("  {class}"))
                    .chain(counts)
                    .collect(),
            );
        }
        text.push('\n');
        text.push_str(&output::table(&rows));
    }
    text
}

fn numbers(parts: &[NumberScores]) -> String {
    let head = ["", "labels", "RMSE", "MAE", "RMSE of the mean"].map(String::from);
    let mut rows = vec![head.to_vec()];
    rows.extend(parts.iter().map(|p| {
        let number = |x: f64| format!("{x:.4}");
        vec![
            p.part.clone(),
            p.count.to_string(),
            number(p.rmse),
            number(p.mae),
            number(p.rmse_of_mean),
        ]
    }));
    output::table(&rows)
}

/// Examples that are printed.
const SHOWN: usize = 5;

fn pairs(beam: usize, separator: &str, parts: &[PairScores]) -> String {
    let head = [
        "",
        "sources",
        "exact",
        "word error rate",
        "symbol error rate",
    ]
    .map(String::from);
    let mut rows = vec![head.to_vec()];
    let percent = |x: f64| format!("{:.2} %", 100.0 * x);
    rows.extend(parts.iter().map(|p| {
        vec![
            p.part.clone(),
            p.count.to_string(),
            percent(p.exact),
            percent(p.word_error_rate),
            percent(p.symbol_error_rate),
        ]
    }));
    let search = match beam {
        1 => "each time the likeliest symbol".to_string(),
        n => format!("beam of {n}"),
    };
    let mut text = format!("{}({search})\n", output::table(&rows));
    let Some(part) = parts.iter().rfind(|p| p.held_out).or(parts.last()) else {
        return text;
    };
    for e in part.examples.iter().take(SHOWN) {
        let (said, target) = (e.said.join(separator), e.target.join(separator));
        let source = e.source.concat();
        text.push_str(&match said == target {
            true => format!("\n  {source}: {said}"),
            false => format!("\n  {source}: {said} (should be {target})"),
        });
    }
    text.push('\n');
    text
}
