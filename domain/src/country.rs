//! Countries by ISO 3166-1 alpha-2.

use std::fmt;

/// Two upper-case letters, such as `CN`. Assigned or not is for a policy to judge: new codes appear before a gateway
/// is upgraded.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CountryCode([u8; 2]);

impl CountryCode {
    /// Two ASCII letters in upper case; anything else is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.as_bytes() {
            [a @ b'A'..=b'Z', b @ b'A'..=b'Z'] => Some(Self([*a, *b])),
            _ => None,
        }
    }

    /// The two letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // The bytes are ASCII letters by construction.
        std::str::from_utf8(&self.0).unwrap_or("")
    }
}

impl fmt::Display for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for CountryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_upper_case_letters_are_a_country() {
        assert_eq!(
            CountryCode::parse("CN").map(|c| c.to_string()).as_deref(),
            Some("CN")
        );
        for bad in ["", "C", "cn", "CHN", "C1", "ÄÖ"] {
            assert!(CountryCode::parse(bad).is_none(), "{bad}");
        }
    }
}
