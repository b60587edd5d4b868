//! The pages, opened in a real browser, light and dark, wide and narrow.

use crate::{compiled, run};
use anyhow::{Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Makes sample pages and a real run's report, and looks at them. Where there is no browser, that is said; under
/// `CI` it is an error.
pub fn check(root: &Path) -> Result<()> {
    let chromium = std::env::var_os("CHROMIUM").map_or("/usr/bin/chromium".into(), PathBuf::from);
    let modules = root.join("target/browser/node_modules");
    if !chromium.exists() || !modules.join("playwright-core").exists() {
        let missing = "no browser to look at the pages with: install chromium, and \
                       `npm install --prefix target/browser playwright-core`";
        if std::env::var_os("CI").is_some() {
            bail!(missing);
        }
        println!("   skipped: {missing}");
        return Ok(());
    }
    let pages = root.join("target/browser/pages");
    let _ = std::fs::remove_dir_all(&pages);
    std::fs::create_dir_all(&pages)?;
    let compiled = compiled(root)?;
    run(Command::new(compiled.join("examples/pages")).arg(&pages))?;
    let real = pages.join("run");
    run(Command::new(compiled.join("elman"))
        .args(["train", "--quiet", "--out"])
        .arg(&real)
        .current_dir(root))?;
    std::fs::copy(real.join("report.html"), pages.join("real-run.html"))?;
    std::fs::remove_dir_all(&real)?;
    let script = root.join("crates/report/tests/browser/check.mjs");
    run(Command::new("node")
        .arg(script)
        .arg(&pages)
        .env("NODE_PATH", &modules)
        .env("CHROMIUM", &chromium))
}
