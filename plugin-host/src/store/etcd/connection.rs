//! One connection to etcd, to all of its members: made when it is first used, and what is asked over it is asked again where
//! that is harmless.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use etcd_client::{Certificate, Client, ConnectOptions, Error, Identity, TlsOptions};
use tokio::sync::OnceCell;

use crate::store::StoreError;

use super::access::{EtcdOptions, EtcdTls};
use super::call::{CALL_TIMEOUT, Call, HasCertificate, OLD_TOKEN, Peer, Right};

/// How often a quiet connection is pinged. etcd closes connections that are pinged more often than every five seconds.
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(5);

/// After this long without an answer to a ping the connection counts as dead.
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a TCP connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// How long the handshake of TLS may take after that. Without it a member that stops in the middle would be waited for until its
/// machine is gone.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(5);

/// Pauses before further attempts. After a member has gone, a channel answers a few calls from its last error although
/// others are there, so that less than four attempts are too few.
const BACK_OFF: [Duration; 4] = [
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
];

/// To be known is all it takes.
const CONNECT: Call<'_> = Call {
    what: "connect",
    bound: CALL_TIMEOUT,
    right: Right::None,
};

/// A connection to etcd.
pub(super) struct Connection {
    /// Whom it leads to.
    pub(super) peer: Arc<Peer>,
    endpoints: Vec<String>,
    options: ConnectOptions,
    /// Made when it is first asked for: with a password, the client begins by asking etcd for a token.
    client: OnceCell<Client>,
}

impl Connection {
    /// Prepares a connection; nothing is asked yet.
    pub(super) fn new(store: String, endpoints: &[String], access: &EtcdOptions) -> Self {
        let peer = Peer {
            store,
            tls: access
                .tls
                .as_ref()
                .map(|tls| HasCertificate(tls.identity.is_some())),
            user: access.credentials.as_ref().map(|(user, _)| user.clone()),
            has_answered: AtomicBool::new(false),
        };
        let mut options = ConnectOptions::new()
            .with_keep_alive(KEEP_ALIVE_INTERVAL, KEEP_ALIVE_TIMEOUT)
            .with_keep_alive_while_idle(true)
            .with_connect_timeout(CONNECT_TIMEOUT)
            .with_require_leader(true);
        if let Some(tls) = &access.tls {
            options = options.with_tls(tls_options(tls));
        }
        if let Some((user, password)) = &access.credentials {
            options = options
                .with_user(user.as_str(), password.as_str())
                .with_auto_token_refresh(true);
        }
        Self {
            peer: Arc::new(peer),
            endpoints: endpoints.to_vec(),
            options,
            client: OnceCell::new(),
        }
    }

    /// Whether etcd was told who we are by a password, and has given a token for it.
    pub(super) fn has_token(&self) -> bool {
        self.peer.user.is_some()
    }

    /// The client, made now where it is not there yet.
    ///
    /// # Errors
    /// When there are credentials and they are refused, or cannot be checked.
    pub(super) async fn client(&self) -> Result<Client, StoreError> {
        let connect = || {
            // Boxed: it is much for a stack, and with it everything that asks for a client.
            let connecting = Box::pin(Client::connect(&self.endpoints, Some(self.options.clone())));
            self.peer.within(&CONNECT, connecting)
        };
        self.client.get_or_try_init(connect).await.cloned()
    }

    /// Makes a call that may be made twice: it is tried again while the store is unavailable, but no longer than it takes to hear
    /// nothing twice.
    pub(super) async fn ask<T, F>(&self, call: &Call<'_>, make: impl Fn(Client) -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let begun = Instant::now();
        for pause in BACK_OFF {
            match self.ask_once(call, &make).await {
                Err(StoreError::Unavailable { .. }) if begun.elapsed() < call.bound * 2 => {
                    tokio::time::sleep(pause).await
                }
                answer => return answer,
            }
        }
        self.ask_once(call, &make).await
    }

    /// Makes a call once.
    pub(super) async fn ask_once<T, F>(
        &self,
        call: &Call<'_>,
        make: impl Fn(Client) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let client = self.client().await?;
        let answer = self.peer.within(call, make(client)).await;
        match &answer {
            Ok(_) => self.peer.has_answered.store(true, Ordering::Relaxed),
            // The client asks for another token where etcd does not know the one it has, but not where it is too old.
            Err(StoreError::Unavailable { detail, .. }) if detail.contains(OLD_TOKEN) => {
                self.refresh_token().await?;
            }
            _ => {}
        }
        answer
    }

    /// Asks etcd for another token, where there is a password.
    pub(super) async fn refresh_token(&self) -> Result<(), StoreError> {
        let client = self.client().await?;
        self.peer.within(&CONNECT, client.refresh_token()).await
    }
}

fn tls_options(tls: &EtcdTls) -> TlsOptions {
    let options = TlsOptions::new()
        .ca_certificate(Certificate::from_pem(&tls.ca))
        .timeout(HANDSHAKE_TIMEOUT);
    match &tls.identity {
        Some((certificate, key)) => options.identity(Identity::from_pem(certificate, key.as_slice())),
        None => options,
    }
}
