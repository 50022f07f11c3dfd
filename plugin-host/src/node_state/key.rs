//! The key of this node: what it seals is known as its own when it is read again, and as what it was.
//!
//! A sealed file is a line that says what it is, a HMAC-SHA-256 (RFC 2104), and the content. The HMAC is over kind and name
//! too, so that a file under another name is as foreign as one of another node.

use std::fmt;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::files::{self, Durability};
use super::{NodeStateError, failed};

/// As long as the digest, which is all that HMAC makes use of.
pub(super) const KEY_BYTES: usize = 32;

/// What every sealed file begins with.
const MAGIC: &[u8] = b"portcullis node state 1\n";

/// Bytes of a HMAC-SHA-256.
const TAG_BYTES: usize = 32;

/// Bytes of a sealed file before its content.
pub(crate) const SEAL_BYTES: usize = MAGIC.len() + TAG_BYTES;

/// A file that is not what this node wrote under this name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SealError {
    /// It does not begin as a sealed file does.
    #[error("it does not begin as this node's files do")]
    NotSealed,
    /// The HMAC is another: the file was cut or altered, or another node wrote it, or this one under another name.
    #[error("it is not what this node wrote there: it was cut or altered, or is another node's")]
    Foreign,
}

/// Seals with the key of this node.
#[derive(Clone)]
pub(crate) struct NodeKey {
    /// Keyed once; every use starts from a copy. Wiped when dropped, with the feature `zeroize` of `hmac` and `sha2`.
    keyed: Hmac<Sha256>,
}

impl fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NodeKey(redacted)")
    }
}

impl NodeKey {
    /// Reads the key, or makes one where there is none. One that is no key is set aside: what it sealed is foreign then.
    pub(super) fn open(path: &Path) -> Result<Self, NodeStateError> {
        if let Some(key) = read(path)? {
            return Ok(Self::new(&key));
        }
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        let made = getrandom::fill(&mut *key).map_err(io::Error::from);
        made.and_then(|()| files::write(path, &[&*key], Durability::Durable))
            .map_err(failed("make", path))?;
        Ok(Self::new(&key))
    }

    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    pub(super) fn new(key: &[u8; KEY_BYTES]) -> Self {
        Self {
            keyed: Hmac::new_from_slice(key).expect("HMAC takes keys of every length"),
        }
    }

    /// What goes before the content of a file of this kind and name.
    pub(crate) fn seal(&self, kind: &str, name: &str, content: &[&[u8]]) -> [u8; SEAL_BYTES] {
        let mut seal = [0; SEAL_BYTES];
        let (magic, tag) = seal.split_at_mut(MAGIC.len());
        magic.copy_from_slice(MAGIC);
        tag.copy_from_slice(&self.over(kind, name, content).finalize().into_bytes());
        seal
    }

    /// The content of a file of this kind and name. Nothing is copied.
    ///
    /// # Errors
    /// When this node did not seal these very bytes under this kind and name.
    pub(crate) fn open_sealed(&self, kind: &str, name: &str, file: &Bytes) -> Result<Bytes, SealError> {
        if !file.starts_with(MAGIC) {
            return Err(SealError::NotSealed);
        }
        let tag = file.get(MAGIC.len()..SEAL_BYTES).ok_or(SealError::Foreign)?;
        let content = file.get(SEAL_BYTES..).unwrap_or_default();
        self.over(kind, name, &[content])
            .verify_slice(tag)
            .map_err(|_| SealError::Foreign)?;
        Ok(file.slice(SEAL_BYTES..))
    }

    /// Lengths first, so that no two of kind, name and content run into each other.
    fn over(&self, kind: &str, name: &str, content: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = self.keyed.clone();
        for text in [kind, name] {
            mac.update(&(text.len() as u64).to_le_bytes());
            mac.update(text.as_bytes());
        }
        for part in content {
            mac.update(part);
        }
        mac
    }
}

/// The key of the file; none where there is no file, or none that is a key.
fn read(path: &Path) -> Result<Option<Zeroizing<[u8; KEY_BYTES]>>, NodeStateError> {
    let file = match OpenOptions::new()
        .read(true)
        .custom_flags(i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0))
        .open(path)
    {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("read", path)(error)),
    };
    let metadata = file.metadata().map_err(failed("read", path))?;
    super::folder::check_mode(path, &metadata, 0o600)?;
    let bytes = files::read(path, KEY_BYTES as u64);
    let bytes = bytes.map(|bytes| Zeroizing::new(bytes.unwrap_or_default()));
    let key = bytes.ok().and_then(|bytes| bytes.as_slice().try_into().ok());
    if key.is_none() {
        tracing::error!(
            path = %path.display(),
            bytes = metadata.size(),
            expected = KEY_BYTES,
            "the key of this node is damaged; it is set aside and a new one is made, so that what this node kept is not its own any more"
        );
        let root = path.parent().unwrap_or(path);
        super::folder::set_aside(root, path).map_err(failed("set aside", path))?;
    }
    Ok(key.map(Zeroizing::new))
}
