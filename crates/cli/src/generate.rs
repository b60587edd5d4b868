//! `elman generate`.

use crate::output;
use anyhow::Result;
use elman::train::Trained;
use elman::train::task::Sampling;
use serde::Serialize;
use std::path::PathBuf;

/// Write text with a trained character model.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  elman generate runs/book --prompt 'Call me ' --temperature 0.6\n  elman generate runs/book --top-k 5 --seed 7"
)]
pub struct Args {
    /// The run folder
    run: PathBuf,
    /// What to go on after
    #[arg(long, default_value = "")]
    prompt: String,
    /// Characters to write
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(..=100_000_000))]
    length: u32,
    /// Below 1 bolder, above 1 wilder; 0 always takes the likeliest
    #[arg(long, default_value_t = 0.7)]
    temperature: f64,
    /// Draw among so many of the likeliest; 0 for all
    #[arg(long, default_value_t = 0)]
    top_k: usize,
    /// Seed of the draw
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// One machine-readable document on standard output
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Text {
    prompt: String,
    text: String,
}

pub fn run(args: Args) -> Result<()> {
    let trained = Trained::load(&args.run)?;
    let sampling = Sampling {
        length: args.length as usize,
        temperature: args.temperature,
        top_k: args.top_k,
        seed: args.seed,
    };
    let mut text = String::new();
    trained
        .writer()?
        .generate(&args.prompt, sampling, |c| text.push(c))?;
    if args.json {
        let prompt = args.prompt;
        return output::json(&Text { prompt, text });
    }
    output::print(&format!("{}{text}\n", args.prompt))
}
