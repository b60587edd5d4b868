//! What bench/peers.py asks of a peer, line by line on standard input:
//!
//! ```text
//! load FOLDER NAME CELL MODE THREADS F H B T     answered by `ok`, or `no` and why
//! time SECONDS                                   answered by the seconds of each repetition
//! ```
//!
//! FOLDER holds x, w_ih, w_hh, b_ih, b_hh as raw little-endian f32 in PyTorch's layout (x `[T, B, F]`, in stream mode
//! `[64, F]`); `load` leaves there NAME.y, and after training NAME.w_ih, NAME.w_hh, NAME.b_ih, NAME.b_hh.

use anyhow::{Context, Result, bail};
use std::io::Write;
use std::path::PathBuf;
use std::time::Instant;

pub struct Work {
    pub folder: PathBuf,
    pub name: String,
    pub cell: String,
    pub mode: String,
    pub threads: usize,
    pub input: usize,
    pub hidden: usize,
    pub batch: usize,
    pub steps: usize,
}

impl Work {
    fn parse(words: &[&str]) -> Result<Work> {
        let [folder, name, cell, mode, numbers @ ..] = words else {
            bail!("load FOLDER NAME CELL MODE THREADS F H B T");
        };
        let numbers: Vec<usize> = numbers.iter().map(|n| n.parse()).collect::<Result<_, _>>()?;
        let &[threads, input, hidden, batch, steps] = numbers.as_slice() else {
            bail!("five numbers: THREADS F H B T");
        };
        Ok(Work {
            folder: folder.into(),
            name: name.to_string(),
            cell: cell.to_string(),
            mode: mode.to_string(),
            threads,
            input,
            hidden,
            batch,
            steps,
        })
    }
    pub fn gates(&self) -> usize {
        match self.cell.as_str() {
            "lstm" => 4,
            "gru" => 3,
            _ => 1,
        }
    }
    pub fn read(&self, file: &str) -> Result<Vec<f32>> {
        let bytes = std::fs::read(self.folder.join(file)).with_context(|| file.to_string())?;
        let numbers = bytes.chunks_exact(4);
        Ok(numbers.map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
    }
    pub fn write(&self, what: &str, numbers: &[f32]) -> Result<()> {
        let bytes: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
        Ok(std::fs::write(self.folder.join(format!("{}.{what}", self.name)), bytes)?)
    }
}

/// One repetition; in stream mode several steps, and how many.
pub type Once = Box<dyn FnMut() -> Result<usize>>;

/// Serves until standard input ends. `load` writes the results and gives what is timed.
pub fn serve(load: impl Fn(&Work) -> Result<Once>) -> Result<()> {
    let mut once: Option<Once> = None;
    for line in std::io::stdin().lines() {
        let line = line?;
        let words: Vec<&str> = line.split_whitespace().collect();
        let answer = match words.as_slice() {
            ["load", rest @ ..] => {
                once = None;
                match Work::parse(rest).and_then(|work| load(&work)) {
                    Ok(made) => {
                        once = Some(made);
                        "ok".to_string()
                    }
                    Err(e) => format!("no {e:#}").replace('\n', " "),
                }
            }
            ["time", seconds] => {
                let once = once.as_mut().context("load first")?;
                let (seconds, begun) = (seconds.parse::<f64>()?, Instant::now());
                let mut times = Vec::new();
                while times.is_empty() || begun.elapsed().as_secs_f64() < seconds {
                    let clock = Instant::now();
                    let parts = once()?;
                    times.push(format!("{:e}", clock.elapsed().as_secs_f64() / parts as f64));
                }
                times.join(" ")
            }
            _ => bail!("not understood: {line}"),
        };
        println!("{answer}");
        std::io::stdout().flush()?;
    }
    Ok(())
}
