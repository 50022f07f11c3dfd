//! Events as those outside read them.

use super::StoredEvent;

/// Writes an event as it is sent to merchants: the same form in which it is listed.
pub trait EventRenderer: Send + Sync {
    /// The event in JSON, as UTF-8. The same event gives the same bytes.
    fn render(&self, event: &StoredEvent) -> Vec<u8>;
}
