//! Where a store is, as an operator writes it: `etcd://host:port,host:port/prefix` or `dir:PATH`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use std::sync::Arc;

use super::layout::{DEFAULT_PREFIX, Layout, PrefixError};
use super::{
    DirectoryPolicyStore, EtcdConfig, EtcdConfigError, EtcdPolicyStore, PolicyArchive, PolicyStore,
    StoreError,
};

/// The most endpoints of one etcd: clusters have three to seven members.
const MAX_ENDPOINTS: usize = 16;

/// Where a store is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StoreLocation {
    /// An etcd cluster.
    Etcd {
        /// `host:port` of each member.
        endpoints: Vec<String>,
        /// Below which keys.
        layout: Layout,
    },
    /// A folder.
    Directory(PathBuf),
}

/// Why a text is no location.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    /// Neither form.
    #[error("found store `{0}`, expected `etcd://host:port,…[/prefix]` or `dir:PATH`")]
    Scheme(String),
    /// No path behind `dir:`.
    #[error("found store `dir:` without a path, expected one such as `dir:/var/lib/portcullis/policies`")]
    NoPath,
    /// An endpoint that is not `host:port`.
    #[error("found endpoint `{0}`, expected `host:port` such as `127.0.0.1:2379` or `[::1]:2379`")]
    Endpoint(String),
    /// An endpoint with a scheme of its own.
    #[error(
        "found endpoint `{0}`, expected `host:port` alone: TLS is spoken with all of them where `policies.etcd.ca_file` is set"
    )]
    Tls(String),
    /// Too many endpoints.
    #[error("found {0} endpoints, expected at most {MAX_ENDPOINTS}")]
    TooManyEndpoints(usize),
    /// A prefix that is none.
    #[error(transparent)]
    Prefix(#[from] PrefixError),
}

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// How etcd is to be spoken to cannot be.
    #[error(transparent)]
    Access(#[from] EtcdConfigError),
    /// The store itself.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl StoreLocation {
    /// Sees that the store could be opened, as far as that shows without asking it: for a folder, settings of etcd are not looked
    /// at.
    ///
    /// # Errors
    /// When a setting of `etcd` or a file that it names cannot be used.
    pub fn check(&self, etcd: &EtcdConfig) -> Result<(), EtcdConfigError> {
        match self {
            Self::Etcd { .. } => etcd.options().map(drop),
            Self::Directory(_) => Ok(()),
        }
    }

    /// Opens the store there. `etcd` says how etcd is spoken to; of a folder it is not looked at.
    ///
    /// # Errors
    /// When a folder cannot be made or read, a setting of `etcd` cannot be, or etcd refuses the credentials. An etcd that is away is
    /// no error yet.
    pub async fn open(&self, etcd: &EtcdConfig) -> Result<Arc<dyn PolicyStore>, OpenError> {
        // Boxed: connecting to etcd is much for the stack of whoever holds this future.
        let store: Arc<dyn PolicyStore> = Box::pin(self.open_archive(etcd)).await?;
        Ok(store)
    }

    /// The same with its past, for those who publish.
    ///
    /// # Errors
    /// As above.
    pub async fn open_archive(&self, etcd: &EtcdConfig) -> Result<Arc<dyn PolicyArchive>, OpenError> {
        match self {
            Self::Etcd { endpoints, layout } => {
                let store = EtcdPolicyStore::connect(endpoints, layout.clone(), etcd.options()?).await?;
                Ok(Arc::new(store))
            }
            Self::Directory(path) => {
                let path = path.clone();
                Ok(Arc::new(
                    super::directory::blocking(move || DirectoryPolicyStore::open(path)).await?,
                ))
            }
        }
    }
}

impl FromStr for StoreLocation {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(path) = text.strip_prefix("dir:") {
            return match path {
                "" => Err(LocationError::NoPath),
                path => Ok(Self::Directory(PathBuf::from(path))),
            };
        }
        let Some(rest) = text.strip_prefix("etcd://") else {
            return Err(LocationError::Scheme(text.chars().take(200).collect()));
        };
        if let Some(tls) = rest
            .split(',')
            .find(|part| part.starts_with("https:") || part.starts_with("http:"))
        {
            return Err(LocationError::Tls(tls.to_owned()));
        }
        let (hosts, prefix) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, DEFAULT_PREFIX),
        };
        let prefix = match prefix.trim_end_matches('/') {
            "" => DEFAULT_PREFIX,
            prefix => prefix,
        };
        let endpoints: Vec<String> = hosts.split(',').map(endpoint).collect::<Result<_, _>>()?;
        if endpoints.len() > MAX_ENDPOINTS {
            return Err(LocationError::TooManyEndpoints(endpoints.len()));
        }
        Ok(Self::Etcd {
            endpoints,
            layout: Layout::new(prefix)?,
        })
    }
}

fn endpoint(text: &str) -> Result<String, LocationError> {
    let wrong = || LocationError::Endpoint(text.chars().take(200).collect());
    let (host, port) = text.rsplit_once(':').ok_or_else(wrong)?;
    let numbered = port.parse::<u16>().is_ok_and(|port| port > 0);
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    let named = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(v6) => v6.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(plain),
    };
    if numbered && named {
        Ok(text.to_owned())
    } else {
        Err(wrong())
    }
}

impl fmt::Display for StoreLocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Etcd { endpoints, layout } => {
                write!(f, "etcd://{}{}", endpoints.join(","), layout.prefix())
            }
            Self::Directory(path) => write!(f, "dir:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_etcd_or_a_folder() {
        for (text, written) in [
            ("etcd://127.0.0.1:2379", "etcd://127.0.0.1:2379/portcullis/v1"),
            ("etcd://127.0.0.1:2379/", "etcd://127.0.0.1:2379/portcullis/v1"),
            (
                "etcd://a:1,b.example:2,[::1]:3/x/y",
                "etcd://a:1,b.example:2,[::1]:3/x/y",
            ),
            ("dir:/var/lib/policies", "dir:/var/lib/policies"),
            ("dir:relative", "dir:relative"),
        ] {
            assert_eq!(text.parse::<StoreLocation>().unwrap().to_string(), written);
        }
    }

    #[test]
    fn what_is_no_location_is_refused_with_what_would_be_one() {
        for (text, expected) in [
            ("", "expected `etcd://"),
            ("/var/lib", "expected `etcd://"),
            ("http://a:1", "expected `etcd://"),
            ("dir:", "without a path"),
            ("etcd://", "found endpoint ``"),
            ("etcd://a", "found endpoint `a`"),
            ("etcd://a:0", "found endpoint `a:0`"),
            ("etcd://a:1,,b:2", "found endpoint ``"),
            ("etcd://https://a:1", "where `policies.etcd.ca_file` is set"),
            ("etcd://a:1,http://b:1", "expected `host:port` alone"),
            ("etcd://user:pw@a:1", "found endpoint `user:pw@a:1`"),
            ("etcd://a:1/x//y", "found prefix `/x//y`"),
        ] {
            let error = text.parse::<StoreLocation>().unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
