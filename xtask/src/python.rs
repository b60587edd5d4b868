//! What elman writes and reads, checked by the Python packages that made the formats.

use crate::{compiled, run};
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds the command and runs `tests/python` on it.
pub fn check(root: &Path) -> Result<()> {
    let list = root.join("tests/python/requirements.txt");
    let python = environment(root, "python", &list, &[])?;
    let compiled = compiled(root)?;
    run(Command::new(python)
        .args([
            "-m",
            "pytest",
            "--quiet",
            "--disable-warnings",
            "-p",
            "no:cacheprovider",
        ])
        .arg("tests/python")
        .current_dir(root)
        .env("ELMAN", compiled.join("elman"))
        .env("PYTHONDONTWRITEBYTECODE", "1"))
}

/// The interpreter of the virtual environment `target/NAME`, in which a list of packages is installed, with pip's
/// `options`; it is made anew where that list has changed.
pub fn environment(root: &Path, name: &str, list: &Path, options: &[&str]) -> Result<PathBuf> {
    let folder = root.join("target").join(name);
    let wanted =
        fs::read_to_string(list).with_context(|| format!("{} cannot be read", list.display()))?;
    let installed = folder.join("requirements.txt");
    if fs::read_to_string(&installed).is_ok_and(|had| had == wanted) {
        return Ok(folder.join("bin/python"));
    }
    let python = fresh(&folder)?;
    install(&python, options, &[Path::new("--requirement"), list])?;
    // Written last: an installation that was broken off is begun again.
    fs::write(&installed, wanted)?;
    Ok(python)
}

/// An empty virtual environment; its interpreter.
pub fn fresh(folder: &Path) -> Result<PathBuf> {
    let base = std::env::var_os("PYTHON").unwrap_or("python3".into());
    run(Command::new(base)
        .args(["-m", "venv", "--clear"])
        .arg(folder))
    .context("Python 3.10 or later with venv is needed (Debian: python3-venv)")?;
    Ok(folder.join("bin/python"))
}

/// Installs packages.
pub fn install(python: &Path, options: &[&str], what: &[&Path]) -> Result<()> {
    let pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ];
    run(Command::new(python).args(pip).args(options).args(what))
}
