//! Policies: where they come from, how they are verified, and the sandbox they run in. The only crate that knows wasmtime,
//! etcd and digests.
//!
//! | part | modules |
//! |---|---|
//! | what is published | [`document`], [`envelope`], [`manifest`], [`artifact`], [`digest`] |
//! | who may publish | [`signing`] |
//! | where it is kept | [`store`] (a folder or etcd), [`publish`], [`node_status`], [`fleet`] |
//! | from the store into force | [`host`], `reconciler`, `loader`, [`load_error`] |
//! | what a node keeps on its disk | [`node_state`], [`compile_cache`] |
//! | the sandbox | `structure`, [`compiler`], `engine`, `sandbox`, `virtual_wasi`, `contract` |
//! | what decides | `policy`, `release`, `quarantine`, `rollout`, `policy_set`, [`wasm_engine`] |
//! | for authors | [`authoring`], [`component`], [`golden`] |
//!
//! The gateway uses [`host::PolicyHost`]; the command line uses [`authoring`] and [`publish`].

pub mod artifact;
pub mod authoring;
#[cfg(feature = "benchmarking")]
#[doc(hidden)]
pub mod benchmarking;
pub mod compile_cache;
pub mod compiler;
pub mod component;
pub mod config;
mod contract;
pub mod digest;
pub mod document;
#[cfg(test)]
mod documented_bounds;
mod engine;
pub mod envelope;
mod epoch_ticker;
mod fault_log;
pub mod fleet;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
pub mod golden;
pub mod host;
mod instance_reset;
mod lane;
pub mod load_error;
mod loader;
pub mod manifest;
mod metrics;
pub mod node_state;
pub mod node_status;
mod pace;
mod policy;
mod policy_set;
mod priority;
mod processor_time;
pub mod publish;
mod quarantine;
mod reconciler;
mod release;
mod rollout;
mod sandbox;
pub mod signing;
pub mod store;
mod structure;
#[cfg(test)]
mod testing;
mod virtual_wasi;
pub mod wasm_engine;

pub use compile_cache::CompileCacheConfig;
pub use config::Config;
pub use contract::check::ImportKind;
pub use contract::mismatch::{ContractMismatch, Difference};
pub use contract::version::ContractVersion;
pub use engine::EngineError;
pub use instance_reset::InstanceReset;
pub use quarantine::{QuarantineConfig, QuarantineConfigError};

pub use host::PolicyHost;
pub use signing::SignaturesConfig;
pub use wasm_engine::WasmRiskPolicyEngine;
