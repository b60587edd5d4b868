//! The project's chores. `cargo xtask test` runs everything that must hold.
#![forbid(unsafe_code)]

mod browser;
mod dummy_cell;
mod interface;
mod memory;
mod package;
mod python;
mod tidy;
mod wheel;

use anyhow::{Context, Result, bail, ensure};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

const HELP: &str = "\
cargo xtask test      format, lints, tests (of kernels and core without vector instructions too), doc tests, tidiness,
                      the dummy cell, the packages, the public interface, the files in Python, the Python wheel, and the
                      pages in a real browser
cargo xtask tidy      only that crates depend downwards and unsafe code stays in the kernels
cargo xtask dummy-cell only the tests that go through all cells, on a copy of the crates with a dummy cell added
cargo xtask package   only that every crate's package can be made and has the files that its code reads
cargo xtask interface records the public interface in crates/*/interface.txt; with --check, compares it with the record
cargo xtask python    only the files of elman as Python's packages read and write them (needs Python 3.10 with venv)
cargo xtask wheel     only the Python wheel: built, installed in a fresh virtual environment, tested there
cargo xtask browser   only the pages in a real browser (needs chromium, node and playwright-core)
cargo xtask asan      only the tests of kernels and core under AddressSanitizer (needs a nightly toolchain)
cargo xtask miri      the tests of kernels under Miri (needs its component in the nightly toolchain)
cargo xtask memcheck  the tests of kernels under valgrind";

fn main() -> Result<()> {
    if let Some(code) = interface::as_rustdoc() {
        std::process::exit(code?);
    }
    let checks = std::env::args().nth(2).as_deref() == Some("--check");
    match std::env::args().nth(1).as_deref() {
        Some("test") => test(),
        Some("tidy") => tidy::check(&root()?),
        Some("dummy-cell") => dummy_cell::check(&root()?),
        Some("package") => package::check(&root()?),
        Some("interface") => interface::check(&root()?, !checks),
        Some("python") => python::check(&root()?),
        Some("wheel") => wheel::check(&root()?),
        Some("browser") => browser::check(&root()?),
        Some("asan") => memory::asan(&root()?),
        Some("miri") => memory::miri(&root()?),
        Some("memcheck") => memory::memcheck(&root()?),
        Some("help" | "--help" | "-h") | None => {
            println!("{HELP}");
            Ok(())
        }
        Some(other) => bail!("there is no chore {other:?}\n{HELP}"),
    }
}

/// The root of the workspace.
fn root() -> Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(here
        .parent()
        .context("xtask stands in the workspace")?
        .into())
}

fn test() -> Result<()> {
    let root = root()?;
    let chores: [(&str, &[&str]); 4] = [
        ("format", &["fmt", "--all", "--check"]),
        (
            "lints",
            &[
                "clippy",
                "--workspace",
                "--all-targets",
                "--quiet",
                "--",
                "-D",
                "warnings",
            ],
        ),
        ("tests", &["test", "--workspace", "--quiet"]),
        (
            "documentation",
            &["doc", "--workspace", "--no-deps", "--quiet"],
        ),
    ];
    tidy::check(&root)?;
    for (name, arguments) in chores {
        timed(name, || {
            let mut cargo = Command::new(env!("CARGO"));
            cargo.args(arguments).current_dir(&root);
            if name == "documentation" {
                cargo.env("RUSTDOCFLAGS", "-D warnings");
            }
            run(&mut cargo)
        })?;
    }
    // The list of cells makes their modules, where `cargo fmt` does not look.
    timed("format of the cells", || {
        let folder = root.join("crates/core/src/cell");
        let files = std::fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
        let files = files.collect::<Result<Vec<_>>>()?;
        run(Command::new("rustfmt")
            .args(["--edition", "2024", "--check"])
            .args(files))
    })?;
    timed("tests without vector instructions", || {
        let mut cargo = Command::new(env!("CARGO"));
        let packages = ["--package", "elman-kernels", "--package", "elman-core"];
        cargo.args(["test", "--quiet"]).args(packages);
        run(cargo.current_dir(&root).env("ELMAN_LEVEL", "portable"))
    })?;
    timed("a cell in one file and one line", || {
        dummy_cell::check(&root)
    })?;
    timed("packages", || package::check(&root))?;
    timed("public interface", || interface::check(&root, false))?;
    timed("files in Python", || python::check(&root))?;
    timed("the Python wheel", || wheel::check(&root))?;
    timed("pages in a browser", || browser::check(&root))
}

/// The folder of the command and the examples, compiled as the tests are: after these nothing is left to do, where a
/// package alone would be compiled again, with all below it, for its own choice of features.
fn compiled(root: &Path) -> Result<PathBuf> {
    let mut cargo = Command::new(env!("CARGO"));
    run(cargo
        .args(["test", "--no-run", "--quiet", "--workspace"])
        .current_dir(root))?;
    Ok(root.join("target/debug"))
}

fn timed(name: &str, chore: impl FnOnce() -> Result<()>) -> Result<()> {
    println!("── {name}");
    let begun = Instant::now();
    chore().with_context(|| format!("{name} failed"))?;
    println!("── {name}: {:.0} s", begun.elapsed().as_secs_f64());
    Ok(())
}

/// Runs a command, its output shown; an error where it does not end well.
fn run(command: &mut Command) -> Result<()> {
    let shown = format!("{command:?}");
    let status = command
        .status()
        .with_context(|| format!("{shown} cannot be started"))?;
    ensure!(status.success(), "{shown} ended with {status}");
    Ok(())
}
