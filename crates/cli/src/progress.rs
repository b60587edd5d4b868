//! What a person sees while a network trains: a bar on a terminal, plain lines elsewhere.

use crate::output;
use elman::train::{Epoch, Event};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Shows training as it goes, on standard error.
pub struct Progress {
    bar: Option<ProgressBar>,
    quiet: bool,
    epochs: usize,
    epoch: usize,
    begun: Instant,
    said: Instant,
    validation: Option<f64>,
}

/// Seconds between plain lines.
const PAUSE: Duration = Duration::from_secs(5);

impl Progress {
    /// For a run of `epochs` epochs, of which `done` are made.
    pub fn new(epochs: usize, done: usize, quiet: bool) -> Progress {
        let bar = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let bar = ProgressBar::new(0);
            let style = "{prefix} {wide_bar:.cyan/dim} {percent:>3} %  {msg}";
            if let Ok(style) = ProgressStyle::with_template(style) {
                bar.set_style(style);
            }
            bar
        });
        let now = Instant::now();
        Progress {
            bar,
            quiet,
            epochs,
            epoch: done,
            begun: now,
            said: now,
            validation: None,
        }
    }
    /// Takes note of an event.
    pub fn saw(&mut self, event: &Event<'_>) {
        match event {
            Event::Step {
                epoch,
                done,
                of,
                loss,
                norm,
            } => self.step(*epoch, (*done, *of), *loss, *norm),
            Event::Epoch(epoch) => self.epoch(epoch),
            Event::Warning(text) => self.say(&format!("warning: {text}")),
        }
    }
    /// Removes the bar.
    pub fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
    fn step(&mut self, epoch: usize, (done, of): (usize, usize), loss: f64, norm: f64) {
        let total = (of * self.epochs) as u64;
        let made = ((epoch - 1) * of + done) as u64;
        let here = (epoch - 1 - self.epoch.min(epoch - 1)) * of + done;
        let elapsed = self.begun.elapsed().as_secs_f64().max(1e-9);
        let speed = here as f64 / elapsed;
        let left = (total.saturating_sub(made)) as f64 / speed.max(1e-9);
        let validation = self
            .validation
            .map_or(String::new(), |v| format!(" valid {v:.4}"));
        let text = format!(
            "loss {loss:.4}{validation}  |g| {norm:.2}  {speed:.0} steps/s  {} left",
            time(left)
        );
        if let Some(bar) = &self.bar {
            bar.set_length(total);
            bar.set_position(made);
            bar.set_prefix(format!("epoch {epoch}/{}", self.epochs));
            bar.set_message(text);
        } else if self.said.elapsed() >= PAUSE {
            self.say(&format!(
                "epoch {epoch}/{} step {done}/{of}  {text}",
                self.epochs
            ));
        }
    }
    fn epoch(&mut self, e: &Epoch) {
        self.validation = e.validation_loss;
        // Short epochs would flood a log: at most a line a pause, and one for the last.
        if self.bar.is_none() && (self.said.elapsed() >= PAUSE || e.epoch == self.epochs) {
            self.say(&format!(
                "epoch {}/{}  train {:.4}{}{}  |g| {:.2} (clipped {:.0} %){}  {:.0} steps/s",
                e.epoch,
                self.epochs,
                e.train_loss,
                e.validation_loss
                    .map_or(String::new(), |v| format!("  valid {v:.4}")),
                if e.best && e.validation_loss.is_some() {
                    " best"
                } else {
                    ""
                },
                e.gradient_norm,
                100.0 * e.clipped,
                e.window.map_or(String::new(), |w| format!("  reach {w}")),
                e.steps_per_second
            ));
        }
    }
    fn say(&mut self, line: &str) {
        self.said = Instant::now();
        match &self.bar {
            Some(bar) => bar.println(line),
            None if self.quiet => {}
            None => output::say(line),
        }
    }
}

/// Seconds as people say them.
pub fn time(seconds: f64) -> String {
    match seconds {
        s if s < 10.0 => format!("{s:.1} s"),
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7200.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}
