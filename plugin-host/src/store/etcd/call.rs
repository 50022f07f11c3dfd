//! Calls to etcd: every one ends in a bounded time, is tried again where that is harmless, and fails in words that an
//! operator can act on.

use std::time::{Duration, Instant};

use etcd_client::Error;

use crate::store::StoreError;

/// How long a small call may take. A healthy cluster answers in milliseconds; one that elects a leader drops what was in
/// flight and answers only the next attempt, so this is short.
pub(super) const CALL_TIMEOUT: Duration = Duration::from_secs(2);

/// How long a call with a whole chunk, or a page of documents, may take: 1 MiB over a slow link.
pub(super) const CHUNK_TIMEOUT: Duration = Duration::from_secs(5);

/// Pauses before further attempts. After a member has gone, a channel answers a few calls from its last error although
/// others are there, so that less than four attempts are too few.
const BACK_OFF: [Duration; 4] = [
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
];

/// Codes of gRPC that etcd uses.
const INVALID_ARGUMENT: i32 = 3;
const PERMISSION_DENIED: i32 = 7;
const RESOURCE_EXHAUSTED: i32 = 8;
const OUT_OF_RANGE: i32 = 11;
const UNAUTHENTICATED: i32 = 16;

/// Awaits one call within a bound. The client's own timeouts do not cover a TLS handshake that nobody answers, nor a stream.
pub(super) async fn within<T>(
    store: &str,
    what: &str,
    bound: Duration,
    call: impl Future<Output = Result<T, Error>>,
) -> Result<T, StoreError> {
    match tokio::time::timeout(bound, call).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(translate(store, what, &error)),
        Err(_) => Err(StoreError::Unavailable {
            store: store.to_owned(),
            detail: format!("{what}: no answer within {} ms", bound.as_millis()),
        }),
    }
}

/// The same for a call that may be made twice: tried again while the store is unavailable, but no longer than it takes to
/// hear nothing twice.
pub(super) async fn idempotent<T, F>(
    store: &str,
    what: &str,
    bound: Duration,
    mut call: impl FnMut() -> F,
) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, Error>>,
{
    let begun = Instant::now();
    for pause in BACK_OFF {
        match within(store, what, bound, call()).await {
            Err(StoreError::Unavailable { .. }) if begun.elapsed() < bound * 2 => {
                tokio::time::sleep(pause).await
            }
            answer => return answer,
        }
    }
    within(store, what, bound, call()).await
}

/// What an error of the client means for us.
pub(super) fn translate(store: &str, what: &str, error: &Error) -> StoreError {
    let unavailable = |detail: String| StoreError::Unavailable {
        store: store.to_owned(),
        detail: format!("{what}: {detail}"),
    };
    let Error::GRpcStatus(status) = error else {
        return match error {
            Error::InvalidArgs(detail) => StoreError::Invalid {
                detail: format!("{store}: {what}: {detail}"),
            },
            Error::InvalidUri(detail) => StoreError::Invalid {
                detail: format!("{store}: {what}: {detail}"),
            },
            other => unavailable(other.to_string()),
        };
    };
    let message = status.message();
    match status.code() as i32 {
        PERMISSION_DENIED | UNAUTHENTICATED => denied(store, what, message),
        INVALID_ARGUMENT
            if message.contains("authentication failed") || message.contains("user name is empty") =>
        {
            denied(store, what, message)
        }
        INVALID_ARGUMENT if message.contains("too large") => StoreError::Invalid {
            detail: format!(
                "{store}: {what}: {message}; etcd must take requests of 1.5 MiB (`--max-request-bytes` is 1572864 by default)"
            ),
        },
        RESOURCE_EXHAUSTED if message.contains("space exceeded") => unavailable(format!(
            "{message}; compact and defragment etcd, then disarm its alarm"
        )),
        INVALID_ARGUMENT | RESOURCE_EXHAUSTED => StoreError::Invalid {
            detail: format!("{store}: {what}: {message}"),
        },
        OUT_OF_RANGE if message.contains("compacted") => StoreError::Compacted { after: 0, oldest: 0 },
        OUT_OF_RANGE if message.contains("future revision") => StoreError::Rewound { after: 0, current: 0 },
        _ => unavailable(format!("{:?}: {message}", status.code())),
    }
}

fn denied(store: &str, what: &str, message: &str) -> StoreError {
    StoreError::Denied {
        store: store.to_owned(),
        detail: format!("{what}: {message}"),
    }
}

/// A revision of etcd, which is never negative, as ours.
pub(super) fn revision(of_etcd: i64) -> u64 {
    u64::try_from(of_etcd).unwrap_or(0)
}

/// Ours as a revision of etcd. Above `i64::MAX` there is none, and that one is as far in the future.
pub(super) fn of_etcd(revision: u64) -> i64 {
    i64::try_from(revision).unwrap_or(i64::MAX)
}
