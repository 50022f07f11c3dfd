//! A node's status under a lease: it goes when the node goes.

use etcd_client::{Error, PutOptions};
use tokio::sync::Mutex;

use crate::digest::Digest;
use crate::node_status::NodeId;
use crate::store::{NODE_TTL_SECONDS, StoreError};

use super::call::{CALL_TIMEOUT, Call, Right};
use super::connection::Connection;

/// An unchanged status is written anew at every so many reports, should somebody have deleted it by hand. In between the
/// lease alone is kept alive: a write each time would fill etcd with revisions.
const REWRITE_EVERY: u32 = 10;

/// What was reported last.
struct Reported {
    lease: i64,
    node: NodeId,
    status: Digest,
    repeats: u32,
}

/// Reports one node.
#[derive(Default)]
pub(super) struct Reporter(Mutex<Option<Reported>>);

impl Reporter {
    /// Writes the status, or only keeps its lease alive where it is the same as before.
    pub(super) async fn report(
        &self,
        connection: &Connection,
        node: &NodeId,
        key: &str,
        status: &[u8],
    ) -> Result<(), StoreError> {
        let mut last = self.0.lock().await;
        let digest = Digest::of(status);
        let kept = match last.take() {
            Some(reported) if reported.node == *node && keep_alive(connection, reported.lease).await? => {
                Some(reported)
            }
            _ => None,
        };
        if let Some(mut reported) = kept {
            if reported.status == digest && reported.repeats < REWRITE_EVERY {
                reported.repeats += 1;
                *last = Some(reported);
                return Ok(());
            }
            write(connection, key, status, reported.lease).await?;
            *last = Some(Reported {
                status: digest,
                repeats: 0,
                ..reported
            });
            return Ok(());
        }
        let lease = grant(connection).await?;
        write(connection, key, status, lease).await?;
        *last = Some(Reported {
            lease,
            node: node.clone(),
            status: digest,
            repeats: 0,
        });
        Ok(())
    }
}

async fn grant(connection: &Connection) -> Result<i64, StoreError> {
    let ttl = i64::try_from(NODE_TTL_SECONDS).unwrap_or(i64::MAX);
    let call = of_lease("grant a lease");
    let granted = connection
        .ask(&call, |client| {
            let mut leases = client.lease_client();
            async move { leases.grant(ttl, None).await }
        })
        .await?;
    Ok(granted.id())
}

/// Whether the lease is still there. One that has expired is answered without an error, as gone.
async fn keep_alive(connection: &Connection, lease: i64) -> Result<bool, StoreError> {
    let call = of_lease("keep a lease alive");
    connection
        .ask_once(&call, |client| {
            let mut leases = client.lease_client();
            async move {
                match leases.keep_alive(lease).await {
                    Ok(_) => Ok(true),
                    Err(Error::LeaseKeepAliveError(_) | Error::WatchError(_)) => Ok(false),
                    Err(error) => Err(error),
                }
            }
        })
        .await
}

async fn write(connection: &Connection, key: &str, status: &[u8], lease: i64) -> Result<(), StoreError> {
    let call = Call {
        what: "report the node",
        bound: CALL_TIMEOUT,
        right: Right::Write(key),
    };
    connection
        .ask(&call, |client| {
            let mut kv = client.kv_client();
            let options = PutOptions::new().with_lease(lease);
            async move { kv.put(key, status, Some(options)).await }
        })
        .await?;
    Ok(())
}

/// A call about a lease: etcd asks for no right to one.
const fn of_lease(what: &'static str) -> Call<'static> {
    Call {
        what,
        bound: CALL_TIMEOUT,
        right: Right::None,
    }
}
