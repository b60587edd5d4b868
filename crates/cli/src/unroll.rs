//! `elman unroll`.

use crate::output;
use anyhow::Result;
use elman::flow::{Scope, unroll};
use elman::report::{Unrolled, UnrolledStep, unroll_svg};
use elman::train::{Trained, Use};
use std::path::PathBuf;

/// Draw the unrolled network over one row of data, with what it really computed.
#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  elman unroll runs/sunspots                          in the terminal\n  elman unroll runs/sunspots --row new.csv --svg unrolled.svg"
)]
pub struct Args {
    /// The run folder
    run: PathBuf,
    /// A file whose first row (series, text or sequence) is drawn [default: what it was trained on]
    #[arg(long, value_name = "FILE")]
    row: Option<String>,
    /// Steps to draw, at most, up to one that has a loss
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
    steps: u32,
    /// Write the drawing as SVG
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// One machine-readable document on standard output
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args) -> Result<()> {
    let trained = Trained::load(&args.run)?;
    let probe = trained.probe(args.row.as_deref(), 1, args.steps as usize)?;
    let (network, params) = (&trained.network, &trained.params);
    let scope = Scope::new(
        network,
        params,
        &probe.batch,
        &probe.state,
        &probe.d_outputs,
    )?;
    let mut unrolled = unroll(&scope, 0)?;
    let first = probe.looked.first().map_or(0, |l| l.from);
    let names = |symbol: Option<u32>| match (&trained.used, symbol) {
        (Use::Text(model), Some(code)) => model.vocabulary().char(code).to_string(),
        _ => String::new(),
    };
    let drawing = Unrolled {
        title: format!("{}, unrolled", args.run.display()),
        subtitle: format!(
            "{} network of {} units; the gradient is that of the mean loss over {}",
            network.cell.name(),
            network.hidden,
            probe.about
        ),
        steps: unrolled
            .steps
            .iter()
            .map(|s| UnrolledStep {
                t: (first + s.t) as u64 + 1,
                x: s.x.clone(),
                x_name: names(s.symbol),
                h: top(&scope, s.t),
                h_norm: s.layers.last().map_or(0.0, |l| l.norm),
                slope: s.layers.last().map_or(f64::NAN, |l| l.mean_slope),
                y: s.y.iter().take(4).copied().collect(),
                y_name: String::new(),
                gradient: s.ln_gradient.exp(),
            })
            .collect(),
        ..Unrolled::default()
    };
    if let Some(file) = &args.svg {
        elman::io::write_bytes(file, unroll_svg(&drawing).as_bytes())?;
    }
    // In JSON as in the drawing, steps are those of the row.
    unrolled.steps.iter_mut().for_each(|s| s.t += first);
    match args.json {
        true => output::json(&unrolled),
        false => output::print(&text(&drawing)),
    }
}

/// The first units of the last layer's h after step `t`.
fn top(scope: &Scope, t: usize) -> Vec<f64> {
    let network = scope.network();
    let state = scope.state(t + 1, 0);
    let last = &state[(network.layers - 1) * network.state_width()..];
    last[..network.hidden.min(UNITS)].to_vec()
}

/// Units whose state is drawn.
const UNITS: usize = 12;

/// One line a step, long rows folded; bars for the state's length and for the gradient that arrives, on a logarithmic
/// scale of its own.
fn text(drawing: &Unrolled) -> String {
    let steps = &drawing.steps;
    let largest = |of: fn(&UnrolledStep) -> f64| steps.iter().map(of).fold(0.0, f64::max);
    let (h_most, g_most) = (largest(|s| s.h_norm), largest(|s| s.gradient));
    let mut rows = vec![
        ["t", "x_t", "‖h_t‖", "", "mean φ′", "‖∂L/∂h_t‖", ""]
            .map(String::from)
            .to_vec(),
    ];
    let shown = 2 * FOLDED + 1;
    for (i, s) in steps.iter().enumerate() {
        let folded = steps.len() > shown && (FOLDED..steps.len() - FOLDED).contains(&i);
        if folded {
            if i == FOLDED {
                let n = steps.len() - 2 * FOLDED;
                let more = format!("{n} more");
                rows.push(vec!["⋮".into(), String::new(), String::new(), more]);
            }
            continue;
        }
        let x = match s.x_name.is_empty() {
            true => s.x.first().map_or(String::new(), |x| format!("{x:.3}")),
            false => format!("{:?}", s.x_name),
        };
        let decades = 1.0 + (s.gradient / g_most).log10() / 6.0;
        rows.push(vec![
            s.t.to_string(),
            x,
            format!("{:.3}", s.h_norm),
            bar(s.h_norm / h_most),
            format!("{:.3}", s.slope),
            format!("{:.2e}", s.gradient),
            bar(decades),
        ]);
    }
    let (title, subtitle) = (&drawing.title, &drawing.subtitle);
    format!(
        "{title}\n{subtitle}\nh_t = cell(W_hh h_t-1 + W_xh x_t + b), the same weights at every step; read upwards for the \
         gradient\n\n{}",
        output::table(&rows)
    )
}

/// Steps at each end that are shown of a long row.
const FOLDED: usize = 12;
/// Characters of a bar.
const WIDTH: f64 = 16.0;

fn bar(share: f64) -> String {
    let n = (share.clamp(0.0, 1.0) * WIDTH).round() as usize;
    format!("{:<16}", "█".repeat(n))
}
