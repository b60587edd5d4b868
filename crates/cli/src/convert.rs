//! `elman convert`.

use crate::output::{self, Usage};
use anyhow::{Context, Result, bail};
use elman::core::CellKind;
use elman::io::{
    ImportOptions, Model, Stored, export_state_dict, import_state_dict, read_file, write_bytes,
    write_npy,
};
use elman::train::{Run, to_onnx};
use std::path::{Path, PathBuf};

/// Turn a model into another kind of file.
///
/// From a run folder, elman's model.safetensors or PyTorch's state_dict as safetensors; to what the ending of --to says.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// A run folder, elman's model.safetensors, or a state_dict of PyTorch as .safetensors
    from: PathBuf,
    /// The file to write: .onnx, .safetensors or .npy
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// What stands before PyTorch's names of the recurrent layer, as rnn.
    #[arg(long)]
    prefix: Option<String>,
    /// PyTorch's name of the linear layer that reads the hidden states, as fc; none for none
    #[arg(long)]
    readout: Option<String>,
    /// The cell, where PyTorch's weights do not tell it: elman for tanh, elman-relu for ReLU
    #[arg(long)]
    cell: Option<String>,
    /// The network reads one of as many symbols as it has inputs, rather than numbers
    #[arg(long)]
    symbols: bool,
    /// Leave tensors behind that belong neither to the recurrent layer nor to its readout
    #[arg(long)]
    ignore_others: bool,
    /// Which tensor goes into a .npy file
    #[arg(long, value_name = "NAME")]
    tensor: Option<String>,
}

const EXAMPLES: &str = "\
Examples:
  elman convert runs/sunspots --to model.onnx               RNN, LSTM or GRU with readout and scaling
  elman convert runs/sunspots --to torch.safetensors        a state_dict: safetensors.torch.load_file
  elman convert torch.safetensors --to model.safetensors --cell elman --prefix rnn. --readout fc
  elman convert runs/sunspots --tensor weight_hh_l0 --to w.npy

A .pt or .pth file is a Python program's memory and is never opened; in Python:
  safetensors.torch.save_file(model.state_dict(), \"model.safetensors\")";

pub fn run(args: Args) -> Result<()> {
    let ending = |path: &Path| {
        let ending = path.extension().unwrap_or_default();
        ending.to_string_lossy().to_lowercase()
    };
    if matches!(
        ending(&args.from).as_str(),
        "pt" | "pth" | "ckpt" | "pkl" | "bin"
    ) {
        bail!(
            "{} is a pickle, which can run any program and is never opened; in Python: \
             safetensors.torch.save_file(model.state_dict(), \"model.safetensors\")",
            args.from.display()
        );
    }
    let to = ending(&args.to);
    if !matches!(to.as_str(), "onnx" | "safetensors" | "npy") {
        let file = args.to.display();
        return Err(Usage(format!(
            "--to {file} must end in .onnx, .safetensors or .npy"
        ))
        .into());
    }
    let (model, is_ours) = model(&args)?;
    let written = match to.as_str() {
        "onnx" => to_onnx(&model)?,
        "npy" => return tensor(&args, &model),
        _ if is_ours => {
            let prefix = args.prefix.as_deref().unwrap_or("");
            let readout = args.readout.as_deref().unwrap_or("readout");
            export_state_dict(&model, prefix, readout)?.to_bytes()?
        }
        _ => model.to_bytes()?,
    };
    write_bytes(&args.to, &written)?;
    output::say(&format!("{} is written", args.to.display()));
    Ok(())
}

/// The model, and whether elman wrote it.
fn model(args: &Args) -> Result<(Model, bool)> {
    if args.from.is_dir() {
        return Ok((Run::load(&args.from)?.0, true));
    }
    let file = args.from.display().to_string();
    let bytes = read_file(&args.from)?;
    let all = match Stored::from_bytes(&file, &bytes)? {
        Stored::Model(model) => return Ok((model, true)),
        Stored::Tensors(all) => all,
    };
    let cell = args.cell.as_deref().map(|name| {
        let known = CellKind::by_name(name);
        known.ok_or_else(|| {
            Usage(format!(
                "--cell {name:?} is not known; see elman train --help"
            ))
        })
    });
    let options = ImportOptions {
        prefix: args.prefix.clone(),
        cell: cell.transpose()?,
        readout: args.readout.clone(),
        ignore_others: args.ignore_others,
        symbols: args.symbols,
    };
    let imported = import_state_dict(&file, &all, &options)?;
    if imported.rounding > 0.0 {
        let change = imported.rounding;
        output::say(&format!(
            "64-bit floats were rounded to 32 bits: by {change:.1e} of a number at most"
        ));
    }
    Ok((imported.model, false))
}

/// One tensor as a `.npy` file.
fn tensor(args: &Args, model: &Model) -> Result<()> {
    let views = model.params.layout().views();
    let names: Vec<&str> = views.iter().map(|v| v.name.as_str()).collect();
    let name = args.tensor.as_deref();
    let name =
        name.ok_or_else(|| Usage(format!("--tensor must say which: {}", names.join(", "))))?;
    let view = views.iter().find(|v| v.name == name);
    let view = view.with_context(|| {
        format!(
            "there is no tensor {name:?}; there are {}",
            names.join(", ")
        )
    })?;
    let numbers = &model.params.data()[view.range()];
    write_npy(&args.to, &elman::io::Tensor::f32(&view.shape, numbers))?;
    output::say(&format!("{} is written", args.to.display()));
    Ok(())
}
