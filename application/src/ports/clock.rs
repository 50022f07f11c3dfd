//! The time of day.

use domain::Timestamp;

/// Tells the time. Tests set it; nothing else in the gateway may read the system's clock.
pub trait Clock: Send + Sync {
    /// Now, in UTC.
    fn now(&self) -> Timestamp;
}
