//! The folder itself: who may look into it, who has it, and where things lie in it.

use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::files;
use super::{NodeStateError, failed};

/// Where files go that are not what this node wrote: for people to look at.
const SET_ASIDE: &str = "set-aside";

/// Files that are kept there; the oldest goes first.
const MAX_SET_ASIDE: usize = 64;

/// A folder that is this process's until it is dropped.
#[derive(Debug)]
pub(super) struct Folder {
    pub(super) path: PathBuf,
    /// The system frees it also when the process dies.
    _lock: File,
}

impl Folder {
    /// Takes the folder, and makes what is missing of it.
    pub(super) fn open(path: &Path) -> Result<Self, NodeStateError> {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => check_mode(path, &metadata, 0o700)?,
            Ok(_) => {
                return Err(NodeStateError::NotAFolder {
                    path: path.to_owned(),
                });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                files::create_folder(path).map_err(failed("make", path))?;
            }
            Err(error) => return Err(failed("look at", path)(error)),
        }
        let lock = lock(path)?;
        for folder in ["", DOCUMENTS, ARTIFACTS, RECORDS, MACHINE_CODE] {
            let folder = path.join(folder);
            // On a disk that cannot be written now, what is there can be read all the same.
            if let Err(error) = files::create_folder(&folder) {
                tracing::warn!(path = %folder.display(), %error, "a folder of the node's state cannot be made");
            }
            files::remove_temporary(&folder);
        }
        for kind in fs::read_dir(path.join(RECORDS))
            .into_iter()
            .flatten()
            .filter_map(Result::ok)
        {
            files::remove_temporary(&kind.path());
        }
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }
}

/// Envelopes of the last good set, by their SHA-256.
pub(super) const DOCUMENTS: &str = "documents";

/// Artifacts of the last good set, by their SHA-256.
pub(super) const ARTIFACTS: &str = "artifacts";

/// Records by kind and policy.
pub(super) const RECORDS: &str = "records";

/// What this node compiled.
pub(super) const MACHINE_CODE: &str = "machine-code";

/// How long the lock is waited for: a gateway that is just ending has it still, and so has, for a moment, a process that it was
/// starting when it was killed.
const LOCK_PATIENCE: Duration = Duration::from_secs(1);

/// How often it is tried.
const LOCK_POLL: Duration = Duration::from_millis(10);

/// Takes the lock of the folder for this process. Whoever has it for long is a gateway that runs.
fn lock(folder: &Path) -> Result<File, NodeStateError> {
    let path = folder.join("lock");
    let mut options = OpenOptions::new();
    options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600);
    let file = match options.open(&path) {
        // It is locked all the same.
        Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => File::open(&path),
        opened => opened,
    };
    let file = file.map_err(failed("open", &path))?;
    let begun = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) if begun.elapsed() < LOCK_PATIENCE => std::thread::sleep(LOCK_POLL),
            Err(TryLockError::WouldBlock) => {
                return Err(NodeStateError::InUse {
                    path: fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned()),
                });
            }
            Err(TryLockError::Error(error)) => return Err(failed("lock", &path)(error)),
        }
    }
}

/// Sees that nobody but the owner has access.
pub(super) fn check_mode(path: &Path, metadata: &Metadata, expected: u32) -> Result<(), NodeStateError> {
    let mode = metadata.mode() & 0o7777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    Err(NodeStateError::Exposed {
        path: path.to_owned(),
        mode,
        expected,
    })
}

/// Puts a file of the folder `root` that is not what this node wrote where nobody but people looks at it. Where it cannot be
/// moved it is deleted.
pub(super) fn set_aside(root: &Path, path: &Path) -> io::Result<()> {
    let aside = root.join(SET_ASIDE);
    let within = path.strip_prefix(root).unwrap_or(path).to_string_lossy();
    let name = within.replace(std::path::is_separator, "-");
    let moved = files::create_folder(&aside).and_then(|()| {
        bound(&aside);
        fs::rename(path, aside.join(name))
    });
    match moved {
        Err(error) if error.kind() != io::ErrorKind::NotFound => files::remove(path),
        _ => Ok(()),
    }
}

/// Makes room for one more.
fn bound(aside: &Path) {
    let mut kept = files::listed(aside);
    kept.sort_unstable_by_key(|(_, _, metadata)| (metadata.mtime(), metadata.mtime_nsec()));
    let too_many = (kept.len() + 1).saturating_sub(MAX_SET_ASIDE);
    for (_, path, _) in kept.iter().take(too_many) {
        // One that stays is one too many, and no more than that.
        drop(files::remove(path));
    }
}
