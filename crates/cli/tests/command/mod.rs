//! The command, run as a person runs it, in a folder of its own.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use tempfile::TempDir;

pub struct Place {
    pub folder: TempDir,
}

/// How a run of the command ended.
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Place {
    pub fn new() -> Place {
        let folder = tempfile::tempdir().unwrap();
        Place { folder }
    }
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        std::fs::write(self.path(name), bytes).unwrap();
        name.into()
    }
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_elman"));
        command.args(arguments).current_dir(self.folder.path());
        command
    }
    pub fn elman(&self, arguments: &[&str]) -> Ended {
        let Output {
            status,
            stdout,
            stderr,
        } = self.command(arguments).output().unwrap();
        Ended {
            code: status.code().unwrap_or(-1),
            out: String::from_utf8(stdout).unwrap(),
            err: String::from_utf8(stderr).unwrap(),
        }
    }
    /// A run that must end well.
    pub fn well(&self, arguments: &[&str]) -> Ended {
        let ended = self.elman(arguments);
        assert_eq!(ended.code, 0, "{arguments:?}: {}", ended.err);
        ended
    }
    /// A run that must end with one clear line that holds all of `words`, and leave nothing half-written.
    pub fn badly(&self, code: i32, arguments: &[&str], words: &[&str]) {
        self.fails(code, arguments, words);
        let left = self.leftovers();
        assert!(left.is_empty(), "{arguments:?} left {left:?}");
    }
    /// A run that must end with one clear line that holds all of `words`.
    pub fn fails(&self, code: i32, arguments: &[&str], words: &[&str]) {
        let ended = self.elman(arguments);
        let text = ended.err.trim_end();
        assert_eq!(ended.code, code, "{arguments:?}: {text}");
        assert!(!text.contains("panicked"), "{text}");
        assert!(
            text.starts_with("elman: ") && text.lines().count() == 1,
            "{arguments:?}: {text}"
        );
        for word in words {
            assert!(
                text.contains(word),
                "{arguments:?}: no {word:?} in {text:?}"
            );
        }
    }
    pub fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }
    /// Half-written files, wherever they lie.
    pub fn leftovers(&self) -> Vec<PathBuf> {
        fn within(folder: &Path, found: &mut Vec<PathBuf>) {
            // Another process may remove what is being listed.
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    within(&path, found);
                } else if path.extension().is_some_and(|e| e == "part") {
                    found.push(path);
                }
            }
        }
        let mut found = Vec::new();
        within(self.folder.path(), &mut found);
        found
    }
}

/// A small table: a noisy wave with a second column.
pub fn wave(rows: usize) -> String {
    let mut text = String::from("day,load,heat\n");
    for t in 0..rows {
        let x = t as f64;
        let load = 50.0 + 20.0 * (x * 0.4).sin() + ((t * 37) % 11) as f64 * 0.3;
        text.push_str(&format!("{t},{load:.3},{:.3}\n", (x * 0.4).cos()));
    }
    text
}

/// A small text with something to learn.
pub fn prose(sentences: usize) -> String {
    let subjects = ["the sea", "a ship", "the whale", "my captain"];
    let verbs = ["sees", "fears", "follows", "forgets"];
    (0..sentences)
        .map(|i| {
            format!(
                "{} {} {}.\n",
                subjects[i % 4],
                verbs[(i / 4) % 4],
                subjects[(i * 7 + 3) % 4]
            )
        })
        .collect()
}

/// Options that make any run short.
pub const SHORT: [&str; 6] = ["--quiet", "--hidden", "5", "--epochs", "3", "--threads=1"];
