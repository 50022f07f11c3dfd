//! What the gateway does, told without saying how: ports (what it needs of the world) and use cases (what it offers).
//!
//! A port is a trait named after a role; its adapters live in `plugin-host` and `infrastructure/*`. A use case is a
//! struct with one `execute`. Nothing here knows HTTP, SQL, WebAssembly or a clock.

pub mod api_keys;
pub mod idempotency;
pub mod operation_runner;
pub mod payment_times;
pub mod ports;
pub mod risk_assessment;
pub mod use_cases;
