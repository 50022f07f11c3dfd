//! The composition root: configuration, wiring, start and shutdown, and the commands of the `portcullis` binary.
//!
//! The order of the statements in [`Gateway::build`] is the architecture.

mod background;
pub mod cli;
pub mod config;
mod gateway;
mod past_payments;
mod upkeep;

pub use config::Config;
pub use gateway::{BuildError, Gateway, Stopped};
