//! Policies under test: built by `portcullis policy build`, published by `portcullis policy push`.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, PoisonError};

use tempfile::TempDir;

use crate::build::{portcullis, repository, target};
use crate::guests;

/// One build at a time: they share a target folder.
static BUILDING: Mutex<()> = Mutex::new(());

/// A policy with a manifest of its own, in a folder of its own.
pub struct Policy {
    folder: TempDir,
}

impl Policy {
    /// A policy of `plugins/`, such as `amount-ceiling` or `misbehaving/spins`.
    ///
    /// # Panics
    /// When it does not build.
    #[must_use]
    pub fn built(name: &str) -> Self {
        match name.strip_prefix("misbehaving/") {
            Some(guest) => Self::misbehaving(guest),
            None => Self::from(name, &built(name)),
        }
    }

    /// A guest of `plugins/misbehaving` in Rust, past every check of `portcullis policy build`.
    ///
    /// # Panics
    /// When it does not build.
    #[must_use]
    pub fn misbehaving(name: &str) -> Self {
        let bytes = std::fs::read(guests::rust(name)).expect("a component");
        Self::of(&bytes, &guests::manifest(name))
    }

    /// What cargo makes of a crate of `plugins/` for a target, past every check of `portcullis policy build`: the core module
    /// for `wasm32-wasip1`, or a component of any world.
    ///
    /// # Panics
    /// When it does not build.
    #[must_use]
    pub fn compiled(name: &str, triple: &str) -> Self {
        let package = name.rsplit('/').next().unwrap_or(name);
        let _alone = BUILDING.lock().unwrap_or_else(PoisonError::into_inner);
        let cargo = Command::new(env!("CARGO"))
            .args([
                "build",
                "--quiet",
                "--locked",
                "--release",
                "--target",
                triple,
                "--package",
                package,
            ])
            .current_dir(repository().join("plugins"))
            .env("CARGO_TARGET_DIR", target().join("policies"))
            .status();
        assert!(
            cargo.expect("cargo runs").success(),
            "{name} does not build for {triple}"
        );
        let file = format!("{triple}/release/{}.wasm", package.replace('-', "_"));
        Self::from(name, &target().join("policies").join(file))
    }

    fn from(name: &str, wasm: &Path) -> Self {
        let source = repository().join("plugins").join(name);
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::copy(wasm, folder.path().join("policy.wasm")).expect("the component can be copied");
        std::fs::copy(source.join("policy.toml"), folder.path().join("policy.toml")).expect("a manifest");
        Self { folder }
    }

    /// A policy of these bytes under this manifest.
    ///
    /// # Panics
    /// When they cannot be written.
    #[must_use]
    pub fn of(bytes: &[u8], manifest: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("policy.wasm"), bytes).expect("bytes");
        std::fs::write(folder.path().join("policy.toml"), manifest).expect("a manifest");
        Self { folder }
    }

    /// The same with a custom section of so many bytes behind it: larger, and otherwise what it was.
    ///
    /// # Panics
    /// When it cannot be written.
    #[must_use]
    pub fn padded(self, bytes: u32) -> Self {
        self.carrying("padding", &vec![0; bytes as usize])
    }

    /// The same carrying these golden cases, past every check of `portcullis policy build`.
    ///
    /// # Panics
    /// When it cannot be written.
    #[must_use]
    pub fn with_golden_cases(self, cases: &serde_json::Value) -> Self {
        self.carrying("portcullis:golden-cases", cases.to_string().as_bytes())
    }

    /// The same with a custom section behind it.
    ///
    /// # Panics
    /// When it cannot be written.
    #[must_use]
    pub fn carrying(self, section: &str, data: &[u8]) -> Self {
        let mut component = std::fs::read(self.wasm()).expect("a component");
        component.push(0);
        let mut length = 1 + section.len() + data.len();
        while length >= 0x80 {
            component.push(u8::try_from(length & 0x7f).expect("seven bits") | 0x80);
            length >>= 7;
        }
        component.push(u8::try_from(length).expect("seven bits"));
        component.push(u8::try_from(section.len()).expect("a short name"));
        component.extend_from_slice(section.as_bytes());
        component.extend_from_slice(data);
        std::fs::write(self.wasm(), component).expect("the component can be written");
        self
    }

    /// The component's file.
    #[must_use]
    pub fn wasm(&self) -> PathBuf {
        self.folder.path().join("policy.wasm")
    }

    /// The manifest's file.
    #[must_use]
    pub fn manifest(&self) -> PathBuf {
        self.folder.path().join("policy.toml")
    }

    /// The same with a text of its manifest replaced, which must be there.
    ///
    /// # Panics
    /// When it is not.
    #[must_use]
    pub fn with(self, old: &str, new: &str) -> Self {
        let manifest = std::fs::read_to_string(self.manifest()).expect("a manifest");
        assert!(
            manifest.contains(old),
            "`{old}` is not in the manifest:\n{manifest}"
        );
        std::fs::write(self.manifest(), manifest.replace(old, new)).expect("the manifest can be written");
        self
    }

    /// Publishes it, and says what the command printed.
    #[must_use]
    pub fn push(&self, store: &str) -> Output {
        push(store, &[self])
    }
}

/// Publishes policies together.
///
/// # Panics
/// When the command cannot be run.
#[must_use]
pub fn push(store: &str, policies: &[&Policy]) -> Output {
    let mut command = Command::new(portcullis());
    command.args(["policy", "push", "--store", store, "--publisher", "e2e"]);
    for policy in policies {
        command
            .arg(policy.wasm())
            .arg("--manifest")
            .arg(policy.manifest());
    }
    command.output().expect("the command runs")
}

/// Publishes policies together, which must succeed.
///
/// # Panics
/// When it does not.
pub fn publish(store: &str, policies: &[&Policy]) {
    let pushed = push(store, policies);
    assert!(
        pushed.status.success(),
        "push failed: {}",
        String::from_utf8_lossy(&pushed.stderr)
    );
}

fn built(name: &str) -> PathBuf {
    let source = repository().join("plugins").join(name);
    let _alone = BUILDING.lock().unwrap_or_else(PoisonError::into_inner);
    let out = target()
        .join("e2e")
        .join(format!("{}.wasm", name.replace('/', "-")));
    let output = Command::new(portcullis())
        .args(["policy", "build"])
        .arg(source)
        .arg("--out")
        .arg(&out)
        .env("CARGO_TARGET_DIR", target().join("policies"))
        .output()
        .expect("the command runs");
    assert!(
        output.status.success(),
        "{name} does not build: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    out
}
