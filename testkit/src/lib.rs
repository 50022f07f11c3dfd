//! Builders, fakes and contract suites for tests.
//!
//! - [`benchmark`]: quantiles, tables and the report of the benchmarks.
//! - [`builders`]: a payment, its details, a decision in one line, with everything that does not matter filled in.
//! - [`fakes`]: every port, in memory and under the test's control.
//! - [`strategies`]: values of the domain for property tests.
//! - [`documentation`]: the worked examples of `docs/`, to be run.
//! - [`etcd`]: a real etcd, alone or as a cluster of three, with or without certificates, to kill, freeze, wipe and restore.
//! - [`redis`]: a real Redis, to kill, freeze and start again.
//! - [`postgres`]: a real PostgreSQL, to kill and to start again.
//! - [`tcp_proxy`]: a connection that a test can cut, freeze and heal.
//! - [`contracts`]: what every adapter of a port owes, written once and run over each of them.
//!
//! For the test programs under `tests/` alone: a crate's own unit tests are built with another copy of its types.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "this is test code: what is not as it was built is a defect of the test"
)]

pub mod benchmark;
pub mod builders;
pub mod contracts;
pub mod documentation;
pub mod etcd;
pub mod fakes;
pub mod postgres;
pub mod redis;
pub mod strategies;
pub mod tcp_proxy;
