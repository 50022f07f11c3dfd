//! Files below the folder: read within a bound, written whole or not at all, and errors that name the path.

use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use rustix::fs::{Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, futimens};

use crate::store::archive::{MAX_ARCHIVE_KEYS, too_many};
use crate::store::{MAX_DOCUMENTS, StoreError};

/// How long a lock is waited for. A writer holds it for the time of a few small files.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a lock is tried.
const LOCK_POLL: Duration = Duration::from_millis(5);

/// What names of files begin with that are not ours to look at: our own temporary files, an editor's, those of `rsync`.
const HIDDEN: char = '.';

/// Numbers temporary files, so that no two of one process share a name.
static TEMPORARY: AtomicU64 = AtomicU64::new(0);

/// The state of a file as far as it shows without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Stamp {
    bytes: u64,
    inode: u64,
    modified: (i64, i64),
}

/// Says what failed on which path, and sorts it by what the operator can do about it.
pub(super) fn failed(doing: &str, path: &Path, error: &io::Error) -> StoreError {
    let store = format!("dir:{}", path.display());
    let detail = format!("cannot {doing}: {error}");
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => StoreError::Denied { store, detail },
        ErrorKind::NotADirectory | ErrorKind::IsADirectory => StoreError::Invalid {
            detail: format!("{store}: {detail}"),
        },
        _ => StoreError::Unavailable { store, detail },
    }
}

/// Reads a file of at most so many bytes; of a longer one that many and one more, so that whoever parses it sees that it
/// is too long. None where there is no such file.
pub(super) fn read(path: &Path, max: usize) -> Result<Option<Bytes>, StoreError> {
    // Without waiting: a named pipe would be opened when somebody writes to it, which may be never.
    let nonblocking = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
    let file = match OpenOptions::new().read(true).custom_flags(nonblocking).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("open", path, &error)),
    };
    let metadata = file.metadata().map_err(|error| failed("look at", path, &error))?;
    if !metadata.is_file() {
        return Err(StoreError::Invalid {
            detail: format!("dir:{}: found no regular file, expected one", path.display()),
        });
    }
    let mut bytes = Vec::new();
    file.take(max as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| failed("read", path, &error))?;
    Ok(Some(Bytes::from(bytes)))
}

/// Writes a file so that readers, and a machine that loses power, see the old or the new bytes and nothing between.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let folder = path.parent().unwrap_or(path);
    let number = TEMPORARY.fetch_add(1, Ordering::Relaxed);
    // Two containers on one folder may share process id and count; the hasher is seeded at random.
    let chance = RandomState::new().build_hasher().finish();
    let temporary = folder.join(format!(
        "{HIDDEN}tmp-{}-{number}-{chance:016x}",
        std::process::id()
    ));
    let written = write_new(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    if let Err(error) = written {
        // What is left of it would be no more than a hidden file.
        drop(fs::remove_file(&temporary));
        return Err(failed("write", path, &error));
    }
    sync_folder(folder)
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes the names in a folder durable.
pub(super) fn sync_folder(folder: &Path) -> Result<(), StoreError> {
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| failed("sync", folder, &error))
}

/// Deletes a file; one that is not there is deleted already.
pub(super) fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(failed("delete", path, &error)),
        _ => Ok(()),
    }
}

/// Makes a folder and those above it.
pub(super) fn create_folder(path: &Path) -> Result<(), StoreError> {
    fs::create_dir_all(path).map_err(|error| failed("create the folder", path, &error))
}

/// Makes an empty file where there is none. What is there stays the same file, since others may hold a lock on it.
pub(super) fn create_empty(path: &Path) -> Result<(), StoreError> {
    match OpenOptions::new().write(true).create_new(true).open(path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(failed("create", path, &error)),
        _ => Ok(()),
    }
}

/// The regular files of a folder with their stamps, by name. Links are followed. A folder that is missing is an error and
/// not an empty one: when a disk is not mounted, nothing was deleted.
pub(super) fn stamps(folder: &Path) -> Result<Vec<(String, Stamp)>, StoreError> {
    let entries = fs::read_dir(folder).map_err(|error| failed("read the folder", folder, &error))?;
    let mut files = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| failed("read the folder", folder, &error))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(HIDDEN) {
            continue;
        }
        if let Some(stamp) = stamp(&entry.path())? {
            files.push((name, stamp));
        }
        if files.len() > MAX_DOCUMENTS {
            return Err(StoreError::TooLarge {
                what: format!("files in {}", folder.display()),
                found: files.len() as u64,
                max: MAX_DOCUMENTS as u64,
            });
        }
    }
    files.sort_unstable_by(|left, right| left.0.cmp(&right.0));
    Ok(files)
}

/// Every name in a folder that is not hidden, in no order. A folder that is missing is an error.
pub(super) fn names(folder: &Path) -> Result<Vec<String>, StoreError> {
    let entries = fs::read_dir(folder).map_err(|error| failed("read the folder", folder, &error))?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| failed("read the folder", folder, &error))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with(HIDDEN) {
            names.push(name);
        }
        if names.len() > MAX_ARCHIVE_KEYS {
            return Err(too_many(&format!("files in {}", folder.display())));
        }
    }
    Ok(names)
}

/// The stamp of a regular file, or of the one that a link leads to.
pub(super) fn stamp(path: &Path) -> Result<Option<Stamp>, StoreError> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_file() => Ok(Some(Stamp {
            bytes: metadata.size(),
            inode: metadata.ino(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        })),
        Ok(_) => Ok(None),
        // Deleted since the folder was read, or a link that leads nowhere.
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("look at", path, &error)),
    }
}

/// When a file was written, if it is there.
pub(super) fn modified(path: &Path) -> Result<Option<SystemTime>, StoreError> {
    match fs::metadata(path).and_then(|metadata| metadata.modified()) {
        Ok(time) => Ok(Some(time)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("look at", path, &error)),
    }
}

/// What the file system takes for the time: the same clock that stamps files, also on a network share.
pub(super) fn file_system_time(path: &Path) -> Result<SystemTime, StoreError> {
    let at = |tv_nsec| Timespec { tv_sec: 0, tv_nsec };
    let now = Timestamps {
        last_access: at(UTIME_OMIT),
        last_modification: at(UTIME_NOW),
    };
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .and_then(|file| {
            futimens(&file, &now)?;
            file.metadata()?.modified()
        })
        .map_err(|error| failed("touch", path, &error))
}

/// How a lock is held.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum LockKind {
    /// With other readers.
    Shared,
    /// Alone.
    Exclusive,
}

/// A lock on a folder's `lock` file, held until it is dropped; the kernel frees it also when the process dies.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

/// Takes a lock. The file must be there: without it the folder is not one of ours, or not mounted.
pub(super) fn lock(path: &PathBuf, kind: LockKind) -> Result<Lock, StoreError> {
    let file = File::open(path).map_err(|error| failed("open", path, &error))?;
    let begun = Instant::now();
    loop {
        let tried = match kind {
            LockKind::Shared => file.try_lock_shared(),
            LockKind::Exclusive => file.try_lock(),
        };
        match tried {
            Ok(()) => return Ok(Lock { _file: file }),
            Err(fs::TryLockError::WouldBlock) if begun.elapsed() < LOCK_TIMEOUT => {
                std::thread::sleep(LOCK_POLL)
            }
            Err(fs::TryLockError::WouldBlock) => {
                return Err(StoreError::Unavailable {
                    store: format!("dir:{}", path.display()),
                    detail: format!(
                        "another process has held the lock for {} s",
                        LOCK_TIMEOUT.as_secs()
                    ),
                });
            }
            Err(fs::TryLockError::Error(error)) => return Err(failed("lock", path, &error)),
        }
    }
}
