//! What operators learn about the HTTP interface in numbers.

use std::sync::OnceLock;
use std::time::Instant;

use axum::http::{Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// Upper ends of the duration's buckets, in seconds: below a millisecond where decisions are, and up to the longest a
/// request may take.
const DURATION_BUCKETS: [f64; 16] = [
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0,
    20.0,
];

const METHODS: [&str; 6] = ["GET", "POST", "HEAD", "PATCH", "DELETE", "other"];
const STATUS_CLASSES: [&str; 5] = ["2xx", "3xx", "4xx", "5xx", "aborted"];
/// The class of a request whose client went away before its answer.
const ABORTED: usize = 4;

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: &'static str,
    method: &'static str,
    status: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: &'static str,
}

/// Counts and times requests by route template, so that the number of series is fixed.
#[derive(Clone, Debug)]
pub struct HttpMetrics {
    requests: Family<RequestLabels, Counter>,
    durations: Family<RouteLabels, Histogram>,
    in_flight: Gauge,
    access_refused: Family<ReasonLabels, Counter>,
}

impl HttpMetrics {
    /// Makes the metrics and enters them as `http_requests_total`, `http_request_duration_seconds`,
    /// `http_requests_in_flight` and `http_access_refused_total`, behind whatever prefix the registry has.
    #[must_use]
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(DURATION_BUCKETS)),
            in_flight: Gauge::default(),
            access_refused: Family::default(),
        };
        registry.register(
            "http_requests",
            "Requests by route, method and status class; `aborted` where the client went away first",
            metrics.requests.clone(),
        );
        registry.register_with_unit(
            "http_request_duration",
            "From the head of a request to its answer, body included",
            Unit::Seconds,
            metrics.durations.clone(),
        );
        registry.register(
            "http_requests_in_flight",
            "Requests whose answer is being worked out",
            metrics.in_flight.clone(),
        );
        registry.register(
            "http_access_refused",
            "Requests that were not let in: `missing`, `not_a_key`, `unknown`, `out_of_date`, `forbidden`, `rate_limited`",
            metrics.access_refused.clone(),
        );
        metrics
    }

    /// Counts a request that was not let in.
    pub(crate) fn access_refused(&self, reason: &'static str) {
        self.access_refused
            .get_or_create_owned(&ReasonLabels { reason })
            .inc();
    }

    pub(crate) fn route(&self, route: &'static str) -> RouteMetrics {
        RouteMetrics {
            route,
            duration: self.durations.get_or_create_owned(&RouteLabels { route }),
            counters: Default::default(),
            all: self.clone(),
        }
    }
}

/// The metrics of one route, each looked up once.
pub(crate) struct RouteMetrics {
    route: &'static str,
    duration: Histogram,
    counters: [[OnceLock<Counter>; STATUS_CLASSES.len()]; METHODS.len()],
    all: HttpMetrics,
}

impl RouteMetrics {
    /// Counts a request as in flight until the guard is gone.
    pub(crate) fn begin(&self, method: &Method) -> RequestGuard<'_> {
        self.all.in_flight.inc();
        RequestGuard {
            metrics: self,
            method: match *method {
                Method::GET => 0,
                Method::POST => 1,
                Method::HEAD => 2,
                Method::PATCH => 3,
                Method::DELETE => 4,
                _ => 5,
            },
            started: Instant::now(),
            class: ABORTED,
        }
    }

    fn count(&self, method: usize, class: usize) {
        let Some(slot) = self.counters.get(method).and_then(|by_class| by_class.get(class)) else {
            return;
        };
        let counter = slot.get_or_init(|| {
            self.all.requests.get_or_create_owned(&RequestLabels {
                route: self.route,
                method: METHODS.get(method).copied().unwrap_or_default(),
                status: STATUS_CLASSES.get(class).copied().unwrap_or_default(),
            })
        });
        counter.inc();
    }
}

/// One request while it is being served. Dropped without an answer, it counts as aborted.
pub(crate) struct RequestGuard<'a> {
    metrics: &'a RouteMetrics,
    method: usize,
    started: Instant,
    class: usize,
}

impl RequestGuard<'_> {
    /// Notes the answer's status.
    pub(crate) fn answered(&mut self, status: StatusCode) {
        self.class = match status.as_u16() {
            ..300 => 0,
            300..400 => 1,
            400..500 => 2,
            500.. => 3,
        };
    }

    /// Since the request began.
    pub(crate) fn elapsed_us(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }
}

impl Drop for RequestGuard<'_> {
    fn drop(&mut self) {
        self.metrics.all.in_flight.dec();
        self.metrics.count(self.method, self.class);
        self.metrics
            .duration
            .observe(self.started.elapsed().as_secs_f64());
    }
}
