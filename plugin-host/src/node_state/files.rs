//! Files below the folder: written whole or not at all, and read within a bound.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// What names of files begin with that are being written: one that is left behind is of a process that was killed.
const TEMPORARY: &str = ".new-";

/// Numbers temporary files. One process at a time writes to the folder, so that is enough for a name of their own.
static WRITTEN: AtomicU64 = AtomicU64::new(0);

/// Whether a file has to outlive a machine that loses power.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durability {
    /// Its bytes and its name are on the disk when the write has ended.
    Durable,
    /// It is whole or not there while the machine runs; whoever reads it notices where it is not.
    Replaceable,
}

/// Reads a regular file of at most so many bytes. None where there is no such file.
///
/// # Errors
/// When it is longer, no regular file, or cannot be read.
pub(crate) fn read(path: &Path, max: u64) -> io::Result<Option<Vec<u8>>> {
    // Without waiting: a named pipe would be opened when somebody writes to it, which may be never.
    let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOFOLLOW;
    let flags = i32::try_from(flags.bits()).unwrap_or(0);
    let file = match OpenOptions::new().read(true).custom_flags(flags).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(ErrorKind::InvalidData, "it is no regular file"));
    }
    let too_long = |bytes: u64| {
        let message = format!("it has {bytes} bytes, expected at most {max}");
        io::Error::new(ErrorKind::InvalidData, message)
    };
    if metadata.len() > max {
        return Err(too_long(metadata.len()));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
    file.take(max.saturating_add(1)).read_to_end(&mut bytes)?;
    // It may have grown since.
    if bytes.len() as u64 > max {
        return Err(too_long(bytes.len() as u64));
    }
    Ok(Some(bytes))
}

/// Writes these parts, one after the other, as a file in place of the one that is there: readers, and a machine that loses
/// power, see the old or the new bytes and nothing between.
///
/// # Errors
/// When it cannot be written; what was there before is there still.
pub(crate) fn write(path: &Path, parts: &[&[u8]], durability: Durability) -> io::Result<()> {
    let folder = path.parent().unwrap_or(path);
    let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
    let temporary = folder.join(format!("{TEMPORARY}{}-{number}", std::process::id()));
    let written = write_new(&temporary, parts, durability).and_then(|()| fs::rename(&temporary, path));
    if let Err(error) = written {
        // Where it cannot be deleted either, the next start does.
        drop(fs::remove_file(&temporary));
        return Err(error);
    }
    match durability {
        Durability::Durable => sync_folder(folder),
        Durability::Replaceable => Ok(()),
    }
}

fn write_new(path: &Path, parts: &[&[u8]], durability: Durability) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    for part in parts {
        file.write_all(part)?;
    }
    match durability {
        Durability::Durable => file.sync_all(),
        Durability::Replaceable => Ok(()),
    }
}

/// Makes the names in a folder durable.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Makes a folder for its owner alone, and those above it.
pub(crate) fn create_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Deletes a file. One that is not there is deleted already.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// The files of a folder: name, path, what the system says of each. Where the folder is gone, or something in it cannot be
/// looked at, there is that much less.
pub(crate) fn listed(folder: &Path) -> Vec<(String, PathBuf, fs::Metadata)> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    entries
        .filter_map(|entry| {
            let metadata = entry.metadata().ok().filter(fs::Metadata::is_file)?;
            Some((entry.file_name().into_string().ok()?, entry.path(), metadata))
        })
        .collect()
}

/// Deletes what a process that was killed left half written.
pub(crate) fn remove_temporary(folder: &Path) {
    for (name, path, _) in listed(folder) {
        if name.starts_with(TEMPORARY) {
            // A file too many, and no more than that.
            drop(remove(&path));
        }
    }
}
