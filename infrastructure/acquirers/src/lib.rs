//! Adapters of the acquirer port.
//!
//! There is one so far: [`SimulatedAcquirer`], which moves no money and answers by the card number, so that merchants
//! and tests can bring about every answer that a real acquirer gives, and every way in which it gives none.

mod config;
mod simulated;
pub mod test_cards;

pub use config::Config;
pub use simulated::{Charge, ChargeOutcome, SimulatedAcquirer};
