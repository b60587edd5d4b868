//! What elman writes and reads, checked by the Python packages that made the formats.

use crate::run;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds the command and runs `tests/python` on it.
pub fn check(root: &Path) -> Result<()> {
    let python = environment(root, "python", &root.join("tests/python/requirements.txt"))?;
    let mut cargo = Command::new(env!("CARGO"));
    run(cargo
        .args(["build", "--quiet", "--package", "elman-cli"])
        .current_dir(root))?;
    run(Command::new(python)
        .args(["-m", "pytest", "--quiet", "-p", "no:cacheprovider"])
        .arg("tests/python")
        .current_dir(root)
        .env("ELMAN", root.join("target/debug/elman"))
        .env("PYTHONDONTWRITEBYTECODE", "1"))
}

/// The interpreter of the virtual environment `target/NAME`, in which a list of packages is installed; it is made
/// anew where that list has changed.
pub fn environment(root: &Path, name: &str, requirements: &Path) -> Result<PathBuf> {
    let folder = root.join("target").join(name);
    let python = folder.join("bin/python");
    let wanted = fs::read_to_string(requirements)
        .with_context(|| format!("{} cannot be read", requirements.display()))?;
    let installed = folder.join("requirements.txt");
    if fs::read_to_string(&installed).is_ok_and(|had| had == wanted) {
        return Ok(python);
    }
    let base = std::env::var_os("PYTHON").unwrap_or("python3".into());
    run(Command::new(base)
        .args(["-m", "venv", "--clear"])
        .arg(&folder))
    .context("Python 3.10 or later with venv is needed (Debian: python3-venv)")?;
    let pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ];
    run(Command::new(&python).args(pip).arg("-r").arg(requirements))?;
    // Written last: an installation that was broken off is begun again.
    fs::write(&installed, wanted)?;
    Ok(python)
}
