//! A run is a folder: `model.safetensors`, `config.toml`, `metrics.jsonl`, `checkpoint.safetensors`, `report.html`.
//!
//! Every file is written beside and renamed, the checkpoint before the model, so that a run killed at any moment is
//! loadable and goes on.

use crate::{Config, Epoch, Error, Progress, checkpoint};
use elman_core::{Companions, Network};
use elman_io::{Model, Tensors, read_model, write_bytes, write_model};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const MODEL: &str = "model.safetensors";
const CONFIG: &str = "config.toml";
const METRICS: &str = "metrics.jsonl";
const CHECKPOINT: &str = "checkpoint.safetensors";
const REPORT: &str = "report.html";

/// The key of a task's knowledge that tells the data it was made of from others.
const DATA: &str = "data";

/// A run folder.
#[derive(Clone, Debug)]
pub struct Run {
    path: PathBuf,
}

impl Run {
    /// A folder for a new run. An error where there is a run already, or a file of that name.
    pub fn create(path: &Path) -> Result<Run, Error> {
        let run = Run { path: path.into() };
        let wrong = |why: String| Error::Run {
            path: path.into(),
            why,
        };
        if [MODEL, CHECKPOINT].iter().any(|f| run.file(f).exists()) {
            return Err(wrong(
                "there is a run already; go on with --resume, or give another folder with --out"
                    .into(),
            ));
        }
        std::fs::create_dir_all(path).map_err(|e| {
            wrong(format!(
                "the folder cannot be made ({e}); give another with --out"
            ))
        })?;
        Ok(run)
    }
    /// `runs/NAME`, or `runs/NAME-2` and so on where there is one already.
    pub fn next_folder(name: &str) -> PathBuf {
        let base = Path::new("runs");
        let numbered = (2..).map(|n| base.join(format!("{name}-{n}")));
        let mut candidates = std::iter::once(base.join(name)).chain(numbered);
        candidates
            .find(|p| !p.exists())
            .unwrap_or_else(|| base.join(name))
    }
    /// An existing run. An error where the folder is not one.
    pub fn open(path: &Path) -> Result<Run, Error> {
        let run = Run { path: path.into() };
        let why = if !path.exists() {
            "there is no such folder; elman train makes one"
        } else if !path.is_dir() {
            "this is a file, and a run is a folder"
        } else if !run.file(MODEL).exists() && !run.file(CHECKPOINT).exists() {
            "this folder is not a run: it has neither model.safetensors nor checkpoint.safetensors"
        } else {
            return Ok(run);
        };
        Err(Error::Run {
            path: path.into(),
            why: why.into(),
        })
    }
    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }
    /// Where the page is.
    pub fn report(&self) -> PathBuf {
        self.file(REPORT)
    }
    fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
    /// Removes what a killed run left half-written.
    pub fn tidy(&self) {
        let entries = std::fs::read_dir(&self.path).into_iter().flatten();
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let ours = [MODEL, CONFIG, METRICS, CHECKPOINT, REPORT]
                .iter()
                .any(|f| name.starts_with(&format!(".{f}.")));
            if ours && name.ends_with(".part") {
                // It is in nobody's way where it cannot be removed.
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }
    /// Writes the configuration.
    pub fn write_config(&self, config: &Config) -> Result<(), Error> {
        let head = "# The effective configuration of this run; elman train --config FILE makes it again.\n";
        let text = format!("{head}{}", config.to_toml()?);
        Ok(write_bytes(&self.file(CONFIG), text.as_bytes())?)
    }
    /// Writes the page.
    pub fn write_report(&self, html: &str) -> Result<(), Error> {
        Ok(write_bytes(&self.report(), html.as_bytes())?)
    }
    /// Writes the checkpoint, the metrics and the best weights.
    pub fn save(
        &self,
        config: &Config,
        (network, companions): (&Network, &Companions),
        knowledge: &BTreeMap<String, String>,
        progress: &Progress,
    ) -> Result<(), Error> {
        let toml = config.to_toml()?;
        let all = checkpoint::to_tensors(progress, &toml, config.seed, knowledge.get(DATA))?;
        write_bytes(&self.file(CHECKPOINT), &all.to_bytes()?)?;
        let mut lines = String::new();
        for epoch in &progress.epochs {
            let line = serde_json::to_string(epoch).map_err(|e| Error::Internal(e.to_string()))?;
            lines.push_str(&line);
            lines.push('\n');
        }
        write_bytes(&self.file(METRICS), lines.as_bytes())?;
        let mut extra = knowledge.clone();
        extra.insert("config".into(), toml);
        let model = Model {
            network: network.clone(),
            companions: companions.clone(),
            params: progress.best.clone(),
            extra,
        };
        Ok(write_model(&self.file(MODEL), &model)?)
    }
    /// Its epochs so far; none where nothing was recorded yet.
    pub fn epochs(&self) -> Result<Vec<Epoch>, Error> {
        let path = self.file(METRICS);
        let Ok(text) = std::fs::read_to_string(&path) else {
            return Ok(Vec::new());
        };
        let lines = text.lines().enumerate();
        let read = lines.map(|(i, line)| {
            serde_json::from_str(line).map_err(|e| Error::Run {
                path: path.clone(),
                why: format!("line {} cannot be read ({e})", i + 1),
            })
        });
        read.collect()
    }
    /// The configuration of its checkpoint.
    pub fn checkpoint(&self) -> Result<(Config, Tensors), Error> {
        let path = self.file(CHECKPOINT);
        let name = path.display().to_string();
        let bytes = std::fs::read(&path).map_err(|e| Error::Run {
            path: path.clone(),
            why: format!("cannot be read ({e}); without it the run cannot go on"),
        })?;
        let all = Tensors::from_own_bytes(&name, &bytes)?;
        let wrong = |why: String| Error::Run {
            path: path.clone(),
            why,
        };
        checkpoint::check_format(&all).map_err(wrong)?;
        let config = all.metadata.get("checkpoint.config").ok_or_else(|| {
            wrong("it does not hold its configuration: it is no checkpoint of elman".into())
        })?;
        let config = stored(&path, config)?;
        Ok((config, all))
    }
    /// Puts the checkpoint into `progress`, freshly started for its configuration and for data of this knowledge.
    pub fn restore(
        &self,
        all: &Tensors,
        network: &Network,
        knowledge: &BTreeMap<String, String>,
        progress: &mut Progress,
    ) -> Result<(), Error> {
        let path = self.file(CHECKPOINT);
        checkpoint::restore(&path, all, network, knowledge.get(DATA), progress)
    }
    /// Its model, and the configuration it was trained with. `path` may be a run folder or a model file.
    pub fn load(path: &Path) -> Result<(Model, Config), Error> {
        let file = match path.is_file() {
            true => path.to_path_buf(),
            false => Run::open(path)?.file(MODEL),
        };
        if !file.exists() {
            return Err(Error::Run {
                path: path.into(),
                why: "the run was stopped before its first model was written; go on with elman train --resume"
                    .into(),
            });
        }
        let model = read_model(&file)?;
        let config = model.extra.get("config").ok_or_else(|| Error::Run {
            path: file.clone(),
            why: "it holds weights but no configuration: it was not written by elman train".into(),
        })?;
        let config = stored(&file, config)?;
        Ok((model, config))
    }
}

/// A configuration that a file of a run holds; where it cannot be read, the file is at fault, not the options.
fn stored(path: &Path, text: &str) -> Result<Config, Error> {
    Config::from_toml(&path.display().to_string(), text).map_err(|e| Error::Run {
        path: path.into(),
        why: format!(
            "its configuration is of another version of elman ({e}); use the version that wrote it"
        ),
    })
}
