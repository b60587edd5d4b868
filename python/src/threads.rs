//! The threads that every call shares.

use elman::core::Team;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};

/// The team, and the process that its threads live in.
static TEAM: Mutex<Option<(u32, Arc<Team>)>> = Mutex::new(None);

/// As many threads as anyone can mean.
const MOST: usize = 256;

/// One for each core.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, |n| n.get())
}

/// The team of this process.
pub fn team() -> Arc<Team> {
    with(|threads| threads)
}

/// Runs with the team's threads, or with as many as `wanted` makes of them.
fn with(wanted: impl FnOnce(usize) -> usize) -> Arc<Team> {
    let mut slot = TEAM.lock().unwrap_or_else(PoisonError::into_inner);
    let here = std::process::id();
    let (threads, own) = match slot.take() {
        Some((process, team)) if process == here => (team.threads(), Some(team)),
        Some((_, team)) => {
            let threads = team.threads();
            // A fork takes no threads along; to wait for them, as dropping the team does, would take for ever.
            mem::forget(team);
            (threads, None)
        }
        None => (cores(), None),
    };
    let wanted = wanted(threads);
    let team = match own {
        Some(team) if wanted == threads => team,
        _ => Arc::new(Team::new(wanted)),
    };
    *slot = Some((here, team.clone()));
    team
}

/// Threads that a call may use.
#[pyfunction]
pub fn get_num_threads() -> usize {
    team().threads()
}

/// Sets how many threads a call may use; results do not depend on it, to the bit.
#[pyfunction]
pub fn set_num_threads(threads: usize) -> PyResult<()> {
    if !(1..=MOST).contains(&threads) {
        return Err(PyValueError::new_err(format!(
            "threads is {threads}, and must be from 1 to {MOST}"
        )));
    }
    with(|_| threads);
    Ok(())
}
