//! Crates depend downwards only, and unsafe code stays in the kernels.

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

/// Fails on the first upward edge, and on a crate above the kernels that does not forbid unsafe code.
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
    }
    Ok(())
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
