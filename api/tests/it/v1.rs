//! `/v1`.

mod payments;
mod policies;
mod risk;
mod webhook_endpoints;
