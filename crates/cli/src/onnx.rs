//! `elman onnx`.

use crate::output::{self, Usage};
use anyhow::{Context, Result, bail};
use clap::Subcommand;
use elman::io::onnx::{Graph, Port, Run};
use elman::io::{Tensor, read_npy, write_npy};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Run an ONNX model with recurrent layers, without any other runtime.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  elman onnx info model.onnx                                    what it reads and writes
  elman onnx run model.onnx --input X=x.npy --output-dir out    writes out/Y.npy and so on";

#[derive(Subcommand)]
enum Command {
    /// Say what a model reads and writes
    Info(Info),
    /// Compute a model's outputs from NumPy files, and write them as NumPy files under their names
    Run(Inputs),
}

#[derive(clap::Args)]
struct Info {
    /// The model
    model: PathBuf,
    /// One machine-readable document on standard output
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
struct Inputs {
    /// The model
    model: PathBuf,
    /// An input's name and the .npy file that holds it; once for each input
    #[arg(long = "input", value_name = "NAME=FILE.npy")]
    inputs: Vec<String>,
    /// Where the outputs go: NAME.npy, signs that are not for file names turned into _
    #[arg(long, value_name = "DIR")]
    output_dir: PathBuf,
    /// Compute with 64-bit floats where the model has 32-bit ones
    #[arg(long)]
    wide: bool,
    /// GB that all values together may take
    #[arg(long, value_name = "GB", default_value_t = 4.0)]
    memory: f64,
    /// One machine-readable document on standard output
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Ports {
    inputs: Vec<String>,
    outputs: Vec<String>,
}

#[derive(Serialize)]
struct Written {
    output: String,
    file: PathBuf,
    shape: Vec<usize>,
    kind: &'static str,
}

pub fn run(args: Args) -> Result<()> {
    match args.command {
        Command::Info(args) => info(args),
        Command::Run(args) => compute(args),
    }
}

fn info(args: Info) -> Result<()> {
    let graph = Graph::read(&args.model)?;
    let ports = Ports {
        inputs: graph.inputs().map(Port::to_string).collect(),
        outputs: graph.outputs().map(Port::to_string).collect(),
    };
    if args.json {
        return output::json(&ports);
    }
    let lines = |title: &str, ports: &[String]| format!("{title}\n  {}\n", ports.join("\n  "));
    output::print(&(lines("reads", &ports.inputs) + &lines("writes", &ports.outputs)))
}

fn compute(args: Inputs) -> Result<()> {
    let graph = Graph::read(&args.model)?;
    let mut inputs: Vec<(&str, Tensor)> = Vec::new();
    for given in &args.inputs {
        let (name, file) = given.rsplit_once('=').ok_or_else(|| {
            Usage(format!(
                "--input {given:?} is not of the form NAME=FILE.npy"
            ))
        })?;
        inputs.push((name, read_npy(Path::new(file))?));
    }
    let inputs: Vec<(&str, &Tensor)> = inputs.iter().map(|(n, t)| (*n, t)).collect();
    let limit = (args.memory.max(0.0) * 1e9) as usize;
    let outputs = graph.run(
        &inputs,
        Run {
            wide: args.wide,
            limit,
        },
    )?;
    let folder = &args.output_dir;
    std::fs::create_dir_all(folder)
        .with_context(|| format!("{} cannot be made", folder.display()))?;
    let mut written: Vec<Written> = Vec::new();
    for (port, tensor) in graph.outputs().zip(outputs) {
        let file = folder.join(file_name(&port.name));
        if let Some(other) = written.iter().find(|w| w.file == file) {
            bail!(
                "the outputs {:?} and {:?} would both be {}",
                other.output,
                port.name,
                file.display()
            );
        }
        write_npy(&file, &tensor)?;
        written.push(Written {
            output: port.name.clone(),
            file,
            kind: tensor.numbers.kind(),
            shape: tensor.shape,
        });
    }
    if args.json {
        return output::json(&written);
    }
    let line = |w: &Written| format!("{}  {} {:?}\n", w.file.display(), w.kind, w.shape);
    output::print(&written.iter().map(line).collect::<String>())
}

/// A model may call its outputs anything: nothing of a name may lead out of the folder.
fn file_name(output: &str) -> String {
    let plain = |c: char| {
        if c.is_alphanumeric() || "._-".contains(c) {
            c
        } else {
            '_'
        }
    };
    let name: String = output.chars().map(plain).collect();
    format!("{}.npy", name.trim_start_matches('.'))
}
