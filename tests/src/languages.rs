//! The policies of `plugins/languages`, built by their own scripts with the toolchains that `scripts/setup.sh languages`
//! installs.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::build::{portcullis, repository, target};
use crate::policies::Policy;

/// The folders of `plugins/languages`, by what follows `velocity-limit-`.
const LANGUAGES: [&str; 5] = ["rust-wasip1", "c", "go", "javascript", "python"];

/// All of them, or those that the variable `LANGUAGES` names: a machine may lack the toolchains of the others.
///
/// # Panics
/// When it names another one.
#[must_use]
pub fn languages() -> Vec<&'static str> {
    let Ok(named) = std::env::var("LANGUAGES") else {
        return LANGUAGES.to_vec();
    };
    let known = |name: &str| LANGUAGES.into_iter().find(|known| *known == name);
    named
        .split_whitespace()
        .map(|name| {
            known(name).unwrap_or_else(|| panic!("LANGUAGES: found `{name}`, expected some of {LANGUAGES:?}"))
        })
        .collect()
}

/// Whether the toolchains that come from registries of packages are there.
#[must_use]
pub fn are_here() -> bool {
    target().join("languages/node").exists() && target().join("languages/python").exists()
}

/// The golden cases that all languages are held to.
#[must_use]
pub fn golden_cases() -> PathBuf {
    repository().join("plugins/velocity-limit/golden-cases.json")
}

/// The name of a language's policy.
#[must_use]
pub fn name(language: &str) -> String {
    format!("velocity-limit-{language}")
}

/// What the script in a language's folder makes: a component, or a core module.
///
/// # Panics
/// When it fails.
#[must_use]
pub fn compiled(language: &str) -> PathBuf {
    let out = outputs().join(format!("{language}.wasm"));
    let tools = target().join("languages");
    let path = std::env::var("PATH").expect("a path");
    let path = format!("{0}/python:{0}/node:{path}", tools.display());
    let status = Command::new(folder(language).join("build.sh"))
        .arg(&out)
        .env("PATH", path)
        .env("CARGO_TARGET_DIR", target().join("policies"))
        .env("GOCACHE", tools.join("go-cache"))
        .status();
    assert!(
        status.expect("the script runs").success(),
        "{language} does not build"
    );
    out
}

/// What `portcullis policy build` makes of that, with these golden cases or none, and what it said.
///
/// # Panics
/// When it fails.
#[must_use]
pub fn packed(language: &str, wasm: &Path, cases: Option<&Path>) -> (Policy, Output) {
    let out = outputs().join(format!("{language}.component.wasm"));
    let mut command = Command::new(portcullis());
    command.args(["policy", "build"]).arg(folder(language));
    command.arg("--wasm").arg(wasm).arg("--out").arg(&out);
    if let Some(cases) = cases {
        command.arg("--golden-cases").arg(cases);
    }
    let output = command.output().expect("the command runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{language} is not taken: {said}");
    let bytes = std::fs::read(&out).expect("the component");
    let manifest = std::fs::read_to_string(folder(language).join("policy.toml")).expect("a manifest");
    (Policy::of(&bytes, &manifest), output)
}

fn folder(language: &str) -> PathBuf {
    repository().join("plugins/languages").join(name(language))
}

fn outputs() -> PathBuf {
    let folder = target().join("languages/out");
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}
