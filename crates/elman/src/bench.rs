//! How fast the engine is on this machine: one workload, many repetitions.

use elman_core::{
    Batch, CellKind, Cotangent, Error, Init, Input, Level, Network, Params, Recurrent,
    SharedStepper, Stepper, Team, Unrolled, fma_peak,
};
use serde::Serialize;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Packing the weights, forward, and backward with the gradients of all weights; the loss is the mean of the
    /// squares of all outputs. No optimiser.
    Train,
    /// Forward of whole sequences.
    Infer,
    /// One row, one step a call, the state carried; several threads share the units of layers that are worth it.
    Stream,
}

/// A workload: a layer without readout, inputs and weights in f32.
#[derive(Clone, Debug, Serialize)]
pub struct Workload {
    /// Name of the cell.
    pub cell: String,
    /// What is timed.
    pub mode: Mode,
    /// F: input features.
    pub input: usize,
    /// H: units.
    pub hidden: usize,
    /// B: rows.
    pub batch: usize,
    /// T: steps; in stream mode, calls in each repetition.
    pub steps: usize,
    /// Threads.
    pub threads: usize,
}

/// What was measured. Times are seconds: of the whole workload, or of one step in stream mode.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    /// The workload.
    pub workload: Workload,
    /// The vector instructions in use.
    pub level: &'static str,
    /// Repetitions after the warm-up.
    pub repetitions: usize,
    /// Half of the repetitions took at most this.
    pub median: f64,
    /// The fastest repetition.
    pub minimum: f64,
    /// From the first to the third quartile.
    pub spread: f64,
    /// 10⁹ floating-point operations a second at the median: 2·B·T·H·(F+H)·gates, three times that for train.
    pub gflops: f64,
    /// Fused multiply-adds that one core makes at most, in the same unit, measured in the same run.
    pub peak: f64,
    /// A sum over the results, so that peers can be compared.
    pub checksum: f64,
}

/// Runs a workload for about `seconds`, at least five times. Errors where a size is 0 or the cell cannot run so.
pub fn measure(workload: &Workload, seconds: f64) -> Result<Measured, Error> {
    let unknown = || Error::Unsupported(format!("there is no cell {:?}", workload.cell));
    let cell = CellKind::by_name(&workload.cell).ok_or_else(unknown)?;
    let network = Network {
        output: None,
        ..Network::new(cell, Input::Features(workload.input), workload.hidden, 1)
    };
    let init = Init {
        recurrent: Recurrent::Uniform,
        ..Init::default()
    };
    let params: Params<f32> = init.params(&network, 1)?;
    let (times, checksum) = match workload.mode {
        Mode::Stream => stream(workload, &network, &params, seconds)?,
        _ => whole(workload, &network, &params, seconds)?,
    };
    let mut times = times;
    times.sort_by(f64::total_cmp);
    let at = |share: f64| times[((times.len() - 1) as f64 * share).round() as usize];
    let sizes = cell.sizes();
    let [from_x, from_h] = [sizes.from_x, sizes.from_h].map(|lanes| lanes.len());
    let each = 2 * workload.hidden * (workload.input * from_x + workload.hidden * from_h);
    let flops = match workload.mode {
        Mode::Stream => each,
        Mode::Infer => each * workload.batch * workload.steps,
        Mode::Train => 3 * each * workload.batch * workload.steps,
    };
    let level = Level::best();
    Ok(Measured {
        workload: workload.clone(),
        level: level.name(),
        repetitions: times.len(),
        median: at(0.5),
        minimum: times[0],
        spread: at(0.75) - at(0.25),
        gflops: flops as f64 / at(0.5) / 1e9,
        peak: fma_peak::<f32>(level, 0.1),
        checksum,
    })
}

/// Numbers that look random and are the same everywhere.
pub fn numbers(n: usize) -> Vec<f32> {
    let mut x = 0x9E37_79B9u32;
    (0..n)
        .map(|_| {
            x ^= x << 13;
            x ^= x >> 17;
            x ^= x << 5;
            f32::from((x >> 16) as u16) / 32_768.0 - 1.0
        })
        .collect()
}

fn repeat(
    seconds: f64,
    mut once: impl FnMut() -> Result<f64, Error>,
) -> Result<(Vec<f64>, f64), Error> {
    // Warm-up: caches, page faults, the clock of the processor.
    let (warm, budget) = (
        Duration::from_secs_f64(seconds * 0.2),
        Duration::from_secs_f64(seconds),
    );
    let begun = Instant::now();
    let mut checksum = once()?;
    while begun.elapsed() < warm {
        checksum = once()?;
    }
    let (mut times, begun) = (Vec::new(), Instant::now());
    while times.len() < 5 || begun.elapsed() < budget {
        let clock = Instant::now();
        black_box(once()?);
        times.push(clock.elapsed().as_secs_f64());
    }
    Ok((times, checksum))
}

fn whole(
    w: &Workload,
    network: &Network,
    params: &Params<f32>,
    seconds: f64,
) -> Result<(Vec<f64>, f64), Error> {
    let x = numbers(w.steps * w.batch * w.input);
    let batch = Batch::features(&x, [w.steps, w.batch, w.input], None)?;
    let team = Arc::new(Team::new(w.threads));
    let mut unrolled = Unrolled::new(network, params)?;
    unrolled.set_team(&team);
    let (mut gradient, mut d_outputs) = (params.zeros_like(), Vec::new());
    repeat(seconds, || {
        if w.mode == Mode::Infer {
            let y = unrolled.forward(&batch)?;
            return Ok(y.iter().map(|&y| f64::from(y)).take(64).sum());
        }
        unrolled.refresh(params)?;
        let y = unrolled.forward(&batch)?;
        let n = y.len();
        let (scale, share) = (2.0 / n as f32, n.div_ceil(team.threads()));
        d_outputs.resize(n, 0.0);
        let shares = d_outputs.chunks_mut(share);
        let mut shares: Vec<_> = shares.zip(y.chunks(share)).collect();
        team.each(&mut shares, |(d, y)| {
            d.iter_mut().zip(*y).for_each(|(d, y)| *d = y * scale);
        });
        gradient.data_mut().fill(0.0);
        let cotangent = Cotangent {
            outputs: &d_outputs,
            state: None,
        };
        unrolled.backward(cotangent, Some(&mut gradient))?;
        Ok(gradient.data().iter().map(|&g| f64::from(g)).take(64).sum())
    })
}

fn stream(
    w: &Workload,
    network: &Network,
    params: &Params<f32>,
    seconds: f64,
) -> Result<(Vec<f64>, f64), Error> {
    let x = numbers(w.input * 64);
    let x = |t: usize| &x[t % 64 * w.input..][..w.input];
    let mut y = vec![0.0; network.output_width()];
    let (mut times, checksum) = if w.threads > 1 {
        let team = Arc::new(Team::new(w.threads));
        let mut stepper = SharedStepper::new(network, params, &team)?;
        repeat(seconds, || {
            stepper.reset();
            (0..w.steps).try_for_each(|t| stepper.step(x(t), &mut y))?;
            Ok(f64::from(y.iter().sum::<f32>()))
        })?
    } else {
        let mut stepper = Stepper::new(network, params)?;
        repeat(seconds, || {
            stepper.reset();
            (0..w.steps).try_for_each(|t| stepper.step(x(t), &mut y))?;
            Ok(f64::from(y.iter().sum::<f32>()))
        })?
    };
    times.iter_mut().for_each(|t| *t /= w.steps as f64);
    Ok((times, checksum))
}
