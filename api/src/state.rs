//! What the endpoints share: the use cases, and the bounds.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio_util::task::TaskTracker;

use crate::access::Gate;
use crate::admission::Admission;
use crate::api_state::ApiState;
use crate::config::{Config, at_least_one_ms};
use crate::endpoints::docs::Documentation;
use crate::request_id::RequestIds;

/// One per process, shared by every request.
pub(crate) struct Shared {
    pub(crate) state: ApiState,
    pub(crate) gate: Gate,
    pub(crate) admission: Admission,
    pub(crate) request_ids: RequestIds,
    /// Every payment that runs, also those whose client has gone.
    pub(crate) payments: TaskTracker,
    pub(crate) max_body_bytes: usize,
    pub(crate) body_read_timeout: Duration,
    pub(crate) request_timeout: Duration,
    pub(crate) documentation: Documentation,
    draining: AtomicBool,
    /// Every method and path that an endpoint was given.
    pub(crate) routes: Mutex<BTreeSet<(&'static str, &'static str)>>,
}

impl Shared {
    pub(crate) fn new(config: &Config, state: ApiState) -> Self {
        Self {
            gate: Gate::new(config, state.authenticate.clone(), state.http_metrics.clone()),
            state,
            admission: Admission::new(config.max_in_flight, config.max_connections),
            request_ids: RequestIds::new(),
            payments: TaskTracker::new(),
            max_body_bytes: config.max_body_bytes.max(1),
            body_read_timeout: at_least_one_ms(config.body_read_timeout_ms),
            request_timeout: at_least_one_ms(config.request_timeout_ms),
            documentation: Documentation::new(config),
            draining: AtomicBool::new(false),
            routes: Mutex::default(),
        }
    }

    /// From now on this node says that it is not ready.
    pub(crate) fn begin_drain(&self) {
        self.draining.store(true, Ordering::Release);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }
}
