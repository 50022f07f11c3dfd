//! The crates of the workspace and what their manifests name, as cargo reads them.

use std::fmt;

use cargo_metadata::camino::Utf8Path;
use cargo_metadata::{CargoOpt, DependencyKind, MetadataCommand};

use crate::repository;

/// What a dependency is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Normal,
    Development,
    Build,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Normal => "normal",
            Self::Development => "dev",
            Self::Build => "build",
        })
    }
}

/// One line of a manifest's dependencies.
#[derive(Debug, Clone)]
pub(super) struct Dependency {
    /// The package's own name, also where the manifest renames it; of ours without the prefix.
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// One crate of the workspace.
#[derive(Debug, Clone)]
pub(super) struct Crate {
    /// Without the prefix.
    pub(super) name: String,
    /// Path of the manifest from the root of the repository.
    pub(super) manifest: String,
    pub(super) manifest_text: String,
    /// Those for certain targets included.
    pub(super) dependencies: Vec<Dependency>,
}

impl Crate {
    /// The manifest, with the line that names the dependency where it can be told.
    pub(super) fn place_of(&self, edge: &Dependency) -> String {
        let names_it = |line: &str| {
            let key = line
                .split(['.', '='])
                .next()
                .unwrap_or_default()
                .trim()
                .trim_matches('"');
            short(key) == edge.name
        };
        let line = self.manifest_text.lines().position(names_it);
        line.map_or_else(
            || self.manifest.clone(),
            |index| format!("{}:{}", self.manifest, index + 1),
        )
    }
}

/// A package's name as the rules write it.
pub(super) fn short(package: &str) -> &str {
    package.strip_prefix("portcullis-").unwrap_or(package)
}

/// Reads the workspace of the repository. Neither the network nor the lock file is needed.
///
/// # Errors
///
/// When cargo cannot read the workspace, or a manifest cannot be read.
pub(super) fn workspace() -> Result<Vec<Crate>, String> {
    let root = repository::root();
    let metadata = MetadataCommand::new()
        .manifest_path(root.join("Cargo.toml"))
        .no_deps()
        .other_options(vec!["--offline".to_owned()])
        .features(CargoOpt::AllFeatures)
        .exec()
        .map_err(|error| format!("`cargo metadata` failed: {error}"))?;
    metadata
        .workspace_packages()
        .into_iter()
        .map(|package| {
            let manifest_text = std::fs::read_to_string(&package.manifest_path)
                .map_err(|error| format!("{}: {error}", package.manifest_path))?;
            Ok(Crate {
                name: short(&package.name).to_owned(),
                manifest: from_root(&package.manifest_path, &metadata.workspace_root),
                manifest_text,
                dependencies: package
                    .dependencies
                    .iter()
                    .map(dependency)
                    .collect::<Result<_, _>>()?,
            })
        })
        .collect()
}

fn dependency(found: &cargo_metadata::Dependency) -> Result<Dependency, String> {
    let kind = match found.kind {
        DependencyKind::Normal => Kind::Normal,
        DependencyKind::Development => Kind::Development,
        DependencyKind::Build => Kind::Build,
        other => {
            return Err(format!(
                "`{}` is a dependency of an unknown kind, {other:?}",
                found.name
            ));
        }
    };
    // Only ours lose the prefix: a stranger may not pass for one of us.
    let name = if found.path.is_some() {
        short(&found.name)
    } else {
        &found.name
    };
    Ok(Dependency {
        name: name.to_owned(),
        kind,
    })
}

fn from_root(path: &Utf8Path, root: &Utf8Path) -> String {
    path.strip_prefix(root)
        .unwrap_or(path)
        .as_str()
        .replace('\\', "/")
}
