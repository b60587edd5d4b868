//! `elman train`.

use crate::output;
use crate::progress::{Progress, time};
use anyhow::{Context, Result};
use elman::io::EventFile;
use elman::pages;
use elman::train::{Config, Epoch, Evaluation, Event, Options, Outcome, Run, Session};
use serde::Serialize;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Train a network on a file and write a run folder with a report.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(flatten)]
    options: Options,
    /// Options from a TOML file, whose keys are the flags' names with underscores; flags win
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The run folder to make [default: runs/NAME]
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Go on with a run that was stopped
    #[arg(long, value_name = "RUN", conflicts_with_all = ["config", "out"])]
    resume: Option<PathBuf>,
    /// Threads; the result does not depend on them [default: one for each core]
    #[arg(long)]
    threads: Option<usize>,
    /// Write TensorBoard's event files into the run folder: losses, learning rate, norm of the gradient
    #[arg(long)]
    tensorboard: bool,
    /// No progress
    #[arg(long, short)]
    quiet: bool,
    /// One machine-readable document on standard output
    #[arg(long)]
    json: bool,
}

const EXAMPLES: &str = "\
Examples:
  elman train                                         the yearly sunspot numbers
  elman train load.csv --target MW --features temperature
  elman train load.csv --target MW --cell gru --hidden 32 --sequence 168
  elman train book.txt --hidden 512 --minutes 10
  elman train --config runs/book/config.toml --seed 2
  elman train --resume runs/book                      after Ctrl-C, to the same bits";

#[derive(Serialize)]
struct Document<'a> {
    run: String,
    outcome: &'static str,
    parameters: usize,
    epochs: usize,
    best_epoch: usize,
    best_validation_loss: Option<f64>,
    seconds: f64,
    /// The most memory that the process had, where the system says it.
    peak_memory_bytes: Option<u64>,
    evaluation: &'a Evaluation,
}

pub fn run(args: Args) -> Result<()> {
    let begun = Instant::now();
    let threads = args.threads.unwrap_or_else(cores).clamp(1, 256);
    let mut session = match &args.resume {
        Some(run) => Session::resume(Run::open(run)?, args.options.clone(), threads)?,
        None => start(&args, threads)?,
    };
    let quiet = args.quiet;
    let stop = interrupted()?;
    if !quiet {
        output::say(&introduction(&session));
    }
    let done = session.progress.epochs.len();
    let mut progress = Progress::new(session.config.epochs, done, quiet);
    let mut events = match args.tensorboard {
        true => Some(EventFile::create(session.run.path())?),
        false => None,
    };
    let mut unwritten = None;
    let outcome = session.train(&mut |event| {
        progress.saw(&event);
        if let (Event::Epoch(epoch), Some(file)) = (&event, &mut events)
            && let Err(error) = file.scalars(epoch.epoch as u64, &scalars(epoch))
        {
            // Training is worth more than its charts: it goes on without them.
            (unwritten, events) = (Some(error), None);
        }
        match stop.load(Ordering::Relaxed) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    });
    progress.end();
    if let Some(error) = unwritten {
        output::say(&format!(
            "{error}; the later epochs are not in TensorBoard's file"
        ));
    }
    let folder = session.run.path().display().to_string();
    let outcome = outcome.with_context(|| format!("{folder} keeps what was learned before"))?;
    let evaluation = session.evaluate()?;
    let took = begun.elapsed().as_secs_f64();
    session
        .run
        .write_report(&page(&session, &evaluation, took))?;
    if args.json {
        return output::json(&Document {
            run: folder,
            outcome: word(outcome),
            parameters: session.progress.params.data().len(),
            epochs: session.progress.epochs.len(),
            best_epoch: session.progress.best_epoch,
            best_validation_loss: Some(session.progress.best_loss).filter(|l| l.is_finite()),
            seconds: took,
            peak_memory_bytes: peak_memory(),
            evaluation: &evaluation,
        });
    }
    output::print(&crate::evaluate::summary(&evaluation))?;
    let report = session.run.report().display().to_string();
    let memory = peak_memory().map_or(String::new(), |bytes| {
        format!(" and at most {:.0} MB of memory", bytes as f64 / 1e6)
    });
    let mut text = format!(
        "\n{} after {}{memory}; the report is {report}\n",
        sentence(outcome),
        time(took)
    );
    if matches!(outcome, Outcome::Interrupted | Outcome::OutOfTime) {
        text.push_str(&format!("to go on: elman train --resume {folder}\n"));
    }
    output::print(&text)
}

/// What TensorBoard shows of an epoch.
fn scalars(epoch: &Epoch) -> Vec<(&'static str, f64)> {
    let mut all = vec![
        ("loss/train", epoch.train_loss),
        ("learning_rate", epoch.learning_rate),
        ("gradient_norm", epoch.gradient_norm),
    ];
    all.extend(epoch.validation_loss.map(|loss| ("loss/validation", loss)));
    all
}

fn start(args: &Args, threads: usize) -> Result<Session> {
    let from_file = match &args.config {
        None => Options::default(),
        Some(file) => {
            let name = file.display().to_string();
            let text = std::fs::read_to_string(file)
                .map_err(|e| output::Usage(format!("{name}: cannot be read: {e}")))?;
            Options::from_toml(&name, &text)?
        }
    };
    let options = args.options.clone().or(from_file);
    let folder = |config: &Config| {
        args.out
            .clone()
            .unwrap_or_else(|| Run::next_folder(&name(config)))
    };
    Ok(Session::start(options, folder, threads)?)
}

/// A run is called after its data.
fn name(config: &Config) -> String {
    let file = config.data.as_deref().map(Path::new);
    let stem = file
        .and_then(Path::file_stem)
        .map(|s| s.to_string_lossy().into_owned());
    stem.unwrap_or_else(|| "sunspots".into())
}

/// The most memory that this process has had, in bytes; `None` on systems that do not tell it in `/proc`.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(1024 * kilobytes)
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, |n| n.get())
}

/// Set by Ctrl-C (or a request to end): training finishes its step, saves, and says how to go on.
fn interrupted() -> Result<Arc<AtomicBool>> {
    let stop = Arc::new(AtomicBool::new(false));
    let seen = stop.clone();
    ctrlc::set_handler(move || {
        if seen.swap(true, Ordering::Relaxed) {
            // Asked twice: what was saved last stays.
            std::process::exit(130);
        }
    })
    .context("Ctrl-C cannot be watched")?;
    Ok(stop)
}

fn introduction(session: &Session) -> String {
    let c = &session.config;
    let data = c.data.as_deref().unwrap_or("the yearly sunspot numbers");
    let layers = if c.layers > 1 {
        format!("{} layers of ", c.layers)
    } else {
        String::new()
    };
    let again = match session.progress.epochs.len() {
        0 => String::new(),
        n => format!(", going on after epoch {n}"),
    };
    format!(
        "learning {} from {data}: {} network, {layers}{} units, {} parameters{again}",
        subject(c),
        c.cell,
        c.hidden,
        session.progress.params.data().len()
    )
}

/// What is learned, in words.
fn subject(config: &Config) -> String {
    match (config.task.as_str(), &config.target, &config.label) {
        ("text", ..) => "the next character".into(),
        ("classify", _, Some(label)) => format!("the class {label} of sequences"),
        ("classify", ..) => "the class of sequences".into(),
        ("regress", ..) => "a number for each sequence".into(),
        ("label", ..) => "a label for every step".into(),
        ("caption", ..) => "what to say about vectors".into(),
        ("seq2seq", ..) => "sequences from sequences".into(),
        (_, Some(target), _) => target.clone(),
        (task, ..) => task.into(),
    }
}

fn page(session: &Session, evaluation: &Evaluation, seconds: f64) -> String {
    let (rows, steps) = (
        session.data.source_rows(),
        session.progress.optimiser.steps(),
    );
    let facts = [
        (
            "Training rows",
            format!("{} of up to {} steps", rows.0, rows.1),
        ),
        ("Optimiser's steps", steps.to_string()),
        ("Time of this sitting", time(seconds)),
        ("Program", format!("elman {}", env!("CARGO_PKG_VERSION"))),
    ];
    let padding = session.data.padding(&session.config);
    let padding = padding.map(|share| {
        let name = "Padding that batches by length would need".to_string();
        (
            name,
            format!("{:.1} % of the steps; none is computed", 100.0 * share),
        )
    });
    pages::training(&pages::Run {
        folder: &session.run.path().display().to_string(),
        config: &session.config,
        parameters: session.progress.params.data().len(),
        epochs: &session.progress.epochs,
        best_epoch: session.progress.best_epoch,
        evaluation,
        facts: facts
            .map(|(n, v)| (n.to_string(), v))
            .into_iter()
            .chain(padding)
            .collect(),
    })
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Finished => "finished",
        Outcome::StoppedEarly => "stopped-early",
        Outcome::OutOfTime => "out-of-time",
        Outcome::Interrupted => "interrupted",
    }
}

fn sentence(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Finished => "finished",
        Outcome::StoppedEarly => "stopped early (the validation loss no longer fell)",
        Outcome::OutOfTime => "stopped (the minutes are over)",
        Outcome::Interrupted => "stopped on request",
    }
}
