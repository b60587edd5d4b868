//! `elman info`.

use crate::output;
use anyhow::Result;
use elman::core::Input;
use elman::train::{Config, Run};
use serde::Serialize;
use std::path::PathBuf;

/// Say what a run or a model file holds.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  elman info runs/sunspots\n  elman info runs/sunspots/model.safetensors --json"
)]
pub struct Args {
    /// The run folder, or a model.safetensors
    run: PathBuf,
    /// One machine-readable document on standard output
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Info {
    cell: &'static str,
    equation: &'static str,
    input: String,
    hidden: usize,
    layers: usize,
    output: Option<usize>,
    parameters: usize,
    tensors: Vec<(String, Vec<usize>)>,
    config: Config,
}

pub fn run(args: Args) -> Result<()> {
    let (model, config) = Run::load(&args.run)?;
    let n = &model.network;
    let views = model.params.layout().views().iter();
    let info = Info {
        cell: n.cell.name(),
        equation: n.cell.equation(),
        input: match n.input {
            Input::Features(f) => format!("{f} features"),
            Input::Symbols(s) => format!("one of {s} symbols"),
        },
        hidden: n.hidden,
        layers: n.layers,
        output: n.output,
        parameters: model.params.data().len(),
        tensors: views.map(|v| (v.name.clone(), v.shape.clone())).collect(),
        config,
    };
    if args.json {
        return output::json(&info);
    }
    let mut text = format!(
        "{} network: {}\nreads {}; {} of {} units; {} outputs; {} parameters\n\n",
        info.cell,
        info.equation,
        info.input,
        if info.layers == 1 {
            "1 layer".into()
        } else {
            format!("{} layers", info.layers)
        },
        info.hidden,
        info.output.unwrap_or(info.hidden),
        info.parameters
    );
    for (name, shape) in &info.tensors {
        let shape: Vec<String> = shape.iter().map(usize::to_string).collect();
        text.push_str(&format!("  {name:<24} {}\n", shape.join(" × ")));
    }
    text.push_str(&format!("\n{}", info.config.to_toml()?));
    output::print(&text)
}
