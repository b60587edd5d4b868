//! The command `elman`: flags to calls to an exit code; no mathematics.
#![forbid(unsafe_code)]

mod bench;
mod convert;
mod doctor;
mod evaluate;
mod generate;
mod gradcheck;
mod info;
mod lesson;
mod onnx;
mod output;
mod predict;
mod progress;
mod train;
mod unroll;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Recurrent neural networks on ordinary CPUs: train them, see why they learn or do not, ship them.
#[derive(Parser)]
#[command(name = "elman", version, max_term_width = 110, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  elman train                                 yearly sunspots, under a minute; writes runs/sunspots/report.html
  elman train load.csv --target MW            forecast a column of your table
  elman train book.txt --minutes 10           learn to write like a text
  elman evaluate runs/sunspots                errors beside those of simple forecasts
  elman predict runs/sunspots --steps 11      what comes next, as CSV
  elman generate runs/book --length 400       what the text model writes
  elman doctor runs/book                      why it learns, or does not, and what to change

Exit codes: 0 done, 1 it failed, 2 the command line (or ELMAN_LEVEL) was wrong.";

#[derive(Subcommand)]
enum Command {
    /// Train a network on a file and write a run folder with a report
    Train(Box<train::Args>),
    /// Score a trained network beside simple baselines
    Evaluate(evaluate::Args),
    /// Forecast the steps after the end of a series, as CSV
    Predict(predict::Args),
    /// Write text with a trained character model
    Generate(generate::Args),
    /// Look at a network's gradients: why it learns, or does not, and what to change
    Doctor(doctor::Args),
    /// Draw the unrolled network over one row of data, with what it really computed
    Unroll(unroll::Args),
    /// The lesson's worked examples and practice problems, computed by the engine
    Lesson(lesson::Args),
    /// Say what a run or a model file holds
    Info(info::Args),
    /// Turn a model into ONNX, PyTorch's safetensors or NumPy, and PyTorch's into a model
    Convert(convert::Args),
    /// Run an ONNX model on NumPy files
    Onnx(onnx::Args),
    /// Compare analytic gradients with central differences
    Gradcheck(gradcheck::Args),
    /// Measure how fast the engine is on this machine
    Bench(bench::Args),
}

fn main() -> ExitCode {
    let command = Cli::parse().command;
    if let Err(error) = elman::core::Level::from_environment() {
        return output::failed(&output::Usage(error.to_string()).into());
    }
    let result = match command {
        Command::Train(args) => train::run(*args),
        Command::Evaluate(args) => evaluate::run(args),
        Command::Predict(args) => predict::run(args),
        Command::Generate(args) => generate::run(args),
        Command::Doctor(args) => doctor::run(args),
        Command::Unroll(args) => unroll::run(args),
        Command::Lesson(args) => lesson::run(args),
        Command::Info(args) => info::run(args),
        Command::Convert(args) => convert::run(args),
        Command::Onnx(args) => onnx::run(args),
        Command::Gradcheck(args) => gradcheck::run(args),
        Command::Bench(args) => bench::run(args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => output::failed(&error),
    }
}
