//! Names of things: payments, merchants, decisions, operations, keys.

use std::fmt;

/// The longest identifier taken, in bytes: roomy for a prefixed UUID, and a bound for every index and log line.
pub const MAX_IDENTIFIER_BYTES: usize = 64;

/// Why a text is no identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentifierError {
    /// Empty, or longer than [`MAX_IDENTIFIER_BYTES`].
    Length,
    /// A character other than `A-Z a-z 0-9 _ - .`.
    Character,
}

impl fmt::Display for IdentifierError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length => write!(f, "must have 1 to {MAX_IDENTIFIER_BYTES} characters"),
            Self::Character => f.write_str("may only hold letters, digits, `_`, `-` and `.`"),
        }
    }
}

impl std::error::Error for IdentifierError {}

fn check(text: &str) -> Result<(), IdentifierError> {
    if text.is_empty() || text.len() > MAX_IDENTIFIER_BYTES {
        return Err(IdentifierError::Length);
    }
    if !text
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
    {
        return Err(IdentifierError::Character);
    }
    Ok(())
}

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Box<str>);

        impl $name {
            /// Takes 1 to 64 of `A-Z a-z 0-9 _ - .`.
            ///
            /// # Errors
            /// When the length or a character is off.
            pub fn parse(text: &str) -> Result<Self, IdentifierError> {
                check(text)?;
                Ok(Self(text.into()))
            }

            /// The identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

identifier! {
    /// One payment, from its first request to its last refund.
    PaymentId
}
identifier! {
    /// The merchant who is paid.
    MerchantId
}
identifier! {
    /// One risk decision.
    DecisionId
}
identifier! {
    /// One call to an acquirer; also the idempotency key that the acquirer is given.
    OperationId
}
identifier! {
    /// A list of subjects, such as `blocked`.
    ListName
}
identifier! {
    /// One key to the HTTP interface; no secret.
    ApiKeyId
}
identifier! {
    /// One place that a merchant's events are sent to.
    WebhookEndpointId
}
identifier! {
    /// One event on its way to one endpoint.
    WebhookDeliveryId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_short_and_plain() {
        assert!(PaymentId::parse("pay_01890a5d-ac96.x").is_ok());
        assert_eq!(PaymentId::parse(""), Err(IdentifierError::Length));
        assert_eq!(PaymentId::parse(&"x".repeat(65)), Err(IdentifierError::Length));
        for bad in ["a b", "a/b", "ä", "a\n", "a\0"] {
            assert_eq!(PaymentId::parse(bad), Err(IdentifierError::Character), "{bad:?}");
        }
    }
}
