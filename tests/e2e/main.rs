//! The gateway from outside: the real binary, a real etcd, policies from their real toolchain.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests are tests: a missing key is a failure"
)]

mod api;
mod command_line;
mod determinism;
mod directory_store;
mod fleet;
mod hostile_policies;
mod hot_reload;
mod life;
mod misbehaving;
mod policy_test;
mod quarantine;
mod refusals;
mod shutdown;
mod signatures;
mod store_outage;
