//! `/v1`.

mod lists;
mod payments;
mod policies;
mod risk;
mod webhook_endpoints;
