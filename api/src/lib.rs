//! The HTTP interface of the gateway: parse a request, call a use case, render what came of it. No rule of the business
//! lives here.
//!
//! The gateway builds an [`ApiState`] from its use cases, binds a [`Server`] and runs it until it is told to stop.
//! [`Api`] is the same without sockets, for tests:
//!
//! - `request` reads bodies strictly and reports everything that is wrong with one, each with its path;
//! - `response` renders domain types straight into one buffer;
//! - [`problem`] holds every error code a caller can meet; each has a page under `docs/errors/`;
//! - `edge` is the frame round every endpoint: request id, metrics, the log line, a last resort for panics;
//! - [`server`] accepts connections within bounds and ends them without cutting a payment off.

mod access;
mod admission;
pub mod api_state;
mod body;
mod card_shape;
pub mod config;
mod decision_use_cases;
mod digits;
mod edge;
mod endpoints;
mod idempotency_key;
mod list_use_cases;
mod metrics;
mod openapi;
pub mod problem;
mod request;
mod request_id;
mod response;
mod routes;
pub mod server;
mod state;
mod webhook_use_cases;

pub use access::{ACCESS_RULES, AccessRule, Required};
pub use api_state::{ApiParts, ApiState, RenderMetrics, ThisNode};
pub use config::{Authentication, Config, ConfigError, MetricsAccess};
pub use decision_use_cases::DecisionUseCases;
pub use list_use_cases::ListUseCases;
pub use metrics::HttpMetrics;
pub use openapi::document as openapi_document;
pub use problem::ProblemCode;
pub use response::JsonEventRenderer;
pub use routes::Api;
pub use server::{BindError, Drained, Server};
pub use webhook_use_cases::{WebhookParts, WebhookUseCases};
