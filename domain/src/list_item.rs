//! What stands on a list: one value of one kind of subject, in its one spelling.

use std::fmt;

use crate::feature::Subject;
use crate::identifier::ListName;
use crate::ip_range::IpRange;
use crate::spelling::{normalize, seen};
use crate::text::BoundedText;
use crate::timestamp::Timestamp;

/// How many hexadecimal digits a card's fingerprint has behind its `fp_`.
const FINGERPRINT_DIGITS: usize = 32;

/// The longest value, in bytes: as long as an e-mail address can be (RFC 5321), and as any text that a payment tells.
pub const MAX_LISTED_BYTES: usize = 320;

/// What somebody wrote down beside an item.
pub type ListNote = BoundedText<500>;

/// Who added an item, as the gateway knows him.
pub type ListAuthor = BoundedText<128>;

/// A value that can be on a list: a card's fingerprint, an address or a range of them, or a text without what nobody sees.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListedValue {
    subject: Subject,
    value: Box<str>,
}

/// Why a text is no value of a list. Never repeats the text: it may be a card number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListedValueError {
    /// Nothing that can be seen.
    Empty,
    /// Longer than [`MAX_LISTED_BYTES`].
    TooLong,
    /// A control character, such as a line feed.
    ControlCharacter,
    /// Neither an IP address nor a range.
    MalformedIp,
    /// No fingerprint of a card. It may be a card number.
    MalformedCard,
}

impl fmt::Display for ListedValueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("is empty"),
            Self::TooLong => write!(f, "is longer than {MAX_LISTED_BYTES} bytes"),
            Self::ControlCharacter => f.write_str("holds a control character"),
            Self::MalformedIp => f.write_str(
                "is neither an IP address nor a range such as 203.0.113.0/24 with no bit set behind its length",
            ),
            Self::MalformedCard => f.write_str(
                "is no fingerprint: expected `fp_` and 32 hexadecimal digits in lower case, as in \
                 `card.fingerprint` of an answer; never put a card number here",
            ),
        }
    }
}

impl std::error::Error for ListedValueError {}

impl ListedValue {
    /// A text as somebody wrote it, in the spelling under which it is looked up.
    ///
    /// # Errors
    /// When it can be no value of this kind of subject.
    pub fn parse(subject: Subject, text: &str) -> Result<Self, ListedValueError> {
        let text = seen(text);
        if text.is_empty() {
            return Err(ListedValueError::Empty);
        }
        let value: Box<str> = match subject {
            Subject::Card if !is_fingerprint(&text) => return Err(ListedValueError::MalformedCard),
            Subject::Ip => {
                let range = IpRange::parse(&text).ok_or(ListedValueError::MalformedIp)?;
                range.to_string().into()
            }
            _ => normalize(subject, &text).as_ref().into(),
        };
        // Spelled in lower case a text can be longer.
        if value.len() > MAX_LISTED_BYTES {
            return Err(ListedValueError::TooLong);
        }
        if value.chars().any(char::is_control) {
            return Err(ListedValueError::ControlCharacter);
        }
        Ok(Self { subject, value })
    }

    /// What kind of subject it is.
    #[must_use]
    pub const fn subject(&self) -> Subject {
        self.subject
    }

    /// The value in its one spelling.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.value
    }

    /// The addresses that it stands for, where it is about addresses.
    #[must_use]
    pub fn ip_range(&self) -> Option<IpRange> {
        match self.subject {
            Subject::Ip => IpRange::parse(&self.value),
            _ => None,
        }
    }
}

fn is_fingerprint(text: &str) -> bool {
    let is_digit = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    text.strip_prefix("fp_")
        .is_some_and(|digits| digits.len() == FINGERPRINT_DIGITS && digits.bytes().all(is_digit))
}

/// One item of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListItem {
    /// The list.
    pub list: ListName,
    /// What is on it. There is one item of it.
    pub value: ListedValue,
    /// From when on it is on the list no more; none where it stays until it is removed.
    pub expires_at: Option<Timestamp>,
    /// Who added it.
    pub added_by: ListAuthor,
    /// When.
    pub added_at: Timestamp,
    /// Why, in his own words.
    pub note: Option<ListNote>,
}

impl ListItem {
    /// Whether it has expired by then.
    #[must_use]
    pub fn has_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_kept_in_its_one_spelling() {
        for (subject, text, spelled) in [
            (Subject::Email, " Ada@Example.com.", "ada@example.com"),
            (Subject::Ip, "2001:DB8::/32", "2001:db8::/32"),
            (Subject::Ip, "::ffff:192.0.2.1", "192.0.2.1"),
            (Subject::Customer, "\u{200b}C_1 ", "C_1"),
            (
                Subject::Card,
                " fp_4be04be04be04be04be04be04be04be0\u{200b}",
                "fp_4be04be04be04be04be04be04be04be0",
            ),
        ] {
            let value = ListedValue::parse(subject, text).unwrap();
            assert_eq!(value.as_str(), spelled);
            assert_eq!(ListedValue::parse(subject, spelled), Ok(value), "and it stays so");
        }
    }

    #[test]
    fn a_card_number_is_refused_and_not_repeated() {
        for text in ["4242424242424242", "4242 4242 4242 4242", "fp_4242424242424242"] {
            let error = ListedValue::parse(Subject::Card, text).unwrap_err();
            assert_eq!(error, ListedValueError::MalformedCard);
            assert!(!format!("{error} {error:?}").contains("4242"));
        }
    }

    #[test]
    fn what_can_be_no_value_is_refused() {
        for (subject, text, expected) in [
            (Subject::Email, " \u{200b}", ListedValueError::Empty),
            (Subject::Customer, "a\nb", ListedValueError::ControlCharacter),
            (Subject::Ip, "192.0.2.1/24", ListedValueError::MalformedIp),
            (Subject::Device, &"x".repeat(321), ListedValueError::TooLong),
        ] {
            assert_eq!(ListedValue::parse(subject, text), Err(expected), "{text:?}");
        }
    }

    #[test]
    fn an_item_expires_at_its_very_millisecond() {
        let item = ListItem {
            list: ListName::parse("blocked").unwrap(),
            value: ListedValue::parse(Subject::Customer, "c_1").unwrap(),
            expires_at: Some(Timestamp::from_unix_millis(1_000)),
            added_by: ListAuthor::parse("ada").unwrap(),
            added_at: Timestamp::from_unix_millis(0),
            note: None,
        };
        assert!(!item.has_expired(Timestamp::from_unix_millis(999)));
        assert!(item.has_expired(Timestamp::from_unix_millis(1_000)));
        let forever = ListItem {
            expires_at: None,
            ..item
        };
        assert!(!forever.has_expired(Timestamp::MAX));
    }
}
