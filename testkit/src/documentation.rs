//! The worked examples of `docs/`, as they stand there: what is promised to a reader is what tests run.

use std::fs;
use std::path::Path;
use std::process::Command;

/// The shell lines below a heading of a page, such as `policy-store.md`.
///
/// # Panics
/// When there is no such page or heading.
#[must_use]
pub fn example(page: &str, heading: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(page);
    let page = fs::read_to_string(page).unwrap();
    let (_, below) = page
        .split_once(&format!("\n## {heading}\n"))
        .expect("the heading is there");
    let section = below.split("\n## ").next().unwrap();
    let blocks = section
        .split("```sh\n")
        .skip(1)
        .map(|block| block.split("```").next().unwrap());
    blocks.collect()
}

/// Runs shell lines in a folder, ending at the first that fails.
///
/// # Panics
/// When one does.
pub fn run(script: &str, folder: &Path, variables: &[(&'static str, String)]) {
    let output = Command::new("bash")
        .args(["-euo", "pipefail", "-c", script])
        .current_dir(folder)
        .envs(variables.iter().map(|(name, value)| (name, value)))
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
}
