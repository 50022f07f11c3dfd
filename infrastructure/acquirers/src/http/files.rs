//! The files that the configuration names.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use hyper::header::HeaderValue;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use thiserror::Error;
use zeroize::Zeroizing;

/// The largest file of certificates, in bytes: every authority that a system trusts takes a quarter of it.
const MAX_CERTIFICATES_BYTES: u64 = 1024 * 1024;

/// The largest file of a token, in bytes: one that is a JSON Web Token has some 2 KiB.
const MAX_TOKEN_BYTES: u64 = 8 * 1024;

/// Bits of a file's mode that a secret may not have: whatever everybody may do, and what its group may beside reading. The
/// group may read because Kubernetes mounts secrets so, for a process that is not root.
const FORBIDDEN_MODE: u32 = 0o037;

/// A file that cannot be used.
#[derive(Debug, Error)]
#[error("acquirer.http.{setting}: {}: {problem}", path.display())]
pub struct FileError {
    setting: &'static str,
    path: PathBuf,
    problem: Problem,
}

#[derive(Debug, Error)]
enum Problem {
    #[error("cannot be read: {0}")]
    Io(io::Error),
    #[error("is no regular file")]
    NotAFile,
    #[error("has more than {0} bytes")]
    TooLarge(u64),
    #[error(
        "has mode {0:04o}: others than its owner have access, expected 0600, or 0640 where a group is to read it (chmod 600 it)"
    )]
    Exposed(u32),
    #[error("found {0}, expected a token of printable ASCII without blanks")]
    NoToken(&'static str),
    #[error("expected PEM with one or more blocks `-----BEGIN CERTIFICATE-----`: {0}")]
    NoCertificates(String),
}

fn at<'a>(setting: &'static str, path: &'a Path) -> impl Fn(Problem) -> FileError + use<'a> {
    move |problem| FileError {
        setting,
        path: path.to_owned(),
        problem,
    }
}

/// The header that shows the token of the file, if one is named.
pub(super) fn token(path: &Path) -> Result<Option<HeaderValue>, FileError> {
    if path.as_os_str().is_empty() {
        return Ok(None);
    }
    let wrong = at("token_file", path);
    let bytes = read(path, MAX_TOKEN_BYTES, true).map_err(&wrong)?;
    let no_token = |found| wrong(Problem::NoToken(found));
    let text = std::str::from_utf8(&bytes).map_err(|_| no_token("bytes that are no UTF-8"))?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        return Err(no_token("an empty file"));
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(no_token("other characters"));
    }
    let line = Zeroizing::new(format!("Bearer {text}"));
    let mut header = HeaderValue::from_str(&line).map_err(|_| no_token("other characters"))?;
    // Not printed by `Debug`, and not put into any table of compressed headers.
    header.set_sensitive(true);
    Ok(Some(header))
}

/// The authorities of the file; none where no file is named.
pub(super) fn authorities(path: &Path) -> Result<Option<RootCertStore>, FileError> {
    if path.as_os_str().is_empty() {
        return Ok(None);
    }
    let wrong = at("ca_file", path);
    let pem = read(path, MAX_CERTIFICATES_BYTES, false).map_err(&wrong)?;
    let none = |reason: String| wrong(Problem::NoCertificates(reason));
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| none(error.to_string()))?;
        roots.add(certificate).map_err(|error| none(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(none("there is none".to_owned()));
    }
    Ok(Some(roots))
}

/// Reads a file within a bound. Of a secret, others than its owner may know nothing.
fn read(path: &Path, max: u64, is_secret: bool) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let file = File::open(path).map_err(Problem::Io)?;
    let metadata = file.metadata().map_err(Problem::Io)?;
    if !metadata.is_file() {
        return Err(Problem::NotAFile);
    }
    let mode = metadata.mode() & 0o7777;
    if is_secret && mode & FORBIDDEN_MODE != 0 {
        return Err(Problem::Exposed(mode));
    }
    if metadata.len() > max {
        return Err(Problem::TooLarge(max));
    }
    // Made in its full size, so that no copy is left behind where it grew.
    let size = usize::try_from(metadata.len()).unwrap_or(0);
    let mut bytes = Zeroizing::new(Vec::with_capacity(size + 1));
    file.take(max).read_to_end(&mut bytes).map_err(Problem::Io)?;
    Ok(bytes)
}
