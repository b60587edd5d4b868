//! Where the time of a step of training goes, with the default network for a text, on one thread:
//!
//!     cargo run --release -p elman-train --example time_of_a_step -- book.txt
//!
//! Steps made by hand are timed part by part; the trainer's own steps are timed whole. The kernels' share is packing,
//! forward and backward of the former against the latter.

use elman_core::{Cotangent, Deltas, Params, State, Team, Trace, Weights, backward, forward};
use elman_train::task::Task;
use elman_train::{Config, Event, Optimiser, Options, Session, clip_norm};
use std::error::Error;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

const STEPS: usize = 300;

fn main() -> Result<(), Box<dyn Error>> {
    let data = std::env::args().nth(1);
    let options = Options {
        data: Some(data.ok_or("give a text: time_of_a_step book.txt")?),
        ..Options::default()
    };
    let folder = tempfile::tempdir()?;
    let mut session = Session::start(options, |_| folder.path().join("run"), 1)?;
    let parts = by_hand(&session)?;
    let whole = by_trainer(&mut session)?;
    let micros = |time: Duration| time.as_secs_f64() * 1e6 / STEPS as f64;
    for (name, time) in &parts {
        println!("{name:12} {:8.0} µs", micros(*time));
    }
    let kernels: Duration = parts[..3].iter().map(|(_, time)| *time).sum();
    let c: &Config = &session.config;
    println!(
        "{:12} {:8.0} µs  of {} {} units, {} rows",
        "the trainer",
        micros(whole),
        c.hidden,
        c.cell,
        c.batch
    );
    println!(
        "in kernels   {:8.1} %",
        100.0 * kernels.as_secs_f64() / whole.as_secs_f64()
    );
    Ok(())
}

fn by_hand(session: &Session) -> Result<Vec<(&'static str, Duration)>, Box<dyn Error>> {
    let (config, network) = (&session.config, &session.network);
    let source = session.data.source();
    let rows: Vec<usize> = (0..source.lengths().len()).collect();
    let (mut params, team) = (session.progress.params.clone(), Team::new(1));
    let mut weights = Weights::new(network, &params)?;
    let (mut trace, mut deltas) = (Trace::new(), Deltas::new());
    let (mut gradient, mut d_outputs): (Params<f32>, Vec<f32>) = (params.zeros_like(), Vec::new());
    let numbers = params.data().len();
    let all = std::iter::once(0..numbers).collect();
    let mut optimiser = Optimiser::new(config.optimiser, 0.9, config.weight_decay, all, numbers);
    let mut state = State::initial(network, &params, rows.len())?;
    let names = [
        "packing",
        "forward",
        "backward",
        "data",
        "loss",
        "clipping",
        "optimiser",
    ];
    let mut spent = [Duration::ZERO; 7];
    let (mut from, length) = (0, source.lengths()[0]);
    for _ in 0..STEPS {
        let window = config.window.steps().unwrap_or(64);
        if from + window > length {
            (from, state) = (0, State::initial(network, &params, rows.len())?);
        }
        let mut clock = Instant::now();
        let mut lap = |part: usize| {
            spent[part] += clock.elapsed();
            clock = Instant::now();
        };
        let piece = source.piece(&rows, from, from + window)?;
        lap(3);
        forward(&weights, &piece.batch, &state, &mut trace, &team)?;
        lap(1);
        d_outputs.resize(trace.outputs().len(), 0.0);
        let (outputs, width) = (trace.outputs(), trace.output_width());
        piece.loss(config.loss, outputs, width, 0, &mut d_outputs)?;
        state = trace.final_state()?;
        gradient.data_mut().fill(0.0);
        lap(4);
        let cotangent = Cotangent {
            outputs: &d_outputs,
            state: None,
        };
        let into = Some(&mut gradient);
        backward(&weights, &trace, cotangent, &mut deltas, into, &team)?;
        lap(2);
        clip_norm(gradient.data_mut(), config.clip);
        lap(5);
        optimiser.step(1e-3, params.data_mut(), gradient.data_mut());
        lap(6);
        weights.refresh(&params)?;
        lap(0);
        from += window;
    }
    Ok(names.into_iter().zip(spent).collect())
}

/// The time of as many steps of the trainer, between the first and the last.
fn by_trainer(session: &mut Session) -> Result<Duration, Box<dyn Error>> {
    let (mut steps, mut first, mut last) = (0, Instant::now(), Instant::now());
    session.train(&mut |event| {
        if let Event::Step { .. } = event {
            last = Instant::now();
            if steps == 0 {
                first = last;
            }
            steps += 1;
        }
        match steps > STEPS {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    })?;
    Ok(last - first)
}
