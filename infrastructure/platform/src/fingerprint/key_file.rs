//! The file that the fingerprint key lives in.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use thiserror::Error;
use zeroize::Zeroizing;

/// As long as the digest, which is all that HMAC makes use of.
pub(super) const KEY_BYTES: usize = 32;

/// A key as it is handed round: wiped when dropped.
pub(super) type Key = Zeroizing<[u8; KEY_BYTES]>;

/// Why there is no fingerprint key.
#[derive(Debug, Error)]
pub enum FingerprintKeyError {
    /// The file, or the folder it is to be made in, cannot be used.
    #[error("the fingerprint key `{path}` cannot be {action}: {cause}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried: `read` or `made`.
        action: &'static str,
        /// What the system said.
        cause: io::Error,
    },
    /// The path leads to a folder, a device or a pipe.
    #[error("the fingerprint key `{path}` is not a regular file")]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// Others than the owner have access.
    #[error(
        "the fingerprint key `{path}` has mode {mode:04o}: others than its owner have access (chmod 600 it)"
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// It is no key of ours, or only a part of one.
    #[error("the fingerprint key `{path}` has {bytes} bytes, and a key has {KEY_BYTES}")]
    WrongSize {
        /// The file.
        path: PathBuf,
        /// How long it is.
        bytes: u64,
    },
}

/// The key of the file; a new one where there is no file.
pub(super) fn read_or_create(path: &Path) -> Result<Key, FingerprintKeyError> {
    let failed = |action| {
        move |cause| FingerprintKeyError::Io {
            path: path.to_owned(),
            action,
            cause,
        }
    };
    match File::open(path) {
        Ok(file) => read(path, file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            create(path).map_err(failed("made"))?;
            // Another process may have been first: what counts is what lies there now.
            read(path, File::open(path).map_err(failed("read"))?)
        }
        Err(error) => Err(failed("read")(error)),
    }
}

fn read(path: &Path, mut file: File) -> Result<Key, FingerprintKeyError> {
    let failed = |cause| FingerprintKeyError::Io {
        path: path.to_owned(),
        action: "read",
        cause,
    };
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(FingerprintKeyError::NotAFile {
            path: path.to_owned(),
        });
    }
    let mode = metadata.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(FingerprintKeyError::Exposed {
            path: path.to_owned(),
            mode,
        });
    }
    if metadata.len() != KEY_BYTES as u64 {
        return Err(FingerprintKeyError::WrongSize {
            path: path.to_owned(),
            bytes: metadata.len(),
        });
    }
    let mut key = Key::default();
    file.read_exact(&mut *key).map_err(failed)?;
    Ok(key)
}

/// Puts a whole, durable key in place or none: written beside, then linked, which fails where there is a file already.
fn create(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let mut key = Key::default();
    getrandom::fill(&mut *key)?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    // A name of its own, so that whoever else is making the key right now is left alone.
    name.push(format!(".{:016x}.new", getrandom::u64()?));
    let beside = path.with_file_name(name);
    let placed = write_new(&beside, &key).and_then(|()| match fs::hard_link(&beside, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    });
    let removed = fs::remove_file(&beside);
    placed.and(removed)?;
    File::open(folder)?.sync_all()
}

fn write_new(path: &Path, key: &Key) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(&**key)?;
    file.sync_all()
}
