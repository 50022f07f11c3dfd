//! The harness of the end-to-end tests: the real binary, a real etcd, policies from their real toolchain.
//!
//! Nothing here sleeps for a while and hopes: a test says what it waits for with [`eventually`].

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a harness ends the test that it serves, and says what it missed"
)]

mod beside;
pub mod build;
pub mod database;
pub mod etcd;
mod etcd_http;
pub mod footprint;
pub mod gateway;
pub mod guests;
pub mod languages;
mod launch;
pub mod memory;
pub mod policies;
pub mod process;
pub mod publishes;
pub mod raw;
pub mod traffic;
pub mod wait;
pub mod webhook_receiver;

pub use beside::Beside;
pub use database::Database;
pub use etcd::Etcd;
pub use footprint::Footprint;
pub use gateway::{Answer, Gateway, Payment};
pub use launch::Launch;
pub use policies::Policy;
pub use traffic::Traffic;
pub use wait::{eventually, eventually_within};
pub use webhook_receiver::WebhookReceiver;
