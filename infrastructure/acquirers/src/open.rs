//! The acquirer that the configuration names.

use std::sync::Arc;

use application::ports::Acquirer;
use thiserror::Error;

use crate::config::{Config, Kind};
use crate::http::{HttpAcquirer, OpenHttpError};
use crate::simulated::SimulatedAcquirer;

/// Why there is no acquirer.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The acquirer over HTTP cannot be spoken to as the configuration has it.
    #[error(transparent)]
    Http(#[from] OpenHttpError),
}

/// Makes the adapter, and reads the files that it needs. Nothing is connected: an acquirer that is away hinders no start, and
/// the configuration can be checked so. What the kind does not use is not looked at.
///
/// # Errors
/// Names the setting, what was found and what was expected.
pub fn open(config: &Config) -> Result<Arc<dyn Acquirer>, OpenError> {
    Ok(match config.kind {
        Kind::Simulated => Arc::new(SimulatedAcquirer::new(&config.simulated)),
        Kind::Http => Arc::new(HttpAcquirer::open(&config.http)?),
    })
}
