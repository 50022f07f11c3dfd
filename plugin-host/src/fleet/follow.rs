//! Waiting until every node has come to what was published.

use std::time::Duration;

use tokio::time::Instant;

use crate::store::{NODE_TTL_SECONDS, PolicyStore, StoreError};

use super::{Expected, NodeView, Standing, views};

/// How often the nodes' reports are read. A node reports a change at once.
const INTERVAL: Duration = Duration::from_millis(200);

/// How long a node may be silent that is there; after this long without any report there is none.
const SILENCE: Duration = Duration::from_secs(NODE_TTL_SECONDS);

/// How it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Every live node has come to it.
    Converged,
    /// Some node has come to something else, and will not change.
    Refused,
    /// Some node has come to nothing in time.
    TimedOut,
    /// No node reports.
    NoNode,
}

/// How it ended, and how each node stood then.
#[derive(Clone, Debug)]
pub struct Followed {
    /// How it ended.
    pub end: End,
    /// Each node's last report.
    pub nodes: Vec<NodeView>,
    /// How long it took.
    pub elapsed: Duration,
}

/// Reads the nodes' reports until each has come to what is expected, or will not, or the time is over. `seen` is shown every
/// reading.
///
/// # Errors
/// When the store does not answer for the rest of the time, or at all.
pub async fn follow(
    store: &dyn PolicyStore,
    expected: &[Expected],
    timeout: Duration,
    mut seen: impl FnMut(&[NodeView]),
) -> Result<Followed, StoreError> {
    let began = Instant::now();
    loop {
        let is_over = began.elapsed() >= timeout;
        let nodes = match store.nodes().await {
            Err(StoreError::Unavailable { .. }) if !is_over => {
                tokio::time::sleep(INTERVAL).await;
                continue;
            }
            reports => views(reports?),
        };
        seen(&nodes);
        if let Some(end) = ending(expected, &nodes, began.elapsed(), is_over) {
            let elapsed = began.elapsed();
            return Ok(Followed { end, nodes, elapsed });
        }
        let left = timeout.saturating_sub(began.elapsed());
        tokio::time::sleep(INTERVAL.min(left)).await;
    }
}

fn ending(expected: &[Expected], nodes: &[NodeView], elapsed: Duration, is_over: bool) -> Option<End> {
    if nodes.is_empty() {
        return (is_over || elapsed >= SILENCE).then_some(End::NoNode);
    }
    let standings = nodes.iter().flat_map(|node| {
        expected.iter().map(|expected| match &node.status {
            Ok(status) => expected.held_against(status),
            Err(_) => Standing::Behind,
        })
    });
    let (mut reached, mut settled) = (true, true);
    for standing in standings {
        reached &= standing.is_reached();
        settled &= standing.is_settled();
    }
    match (reached, settled) {
        (true, _) => Some(End::Converged),
        (false, true) => Some(End::Refused),
        (false, false) => is_over.then_some(End::TimedOut),
    }
}
