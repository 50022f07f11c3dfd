//! Adapters of the acquirer port.
//!
//! - [`SimulatedAcquirer`] moves no money and answers by the card number, so that merchants and tests can bring about every
//!   answer that a real acquirer gives, and every way in which it gives none.
//! - [`HttpAcquirer`] speaks the protocol of `docs/acquirers.md` to an acquirer, or to a bridge before one.
//! - [`simulator::SimulatorServer`] is the other end of that protocol: the simulator as a process of its own, with a
//!   ledger that survives it.
//!
//! [`open`] makes the one that the configuration names.

mod behaviour;
mod body;
mod config;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod http;
mod ledger;
mod open;
mod protocol;
mod simulated;
pub mod simulator;
pub mod test_cards;

pub use config::{Config, ConfigError, HttpConfig, Kind, SimulatedConfig};
pub use http::{FileError, HttpAcquirer, OpenHttpError};
pub use ledger::journal::LedgerError;
pub use ledger::{Charge, ChargeOutcome};
pub use open::{OpenError, open};
pub use simulated::SimulatedAcquirer;
