//! The gateway from outside: the real binary, a real etcd, policies from their real toolchain.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "helpers of tests are tests: a missing key is a failure"
)]

mod access;
mod api;
mod cluster;
mod command_line;
mod determinism;
mod directory_store;
mod etcd_access;
mod fleet;
mod hostile_policies;
mod hot_reload;
mod life;
mod many_policies;
mod misbehaving;
mod openapi;
mod payments;
mod policy_test;
mod quarantine;
mod refusals;
mod rollout;
mod shutdown;
mod signatures;
mod static_stability;
mod store_outage;
