//! What the configuration says, read and checked before anything is connected.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore, crypto};
use thiserror::Error;
use tokio_postgres::config::{SslMode, TargetSessionAttrs};
use zeroize::Zeroizing;

use crate::config::PostgresConfig;

/// The largest file of certificates, in bytes: every CA that a system trusts takes a quarter of it.
const MAX_CERTIFICATES_BYTES: u64 = 1024 * 1024;

/// The largest file of a password, in bytes.
const MAX_PASSWORD_BYTES: u64 = 4 * 1024;

/// Bits of a file's mode that a secret may not have: whatever everybody may do, and what its group may beside reading. The
/// group may read because Kubernetes mounts secrets so, for a process that is not root.
const FORBIDDEN_MODE: u32 = 0o037;

/// After how long without a word the system asks whether the server is still there.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(30);

/// How much longer than the server's own timeout an answer is waited for: the way there and back.
pub(super) const ANSWER_GRACE: Duration = Duration::from_secs(1);

/// What is wrong with how PostgreSQL is to be spoken to.
#[derive(Debug, Error)]
#[error("storage.postgres.{setting}: {problem}")]
pub struct PostgresConfigError {
    /// Which setting below `storage.postgres`.
    setting: &'static str,
    problem: Problem,
}

#[derive(Debug, Error)]
enum Problem {
    #[error("expected `postgres://user@host:port/database`: {reason}")]
    NotAUrl { reason: String },
    #[error(
        "has a password, which would end up in logs: put it into a file, and the file's name into `password_file`"
    )]
    PasswordInUrl,
    #[error(
        "asks for TLS, and `ca_file` is not set: without the authority of the server's certificate there is none"
    )]
    NoAuthority,
    #[error("found 0, expected at least 1")]
    Zero,
    #[error("there can be no pool: {reason}")]
    NoPool { reason: String },
    #[error("found an empty file, expected a password")]
    NoPassword,
    #[error("{}: is no UTF-8", path.display())]
    NotText { path: PathBuf },
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
    #[error("{}: expected PEM with one or more blocks `-----BEGIN CERTIFICATE-----`: {reason}", path.display())]
    NotPem { path: PathBuf, reason: String },
}

impl Problem {
    const fn of(self, setting: &'static str) -> PostgresConfigError {
        PostgresConfigError {
            setting,
            problem: self,
        }
    }
}

impl PostgresConfigError {
    pub(super) fn of_pool(reason: &impl ToString) -> Self {
        let reason = reason.to_string();
        Problem::NoPool { reason }.of("max_connections")
    }
}

/// All that it takes to connect.
pub(super) struct Settings {
    pub(super) driver: tokio_postgres::Config,
    pub(super) tls: Option<Arc<ClientConfig>>,
}

impl Settings {
    /// # Errors
    /// When a setting or a file that it names is not what it has to be.
    pub(super) fn read(config: &PostgresConfig) -> Result<Self, PostgresConfigError> {
        for (setting, number) in [
            ("max_connections", config.max_connections as u64),
            ("acquire_timeout_ms", config.acquire_timeout_ms),
            ("statement_timeout_ms", config.statement_timeout_ms),
        ] {
            if number == 0 {
                return Err(Problem::Zero.of(setting));
            }
        }
        let mut driver: tokio_postgres::Config =
            config.url.parse().map_err(|error: tokio_postgres::Error| {
                let reason = super::failure::describe(&error);
                Problem::NotAUrl { reason }.of("url")
            })?;
        if driver.get_password().is_some() {
            return Err(Problem::PasswordInUrl.of("url"));
        }
        if driver.get_hosts().is_empty() {
            let reason = "there is no host in it".to_owned();
            return Err(Problem::NotAUrl { reason }.of("url"));
        }
        let tls = if config.ca_file.as_os_str().is_empty() {
            if driver.get_ssl_mode() == SslMode::Require {
                return Err(Problem::NoAuthority.of("url"));
            }
            driver.ssl_mode(SslMode::Disable);
            None
        } else {
            driver.ssl_mode(SslMode::Require);
            Some(tls(&config.ca_file).map_err(|problem| problem.of("ca_file"))?)
        };
        if !config.password_file.as_os_str().is_empty() {
            let password = password(&config.password_file).map_err(|problem| problem.of("password_file"))?;
            driver.password(password.as_bytes());
        }
        // Beside a server that only reads there may be one that takes writes, as after a failover.
        driver.target_session_attrs(TargetSessionAttrs::ReadWrite);
        driver.connect_timeout(Duration::from_millis(config.acquire_timeout_ms));
        driver.keepalives_idle(KEEPALIVE_IDLE);
        driver.tcp_user_timeout(Duration::from_millis(config.statement_timeout_ms) + ANSWER_GRACE);
        driver.application_name("portcullis");
        Ok(Self { driver, tls })
    }
}

fn tls(path: &Path) -> Result<Arc<ClientConfig>, Problem> {
    let not_pem = |reason: String| Problem::NotPem {
        path: path.to_owned(),
        reason,
    };
    let pem = read(path, MAX_CERTIFICATES_BYTES)?;
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| not_pem(error.to_string()))?;
        roots
            .add(certificate)
            .map_err(|error| not_pem(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(not_pem("there is none".to_owned()));
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| not_pem(error.to_string()))?;
    Ok(Arc::new(
        builder.with_root_certificates(roots).with_no_client_auth(),
    ))
}

fn password(path: &Path) -> Result<Zeroizing<String>, Problem> {
    let bytes = read(path, MAX_PASSWORD_BYTES)?;
    let mode = std::fs::metadata(path).map_err(|cause| io(path, cause))?.mode() & 0o7777;
    if mode & FORBIDDEN_MODE != 0 {
        let path = path.to_owned();
        return Err(Problem::Exposed { path, mode });
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| Problem::NotText {
        path: path.to_owned(),
    })?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err(Problem::NoPassword);
    }
    Ok(Zeroizing::new(text.to_owned()))
}

fn read(path: &Path, max: u64) -> Result<Zeroizing<Vec<u8>>, Problem> {
    let is_file = std::fs::metadata(path)
        .map_err(|cause| io(path, cause))?
        .is_file();
    if !is_file {
        return Err(Problem::NotAFile {
            path: path.to_owned(),
        });
    }
    let mut bytes = Zeroizing::new(Vec::new());
    let file = File::open(path).map_err(|cause| io(path, cause))?;
    file.take(max + 1)
        .read_to_end(&mut bytes)
        .map_err(|cause| io(path, cause))?;
    if bytes.len() as u64 > max {
        let path = path.to_owned();
        return Err(Problem::TooLarge { path, max });
    }
    Ok(bytes)
}

fn io(path: &Path, cause: std::io::Error) -> Problem {
    let path = path.to_owned();
    Problem::Io { path, cause }
}
