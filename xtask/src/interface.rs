//! The record of the public interface: `crates/NAME/interface.txt` has every public item of a library, each with its full
//! signature in one line, so that a change of it is seen.

use crate::run;
use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The version of rustdoc's JSON that `public-api` reads; Rust 1.95 writes it. `public-api` names it in no function.
const FORMAT: &str = "\"format_version\":57}";
/// Set where this program stands for rustdoc: the program to run in its place.
const RUSTDOC: &str = "ELMAN_RUSTDOC";
/// Impls that the compiler makes of itself, and on which next to no program depends.
const UNTOLD: [&str; 6] = [
    "core::marker::Freeze for ",
    "core::marker::StructuralPartialEq for ",
    "core::marker::Unpin for ",
    "core::marker::UnsafeUnpin for ",
    "core::panic::unwind_safe::RefUnwindSafe for ",
    "core::panic::unwind_safe::UnwindSafe for ",
];
/// Ends of methods that every impl of their trait has: the impl has a line of its own.
const IMPLIED: [&str; 2] = [
    "::fmt(&self, &mut core::fmt::Formatter<'_>) -> core::fmt::Result",
    "::clone(&self) -> ",
];

/// Compares the record with what there is; with `accept`, writes it. Says so where this toolchain or machine cannot.
pub fn check(root: &Path, accept: bool) -> Result<()> {
    if let Some(why) = unable() {
        println!("   skipped: {why}");
        return Ok(());
    }
    let libraries = libraries(root)?;
    document(root, &libraries)?;
    let mut changed = false;
    for (name, folder) in &libraries {
        let json = root.join(format!("target/doc/{}.json", name.replace('-', "_")));
        if !fs::read_to_string(&json)
            .with_context(|| format!("{} cannot be read", json.display()))?
            .ends_with(FORMAT)
        {
            println!("   skipped: this rustdoc writes another version of its JSON than {FORMAT}");
            return Ok(());
        }
        let now = lines(&json)?;
        let record = folder.join("interface.txt");
        let before = fs::read_to_string(&record).unwrap_or_default();
        changed |= differ(name, &before, &now);
        if accept {
            fs::write(&record, now.join("\n") + "\n")?;
        }
    }
    if changed && !accept {
        bail!(
            "the public interface is not the one on record: `cargo xtask interface` records it, where that is meant"
        );
    }
    Ok(())
}

/// Why the interface cannot be had here.
fn unable() -> Option<String> {
    if cfg!(not(all(target_arch = "x86_64", target_os = "linux"))) {
        return Some("the record of the interface is of x86-64 Linux".into());
    }
    let rustdoc = rustdoc();
    let probe = Command::new(&rustdoc)
        .args(["-Z", "unstable-options", "--version"])
        .env("RUSTC_BOOTSTRAP", "1")
        .output();
    match probe {
        Ok(output) if output.status.success() => None,
        _ => Some(format!("{rustdoc:?} does not write JSON")),
    }
}

fn rustdoc() -> OsString {
    std::env::var_os("RUSTDOC").unwrap_or_else(|| "rustdoc".into())
}

/// The packages that are libraries, with their folders.
fn libraries(root: &Path) -> Result<Vec<(String, PathBuf)>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root.join("crates"))? {
        let folder = entry?.path();
        if folder.join("src/lib.rs").exists() {
            let name = folder.file_name().context("a crate has a folder")?;
            let name = match name.to_str().context("its name is text")? {
                "elman" => "elman".into(),
                part => format!("elman-{part}"),
            };
            found.push((name, folder));
        }
    }
    found.sort();
    Ok(found)
}

/// Has rustdoc write what it knows of the libraries, all features on.
///
/// JSON is for nightly toolchains unless `RUSTC_BOOTSTRAP` is set. Set for all of cargo it would compile most packages
/// again, whose build scripts ask for it: this program stands for rustdoc and sets it there.
fn document(root: &Path, libraries: &[(String, PathBuf)]) -> Result<()> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["doc", "--no-deps", "--lib", "--all-features", "--quiet"])
        .args(libraries.iter().flat_map(|(name, _)| ["--package", name]))
        .env("CARGO_TARGET_DIR", root.join("target"))
        .env("RUSTDOCFLAGS", "-Z unstable-options --output-format json")
        .env(RUSTDOC, rustdoc())
        .env("RUSTDOC", std::env::current_exe()?)
        .current_dir(root);
    run(&mut cargo)
}

/// Where cargo has started this program in rustdoc's place: the exit code of that.
pub fn as_rustdoc() -> Option<Result<i32>> {
    let status = Command::new(std::env::var_os(RUSTDOC)?)
        .args(std::env::args_os().skip(1))
        .env("RUSTC_BOOTSTRAP", "1")
        .status();
    let code = status.map(|s| s.code().unwrap_or(1));
    Some(code.context("rustdoc cannot be started"))
}

/// The items, by module and type as `public-api` sorts them; each once.
fn lines(json: &Path) -> Result<Vec<String>> {
    let interface = public_api::Builder::from_rustdoc_json(json)
        .omit_blanket_impls(true)
        .build()
        .with_context(|| format!("{} cannot be read", json.display()))?;
    let mut seen = BTreeSet::new();
    let lines = interface.items().map(ToString::to_string);
    Ok(lines
        .filter(|l| told(l) && seen.insert(l.clone()))
        .collect())
}

/// Whether an item is worth a line.
fn told(line: &str) -> bool {
    let untold = line.starts_with("impl") && UNTOLD.iter().any(|t| line.contains(t));
    !untold && !IMPLIED.iter().any(|end| line.contains(end))
}

/// Prints what went and what came; whether anything did.
fn differ(name: &str, before: &str, now: &[String]) -> bool {
    let before: BTreeSet<&str> = before.lines().collect();
    let now: BTreeSet<&str> = now.iter().map(String::as_str).collect();
    let (gone, new): (Vec<_>, Vec<_>) = (
        before.difference(&now).collect(),
        now.difference(&before).collect(),
    );
    if !gone.is_empty() {
        println!("   {name}: removed or changed, which breaks programs that use it:");
        gone.iter().for_each(|line| println!("   - {line}"));
    }
    if !new.is_empty() {
        println!("   {name}: added:");
        new.iter().for_each(|line| println!("   + {line}"));
    }
    !gone.is_empty() || !new.is_empty()
}

#[cfg(test)]
mod tests {
    use super::{differ, told};

    #[test]
    fn what_the_compiler_adds_is_not_told() {
        assert!(told("pub fn elman_core::Error::new() -> Self"));
        assert!(told("impl core::marker::Send for elman_core::Error"));
        assert!(told("impl core::clone::Clone for elman_core::Error"));
        for line in [
            "impl core::marker::Freeze for elman_core::Error",
            "impl<'a, E> core::marker::Unpin for a::Rows<'a, E>",
            "pub fn a::Error::clone(&self) -> a::Error",
            "pub fn a::Error::fmt(&self, &mut core::fmt::Formatter<'_>) -> core::fmt::Result",
        ] {
            assert!(!told(line), "{line}");
        }
    }
    #[test]
    fn an_item_more_or_less_is_a_change() {
        let lines = |all: &[&str]| all.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert!(!differ("a", "one\ntwo\n", &lines(&["two", "one"])));
        assert!(differ("a", "one\ntwo\n", &lines(&["one"])));
        assert!(differ("a", "one\n", &lines(&["one", "two"])));
    }
}
