//! elman itself, asked like the others. Mode `peak` leaves in NAME.y the GFLOP/s of fused multiply-adds of one core.

use anyhow::{Result, ensure};
use elman_core::{
    Batch, CellKind, Cotangent, Deltas, Input, Level, Network, Params, SharedStepper, State, Stepper, Team, Trace,
    Weights, backward, fma_peak, forward,
};
use peers::{Once, Work, serve};
use std::sync::Arc;

const NAMES: [(&str, &str); 4] = [
    ("w_ih", "weight_ih_l0"),
    ("w_hh", "weight_hh_l0"),
    ("b_ih", "bias_ih_l0"),
    ("b_hh", "bias_hh_l0"),
];

/// The steps of a stepper of either kind.
macro_rules! steps {
    ($stepper:expr, $work:ident) => {{
        let mut stepper = $stepper;
        let (x, f) = ($work.read("x")?, $work.input);
        let mut y = vec![0.0; $work.hidden];
        let mut all = Vec::new();
        for x in x.chunks_exact(f) {
            stepper.step(x, &mut y)?;
            all.extend_from_slice(&y);
        }
        $work.write("y", &all)?;
        Ok(Box::new(move || {
            stepper.reset();
            for x in x.chunks_exact(f) {
                stepper.step(x, &mut y)?;
            }
            Ok(x.len() / f)
        }))
    }};
}

fn stream(work: &Work, network: &Network, params: &Params<f32>) -> Result<Once> {
    match work.threads {
        1 => steps!(Stepper::new(network, params)?, work),
        n => steps!(SharedStepper::new(network, params, &Arc::new(Team::new(n)))?, work),
    }
}

fn load(work: &Work) -> Result<Once> {
    if work.mode == "peak" {
        work.write("y", &[fma_peak::<f32>(Level::best(), 0.2) as f32])?;
        return Ok(Box::new(|| Ok(1)));
    }
    let cell = CellKind::by_name(&work.cell);
    ensure!(cell.is_some(), "there is no cell {}", work.cell);
    let network = Network {
        output: None,
        ..Network::new(
            cell.unwrap_or(CellKind::Elman),
            Input::Features(work.input),
            work.hidden,
            1,
        )
    };
    let mut params = Params::<f32>::zeros(&network)?;
    for (file, name) in NAMES {
        params.set(name, &work.read(file)?)?;
    }
    if work.mode == "stream" {
        return stream(work, &network, &params);
    }
    let train = work.mode == "train";
    let batch = Batch::features(&work.read("x")?, [work.steps, work.batch, work.input], None)?;
    let state = State::zeros(&network, work.batch);
    let team = Team::new(work.threads);
    let mut weights = Weights::new(&network, &params)?;
    let (mut trace, mut deltas) = (Trace::new(), Deltas::new());
    let (mut gradient, mut d_outputs) = (params.zeros_like(), Vec::new());
    let mut once = move |report: Option<&Work>| -> Result<usize> {
        // As in training, where the weights have changed since the last time.
        if train {
            weights.refresh(&params)?;
        }
        forward(&weights, &batch, &state, &mut trace, &team)?;
        if train {
            let n = trace.outputs().len();
            let (scale, share) = (2.0 / n as f32, n.div_ceil(team.threads()));
            d_outputs.resize(n, 0.0);
            let mut shares: Vec<_> = d_outputs.chunks_mut(share).zip(trace.outputs().chunks(share)).collect();
            team.each(&mut shares, |(d, y)| {
                d.iter_mut().zip(*y).for_each(|(d, y)| *d = y * scale)
            });
            gradient.data_mut().fill(0.0);
            let cotangent = Cotangent {
                outputs: &d_outputs,
                state: None,
            };
            backward(
                &weights,
                &trace,
                cotangent,
                &mut deltas,
                Some(&mut gradient),
                &team,
            )?;
        }
        if let Some(work) = report {
            work.write("y", trace.outputs())?;
            for (file, name) in NAMES.into_iter().filter(|_| train) {
                work.write(file, gradient.get(name)?)?;
            }
        }
        Ok(1)
    };
    once(Some(work))?;
    Ok(Box::new(move || once(None)))
}

fn main() -> Result<()> {
    serve(load)
}
