//! `elman bench`.

use crate::output;
use anyhow::Result;
use clap::ValueEnum;
use elman::bench::{Measured, Mode, Workload, measure};

/// Measure how fast the engine is on this machine.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// The cell
    #[arg(long, default_value = "elman")]
    cell: String,
    /// train: forward and backward with all weight gradients; infer: forward; stream: one row, one step a call
    #[arg(long, value_enum, default_value = "train")]
    mode: ModeName,
    /// Named shapes: T1 to T8, all (T1 to T8), streams (one row, 16 to 1024 units); instead of the sizes below
    #[arg(long, conflicts_with_all = ["input", "hidden", "batch", "steps"])]
    suite: Option<String>,
    /// Input features
    #[arg(long, default_value_t = 64)]
    input: usize,
    /// Units
    #[arg(long, default_value_t = 128)]
    hidden: usize,
    /// Rows
    #[arg(long, default_value_t = 32)]
    batch: usize,
    /// Steps
    #[arg(long, default_value_t = 100)]
    steps: usize,
    /// Threads
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Seconds of measuring for each shape
    #[arg(long, default_value_t = 1.0)]
    seconds: f64,
    /// One machine-readable document on standard output
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  elman bench --suite all                       eight training shapes, small to large
  elman bench --cell gru --mode stream --suite streams
  elman bench --hidden 512 --batch 64 --threads 2 --json";

#[derive(Clone, Copy, ValueEnum)]
enum ModeName {
    Train,
    Infer,
    Stream,
}

/// Input, hidden, batch, steps of T1 to T8.
const SHAPES: [[usize; 4]; 8] = [
    [1, 32, 16, 100],
    [8, 64, 32, 100],
    [64, 128, 32, 100],
    [128, 256, 64, 100],
    [256, 512, 64, 50],
    [512, 1024, 64, 50],
    [1, 64, 16, 1000],
    [1, 128, 1, 1000],
];

pub fn run(args: Args) -> Result<()> {
    if !(0.01..=3600.0).contains(&args.seconds) {
        let message = "--seconds must be from 0.01 to 3600";
        return Err(output::Usage(message.into()).into());
    }
    let mode = match args.mode {
        ModeName::Train => Mode::Train,
        ModeName::Infer => Mode::Infer,
        ModeName::Stream => Mode::Stream,
    };
    let mut found = Vec::new();
    for (name, [input, hidden, batch, steps]) in shapes(&args)? {
        let workload = Workload {
            cell: args.cell.clone(),
            mode,
            input,
            hidden,
            batch: if mode == Mode::Stream { 1 } else { batch },
            steps: if mode == Mode::Stream { 1000 } else { steps },
            threads: args.threads.clamp(1, 256),
        };
        let measured =
            measure(&workload, args.seconds).map_err(|e| output::Usage(e.to_string()))?;
        found.push((name, measured));
    }
    if args.json {
        let only: Vec<&Measured> = found.iter().map(|(_, m)| m).collect();
        return output::json(&only);
    }
    let head = [
        "", "input", "hidden", "batch", "steps", "median", "minimum", "spread", "GFLOP/s",
        "of peak",
    ];
    let mut rows = vec![head.map(String::from).to_vec()];
    for (name, m) in &found {
        let w = &m.workload;
        let time = |t: f64| match mode {
            Mode::Stream => format!("{:.3} µs", 1e6 * t),
            _ => format!("{:.3} ms", 1e3 * t),
        };
        rows.push(vec![
            name.clone(),
            w.input.to_string(),
            w.hidden.to_string(),
            w.batch.to_string(),
            w.steps.to_string(),
            time(m.median),
            time(m.minimum),
            time(m.spread),
            format!("{:.1}", m.gflops),
            format!("{:.0} %", 100.0 * m.gflops / m.peak / w.threads as f64),
        ]);
    }
    let (_, m) = &found[0];
    let w = &m.workload;
    let head = format!(
        "{} {:?}, {} thread(s), {}; one core's peak of fused multiply-adds {:.0} GFLOP/s\n\n",
        w.cell, w.mode, w.threads, m.level, m.peak
    );
    output::print(&(head + &output::table(&rows)))
}

fn shapes(args: &Args) -> Result<Vec<(String, [usize; 4])>> {
    let named = |i: usize| (format!("T{}", i + 1), SHAPES[i]);
    let Some(suite) = &args.suite else {
        return Ok(vec![(
            "".into(),
            [args.input, args.hidden, args.batch, args.steps],
        )]);
    };
    let suite = suite.to_ascii_lowercase();
    Ok(match suite.as_str() {
        "all" => (0..SHAPES.len()).map(named).collect(),
        "streams" => [16, 32, 64, 128, 256, 512, 1024]
            .map(|h| (format!("S{h}"), [h / 4, h, 1, 1000]))
            .to_vec(),
        _ => {
            let number = suite
                .strip_prefix('t')
                .and_then(|n| n.parse::<usize>().ok());
            let number = number
                .filter(|n| (1..=SHAPES.len()).contains(n))
                .ok_or_else(|| {
                    output::Usage(format!(
                        "there is no suite {suite:?}; there are T1 to T8, all and streams"
                    ))
                })?;
            vec![named(number - 1)]
        }
    })
}
