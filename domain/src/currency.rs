//! Currencies of ISO 4217, with the exponent of their minor unit.

mod table;

use std::fmt;

use table::{ISO_4217, WITHDRAWN};

/// A currency of ISO 4217. Copied as one byte: its place in the table of the current ones, or, beyond that one's end,
/// in the table of the withdrawn ones.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Currency(u8);

/// Why a text names no currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CurrencyError {
    /// Not three upper-case ASCII letters.
    Malformed,
    /// Three letters that ISO 4217 does not list.
    Unknown,
}

impl fmt::Display for CurrencyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed => f.write_str("must be three upper-case letters of ISO 4217, such as `CNY`"),
            Self::Unknown => f.write_str("is not a currency of ISO 4217"),
        }
    }
}

impl std::error::Error for CurrencyError {}

impl Currency {
    /// The currency of an alphabetic code in upper case, such as `CNY`.
    ///
    /// # Errors
    /// When the code is malformed or not listed.
    pub fn parse(code: &str) -> Result<Self, CurrencyError> {
        if code.len() != 3 || !code.bytes().all(|b| b.is_ascii_uppercase()) {
            return Err(CurrencyError::Malformed);
        }
        let index = ISO_4217
            .binary_search_by(|(known, ..)| (*known).cmp(code))
            .map_err(|_| CurrencyError::Unknown)?;
        u8::try_from(index).map(Self).map_err(|_| CurrencyError::Unknown)
    }

    /// The currency of a code that was stored: also one that was withdrawn since, so that the payments that were made in
    /// it stay readable.
    ///
    /// # Errors
    /// As for [`Currency::parse`].
    pub fn parse_stored(code: &str) -> Result<Self, CurrencyError> {
        match Self::parse(code) {
            Err(CurrencyError::Unknown) => WITHDRAWN
                .iter()
                .position(|(known, ..)| *known == code)
                .and_then(|position| u8::try_from(ISO_4217.len() + position).ok())
                .map(Self)
                .ok_or(CurrencyError::Unknown),
            parsed => parsed,
        }
    }

    /// Every currency that can be asked for, by code; the withdrawn ones are not among them.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..=u8::MAX).take(ISO_4217.len()).map(Self)
    }

    fn entry(self) -> (&'static str, u16, Option<u8>) {
        // `self.0` was an index of the tables when it was made, and the tables never change.
        ISO_4217
            .iter()
            .chain(WITHDRAWN)
            .nth(usize::from(self.0))
            .copied()
            .unwrap_or(("XXX", 999, None))
    }

    /// The alphabetic code, such as `CNY`.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.entry().0
    }

    /// The numeric code, such as 156.
    #[must_use]
    pub fn numeric(self) -> u16 {
        self.entry().1
    }

    /// How many decimals the minor unit has: 2 for CNY, 0 for JPY, 3 for KWD. None where money has no minor unit
    /// (gold, testing, no currency); such a currency cannot be paid in.
    #[must_use]
    pub fn exponent(self) -> Option<u8> {
        self.entry().2
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_its_codes_and_numbers_are_unique() {
        assert!(ISO_4217.windows(2).all(|w| w[0].0 < w[1].0));
        let mut numbers: Vec<u16> = ISO_4217.iter().map(|e| e.1).collect();
        numbers.sort_unstable();
        assert!(numbers.windows(2).all(|w| w[0] < w[1]));
        assert!(ISO_4217.len() + WITHDRAWN.len() <= 256, "the index is one byte");
    }

    #[test]
    fn every_currency_is_found_by_its_own_code() {
        for currency in Currency::all() {
            assert_eq!(Currency::parse(currency.code()), Ok(currency));
        }
        assert_eq!(Currency::all().count(), ISO_4217.len());
    }

    #[test]
    fn a_withdrawn_currency_is_read_where_it_was_stored_and_cannot_be_asked_for() {
        assert!(WITHDRAWN.windows(2).all(|w| w[0].0 < w[1].0));
        for (code, number, exponent) in WITHDRAWN.iter().copied() {
            assert_eq!(Currency::parse(code), Err(CurrencyError::Unknown), "{code}");
            let stored = Currency::parse_stored(code).unwrap();
            assert_eq!(
                (stored.code(), stored.numeric(), stored.exponent()),
                (code, number, exponent)
            );
            assert!(Currency::all().all(|current| current != stored));
        }
        assert_eq!(Currency::parse_stored("ABC"), Err(CurrencyError::Unknown));
        assert_eq!(Currency::parse_stored("hrk"), Err(CurrencyError::Malformed));
        for currency in Currency::all() {
            assert_eq!(Currency::parse_stored(currency.code()), Ok(currency));
        }
    }

    #[test]
    fn exponents_are_those_of_the_standard() {
        for (code, exponent) in [
            ("CNY", Some(2)),
            ("JPY", Some(0)),
            ("KWD", Some(3)),
            ("CLF", Some(4)),
            ("XAU", None),
        ] {
            assert_eq!(
                Currency::parse(code).map(Currency::exponent),
                Ok(exponent),
                "{code}"
            );
        }
    }

    #[test]
    fn malformed_is_told_from_unknown() {
        for bad in ["", "cny", "CN", "CNYY", "C1Y", "€"] {
            assert_eq!(Currency::parse(bad), Err(CurrencyError::Malformed), "{bad:?}");
        }
        assert_eq!(Currency::parse("ABC"), Err(CurrencyError::Unknown));
        assert_eq!(
            Currency::parse("HRK"),
            Err(CurrencyError::Unknown),
            "withdrawn in 2023"
        );
    }
}
