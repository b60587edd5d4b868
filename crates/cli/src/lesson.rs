//! `elman lesson`.

use crate::output;
use anyhow::Result;
use elman::flow::{Item, Number, Scope, lesson, lesson_on};
use elman::train::Trained;
use std::path::PathBuf;

/// The lesson's worked examples and practice problems, computed by the engine.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  elman lesson                       each formula with the printed number and the exact one\n  elman lesson --run runs/sunspots   the same quantities of your own network"
)]
pub struct Args {
    /// Compute them on this run instead of the lesson's weights
    #[arg(long, value_name = "RUN")]
    run: Option<PathBuf>,
    /// The file to compute on, with --run [default: what it was trained on]
    #[arg(long, value_name = "FILE", requires = "run")]
    data: Option<String>,
    /// One machine-readable document on standard output
    #[arg(long)]
    json: bool,
}

/// Steps of the run's data that are enough for the lesson.
const STEPS: usize = 30;

pub fn run(args: Args) -> Result<()> {
    let items = match &args.run {
        None => lesson()?,
        Some(run) => {
            let trained = Trained::load(run)?;
            let probe = trained.probe(args.data.as_deref(), 1, STEPS)?;
            let (network, params) = (&trained.network, &trained.params);
            let scope = Scope::new(
                network,
                params,
                &probe.batch,
                &probe.state,
                &probe.d_outputs,
            )?;
            lesson_on(&scope, 0)?
        }
    };
    match args.json {
        true => output::json(&items),
        false => output::print(&items.iter().map(text).collect::<String>()),
    }
}

fn text(item: &Item) -> String {
    let mut text = format!("{}\n{}\n\n", item.title, item.question);
    let mut rows = vec![
        ["", "formula", "printed", "exact"]
            .map(String::from)
            .to_vec(),
    ];
    if item.lines.iter().all(|l| l.printed.is_none()) {
        rows[0].remove(2);
    }
    let columns = rows[0].len();
    for line in &item.lines {
        let mut row = vec![format!("  {}", line.what), line.formula.to_string()];
        if columns == 4 {
            row.push(line.printed.unwrap_or("").to_string());
        }
        row.push(written(&line.exact));
        rows.push(row);
    }
    text.push_str(&left(&rows));
    if let Some(remark) = item.remark {
        text.push_str(&format!("\n  {remark}\n"));
    }
    text.push('\n');
    text
}

/// Columns of text, all to the left.
fn left(rows: &[Vec<String>]) -> String {
    let width = |c: usize| rows.iter().map(|r| r[c].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths);
        let cells: Vec<String> = cells.map(|(cell, &w)| format!("{cell:<w$}")).collect();
        format!("{}\n", cells.join("  ").trim_end())
    };
    rows.iter().map(line).collect()
}

fn written(number: &Number) -> String {
    let one = |x: &f64| match x.abs() {
        0.0 => "0".to_string(),
        size if (1e-4..1e6).contains(&size) => format!("{x:.6}"),
        _ => format!("{x:.6e}"),
    };
    let row = |v: &[f64]| v.iter().map(one).collect::<Vec<_>>().join(", ");
    match number {
        Number::Scalar(x) => one(x),
        Number::Vector(v) => format!("[{}]", row(v)),
        Number::Matrix(m) => {
            let rows: Vec<String> = m.iter().map(|r| format!("[{}]", row(r))).collect();
            format!("[{}]", rows.join(", "))
        }
        Number::Shape(s) => {
            let s: Vec<String> = s.iter().map(usize::to_string).collect();
            s.join(" × ")
        }
    }
}
