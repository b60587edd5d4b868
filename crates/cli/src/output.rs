//! What goes to standard output, and how a failure ends.

use anyhow::{Context, Result};
use elman::train;
use serde::Serialize;
use std::io::{ErrorKind, Write};
use std::process::ExitCode;

/// The command line was wrong, in a way that only the command itself could see.
#[derive(Debug)]
pub struct Usage(pub String);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
impl std::error::Error for Usage {}

/// Writes text to standard output. A closed pipe (`elman … | head`) ends the command quietly.
pub fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() == ErrorKind::BrokenPipe => std::process::exit(0),
        done => done.context("standard output cannot be written"),
    }
}

/// Writes one JSON document to standard output.
pub fn json(value: &impl Serialize) -> Result<()> {
    print(&(serde_json::to_string_pretty(value)? + "\n"))
}

/// Writes a line to standard error. That nobody reads it (a closed pipe, a full disk) ends no training.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// One clear line on standard error, whatever names and texts it quotes; 2 where the command line was wrong, else 1.
pub fn failed(error: &anyhow::Error) -> ExitCode {
    say(&format!("elman: {error:#}").replace(['\n', '\r'], " "));
    let usage = error.downcast_ref::<Usage>().is_some()
        || matches!(error.downcast_ref(), Some(train::Error::Config(_)));
    ExitCode::from(if usage { 2 } else { 1 })
}

/// Columns of text, each as wide as its widest cell; numbers to the right.
pub fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |c: usize| {
        rows.iter()
            .filter_map(|r| r.get(c))
            .map(|t| t.chars().count())
            .max()
    };
    let widths: Vec<usize> = (0..columns).map(|c| width(c).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(c, (cell, &w))| match c {
                0 => format!("{cell:<w$}"),
                _ => format!("{cell:>w$}"),
            });
        let line = cells.collect::<Vec<_>>().join("  ");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
