//! Keys as files: the private one for its owner alone, the public one for everybody. Both are what openssl reads and writes.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use thiserror::Error;
use zeroize::Zeroizing;

use super::pem::MAX_PEM_BYTES;
use super::{KeyError, PublicKey, SigningKey};

/// What the name of a private key's file ends in.
const PRIVATE: &str = ".key";

/// What the name of a public key's file ends in.
const PUBLIC: &str = ".pub";

/// Only its owner may read a private key.
const PRIVATE_MODE: u32 = 0o600;

/// Everybody may read a public one.
const PUBLIC_MODE: u32 = 0o644;

/// Why a file of a key cannot be used.
#[derive(Debug, Error)]
pub enum KeyFileError {
    /// The file cannot be read or made.
    #[error("{}: cannot be {action}: {cause}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried: `read` or `made`.
        action: &'static str,
        /// What the system said.
        cause: io::Error,
    },
    /// There is a file already. A key that is overwritten is lost, and with it whatever only it may sign.
    #[error("{}: is there already and is not overwritten; take another name", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Others than the owner can read a private key.
    #[error("{}: has mode {mode:04o}: others than its owner have access (chmod 600 it)", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// There is something else in it.
    #[error("{}: {cause}", path.display())]
    Key {
        /// The file.
        path: PathBuf,
        /// What.
        cause: KeyError,
    },
}

/// Where the two halves of a key were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPairFiles {
    /// The private half: keep it.
    pub private: PathBuf,
    /// The public half: give it to whoever runs gateways.
    pub public: PathBuf,
}

/// Writes a key to `PREFIX.key`, readable by its owner alone, and its public half to `PREFIX.pub`. Both are made, or neither.
///
/// # Errors
/// When one of the two is there already, or cannot be written.
pub fn write_key_pair(prefix: &Path, key: &SigningKey) -> Result<KeyPairFiles, KeyFileError> {
    let files = KeyPairFiles {
        private: with_ending(prefix, PRIVATE),
        public: with_ending(prefix, PUBLIC),
    };
    let pem = key.to_pem().map_err(|cause| KeyFileError::Key {
        path: files.private.clone(),
        cause,
    })?;
    write_new(&files.private, pem.as_bytes(), PRIVATE_MODE)?;
    if let Err(error) = write_new(&files.public, key.public().to_pem().as_bytes(), PUBLIC_MODE) {
        // Made a moment ago and known to nobody: nothing is lost with it.
        drop(fs::remove_file(&files.private));
        return Err(error);
    }
    Ok(files)
}

/// Reads a private key. A pipe will do, so that an encrypted key can be decrypted on the way.
///
/// # Errors
/// When it cannot be read, is none, or others than the owner have access to its file.
pub fn read_signing_key(path: &Path) -> Result<SigningKey, KeyFileError> {
    let file = open(path)?;
    let metadata = file.metadata().map_err(failed(path, "read"))?;
    let mode = metadata.mode() & 0o7777;
    if metadata.is_file() && mode & 0o077 != 0 {
        return Err(KeyFileError::Exposed {
            path: path.to_owned(),
            mode,
        });
    }
    SigningKey::from_pem(&read(path, file)?).map_err(|cause| KeyFileError::Key {
        path: path.to_owned(),
        cause,
    })
}

/// Reads a public key.
///
/// # Errors
/// When it cannot be read, or is none.
pub fn read_public_key(path: &Path) -> Result<PublicKey, KeyFileError> {
    let text = read(path, open(path)?)?;
    PublicKey::from_pem(&text).map_err(|cause| KeyFileError::Key {
        path: path.to_owned(),
        cause,
    })
}

/// The ending is put behind whatever is there: a prefix may have dots of its own.
fn with_ending(prefix: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(prefix);
    name.push(ending);
    PathBuf::from(name)
}

fn failed(path: &Path, action: &'static str) -> impl Fn(io::Error) -> KeyFileError {
    move |cause| KeyFileError::Io {
        path: path.to_owned(),
        action,
        cause,
    }
}

fn open(path: &Path) -> Result<File, KeyFileError> {
    File::open(path).map_err(failed(path, "read"))
}

/// The text, up to one byte more than a key may have: whoever reads it as a key says that it is too long.
fn read(path: &Path, file: File) -> Result<Zeroizing<String>, KeyFileError> {
    // Made in its full size, so that no copy is left behind where it grew.
    let mut text = Zeroizing::new(String::with_capacity(MAX_PEM_BYTES + 1));
    file.take(MAX_PEM_BYTES as u64 + 1)
        .read_to_string(&mut text)
        .map_err(failed(path, "read"))?;
    Ok(text)
}

fn write_new(path: &Path, bytes: &[u8], mode: u32) -> Result<(), KeyFileError> {
    let opened = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path);
    let mut file = match opened {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(KeyFileError::Exists {
                path: path.to_owned(),
            });
        }
        opened => opened.map_err(failed(path, "made"))?,
    };
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.map_err(|cause| {
        // Half a key is none, and would stand in the way of a whole one.
        drop(fs::remove_file(path));
        failed(path, "made")(cause)
    })
}
