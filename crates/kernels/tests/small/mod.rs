//! Fewer and smaller cases where a test takes a hundred times as long.

/// Whether it does: under an interpreter, or where the environment says so (`cargo xtask memcheck`).
pub fn small() -> bool {
    cfg!(miri) || std::env::var_os("ELMAN_SMALL_TESTS").is_some()
}
