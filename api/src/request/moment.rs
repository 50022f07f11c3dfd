//! Moments by RFC 3339.

use domain::Timestamp;

use super::field_errors::FieldErrors;
use super::scope::{Field, text};
use crate::problem::ProblemCode;

/// A moment, to the millisecond. One before 1970 becomes the first of 1970, which is as long over.
pub(super) fn read(field: &Field<'_>, errors: &mut FieldErrors) -> Option<Timestamp> {
    let moment = parse(text(field, errors)?);
    if moment.is_none() {
        errors.add(
            ProblemCode::InvalidExpiresAt,
            &field.path,
            "expected a moment by RFC 3339, such as `2027-03-01T08:30:00Z`, found another text",
        );
    }
    moment
}

fn parse(text: &str) -> Option<Timestamp> {
    let moment: jiff::Timestamp = text.parse().ok()?;
    let millis = u64::try_from(moment.as_millisecond()).unwrap_or(0);
    Some(Timestamp::from_unix_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_has_its_offset_and_is_kept_to_the_millisecond() {
        for (text, millis) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-03-01T08:30:00.250Z", 1_772_353_800_250),
            ("2026-03-01T16:30:00.250999+08:00", 1_772_353_800_250),
            ("1969-12-31T23:59:59Z", 0),
            ("9999-12-30T22:00:00Z", 253_402_207_200_000),
        ] {
            assert_eq!(parse(text), Some(Timestamp::from_unix_millis(millis)), "{text}");
        }
        for odd in [
            "",
            "tomorrow",
            "2026-03-01",
            "2026-03-01T08:30:00",
            "2026-13-01T00:00:00Z",
            "1772353800250",
        ] {
            assert_eq!(parse(odd), None, "{odd}");
        }
    }
}
