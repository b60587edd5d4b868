//! Checks of memory: the tests of the crates with unsafe code below them, under tools that see every wrong access.
//!
//! Each needs something that not every machine has. Where it is missing, that is said, and nothing fails.

use crate::run;
use anyhow::Result;
use std::path::Path;
use std::process::Command;

const TARGET: &str = "x86_64-unknown-linux-gnu";
/// The kernels' tests.
const KERNELS: [&str; 6] = [
    "test",
    "--quiet",
    "--lib",
    "--tests",
    "--package",
    "elman-kernels",
];
/// Set where tests take a hundred times as long: they then choose small shapes.
const SMALL: &str = "ELMAN_SMALL_TESTS";

/// AddressSanitizer, of a nightly toolchain: the kernels' tests, which go through every level of this processor
/// themselves, and the engine's at each.
pub fn asan(root: &Path) -> Result<()> {
    if !cfg!(all(target_arch = "x86_64", target_os = "linux")) {
        return missing("asan", "it is set up for Linux on x86-64 only");
    }
    if !says("rustup", &["toolchain", "list"], "nightly") {
        return missing(
            "asan",
            "no nightly toolchain is installed (rustup toolchain install nightly)",
        );
    }
    let test = |package: &str, tests: &[&str], level: &str| {
        println!("asan: {package}, {level}");
        let mut cargo = nightly(root, "test");
        cargo.args(["--quiet", "--package", package]).args(tests);
        cargo.args(["--target", TARGET, "--target-dir", "target/asan"]);
        cargo.env("RUSTFLAGS", "-Zsanitizer=address");
        // The kernels are hundreds of blocks, which take minutes to compile at more.
        cargo.env("CARGO_PROFILE_TEST_OPT_LEVEL", "1");
        run(cargo.env("ELMAN_LEVEL", level).env(SMALL, "1"))
    };
    let all = ["--lib", "--tests"];
    test("elman-kernels", &all, "portable")?;
    for level in levels() {
        test("elman-core", &all, level)?;
    }
    Ok(())
}

/// Miri, which interprets the kernels' tests and sees what no processor shows: pointers that are never used, aliasing.
/// It knows the portable level only.
pub fn miri(root: &Path) -> Result<()> {
    let installed = ["component", "list", "--toolchain", "nightly", "--installed"];
    if !says("rustup", &installed, "miri") {
        return missing(
            "miri",
            "the component is not installed (rustup component add miri --toolchain nightly)",
        );
    }
    let mut cargo = nightly(root, "miri");
    cargo.args(KERNELS);
    run(cargo.args(["--target-dir", "target/miri"]).env(SMALL, "1"))
}

/// Valgrind's memcheck, which sees numbers that nobody has written. It knows no AVX-512: the kernels' tests go through
/// the other levels.
pub fn memcheck(root: &Path) -> Result<()> {
    if !says("valgrind", &["--version"], "valgrind") {
        return missing("memcheck", "valgrind is not installed");
    }
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(KERNELS);
    cargo.args(["--target", TARGET, "--target-dir", "target/memcheck"]);
    let runner = "valgrind --quiet --error-exitcode=9 --leak-check=no --fair-sched=yes";
    cargo.env("CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER", runner);
    run(cargo
        .current_dir(root)
        .env("ELMAN_LEVEL", "portable")
        .env(SMALL, "1"))
}

fn missing(what: &str, why: &str) -> Result<()> {
    println!("{what}: not run, since {why}");
    Ok(())
}

/// Whether a program is there, ends well and prints `word`.
fn says(program: &str, arguments: &[&str], word: &str) -> bool {
    let output = Command::new(program).args(arguments).output();
    output.is_ok_and(|o| o.status.success() && String::from_utf8_lossy(&o.stdout).contains(word))
}

fn nightly(root: &Path, chore: &str) -> Command {
    let mut cargo = Command::new("rustup");
    cargo
        .args(["run", "nightly", "cargo", chore])
        .current_dir(root);
    // Those of the toolchain that runs this.
    for variable in ["CARGO", "RUSTC", "RUSTDOC", "RUSTUP_TOOLCHAIN"] {
        cargo.env_remove(variable);
    }
    cargo
}

/// The names of the levels that this processor has.
fn levels() -> Vec<&'static str> {
    let mut levels = vec!["portable"];
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            levels.push("avx2");
        }
        let avx512 = is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq");
        if avx512 && is_x86_feature_detected!("avx512vl") && is_x86_feature_detected!("avx512bw") {
            levels.push("avx512");
        }
    }
    levels
}
