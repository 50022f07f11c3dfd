//! How the file is made and its connections are opened.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use thiserror::Error;

use super::schema::{self, Recognition};
use crate::config::SqliteConfig;

/// Why the store cannot be opened. Nothing of the file was changed, unless the schema was being brought up to date, which
/// happens in whole steps.
#[derive(Debug, Error)]
pub enum SqliteOpenError {
    /// The file, or its folder, cannot be made.
    #[error("the database `{path}` cannot be made: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: io::Error,
    },
    /// The file is something else, or damaged from its first page on.
    #[error("`{path}` is not an SQLite database")]
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// It is a database of another program.
    #[error("`{path}` is a database of another program")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// It was written by a newer gateway, which this one would not understand.
    #[error("the schema of `{path}` has version {found}, and this gateway knows {known}: run a newer one")]
    Newer {
        /// The file.
        path: PathBuf,
        /// The version of its schema.
        found: i64,
        /// The latest that is known here.
        known: i64,
    },
    /// It cannot have a write-ahead log, as on a network file system.
    #[error("the journal of `{path}` stays in mode {mode}: is it on a network file system?")]
    NoWriteAheadLog {
        /// The file.
        path: PathBuf,
        /// The mode it has instead.
        mode: String,
    },
    /// SQLite refused.
    #[error("the database `{path}` cannot be opened: {cause}")]
    Sqlite {
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        cause: rusqlite::Error,
    },
    /// There is no thread to be had.
    #[error("the thread `{name}` cannot be started: {cause}")]
    Thread {
        /// Its name.
        name: &'static str,
        /// What the system said.
        cause: io::Error,
    },
}

/// How many KiB of pages the writer keeps, in the negative, as SQLite takes it: the ends of all tables and indexes, and the names of
/// a hundred thousand idempotency keys. With SQLite's 2 MiB each payment read nineteen pages again.
const WRITER_CACHE: i64 = -16 * 1024;

/// The one connection that writes payments, on a database whose schema is up to date.
pub(super) fn open_for_writing(config: &SqliteConfig) -> Result<Connection, SqliteOpenError> {
    let path = &config.path;
    make_file(path).map_err(|cause| SqliteOpenError::File {
        path: path.clone(),
        cause,
    })?;
    let mut connection = open(config, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let failed = |cause| refused(path, cause);
    match schema::recognize(&connection).map_err(failed)? {
        Recognition::Usable => {}
        Recognition::Foreign => return Err(SqliteOpenError::Foreign { path: path.clone() }),
        Recognition::Newer { found } => {
            return Err(SqliteOpenError::Newer {
                path: path.clone(),
                found,
                known: schema::latest(),
            });
        }
    }
    set_up(&connection, path)?;
    connection
        .pragma_update(None, "cache_size", WRITER_CACHE)
        .map_err(failed)?;
    schema::migrate(&mut connection).map_err(failed)?;
    Ok(connection)
}

/// A second connection that may write, for copying the log into the database.
pub(super) fn open_for_checkpoints(config: &SqliteConfig) -> Result<Connection, SqliteOpenError> {
    let connection = open(config, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    set_up(&connection, &config.path)?;
    Ok(connection)
}

/// A connection that cannot write, whatever it is asked to do.
pub(super) fn open_for_reading(config: &SqliteConfig) -> Result<Connection, SqliteOpenError> {
    open(config, OpenFlags::SQLITE_OPEN_READ_ONLY)
}

fn open(config: &SqliteConfig, access: OpenFlags) -> Result<Connection, SqliteOpenError> {
    // Each connection is used by one thread at a time, so it needs no lock of its own.
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || {
        let connection = Connection::open_with_flags(&config.path, flags)?;
        connection.busy_timeout(Duration::from_millis(config.busy_timeout_ms))?;
        // No plan may depend on a value that is bound: where one does, each execution with another value is planned anew.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        Ok(connection)
    };
    open().map_err(|cause| refused(&config.path, cause))
}

fn set_up(connection: &Connection, path: &Path) -> Result<(), SqliteOpenError> {
    let mode: String = connection
        .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))
        .map_err(|cause| refused(path, cause))?;
    if !mode.eq_ignore_ascii_case("wal") {
        return Err(SqliteOpenError::NoWriteAheadLog {
            path: path.to_owned(),
            mode,
        });
    }
    // FULL: a commit returns when the log is on the disk.
    let pragmas = || {
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        // Checkpoints are made beside the commits; see `checkpoint`.
        connection.pragma_update_and_check(None, "wal_autocheckpoint", 0, |_| Ok(()))
    };
    pragmas().map_err(|cause| refused(path, cause))
}

/// Makes an empty file that only its owner can open; SQLite gives the files beside it the same mode.
fn make_file(path: &Path) -> io::Result<()> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    let made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    match made {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let mode = path.metadata()?.mode() & 0o7777;
            if mode & 0o077 != 0 {
                let mode = format!("{mode:04o}");
                tracing::warn!(database.path = %path.display(), database.mode = mode, "others can open the database");
            }
            Ok(())
        }
        Err(error) => Err(error),
    }
}

fn refused(path: &Path, cause: rusqlite::Error) -> SqliteOpenError {
    let path = path.to_owned();
    if cause.sqlite_error_code() == Some(ErrorCode::NotADatabase) {
        SqliteOpenError::NotADatabase { path }
    } else {
        SqliteOpenError::Sqlite { path, cause }
    }
}
