//! A moment, as milliseconds since 1970-01-01T00:00:00Z.

/// Milliseconds since the Unix epoch, UTC. Never before it: a payment gateway has no use for 1969.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The latest moment taken: 9999-12-31T23:59:59.999Z, so that every moment can be written as RFC 3339.
    pub const MAX: Self = Self(253_402_300_799_999);

    /// A moment from its milliseconds; later ones than [`Timestamp::MAX`] become it.
    #[must_use]
    pub const fn from_unix_millis(millis: u64) -> Self {
        if millis > Self::MAX.0 {
            Self::MAX
        } else {
            Self(millis)
        }
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn unix_millis(self) -> u64 {
        self.0
    }
}
