//! Crates depend downwards only, unsafe code stays in the kernels, and nothing above the engine asks which cell it is.

use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::Path;

/// Storeys from the ground up: a crate may use those before it.
const STOREYS: [&str; 10] = [
    "elman-kernels",
    "elman-core",
    "elman-flow",
    "elman-io",
    "elman-report",
    "elman-train",
    "elman",
    "elman-cli",
    "elman-python",
    "xtask",
];

/// Fails on the first upward edge, on a crate above the kernels that does not forbid unsafe code, and on a place above the
/// engine that asks which cell a network has.
pub fn check(root: &Path) -> Result<()> {
    let mut crates: Vec<_> = fs::read_dir(root.join("crates"))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    crates.extend(["python", "xtask"].map(|folder| root.join(folder)));
    crates.sort();
    for folder in crates {
        let manifest = folder.join("Cargo.toml");
        let text = fs::read_to_string(&manifest)
            .with_context(|| format!("{} cannot be read", manifest.display()))?;
        let name = text
            .lines()
            .find_map(|l| l.strip_prefix("name = \"")?.strip_suffix('"'))
            .with_context(|| format!("{} has no name", manifest.display()))?;
        let storey = storey(name)?;
        for uses in dependencies(&text) {
            ensure!(
                self::storey(uses)? < storey,
                "{name} uses {uses}, which stands above it; see ARCHITECTURE.md"
            );
        }
        if name != "elman-kernels" && name != "elman-python" {
            let main = ["src/lib.rs", "src/main.rs"].map(|f| folder.join(f));
            for file in main.iter().filter(|f| f.exists()) {
                ensure!(
                    fs::read_to_string(file)?.contains("#![forbid(unsafe_code)]"),
                    "{} does not forbid unsafe code",
                    file.display()
                );
            }
        }
        if storey > self::storey("elman-core")? && name != "xtask" {
            no_cell_is_asked_for(&folder.join("src"))?;
        }
    }
    Ok(())
}

/// A cell says what it is ([`About`] in the engine): a `match` on cells elsewhere would be one more place to add a cell.
///
/// [`About`]: https://docs.rs/elman-core
fn no_cell_is_asked_for(folder: &Path) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            no_cell_is_asked_for(&path)?;
            continue;
        }
        if path.extension().is_none_or(|e| e != "rs") {
            continue;
        }
        for (i, line) in fs::read_to_string(&path)?.lines().enumerate() {
            ensure!(
                !asks_for_a_cell(line.trim()),
                "{}:{}: asks which cell it is; CellKind::about says what a cell is",
                path.display(),
                i + 1
            );
        }
    }
    Ok(())
}

/// Whether a line compares with a cell, or has one in a pattern.
fn asks_for_a_cell(line: &str) -> bool {
    let Some((before, after)) = line.split_once("CellKind::") else {
        return false;
    };
    let cell = after.chars().next().is_some_and(char::is_uppercase) && !after.starts_with("ALL");
    let pattern = [after, before].iter().any(|side| side.contains(" | ")) || after.contains("=>");
    let compared = ["==", "!="]
        .iter()
        .any(|sign| before.trim_end().ends_with(sign));
    let compared = compared || before.contains("matches!(");
    cell && (pattern || compared)
}

fn storey(name: &str) -> Result<usize> {
    let found = STOREYS.iter().position(|s| *s == name);
    found.with_context(|| format!("{name} has no storey; give it one in xtask/src/tidy.rs"))
}

/// The project's own crates that a manifest uses, tests apart.
fn dependencies(manifest: &str) -> impl Iterator<Item = &str> {
    let mut within = false;
    manifest.lines().filter_map(move |line| {
        if line.starts_with('[') {
            within = line == "[dependencies]";
        }
        let name = line.split(['.', ' ', '=']).next()?;
        (within && name.starts_with("elman")).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::asks_for_a_cell;

    #[test]
    fn a_pattern_or_a_comparison_asks_for_a_cell() {
        for line in [
            "CellKind::Elman | CellKind::Leaky",
            "CellKind::Lstm => 4,",
            "elman_core::CellKind::Gru => true,",
            "if cell == CellKind::Gru {",
            ".filter(|&c| fits(c) && c != CellKind::GruBefore)",
            "matches!(cell, CellKind::Elman)",
        ] {
            assert!(asks_for_a_cell(line), "{line}");
        }
        for line in [
            "Network::new(CellKind::Elman, Input::Features(1), 2, 1)",
            "for &cell in CellKind::ALL {",
            "CellKind::ALL.iter().map(|k| k.name())",
            "CellKind::by_name(name) == None",
            "cell: CellKind,",
        ] {
            assert!(!asks_for_a_cell(line), "{line}");
        }
    }
}
