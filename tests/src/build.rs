//! The binary under test, built once.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The root of the repository.
#[must_use]
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."))
}

/// The folder of the target that the running program was built into.
///
/// # Panics
/// When the program runs from nowhere.
#[must_use]
pub fn target() -> PathBuf {
    let target = profile().parent().map(Path::to_owned);
    target.expect("a profile's folder lies in the target folder")
}

/// The folder of its profile in there: tests run from `debug/deps`, benchmarks from `release`.
fn profile() -> PathBuf {
    let program = std::env::current_exe().expect("a program knows its own file");
    let profile = program.ancestors().find(|folder| folder.join("deps").is_dir());
    profile
        .expect("tests and benchmarks run from where they were built")
        .to_owned()
}

/// The `portcullis` binary, built from the present sources.
///
/// # Panics
/// When it does not build.
#[must_use]
pub fn portcullis() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        // `make` has just built it. A bare `cargo test` has not; and with other targets than these, dependencies would be
        // built once more with other features.
        if std::env::var_os("E2E_BUILT").is_none() {
            let built = Command::new(env!("CARGO"))
                .args(["build", "--quiet", "--locked", "--workspace", "--all-targets"])
                .current_dir(repository())
                .env("CARGO_TARGET_DIR", target())
                .status();
            assert!(
                built.expect("cargo runs").success(),
                "the portcullis binary does not build"
            );
        }
        profile().join("portcullis")
    })
}
