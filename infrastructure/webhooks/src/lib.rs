//! Webhooks: what happened to payments, sent to those who want to be told.
//!
//! [`Deliverer`] hands the events of the outbox out, one delivery for each endpoint that wants one, and sends each until the
//! endpoint has taken it or three days are over. Signatures are those of Standard Webhooks. A merchant chooses where his go, so
//! every address is checked before it is connected to; [`UrlRules`] says the same of a URL when it is set.

mod addresses;
mod attempt;
mod config;
mod connection;
mod deliverer;
mod metrics;
mod resolver;
mod schedule;
mod signature;
mod url_rules;

pub use config::{Config, ConfigError};
pub use connection::TlsError;
pub use deliverer::Deliverer;
pub use resolver::{Resolver, SystemResolver};
pub use url_rules::UrlRules;
