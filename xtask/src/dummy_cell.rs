//! That a cell is one file and one line: a copy of the crates with one file and one line more compiles, and the tests
//! that go through all cells pass with that cell among the others.

use crate::run;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::Path;
use std::process::Command;

/// The file.
const FILE: &str = include_str!("../data/dummy.rs");
/// The line.
const LINE: &str = "    dummy: Dummy \"dummy\" \"a cell for the test that a cell is one file and one line\" => crate::cell::Dummy;\n";
/// What it goes before.
const LAST: &str = "    lstm: Lstm ";

/// The tests that go through all cells.
const TESTS: [(&str, &[&str]); 3] = [
    (
        "elman-core",
        &[
            "--test",
            "every_cell",
            "--test",
            "modes",
            "--test",
            "equivalence",
        ],
    ),
    ("elman-flow", &["--test", "regression"]),
    ("elman-io", &["--lib"]),
];

/// Makes the copy in `target/dummy-cell`, checks all crates there, and runs the tests of those that know cells.
pub fn check(root: &Path) -> Result<()> {
    let copy = root.join("target/dummy-cell");
    if copy.exists() {
        fs::remove_dir_all(&copy)?;
    }
    copy_folder(&root.join("crates"), &copy.join("crates"))?;
    fs::copy(root.join("Cargo.lock"), copy.join("Cargo.lock"))?;
    let manifest = fs::read_to_string(root.join("Cargo.toml"))?;
    let members = "members = [\"crates/*\", \"python\", \"xtask\"]";
    ensure!(manifest.contains(members), "Cargo.toml has other members");
    fs::write(
        copy.join("Cargo.toml"),
        manifest.replace(members, "members = [\"crates/*\"]"),
    )?;
    let cells = copy.join("crates/core/src/cell");
    fs::write(cells.join("dummy.rs"), FILE)?;
    let list = fs::read_to_string(cells.join("mod.rs"))?;
    ensure!(list.contains(LAST), "the list of cells has no {LAST:?}");
    fs::write(
        cells.join("mod.rs"),
        list.replacen(LAST, &format!("{LINE}{LAST}"), 1),
    )?;
    // The packages of others are compiled already.
    let target = root.join("target");
    let cargo = |arguments: &[&str]| {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args(arguments).arg("--quiet").current_dir(&copy);
        run(cargo.env("CARGO_TARGET_DIR", &target))
    };
    cargo(&["check", "--workspace", "--all-targets"])?;
    for (package, tests) in TESTS {
        cargo(&[&["test", "--package", package][..], tests].concat())?;
    }
    Ok(())
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| format!("{} is not there", from.display()))? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => copy_folder(&entry.path(), &to)?,
            false => fs::copy(entry.path(), to).map(|_| ())?,
        }
    }
    Ok(())
}
