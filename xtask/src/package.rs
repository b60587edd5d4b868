//! The packages of the crates: all of them can be made, and what a crate's code, examples and tests read is inside.

use crate::run;
use anyhow::{Context, Result, ensure};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::process::Command;

/// What every package must have.
const ALWAYS: [&str; 3] = ["Cargo.toml", "README.md", "LICENSE-MIT"];
/// What comes before the path of another file that belongs to a source file.
const READS: [&str; 4] = ["include_str!(", "include_bytes!(", "include!(", "#[path ="];

/// Makes the packages without compiling them (`cargo package --workspace --exclude xtask --exclude elman-python` does
/// that too, in minutes), and looks for files that a source file names and its package does not have.
pub fn check(root: &Path) -> Result<()> {
    let mut cargo = Command::new(env!("CARGO"));
    // Offline: all that the crates use has been downloaded to compile this.
    run(cargo
        .args(["package", "--workspace", "--no-verify", "--allow-dirty"])
        .args(["--exclude", "xtask", "--exclude", "elman-python"])
        .args(["--offline", "--quiet"])
        .current_dir(root))?;
    for entry in fs::read_dir(root.join("crates"))? {
        let folder = entry?.path();
        let files = listed(&folder)?;
        for file in ALWAYS {
            ensure!(
                files.contains(Path::new(file)),
                "the package of {} has no {file}",
                folder.display()
            );
        }
        let sources = files
            .iter()
            .filter(|f| f.extension().is_some_and(|e| e == "rs"));
        for file in sources {
            let text = fs::read_to_string(folder.join(file))
                .with_context(|| format!("{} cannot be read", folder.join(file).display()))?;
            if let Some(outside) = missing(file, &text, &files) {
                let file = folder.join(file);
                anyhow::bail!(
                    "{} reads {outside:?}, which is not in the crate's package; move it into the crate's folder",
                    file.display()
                );
            }
        }
    }
    Ok(())
}

/// The files of a crate's package.
fn listed(folder: &Path) -> Result<BTreeSet<PathBuf>> {
    let output = Command::new(env!("CARGO"))
        .args(["package", "--list", "--allow-dirty", "--offline"])
        .current_dir(folder)
        .output()?;
    ensure!(
        output.status.success(),
        "cargo package --list of {}: {}",
        folder.display(),
        String::from_utf8_lossy(&output.stderr)
    );
    let list = String::from_utf8(output.stdout)?;
    Ok(list.lines().map(PathBuf::from).collect())
}

/// The first path in the text of `file` that is not among `files`: of a file that becomes part of the source, relative
/// to it; or, where the text asks for the crate's folder, one that leads out of that.
fn missing(file: &Path, text: &str, files: &BTreeSet<PathBuf>) -> Option<String> {
    let beside = file.parent().unwrap_or(Path::new(""));
    for reads in READS {
        for (at, _) in text.match_indices(reads) {
            let path = text[at + reads.len()..].trim_start().strip_prefix('"');
            let Some(path) = path.and_then(|p| p.split('"').next()) else {
                continue; // made by a macro, or an escape: nothing that a crate of elman has
            };
            if !within(&beside.join(path)).is_some_and(|p| files.contains(&p)) {
                return Some(path.into());
            }
        }
    }
    let at = text
        .contains("CARGO_MANIFEST_DIR")
        .then(|| text.find("\"../"))??;
    Some(text[at + 1..].split('"').next()?.into())
}

/// A relative path without `..`; nothing where it leads out of the folder it starts in.
fn within(path: &Path) -> Option<PathBuf> {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => clean.pop().then_some(())?,
            Component::Normal(name) => clean.push(name),
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_outside_the_package_is_found() {
        let files = ["src/a/b.rs", "src/page.css", "README.md"];
        let files = files.iter().map(PathBuf::from).collect();
        let missing = |text: &str| missing(Path::new("src/a/b.rs"), text, &files);
        assert_eq!(missing(r#"include_str!("../page.css")"#), None);
        assert_eq!(missing("include_str!(\n    \"../../README.md\")"), None);
        assert_eq!(missing(r#"#[path = "b.rs"] mod b;"#), None);
        assert_eq!(missing(r#"read("../other")"#), None);
        for outside in ["../../../README.md", "page.css", "/etc/hostname"] {
            let text = format!("#[doc = include_str!({outside:?})]");
            assert_eq!(missing(&text).as_deref(), Some(outside));
        }
        let text = r#"Path::new(env!("CARGO_MANIFEST_DIR")).join("../core/tests")"#;
        assert_eq!(missing(text).as_deref(), Some("../core/tests"));
    }
}
