//! One connection, shared by all payments, that is made again whenever it is lost.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::io::tcp::{TcpSettings, socket2::TcpKeepalive};
use redis::{Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, ProtocolVersion};
use thiserror::Error;

use crate::config::RedisConfig;

/// How long an attempt to connect may take: a network that needs longer is of no use within a payment's deadline.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// The first pause between two attempts, and the longest: a Redis that is back is found within a second.
const RECONNECT_PAUSES: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(1));

/// How many attempts one search for Redis makes; the next payment begins another. Together they last for some minutes.
const RECONNECT_ATTEMPTS: usize = 120;

/// After how long without a sign of life the connection is given up for lost and made anew, where the other side has
/// vanished without closing it.
const LOST_AFTER: Duration = Duration::from_secs(5);

/// How many calls may wait to be sent: as many as a gateway takes in at the same time. What has been sent is bounded by the
/// buffers of the socket.
const CALLS_WAITING: usize = 1_500;

/// The largest file of a password, in bytes.
const MAX_PASSWORD_BYTES: u64 = 4_096;

/// Settings of Redis that cannot be used. Each names its key.
#[derive(Debug, Error)]
pub enum RedisConfigError {
    /// The address is none.
    #[error(
        "features.redis.url: `{url}` is no address of a Redis: expected redis://host:port/database ({reason})"
    )]
    Url {
        /// What was found.
        url: String,
        /// What the parser said.
        reason: String,
    },
    /// The address holds a user or a password, which would end up wherever the configuration is shown.
    #[error(
        "features.redis.url holds a user or a password: expected redis://host:port/database, with both in \
         features.redis.user and features.redis.password_file"
    )]
    CredentialsInUrl,
    /// A user without a password.
    #[error(
        "features.redis.user is set and features.redis.password_file is not: expected both, or the file alone"
    )]
    UserWithoutPassword,
    /// The file cannot be read.
    #[error("features.redis.password_file: `{path}` cannot be read: {cause}")]
    PasswordFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The file holds no password.
    #[error(
        "features.redis.password_file: `{path}` holds no password: expected one line of 1 to {MAX_PASSWORD_BYTES} bytes"
    )]
    NoPassword {
        /// The file.
        path: PathBuf,
    },
}

/// What the settings lead to. Reads the password, and connects to nobody.
pub(super) fn connection_info(config: &RedisConfig) -> Result<ConnectionInfo, RedisConfigError> {
    let url_error = |reason: String| RedisConfigError::Url {
        url: config.url.clone(),
        reason,
    };
    // Before anything that would repeat it.
    if config.url.contains('@') {
        return Err(RedisConfigError::CredentialsInUrl);
    }
    let info = config
        .url
        .as_str()
        .into_connection_info()
        .map_err(|error| url_error(error.to_string()))?;
    if matches!(info.addr(), ConnectionAddr::TcpTls { .. }) {
        return Err(url_error("TLS is not built in".to_owned()));
    }
    // Of this version, the other side's end is noticed at once, not by the next payment.
    let mut settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    if !config.password_file.as_os_str().is_empty() {
        settings = settings.set_password(password(&config.password_file)?);
        if !config.user.is_empty() {
            settings = settings.set_username(&config.user);
        }
    } else if !config.user.is_empty() {
        return Err(RedisConfigError::UserWithoutPassword);
    }
    let keepalive = TcpKeepalive::new()
        .with_time(LOST_AFTER)
        .with_interval(Duration::from_secs(1))
        .with_retries(3);
    let tcp = TcpSettings::default().set_nodelay(true).set_keepalive(keepalive);
    #[cfg(target_os = "linux")]
    let tcp = tcp.set_user_timeout(LOST_AFTER);
    Ok(info.set_redis_settings(settings).set_tcp_settings(tcp))
}

fn password(path: &Path) -> Result<String, RedisConfigError> {
    let failed = |cause| RedisConfigError::PasswordFile {
        path: path.to_owned(),
        cause,
    };
    let none = || RedisConfigError::NoPassword {
        path: path.to_owned(),
    };
    let mut text = String::new();
    let file = fs::File::open(path).map_err(failed)?;
    let read = file.take(MAX_PASSWORD_BYTES + 1).read_to_string(&mut text);
    let bytes = read.map_err(failed)? as u64;
    let password = text.trim_end_matches(['\r', '\n']);
    if bytes > MAX_PASSWORD_BYTES || password.is_empty() || password.contains(['\r', '\n']) {
        return Err(none());
    }
    Ok(password.to_owned())
}

pub(super) fn open(config: &RedisConfig) -> Result<ConnectionManager, RedisConfigError> {
    let reason = |error: redis::RedisError| RedisConfigError::Url {
        url: config.url.clone(),
        reason: error.to_string(),
    };
    let client = Client::open(connection_info(config)?).map_err(reason)?;
    let (first, longest) = RECONNECT_PAUSES;
    let manager = ConnectionManagerConfig::new()
        .set_connection_timeout(Some(CONNECT_TIMEOUT))
        // Whoever asks has a deadline of his own; this one is for what the connection says to itself.
        .set_response_timeout(Some(CONNECT_TIMEOUT))
        .set_min_delay(first)
        .set_max_delay(longest)
        .set_number_of_retries(RECONNECT_ATTEMPTS)
        .set_pipeline_buffer_size(CALLS_WAITING);
    ConnectionManager::new_lazy_with_config(client, manager).map_err(reason)
}
