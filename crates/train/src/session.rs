//! A whole training run: data, trainer, run folder, evaluation.

use crate::Evaluation;
use crate::prepare::{Prepared, prepare};
use crate::task::Task;
use crate::{Config, Error, Event, Moment, Options, Outcome, Progress, Run, Trained, Trainer};
use elman_core::{Companions, Network, Team};
use elman_io::Model;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

/// How far apart saves are at least, but for the last.
#[derive(Clone, Copy, Debug)]
pub struct Pauses {
    /// Before a save between two epochs.
    pub epoch: Duration,
    /// Before a save within an epoch.
    pub step: Duration,
}

impl Default for Pauses {
    fn default() -> Pauses {
        Pauses {
            epoch: Duration::from_secs(2),
            step: Duration::from_secs(20),
        }
    }
}

/// A run under way.
pub struct Session {
    /// The folder.
    pub run: Run,
    /// The effective configuration.
    pub config: Config,
    /// The network.
    pub network: Network,
    /// What stands beside it and learns with it.
    pub companions: Companions,
    /// The data.
    pub data: Prepared,
    /// How far it is.
    pub progress: Progress,
    /// How often it saves.
    pub pauses: Pauses,
    team: Team,
}

impl Session {
    /// A new run in `folder`, which is made only once the options and the data are sound.
    pub fn start(
        options: Options,
        folder: impl FnOnce(&Config) -> std::path::PathBuf,
        threads: usize,
    ) -> Result<Session, Error> {
        let (config, data) = prepare(options)?;
        let network = data.network(&config)?;
        let companions = data.companions(&config)?;
        let team = Team::new(threads);
        let progress = trainer(&network, &config, &data, &team).start()?;
        let run = Run::create(&folder(&config))?;
        run.tidy();
        run.write_config(&config)?;
        run.save(
            &config,
            (&network, &companions),
            &data.knowledge()?,
            &progress,
        )?;
        Ok(Session {
            run,
            config,
            network,
            companions,
            data,
            progress,
            pauses: Pauses::default(),
            team,
        })
    }
    /// Goes on with a run; `changes` may give it more epochs, minutes or patience, and nothing else.
    pub fn resume(run: Run, changes: Options, threads: usize) -> Result<Session, Error> {
        let (mut config, checkpoint) = run.checkpoint()?;
        let allowed = Options {
            epochs: changes.epochs,
            minutes: changes.minutes,
            patience: changes.patience,
            ..Options::default()
        };
        if changes != allowed {
            return Err(Error::Config(
                "a run goes on as it began: with --resume only --epochs, --minutes and --patience may change".into(),
            ));
        }
        // The limit of minutes is a limit on this sitting.
        config.minutes = changes.minutes;
        let stored: Options = Options::from_toml("config", &config.to_toml()?)?;
        let (config, data) = prepare(allowed.or(stored))?;
        let network = data.network(&config)?;
        let companions = data.companions(&config)?;
        let team = Team::new(threads);
        let learner = trainer(&network, &config, &data, &team);
        let mut progress = learner.start()?;
        run.restore(&checkpoint, &network, &data.knowledge()?, &mut progress)?;
        if !learner.fits(&progress) {
            return Err(Error::Run {
                path: run.path().into(),
                why: "its checkpoint stands where this configuration never comes; start again from config.toml with \
                      --config"
                    .into(),
            });
        }
        run.tidy();
        run.write_config(&config)?;
        Ok(Session {
            run,
            config,
            network,
            companions,
            data,
            progress,
            pauses: Pauses::default(),
            team,
        })
    }
    /// Trains to the end, or until `observe` says stop; saves as it goes.
    pub fn train(
        &mut self,
        observe: &mut dyn FnMut(Event<'_>) -> ControlFlow<()>,
    ) -> Result<Outcome, Error> {
        let knowledge = self.data.knowledge()?;
        let (run, config) = (&self.run, &self.config);
        let (network, companions) = (&self.network, &self.companions);
        let pauses = self.pauses;
        let mut saved = Instant::now();
        let mut save = |progress: &Progress, moment: Moment| {
            let wait = match moment {
                Moment::Step => pauses.step,
                Moment::Epoch => pauses.epoch,
                Moment::End => Duration::ZERO,
            };
            if saved.elapsed() < wait {
                return Ok(());
            }
            run.save(config, (network, companions), &knowledge, progress)?;
            saved = Instant::now();
            Ok(())
        };
        let data = &self.data;
        let trainer = trainer(network, config, data, &self.team);
        let result = trainer.run(&mut self.progress, observe, &mut save);
        if matches!(result, Err(Error::Diverged { .. })) {
            save(&self.progress, Moment::End)?;
        }
        result
    }
    /// Scores the best weights on the data's own parts.
    pub fn evaluate(&self) -> Result<Evaluation, Error> {
        let model = Model {
            network: self.network.clone(),
            companions: self.companions.clone(),
            params: self.progress.best.clone(),
            extra: self.data.knowledge()?,
        };
        let trained = Trained::new(model, self.config.clone())?;
        trained.evaluate_on(&self.data, &self.team)
    }
}

fn trainer<'a>(
    network: &'a Network,
    config: &'a Config,
    data: &'a Prepared,
    team: &'a Team,
) -> Trainer<'a> {
    Trainer {
        network,
        config,
        task: data,
        team,
    }
}
