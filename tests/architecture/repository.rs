//! Where the repository is, and what belongs to it.

use std::path::{Component, Path, PathBuf};
use std::process::Command;

/// The root of the repository: the folder above this crate.
pub(crate) fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).to_path_buf()
}

/// A file that belongs to the repository.
#[derive(Debug)]
pub(crate) struct SourceFile {
    /// From the root, with forward slashes.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// The paths that git knows or would take up, in their order. A file that is new counts before it is committed; one that
/// is ignored never does.
///
/// # Errors
///
/// When git does not answer.
pub(crate) fn paths() -> Result<Vec<String>, String> {
    let root = root();
    let mut paths = listed(&root)?;
    paths.sort();
    paths.dedup();
    // Deleted in the work tree and not yet in the index.
    paths.retain(|path| root.join(path).is_file());
    Ok(paths)
}

/// Those of `paths` whose name ends with one of `endings`, with what is in them.
///
/// # Errors
///
/// When git does not answer or a file is not UTF-8 text.
pub(crate) fn files(endings: &[&str]) -> Result<Vec<SourceFile>, String> {
    let root = root();
    let wanted = paths()?
        .into_iter()
        .filter(|path| endings.iter().any(|ending| path.ends_with(ending)));
    wanted
        .map(|path| match std::fs::read_to_string(root.join(&path)) {
            Ok(text) => Ok(SourceFile { path, text }),
            Err(error) => Err(format!("{path}: {error}")),
        })
        .collect()
}

/// The path without `.` and `..`. One that leads out of the repository begins with `..`.
pub(crate) fn normal(path: &Path) -> PathBuf {
    let mut result = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir if result.file_name().is_some() => {
                result.pop();
            }
            Component::CurDir => {}
            other => result.push(other),
        }
    }
    result
}

fn listed(root: &Path) -> Result<Vec<String>, String> {
    let output = Command::new("git")
        // A checkout that belongs to another user, as in a container, is read all the same.
        .args([
            "-c",
            "safe.directory=*",
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root)
        .output()
        .map_err(|error| {
            format!("`git ls-files` did not start: {error}; the checks read the files of a git checkout")
        })?;
    if !output.status.success() {
        return Err(format!(
            "`git ls-files` failed: {}",
            String::from_utf8_lossy(&output.stderr)
        ));
    }
    let text = String::from_utf8(output.stdout).map_err(|error| format!("a path is not UTF-8: {error}"))?;
    Ok(text
        .split('\0')
        .filter(|path| !path.is_empty())
        .map(str::to_owned)
        .collect())
}
