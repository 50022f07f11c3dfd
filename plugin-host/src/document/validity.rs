//! When a document may be in force.

use domain::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::text::TextError;

/// The longest RFC 3339 text taken, in bytes: nanoseconds and an offset.
const MAX_MOMENT_BYTES: usize = 40;

/// A moment that is written as RFC 3339 in UTC, with milliseconds where there are some.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub Timestamp);

impl Moment {
    /// Reads RFC 3339; what is finer than a millisecond is dropped.
    ///
    /// # Errors
    /// When the text is no such moment, or one before 1970 or after 9999.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let wrong = || TextError::new(text, "a moment of RFC 3339, such as `2026-01-01T00:00:00Z`");
        let shaped = text.len() <= MAX_MOMENT_BYTES && text.as_bytes().get(10) == Some(&b'T');
        if !shaped {
            return Err(wrong());
        }
        let moment: jiff::Timestamp = text.parse().map_err(|_| wrong())?;
        let millis = u64::try_from(moment.as_millisecond()).map_err(|_| wrong())?;
        Ok(Self(Timestamp::from_unix_millis(millis)))
    }
}

impl std::fmt::Display for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let moment = i64::try_from(self.0.unix_millis())
            .ok()
            .and_then(|millis| jiff::Timestamp::from_millisecond(millis).ok())
            .unwrap_or(jiff::Timestamp::MAX);
        write!(f, "{moment}")
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

/// From when and until when a document may be in force; always where it says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Validity {
    not_before: Option<Moment>,
    not_after: Option<Moment>,
}

/// A window that ends before it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("found {not_after}, expected a moment after `not_before`, which is {not_before}")]
pub struct EmptyValidity {
    /// When it was to begin.
    pub not_before: Moment,
    /// When it was to end.
    pub not_after: Moment,
}

/// Why a document may not be in force now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValidityError {
    /// Its time has not come.
    #[error("the document is not valid before {not_before}; it is {now}")]
    NotYetValid {
        /// When it may come into force.
        not_before: Moment,
        /// Now.
        now: Moment,
    },
    /// Its time is over.
    #[error("the document was valid until {not_after}; it is {now}")]
    Expired {
        /// Until when it could be in force.
        not_after: Moment,
        /// Now.
        now: Moment,
    },
}

impl ValidityError {
    /// The stable name of what is wrong.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotYetValid { .. } => "not_yet_valid",
            Self::Expired { .. } => "expired",
        }
    }
}

impl Validity {
    /// A window with either end open.
    ///
    /// # Errors
    /// When it ends before or as it begins.
    pub fn new(not_before: Option<Timestamp>, not_after: Option<Timestamp>) -> Result<Self, EmptyValidity> {
        if let (Some(not_before), Some(not_after)) = (not_before, not_after)
            && not_after <= not_before
        {
            return Err(EmptyValidity {
                not_before: Moment(not_before),
                not_after: Moment(not_after),
            });
        }
        Ok(Self {
            not_before: not_before.map(Moment),
            not_after: not_after.map(Moment),
        })
    }

    /// From when on, if that is stated.
    #[must_use]
    pub fn not_before(self) -> Option<Timestamp> {
        self.not_before.map(|moment| moment.0)
    }

    /// Until when, if that is stated.
    #[must_use]
    pub fn not_after(self) -> Option<Timestamp> {
        self.not_after.map(|moment| moment.0)
    }

    /// Whether the document may be in force now. Both ends belong to the window.
    ///
    /// # Errors
    /// Before it begins and after it ends.
    pub fn check(self, now: Timestamp) -> Result<(), ValidityError> {
        match (self.not_before, self.not_after) {
            (Some(not_before), _) if now < not_before.0 => Err(ValidityError::NotYetValid {
                not_before,
                now: Moment(now),
            }),
            (_, Some(not_after)) if now > not_after.0 => Err(ValidityError::Expired {
                not_after,
                now: Moment(now),
            }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        Moment::parse(text).unwrap().0
    }

    #[test]
    fn a_moment_is_read_and_written_as_rfc_3339() {
        for (text, written) in [
            ("2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
            ("2026-01-01T01:00:00+01:00", "2026-01-01T00:00:00Z"),
            ("2026-01-01T00:00:00.120Z", "2026-01-01T00:00:00.12Z"),
            ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"),
            ("9999-12-30T00:00:00Z", "9999-12-30T00:00:00Z"),
        ] {
            assert_eq!(Moment::parse(text).unwrap().to_string(), written);
        }
        for bad in [
            "",
            "2026-01-01",
            "2026-01-01 00:00:00Z",
            "2026-01-01T00:00:00",
            "2026-13-01T00:00:00Z",
            "1969-12-31T23:59:59Z",
            "tomorrow",
        ] {
            assert!(Moment::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_window_holds_both_of_its_ends() {
        let from = at("2026-01-01T00:00:00Z");
        let until = at("2026-02-01T00:00:00Z");
        let window = Validity::new(Some(from), Some(until)).unwrap();
        assert_eq!(window.check(from), Ok(()));
        assert_eq!(window.check(until), Ok(()));
        let early = window.check(at("2025-12-31T23:59:59.999Z")).unwrap_err();
        assert_eq!(early.code(), "not_yet_valid");
        let late = window.check(at("2026-02-01T00:00:00.001Z")).unwrap_err();
        assert_eq!(late.code(), "expired");
        assert_eq!(Validity::default().check(Timestamp::MAX), Ok(()));
    }

    #[test]
    fn a_window_that_ends_before_it_begins_is_none() {
        let from = at("2026-01-01T00:00:00Z");
        assert!(Validity::new(Some(from), Some(from)).is_err());
    }
}
