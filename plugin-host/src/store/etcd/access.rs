//! Who the gateway is to etcd, and how it knows etcd: files of certificates and passwords as the configuration has them, read
//! and checked before anything is connected.
//!
//! TLS is spoken where there is a CA to hold etcd's certificate against, and with every endpoint then: there is no falling
//! back to a connection that anybody can read.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, crypto};
use serde::Deserialize;
use thiserror::Error;
use zeroize::Zeroizing;

/// The largest file of certificates, in bytes: every CA that a system trusts takes a quarter of it.
const MAX_CERTIFICATES_BYTES: u64 = 1024 * 1024;

/// The largest file of a private key, in bytes: one of RSA with 8192 bits has 6 KiB.
const MAX_KEY_BYTES: u64 = 64 * 1024;

/// The largest file of a password, in bytes.
const MAX_PASSWORD_BYTES: u64 = 4 * 1024;

/// Bits of a file's mode that a secret may not have: whatever everybody may do, and what its group may beside reading. The
/// group may read because Kubernetes mounts secrets so, for a process that is not root.
const FORBIDDEN_MODE: u32 = 0o037;

/// How this node speaks to etcd. Empty, the default of each, is none. Relative paths begin at the folder of the configuration
/// file. All are read once, at the start.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EtcdConfig {
    /// The certificates, as PEM, of the authorities that etcd's own certificate may be from. With it etcd is spoken to with TLS,
    /// without it in the clear.
    pub ca_file: PathBuf,
    /// The certificate that this node shows, as PEM, with those between it and the authority behind it. etcd takes its common name
    /// for the user, where it runs with `--client-cert-auth` and its users are switched on.
    pub certificate_file: PathBuf,
    /// The private key of that certificate, as PEM.
    pub key_file: PathBuf,
    /// The user, where etcd tells users by passwords.
    pub user: String,
    /// The file with that user's password; a line break at its end is no part of it.
    pub password_file: PathBuf,
}

/// How to connect, beside where: what an [`EtcdConfig`] names, read.
#[derive(Clone, Default)]
pub struct EtcdOptions {
    /// How TLS is spoken, if it is.
    pub tls: Option<EtcdTls>,
    /// Name and password, where etcd asks for them.
    pub credentials: Option<(String, Zeroizing<String>)>,
}

/// Certificates and keys, all of them known to be some.
#[derive(Clone)]
pub struct EtcdTls {
    /// PEM of the authorities.
    pub(super) ca: Vec<u8>,
    /// PEM of our certificate and its private key.
    pub(super) identity: Option<(Vec<u8>, Zeroizing<Vec<u8>>)>,
}

impl fmt::Debug for EtcdOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EtcdOptions")
            .field("tls", &self.tls)
            .field("user", &self.credentials.as_ref().map(|(user, _)| user))
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for EtcdTls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EtcdTls")
            .field("certificate", &self.identity.is_some())
            .finish_non_exhaustive()
    }
}

/// What is wrong with how etcd is to be spoken to.
#[derive(Debug, Error)]
#[error("policies.etcd.{setting}: {problem}")]
pub struct EtcdConfigError {
    /// Which setting below `policies.etcd`.
    setting: &'static str,
    problem: Problem,
}

#[derive(Debug, Error)]
enum Problem {
    #[error("is set and `{other}` is not, expected both or neither")]
    Alone { other: &'static str },
    #[error(
        "is set and `ca_file` is not: without the authority of etcd's certificate there is no TLS to show one in; for those that the system trusts name its file, such as /etc/ssl/certs/ca-certificates.crt"
    )]
    NoAuthority,
    #[error("found an empty file, expected a password")]
    NoPassword,
    #[error("found {found}, expected printable ASCII")]
    NotPrintable { found: &'static str },
    #[error("{}: cannot be read: {cause}", path.display())]
    Io { path: PathBuf, cause: std::io::Error },
    #[error("{}: is no regular file", path.display())]
    NotAFile { path: PathBuf },
    #[error("{}: has more than {max} bytes", path.display())]
    TooLarge { path: PathBuf, max: u64 },
    #[error(
        "{}: has mode {mode:04o}: others than its owner have access, expected 0600, or 0640 where a group is to read it (chmod 600 it)", path.display()
    )]
    Exposed { path: PathBuf, mode: u32 },
    #[error("{}: expected PEM with {expected}: {reason}", path.display())]
    NotPem {
        path: PathBuf,
        expected: &'static str,
        reason: String,
    },
    #[error("{}: certificate {number} cannot be used: {reason}", path.display())]
    Certificate {
        path: PathBuf,
        number: usize,
        reason: String,
    },
    #[error("{}: does not go with the key in `key_file`: {reason}", path.display())]
    Pair { path: PathBuf, reason: String },
}

/// The label of PEM that certificates are in.
const CERTIFICATES: &str = "one or more blocks `-----BEGIN CERTIFICATE-----`";

/// The same of private keys.
const PRIVATE_KEY: &str = "one block `-----BEGIN PRIVATE KEY-----` that is not encrypted";

impl EtcdConfig {
    /// Lets relative files begin at this folder.
    pub fn resolve_files(&mut self, folder: &Path) {
        let files = [
            &mut self.ca_file,
            &mut self.certificate_file,
            &mut self.key_file,
            &mut self.password_file,
        ];
        for file in files {
            if is_set(file) {
                *file = folder.join(&*file);
            }
        }
    }

    /// Reads every file that is named.
    ///
    /// # Errors
    /// Names the first setting that cannot be, and what it could be instead.
    pub fn options(&self) -> Result<EtcdOptions, EtcdConfigError> {
        Ok(EtcdOptions {
            tls: self.tls()?,
            credentials: self.credentials()?,
        })
    }

    fn tls(&self) -> Result<Option<EtcdTls>, EtcdConfigError> {
        let (certificate, key) = (&self.certificate_file, &self.key_file);
        both_or_neither(
            ("certificate_file", is_set(certificate)),
            ("key_file", is_set(key)),
        )?;
        if !is_set(&self.ca_file) {
            return if is_set(certificate) {
                Err(at("certificate_file")(Problem::NoAuthority))
            } else {
                Ok(None)
            };
        }
        let ca = read(&self.ca_file, MAX_CERTIFICATES_BYTES, false).map_err(at("ca_file"))?;
        let roots = authorities(&self.ca_file, &ca).map_err(at("ca_file"))?;
        if !is_set(certificate) {
            return Ok(Some(EtcdTls {
                ca: ca.to_vec(),
                identity: None,
            }));
        }
        let chain_pem = read(certificate, MAX_CERTIFICATES_BYTES, false).map_err(at("certificate_file"))?;
        let chain = certificates(certificate, &chain_pem).map_err(at("certificate_file"))?;
        let key_pem = read(key, MAX_KEY_BYTES, true).map_err(at("key_file"))?;
        let private = PrivateKeyDer::from_pem_slice(&key_pem)
            .map_err(|error| not_pem(key, PRIVATE_KEY, &error))
            .map_err(at("key_file"))?;
        check_pair(certificate, roots, chain, private).map_err(at("certificate_file"))?;
        Ok(Some(EtcdTls {
            ca: ca.to_vec(),
            identity: Some((chain_pem.to_vec(), key_pem)),
        }))
    }

    fn credentials(&self) -> Result<Option<(String, Zeroizing<String>)>, EtcdConfigError> {
        let file = &self.password_file;
        both_or_neither(("user", !self.user.is_empty()), ("password_file", is_set(file)))?;
        if self.user.is_empty() {
            return Ok(None);
        }
        if self.user.chars().any(char::is_control) {
            let found = "a control character";
            return Err(at("user")(Problem::NotPrintable { found }));
        }
        let bytes = read(file, MAX_PASSWORD_BYTES, true).map_err(at("password_file"))?;
        let found = "bytes that are no UTF-8";
        let text =
            std::str::from_utf8(&bytes).map_err(|_| at("password_file")(Problem::NotPrintable { found }))?;
        match text.trim_end_matches(['\r', '\n']) {
            "" => Err(at("password_file")(Problem::NoPassword)),
            password => Ok(Some((self.user.clone(), Zeroizing::new(password.to_owned())))),
        }
    }
}

fn is_set(file: &Path) -> bool {
    !file.as_os_str().is_empty()
}

fn at(setting: &'static str) -> impl FnOnce(Problem) -> EtcdConfigError {
    move |problem| EtcdConfigError { setting, problem }
}

fn both_or_neither(
    (one, one_is_set): (&'static str, bool),
    (other, other_is_set): (&'static str, bool),
) -> Result<(), EtcdConfigError> {
    match (one_is_set, other_is_set) {
        (true, false) => Err(at(one)(Problem::Alone { other })),
        (false, true) => Err(at(other)(Problem::Alone { other: one })),
        _ => Ok(()),
    }
}

/// Reads a file within a bound. Of a secret, others than its owner may know nothing.
fn read(path: &Path, max: u64, is_secret: bool) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let failed = |cause| Problem::Io {
        path: path.to_owned(),
        cause,
    };
    let file = File::open(path).map_err(failed)?;
    let metadata = file.metadata().map_err(failed)?;
    if !metadata.is_file() {
        return Err(Problem::NotAFile {
            path: path.to_owned(),
        });
    }
    let mode = metadata.mode() & 0o7777;
    if is_secret && mode & FORBIDDEN_MODE != 0 {
        return Err(Problem::Exposed {
            path: path.to_owned(),
            mode,
        });
    }
    if metadata.len() > max {
        return Err(Problem::TooLarge {
            path: path.to_owned(),
            max,
        });
    }
    // Made in its full size, so that no copy is left behind where it grew.
    let size = usize::try_from(metadata.len()).unwrap_or(0);
    let mut bytes = Zeroizing::new(Vec::with_capacity(size + 1));
    file.take(max).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

fn not_pem(path: &Path, expected: &'static str, error: &pem::Error) -> Problem {
    Problem::NotPem {
        path: path.to_owned(),
        expected,
        reason: error.to_string(),
    }
}

fn certificates(path: &Path, text: &[u8]) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let found = CertificateDer::pem_slice_iter(text)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| not_pem(path, CERTIFICATES, &error))?;
    if found.is_empty() {
        return Err(not_pem(path, CERTIFICATES, &pem::Error::NoItemsFound));
    }
    Ok(found)
}

fn authorities(path: &Path, text: &[u8]) -> Result<RootCertStore, Problem> {
    let mut roots = RootCertStore::empty();
    for (index, certificate) in certificates(path, text)?.into_iter().enumerate() {
        roots.add(certificate).map_err(|error| Problem::Certificate {
            path: path.to_owned(),
            number: index + 1,
            reason: error.to_string(),
        })?;
    }
    Ok(roots)
}

/// Sees that rustls would take this certificate with this key, which it says otherwise at the first connection alone.
fn check_pair(
    path: &Path,
    roots: RootCertStore,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<(), Problem> {
    ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|builder| {
            builder
                .with_root_certificates(roots)
                .with_client_auth_cert(chain, key)
        })
        .map(drop)
        .map_err(|error| Problem::Pair {
            path: path.to_owned(),
            reason: error.to_string(),
        })
}
