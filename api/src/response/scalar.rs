//! Amounts and moments as they are written in JSON.

use std::fmt;

use domain::{Money, Timestamp};
use serde::{Serialize, Serializer};

use crate::digits::write_digits;

/// An amount, exact in both forms.
#[derive(Serialize)]
pub(super) struct AmountView {
    minor_units: i64,
    currency: &'static str,
    decimal: Decimal,
}

impl From<Money> for AmountView {
    fn from(money: Money) -> Self {
        Self {
            minor_units: money.minor_units(),
            currency: money.currency().code(),
            decimal: Decimal(money),
        }
    }
}

/// Major units with all decimals of the currency, as text: a number would be rounded by some.
struct Decimal(Money);

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.decimal())
    }
}

/// A moment by RFC 3339, in UTC, with milliseconds. Written by hand: it is on the hot path several times, and has to hold
/// up to the year 9999.
pub(super) struct Rfc3339(pub(super) Timestamp);

impl Rfc3339 {
    /// `2026-01-01T00:00:00.007Z`.
    fn write(&self) -> [u8; Self::LENGTH] {
        let millis = self.0.unix_millis();
        let seconds = millis / 1_000;
        let (year, month, day) = date(seconds / 86_400);
        let mut text = *b"0000-00-00T00:00:00.000Z";
        for (from, digits, value) in [
            (0, 4, year),
            (5, 2, month),
            (8, 2, day),
            (11, 2, seconds / 3_600 % 24),
            (14, 2, seconds / 60 % 60),
            (17, 2, seconds % 60),
            (20, 3, millis % 1_000),
        ] {
            write_digits::<10>(text.iter_mut().skip(from).take(digits), value);
        }
        text
    }

    const LENGTH: usize = 24;
}

impl fmt::Display for Rfc3339 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.write();
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl Serialize for Rfc3339 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.write();
        serializer.serialize_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

/// Year, month and day of a count of days since 1970-01-01, in the Gregorian calendar.
fn date(days: u64) -> (u64, u64, u64) {
    // No year is longer than 366 days, so the guess is never too late, and by at most six years too early.
    let mut year = 1970 + days / 366;
    while days_before(year + 1) <= days {
        year += 1;
    }
    let february = if is_leap(year) { 29 } else { 28 };
    let mut day = days - days_before(year);
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] {
        if day < length {
            break;
        }
        day -= length;
        month += 1;
    }
    (year, month, day + 1)
}

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// Days from 1970-01-01 to the first day of a year that is not earlier.
const fn days_before(year: u64) -> u64 {
    const fn leap_years_before(year: u64) -> u64 {
        let last = year - 1;
        last / 4 - last / 100 + last / 400
    }
    (year - 1970) * 365 + leap_years_before(year) - leap_years_before(1970)
}

#[cfg(test)]
mod tests {
    use domain::Currency;

    use super::*;

    #[test]
    fn an_amount_has_the_decimals_of_its_currency_as_text() {
        let money = Money::new(12_900, Currency::parse("CNY").unwrap()).unwrap();
        assert_eq!(
            serde_json::to_string(&AmountView::from(money)).unwrap(),
            r#"{"minor_units":12900,"currency":"CNY","decimal":"129.00"}"#
        );
    }

    #[test]
    fn moments_have_milliseconds_also_when_they_are_zero() {
        for (millis, expected) in [
            (0, "\"1970-01-01T00:00:00.000Z\""),
            (1_767_225_600_007, "\"2026-01-01T00:00:00.007Z\""),
            (u64::MAX, "\"9999-12-31T23:59:59.999Z\""),
        ] {
            let written = serde_json::to_string(&Rfc3339(Timestamp::from_unix_millis(millis))).unwrap();
            assert_eq!(written, expected);
        }
    }

    #[test]
    fn moments_are_those_of_another_implementation() {
        // Steps of some 41 days and an odd rest, from 1970 to the last year that jiff writes.
        for millis in (0..253_370_000_000_000_u64).step_by(3_555_555_557) {
            let other = jiff::Timestamp::from_millisecond(i64::try_from(millis).unwrap()).unwrap();
            let ours = Rfc3339(Timestamp::from_unix_millis(millis)).to_string();
            assert_eq!(ours, format!("{other:.3}"));
        }
    }
}
