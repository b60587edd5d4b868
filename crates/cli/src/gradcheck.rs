//! `elman gradcheck`: analytic gradients against central differences.

use crate::output;
use anyhow::Result;
use elman::core::*;
use serde::Serialize;

/// The largest relative error that passes.
const PASS: f64 = 1e-7;

/// Compares every gradient of random small networks with central differences, in f64.
#[derive(clap::Args)]
pub struct Args {
    /// Only this cell; all where there is none
    #[arg(long)]
    cell: Option<String>,
    /// Units of each layer
    #[arg(long, default_value_t = 6)]
    hidden: usize,
    /// Layers
    #[arg(long, default_value_t = 2)]
    layers: usize,
    /// Steps of the longest row
    #[arg(long, default_value_t = 7)]
    steps: usize,
    /// Seed of weights and data
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// One machine-readable document on standard output
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Found {
    cell: &'static str,
    with: &'static str,
    gradient: String,
    numbers: usize,
    relative_error: f64,
}

pub fn run(args: Args) -> Result<()> {
    let kinds: Vec<CellKind> = match &args.cell {
        None => CellKind::ALL.to_vec(),
        Some(name) => {
            let all = CellKind::ALL.iter().map(|k| k.name()).collect::<Vec<_>>();
            let message = format!("there is no cell {name:?}; there are {}", all.join(", "));
            vec![CellKind::by_name(name).ok_or(output::Usage(message))?]
        }
    };
    let units = args.hidden.saturating_mul(args.layers);
    if !(1..=64).contains(&units) || !(1..=50).contains(&args.steps) {
        let message = "gradcheck varies every number: keep --hidden times --layers from 1 to 64 and --steps from 1 to 50";
        return Err(output::Usage(message.into()).into());
    }
    let mut found = Vec::new();
    for kind in kinds {
        for with in VARIANTS {
            if with == "leak for all" && !kind.has_leak() {
                continue;
            }
            for check in check(kind, with, &args)? {
                found.push(Found {
                    cell: kind.name(),
                    with,
                    gradient: check.name,
                    numbers: check.numbers,
                    relative_error: check.relative_error,
                });
            }
        }
    }
    let worst = found.iter().map(|f| f.relative_error).fold(0.0, f64::max);
    if args.json {
        output::json(&found)?;
    } else {
        let head = ["cell", "with", "gradient of", "numbers", "relative error"];
        let mut rows = vec![head.map(String::from).to_vec()];
        rows.extend(found.iter().map(|f| {
            let error = format!("{:.1e}", f.relative_error);
            vec![
                f.cell.into(),
                f.with.into(),
                f.gradient.clone(),
                f.numbers.to_string(),
                error,
            ]
        }));
        output::print(&output::table(&rows))?;
        output::print(&format!(
            "largest relative error {worst:.1e}; up to {PASS:.0e} passes\n"
        ))?;
    }
    anyhow::ensure!(
        worst <= PASS,
        "a gradient is wrong: relative error {worst:.1e}"
    );
    Ok(())
}

/// What a network may have besides its cell.
const VARIANTS: [&str; 7] = [
    "",
    "both directions",
    "layer norm",
    "dropout",
    "variational",
    "zoneout",
    "leak for all",
];

fn check(cell: CellKind, with: &str, args: &Args) -> Result<Vec<GradientCheck>> {
    let network = Network {
        layers: args.layers,
        bidirectional: with == "both directions",
        layer_norm: with == "layer norm",
        zoneout: if with == "zoneout" { 0.2 } else { 0.0 },
        leak: Leak {
            shared: with == "leak for all",
            fixed: false,
        },
        ..Network::new(cell, Input::Features(2), args.hidden, 2)
    };
    let init = Init {
        recurrent: Recurrent::Uniform,
        ..Init::default()
    };
    let params = init.params::<f64>(&network, args.seed)?;
    // Three rows of unequal length; smooth numbers do as data.
    let lengths = [args.steps, args.steps.div_ceil(2), 1];
    let wave = |i: usize| ((i as f64 + args.seed as f64) * 0.7).sin();
    let x: Vec<f64> = (0..args.steps * 6).map(wave).collect();
    let batch = Batch::features(&x, [args.steps, 3, 2], Some(&lengths))?;
    let dropout = match with {
        "dropout" => Dropout {
            between: 0.3,
            ..Dropout::default()
        },
        "variational" => Dropout {
            input: 0.3,
            // A cell without a recurrent product reads h nowhere that it could be dropped.
            state: match cell.sizes().from_h {
                [] => 0.0,
                _ => 0.3,
            },
            ..Dropout::default()
        },
        _ => Dropout::default(),
    };
    let draw = Draw {
        seed: args.seed,
        epoch: 1,
        batch: 0,
        step: 0,
    };
    let batch = batch.with_noise(&network, dropout, draw)?;
    let mut state = State::zeros(&network, 3);
    let values = state.data_mut().iter_mut().enumerate();
    values.for_each(|(i, s)| *s = 0.3 * wave(i + 5));
    let loss = |y: &[f64]| {
        let d: Vec<f64> = y.iter().enumerate().map(|(i, y)| y - wave(i + 9)).collect();
        (d.iter().map(|d| 0.5 * d * d).sum(), d)
    };
    Ok(check_gradient(&network, &params, &batch, &state, loss)?)
}
