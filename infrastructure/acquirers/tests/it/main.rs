//! The adapters of the acquirer port, and the simulator as a server.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "this is test code: what is not as it was built is a defect of the test"
)]

mod contract;
mod desk;
mod http_answers;
mod http_connections;
mod property;
mod raw_server;
mod simulated;
mod simulator;
mod tls;
