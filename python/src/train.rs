//! `train`: a session of training, watched by a Python object.

use crate::{errors, serial, threads};
use elman::pages;
use elman::train::{Config, Epoch, Evaluation, Event, Options, Outcome, Run, Session};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use serde::Serialize;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Between two looks at Python's signals, and two reports of progress.
const PAUSE: Duration = Duration::from_millis(50);

/// What a run leaves beside its folder.
#[derive(Serialize)]
struct Done<'a> {
    path: String,
    outcome: &'static str,
    config: &'a Config,
    parameters: usize,
    epochs: &'a [Epoch],
    best_epoch: usize,
    seconds: f64,
    evaluation: &'a Evaluation,
}

/// Trains to the end of a new run, or of one to go on with. `watch` has `begin(epochs, done)`, `step(epoch, done, of,
/// loss)`, `epoch(dict)`, which says whether to stop, and `warning(text)`; what it raises ends the run, which is saved
/// first.
#[pyfunction]
#[pyo3(signature = (options, out, resume, threads, watch))]
pub fn train<'py>(
    py: Python<'py>,
    options: &str,
    out: Option<PathBuf>,
    resume: Option<PathBuf>,
    threads: Option<usize>,
    watch: Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let begun = Instant::now();
    let options: Options = serde_json::from_str(options)
        .map_err(|e| PyValueError::new_err(without_place(&e.to_string())))?;
    let threads = threads.unwrap_or_else(threads::cores).clamp(1, 256);
    let mut session = py
        .detach(|| start(options, out, resume, threads))
        .map_err(errors::training)?;
    let done = session.progress.epochs.len();
    watch.call_method1("begin", (session.config.epochs, done))?;
    let mut watcher = Watcher {
        watch: watch.unbind(),
        looked: Instant::now(),
        raised: None,
    };
    let outcome = py.detach(|| session.train(&mut |event| watcher.saw(&event)));
    if let Some(raised) = watcher.raised {
        let saved = "what was learned is saved: go on with";
        let note = format!("{saved} elman.train(resume={:?})", session.run.path());
        // Python 3.10 has no notes.
        let _ = raised.value(py).call_method1("add_note", (note,));
        return Err(raised);
    }
    let outcome = outcome.map_err(errors::training)?;
    let (evaluation, seconds) = py
        .detach(|| finish(&session, begun))
        .map_err(errors::training)?;
    let done = Done {
        path: session.run.path().display().to_string(),
        outcome: word(outcome),
        config: &session.config,
        parameters: session.progress.params.data().len(),
        epochs: &session.progress.epochs,
        best_epoch: session.progress.best_epoch,
        seconds,
        evaluation: &evaluation,
    };
    serial::object(py, &done)
}

fn start(
    options: Options,
    out: Option<PathBuf>,
    resume: Option<PathBuf>,
    threads: usize,
) -> Result<Session, elman::train::Error> {
    match resume {
        Some(run) => Session::resume(Run::open(&run)?, options, threads),
        None => {
            let folder = |config: &Config| out.unwrap_or_else(|| Run::next_folder(&name(config)));
            Session::start(options, folder, threads)
        }
    }
}

/// A run is called after its data.
fn name(config: &Config) -> String {
    let file = config.data.as_deref().map(Path::new);
    let stem = file.and_then(Path::file_stem);
    stem.map_or("sunspots".into(), |s| s.to_string_lossy().into_owned())
}

/// Scores the best weights and writes the page.
fn finish(session: &Session, begun: Instant) -> Result<(Evaluation, f64), elman::train::Error> {
    let evaluation = session.evaluate()?;
    let seconds = begun.elapsed().as_secs_f64();
    let (rows, longest) = session.data.source_rows();
    let facts = [
        ("Training rows", format!("{rows} of up to {longest} steps")),
        (
            "Optimiser's steps",
            session.progress.optimiser.steps().to_string(),
        ),
        ("Time of this sitting", format!("{seconds:.1} s")),
        (
            "Program",
            format!("elman {} from Python", env!("CARGO_PKG_VERSION")),
        ),
    ];
    let page = pages::training(&pages::Run {
        folder: &session.run.path().display().to_string(),
        config: &session.config,
        parameters: session.progress.params.data().len(),
        epochs: &session.progress.epochs,
        best_epoch: session.progress.best_epoch,
        evaluation: &evaluation,
        facts: facts.map(|(n, v)| (n.to_string(), v)).to_vec(),
    });
    session.run.write_report(&page)?;
    Ok((evaluation, seconds))
}

/// The observer of a session, on its way to Python.
struct Watcher {
    watch: Py<PyAny>,
    looked: Instant,
    raised: Option<PyErr>,
}

impl Watcher {
    fn saw(&mut self, event: &Event<'_>) -> ControlFlow<()> {
        let step = matches!(event, Event::Step { .. });
        if step && self.looked.elapsed() < PAUSE {
            return ControlFlow::Continue(());
        }
        self.looked = Instant::now();
        match Python::attach(|py| self.tell(py, event)) {
            Ok(false) => ControlFlow::Continue(()),
            Ok(true) => ControlFlow::Break(()),
            Err(raised) => {
                self.raised = Some(raised);
                ControlFlow::Break(())
            }
        }
    }

    /// Whether training should stop.
    fn tell(&self, py: Python<'_>, event: &Event<'_>) -> PyResult<bool> {
        py.check_signals()?;
        let watch = self.watch.bind(py);
        match event {
            Event::Step {
                epoch,
                done,
                of,
                loss,
                ..
            } => {
                watch.call_method1("step", (epoch, done, of, loss))?;
                Ok(false)
            }
            Event::Epoch(epoch) => watch
                .call_method1("epoch", (serial::object(py, epoch)?,))?
                .is_truthy(),
            Event::Warning(text) => {
                watch.call_method1("warning", (text,))?;
                Ok(false)
            }
        }
    }
}

fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Finished => "finished",
        Outcome::StoppedEarly => "stopped-early",
        Outcome::OutOfTime => "out-of-time",
        Outcome::Interrupted => "interrupted",
    }
}

/// What serde says of an option, without the place in a text that no user wrote.
fn without_place(text: &str) -> String {
    text.split(" at line ").next().unwrap_or(text).to_string()
}
