//! The Python wheel: built, installed in a fresh virtual environment, and tested there.

use crate::python::{environment, fresh, install};
use crate::run;
use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Builds the wheel of `python/` and runs its tests, those of its types, and its examples.
///
/// The virtual environment is made anew each time and gets the wheel and what that asks for. What the tests compare
/// it with (PyTorch above all: some gigabytes) stands in another one, kept between runs, that it looks into.
pub fn check(root: &Path) -> Result<()> {
    let list = root.join("python/tests/requirements.txt");
    let peers = environment(root, "wheel-peers", &list, &["--no-deps"])?;
    let wheels = root.join("target/wheels");
    let _ = fs::remove_dir_all(&wheels);
    // The profile of the tests: what depends on no choice of features is there.
    run(Command::new(&peers)
        .args(["-m", "maturin", "build", "--quiet", "--locked"])
        .args(["--profile", "dev"])
        .arg("--manifest-path")
        .arg(root.join("python/Cargo.toml"))
        .arg("--out")
        .arg(&wheels)
        .current_dir(root))?;
    let wheel = fs::read_dir(&wheels)?
        .next()
        .context("maturin made no wheel")??
        .path();

    let fresh = fresh(&root.join("target/wheel"))?;
    install(&fresh, &["--constraint"], &[&list, &wheel])?;
    // Alone, before the tests' packages are within its sight: it needs nothing but what it asked for.
    let alone = "import elman; assert elman.RNN(1, 2)([[0.0]])[0].shape == (1, 2)";
    run(Command::new(&fresh).args(["-c", alone]))?;
    look_into(&fresh, &peers)?;

    let package = root.join("python");
    let cache = root.join("target/wheel-peers/mypy");
    run(Command::new(&fresh)
        .args(["-m", "mypy", "elman", "--cache-dir"])
        .arg(&cache)
        .current_dir(&package))?;
    // From elsewhere: what is installed is tested, not the folder beside.
    let elsewhere = root.join("target/wheel");
    let python = |module: &str| {
        let mut python = Command::new(&fresh);
        python
            .args(["-m", module])
            .current_dir(&elsewhere)
            .env("PYTHONDONTWRITEBYTECODE", "1");
        python
    };
    run(python("mypy.stubtest").arg("elman._elman"))?;
    run(python("pytest")
        .args(["--quiet", "-p", "no:cacheprovider", "--doctest-modules"])
        .arg("-c")
        .arg(package.join("pyproject.toml"))
        .args(["--pyargs", "elman"])
        .arg(package.join("tests")))
}

/// Lets one environment find the packages of another behind its own.
fn look_into(python: &Path, other: &Path) -> Result<()> {
    let packages = |python: &Path| -> Result<PathBuf> {
        let ask = "import sysconfig; print(sysconfig.get_path('platlib'))";
        let said = Command::new(python).args(["-c", ask]).output()?;
        Ok(PathBuf::from(String::from_utf8(said.stdout)?.trim()))
    };
    let path = packages(other)?;
    let link = packages(python)?.join("peers.pth");
    fs::write(link, format!("{}\n", path.display()))?;
    Ok(())
}
