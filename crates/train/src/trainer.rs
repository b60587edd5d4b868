//! The loop: epochs, batches of rows, windows, steps of the optimiser.
//!
//! It prints nothing and reads no clock but to keep a limit of minutes; what happens is told to an observer, which
//! may ask it to stop. Everything that the next step depends on is in [`Progress`], so that a run that was stopped
//! goes on to the same bits.

use crate::data::random_batches;
use crate::progress::{Epoch, Progress, Running};
use crate::task::Task;
use crate::{
    Config, Error, Learner, Lesson, Optimiser, Rate, Reach, Work, clip_norm, clip_value, norm,
};
use elman_core::{Network, Params, Span, State, Team};
use elman_flow::Alarm;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// What happens while training.
#[derive(Debug)]
pub enum Event<'a> {
    /// An optimiser's step was made.
    Step {
        /// The epoch it belongs to, from 1.
        epoch: usize,
        /// Steps made in this epoch, and how many it has.
        done: usize,
        /// Steps of this epoch.
        of: usize,
        /// Mean loss of this epoch so far.
        loss: f64,
        /// Norm of the gradient before clipping.
        norm: f64,
    },
    /// An epoch ended.
    Epoch(&'a Epoch),
    /// Something worth saying.
    Warning(&'a str),
}

/// How training ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All epochs were made.
    Finished,
    /// The validation loss has not improved for as many epochs as asked.
    StoppedEarly,
    /// The minutes are over.
    OutOfTime,
    /// The observer asked for it.
    Interrupted,
}

/// Where training stands when it may be saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// After a step within an epoch.
    Step,
    /// After an epoch.
    Epoch,
    /// At the end, whatever the reason.
    End,
}

/// Called wherever a run may be saved; it chooses how often it does.
pub type Save<'a> = dyn FnMut(&Progress, Moment) -> Result<(), Error> + 'a;

/// Everything that stays the same while training.
pub struct Trainer<'a> {
    /// The network.
    pub network: &'a Network,
    /// The configuration.
    pub config: &'a Config,
    /// What is learned, and from which rows.
    pub task: &'a dyn Task,
    /// Threads.
    pub team: &'a Team,
}

/// A gradient with larger numbers is no longer one.
const MOST: f64 = 1e18;

/// A gradient of this norm is looked through for what is about to break.
const SUSPICIOUS: f64 = 1e4;

/// What every step uses again.
struct Workspace<'a> {
    learner: Box<dyn Learner + 'a>,
    gradient: Params<f32>,
    /// What has just been found, not yet told.
    alarm: Option<Alarm>,
}

impl Trainer<'_> {
    /// Progress before the first step: fresh parameters.
    pub fn start(&self) -> Result<Progress, Error> {
        let companions = self.task.companions(self.config)?;
        let init = self.config.initial()?;
        let params: Params<f32> = init.params_with(self.network, &companions, self.config.seed)?;
        let weights = params.layout().views().iter();
        let decayed = weights
            .filter(|v| v.name.contains("weight"))
            .map(|v| v.range())
            .collect();
        let c = self.config;
        let numbers = params.data().len();
        let optimiser = Optimiser::new(c.optimiser, c.momentum, c.weight_decay, decayed, numbers);
        Ok(Progress::new(params, optimiser, self.rate(None)))
    }

    /// The schedule, if every epoch had the windows of this reach.
    fn rate(&self, reach: Option<usize>) -> Rate {
        let c = self.config;
        let total = (self.steps_of_epoch(reach) * c.epochs) as u64;
        let warm_up = (total as f64 * c.warm_up).round() as u64;
        Rate::new(c.schedule, c.learning_rate, warm_up, total)
    }

    /// Picks how far gradients reach in the epoch that begins, and lets the schedule end with the last epoch again.
    fn pick(&self, progress: &mut Progress, learner: &dyn Learner) -> Result<(), Error> {
        let reach = learner.reach(&progress.params)?;
        progress.running.window = reach;
        match progress.optimiser.steps() {
            0 => progress.rate = self.rate(reach),
            done => {
                let left = self.config.epochs.saturating_sub(progress.epochs.len());
                let total = done + (left * self.steps_of_epoch(reach)) as u64;
                progress.rate.end_after(total);
            }
        }
        Ok(())
    }

    /// Trains on from `progress`. `save` is called after every step, after every epoch, and at the end unless that is
    /// an error: then `progress` holds the last good weights.
    pub fn run(
        &self,
        progress: &mut Progress,
        observe: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
        save: &mut Save<'_>,
    ) -> Result<Outcome, Error> {
        let outcome = self.epochs(progress, observe, save)?;
        if progress.best_epoch == 0 {
            // No epoch ended, and what was learned since is worth more than the start.
            progress.best = progress.params.clone();
        }
        save(progress, Moment::End)?;
        Ok(outcome)
    }

    fn epochs(
        &self,
        progress: &mut Progress,
        observe: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
        save: &mut Save<'_>,
    ) -> Result<Outcome, Error> {
        let mut work = Workspace {
            learner: self
                .task
                .learner(self.network, self.config, &progress.params)?,
            gradient: progress.params.zeros_like(),
            alarm: None,
        };
        let begun = Instant::now();
        let limit = self
            .config
            .minutes
            .map(|m| Duration::from_secs_f64(m * 60.0));
        while progress.epochs.len() < self.config.epochs {
            if self.waited_enough(progress) {
                return Ok(Outcome::StoppedEarly);
            }
            let epoch = progress.epochs.len() + 1;
            if self.config.window == Reach::Auto && progress.running.window.is_none() {
                self.pick(progress, work.learner.as_ref())?;
            }
            let reach = progress.running.window;
            let of = self.steps_of_epoch(reach);
            let batches = self.batches(epoch);
            let clock = Instant::now();
            let before = progress.running.steps;
            while progress.running.batch < batches.len() {
                let rows = &batches[progress.running.batch];
                let spans = self.spans(rows, reach);
                let span = spans[progress.running.span];
                let norm = self.step(progress, &mut work, rows, span)?;
                if let Some(alarm) = work.alarm.take() {
                    let step = progress.optimiser.steps();
                    let text = format!("epoch {epoch}, optimiser's step {step}: {alarm}");
                    // An answer to stop comes again with the step's own event.
                    let _ = observe(Event::Warning(&text));
                }
                progress.running.span += 1;
                if progress.running.span == spans.len() {
                    progress.running.next_batch();
                }
                let event = Event::Step {
                    epoch,
                    done: progress.running.steps,
                    of,
                    loss: progress.running.sum.mean(),
                    norm,
                };
                let stop = observe(event).is_break();
                if stop || limit.is_some_and(|l| begun.elapsed() >= l) {
                    return Ok(match stop {
                        true => Outcome::Interrupted,
                        false => Outcome::OutOfTime,
                    });
                }
                save(progress, Moment::Step)?;
            }
            let made = (progress.running.steps - before) as f64;
            let speed = made / clock.elapsed().as_secs_f64().max(1e-9);
            self.end_epoch(progress, work.learner.as_ref(), speed)?;
            save(progress, Moment::Epoch)?;
            if observe(Event::Epoch(&progress.epochs[epoch - 1])).is_break() {
                return Ok(Outcome::Interrupted);
            }
        }
        Ok(Outcome::Finished)
    }

    fn waited_enough(&self, progress: &Progress) -> bool {
        let patience = self.config.patience;
        patience > 0
            && progress.epochs.len() >= progress.best_epoch + patience
            && progress.best_epoch > 0
    }

    /// Batches of rows of an epoch, longest row first: the same for the same seed and epoch.
    fn batches(&self, epoch: usize) -> Vec<Vec<usize>> {
        let lengths = self.task.source().lengths();
        let mut batches = match self.task.source().streams() {
            true => vec![(0..lengths.len()).collect()],
            false => {
                let mut rng = ChaCha8Rng::seed_from_u64(self.config.seed);
                // Streams 0.. are the parameters'; epochs come after all of them.
                rng.set_stream((1 << 32) + epoch as u64);
                let size = NonZeroUsize::new(self.config.batch).unwrap_or(NonZeroUsize::MIN);
                random_batches(lengths, size, &mut rng).batches
            }
        };
        for rows in &mut batches {
            rows.sort_by_key(|&r| std::cmp::Reverse(lengths[r]));
        }
        batches
    }

    fn spans(&self, rows: &[usize], reach: Option<usize>) -> Vec<Span> {
        let longest = rows
            .iter()
            .map(|&r| self.task.source().lengths()[r])
            .max()
            .unwrap_or(0);
        let window = self.config.window(reach, longest);
        let mut spans = window.spans(longest);
        // Spans in which nothing counts would move no weight, but carry the state.
        spans.retain(|s| s.end > s.start);
        spans
    }

    fn steps_of_epoch(&self, reach: Option<usize>) -> usize {
        self.batches(1)
            .iter()
            .map(|rows| self.spans(rows, reach).len())
            .sum()
    }

    /// One window of one batch: forward from the carried state, backward, a step of the optimiser. Returns the norm
    /// of the gradient before clipping.
    fn step(
        &self,
        progress: &mut Progress,
        work: &mut Workspace<'_>,
        rows: &[usize],
        span: Span,
    ) -> Result<f64, Error> {
        let alive = rows
            .iter()
            .filter(|&&r| self.task.source().lengths()[r] > span.start)
            .count();
        let rows = &rows[..alive];
        work.gradient.data_mut().fill(0.0);
        let lesson = work.learner.learn(
            &progress.params,
            Work {
                epoch: progress.epochs.len() + 1,
                batch: progress.running.batch,
                rows,
                span,
                state: progress.running.state.as_ref().filter(|_| span.start > 0),
            },
            &mut work.gradient,
            self.team,
        )?;
        let Lesson { sum, state } = lesson;
        if sum.count == 0.0 {
            progress.running.steps += 1;
            progress.running.state = state;
            return Ok(0.0);
        }
        if !sum.loss.is_finite() {
            return Err(self.diverged(progress, sum.mean(), work.learner.watch()));
        }
        let norm = self.clip(work.gradient.data_mut());
        // Squares of larger numbers are infinite in the optimiser's moments, and the weights would follow.
        if !norm.is_finite() || self.largest(norm) > MOST {
            return Err(self.diverged(progress, sum.mean(), work.learner.watch()));
        }
        if norm > SUSPICIOUS && !progress.running.warned {
            let alarm = work.learner.watch();
            progress.running.warned = alarm.is_some();
            work.alarm = alarm;
        }
        progress.running.steps += 1;
        progress.running.state = state;
        let rate = progress.rate.at(progress.optimiser.steps());
        let (params, gradient) = (progress.params.data_mut(), work.gradient.data_mut());
        progress.optimiser.step(rate, params, gradient);
        work.learner.refresh(&progress.params)?;
        progress.running.saw(sum, norm, self.config.clip);
        Ok(norm)
    }

    fn clip(&self, gradient: &mut [f32]) -> f64 {
        let before = match self.config.clip {
            0.0 => norm(gradient),
            max => clip_norm(gradient, max),
        };
        if self.config.clip_value > 0.0 {
            clip_value(gradient, self.config.clip_value);
        }
        before
    }

    /// What no number of the clipped gradient is larger than, its norm having been `norm`.
    fn largest(&self, norm: f64) -> f64 {
        let limits = [self.config.clip, self.config.clip_value];
        let limits = limits.into_iter().filter(|&l| l > 0.0);
        limits.fold(norm, f64::min)
    }

    /// Whether training can go on from `progress`: that it stands at a window that there is, with the state for it.
    pub(crate) fn fits(&self, progress: &Progress) -> bool {
        let (running, lengths) = (&progress.running, self.task.source().lengths());
        let batches = self.batches(progress.epochs.len() + 1);
        let Some(rows) = batches.get(running.batch) else {
            return running.batch == batches.len() && running.span == 0;
        };
        let spans = self.spans(rows, running.window);
        let Some(span) = spans.get(running.span) else {
            return false;
        };
        let alive = rows.iter().filter(|&&r| lengths[r] > span.start).count();
        let carried = running.state.as_ref().map_or(0, State::rows);
        span.start == 0 || carried >= alive
    }

    fn diverged(&self, progress: &Progress, loss: f64, alarm: Option<Alarm>) -> Error {
        let advice = match self.config.clip {
            0.0 => "Set --clip 1 or a lower --learning-rate".to_string(),
            c => format!(
                "Try a lower --learning-rate than {} or a lower --clip than {c}",
                self.config.learning_rate
            ),
        };
        Error::Diverged {
            epoch: progress.epochs.len() + 1,
            step: progress.optimiser.steps() + 1,
            loss,
            found: alarm.map_or(String::new(), |a| format!("First, {a}. ")),
            advice,
        }
    }

    fn end_epoch(
        &self,
        progress: &mut Progress,
        learner: &dyn Learner,
        speed: f64,
    ) -> Result<(), Error> {
        let validation = self
            .task
            .validate(self.network, &progress.params, self.team)?
            .map(|sum| sum.mean());
        if let Some(loss) = validation.filter(|v| !v.is_finite()) {
            return Err(self.diverged(progress, loss, None));
        }
        let rate = progress
            .rate
            .at(progress.optimiser.steps().saturating_sub(1));
        if let Some(loss) = validation {
            progress.rate.saw(loss);
        }
        let epoch = progress.epochs.len() + 1;
        let better = validation.is_none_or(|v| v < progress.best_loss);
        if better {
            progress.best = progress.params.clone();
            progress.best_loss = validation.unwrap_or(f64::INFINITY);
            progress.best_epoch = epoch;
        }
        let flow = learner.flow(&progress.params, epoch)?;
        let running = std::mem::take(&mut progress.running);
        progress
            .epochs
            .push(running.ended(epoch, validation, rate, speed, better, flow));
        progress.running = Running::default();
        Ok(())
    }
}
