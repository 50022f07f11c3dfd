//! One file per part of the URL tree: each endpoint reads its request, calls a use case and renders what came of it.

pub(crate) mod docs;
pub(crate) mod events;
pub(crate) mod lists;
pub(crate) mod operations;
mod path;
pub(crate) mod payments;
pub(crate) mod policies;
pub(crate) mod reviews;
pub(crate) mod risk_decisions;
pub(crate) mod unmatched;
pub(crate) mod webhook_deliveries;
pub(crate) mod webhook_endpoints;
mod work;

use std::future::Future;
use std::time::Duration;

use crate::problem::{Problem, ProblemCode};

/// The handler's bound. What is dropped here has nothing that must be ended: payments run on tasks of their own.
async fn within<F: Future>(limit: Duration, work: F) -> Result<F::Output, Problem> {
    tokio::time::timeout(limit, work).await.map_err(|_| {
        Problem::new(
            ProblemCode::TimedOut,
            "The answer took longer than a request may take.",
        )
        .for_operator("the use case exceeded request_timeout_ms")
    })
}
