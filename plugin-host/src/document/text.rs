//! The texts of a document: names, versions, publishers, each bounded.

use std::fmt;

use domain::text::BoundedText;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::strict::shorten;
use crate::contract::version::ContractVersion;

/// How much of a wrong text an error quotes, in bytes.
const QUOTED_BYTES: usize = 80;

/// The author's version of a policy; any text of 1 to 64 bytes, since not everyone counts alike.
pub type PolicyVersion = DocumentText<64>;

/// Who published a document, as he calls himself: 1 to 128 bytes.
pub type Publisher = DocumentText<128>;

/// A text that does not fit, and what would.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("found `{found}`, expected {expected}")]
pub struct TextError {
    /// The text, cut where it is long.
    pub found: String,
    /// What would fit.
    pub expected: String,
}

impl TextError {
    pub(crate) fn new(found: &str, expected: impl Into<String>) -> Self {
        Self {
            found: shorten(found, QUOTED_BYTES),
            expected: expected.into(),
        }
    }
}

/// Texts with rules: read from and written as a plain string.
macro_rules! text_form {
    ($name:ident) => {
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

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).map_err(de::Error::custom)
            }
        }
    };
}

/// The longest name of a policy, in bytes.
pub const MAX_NAME_BYTES: usize = 64;

/// The name of a policy: 1 to 64 of `a-z 0-9 -`, no dash at either end. It is a key of etcd, a name of a file and a label
/// of a metric as it stands.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PolicyName(Box<str>);

impl PolicyName {
    /// Takes a name.
    ///
    /// # Errors
    /// When the length or a character is off.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let fits = !text.is_empty()
            && text.len() <= MAX_NAME_BYTES
            && text.bytes().all(plain)
            && !text.starts_with('-')
            && !text.ends_with('-');
        if fits {
            Ok(Self(text.into()))
        } else {
            Err(TextError::new(
                text,
                format!("1 to {MAX_NAME_BYTES} of `a-z 0-9 -` without a dash at either end"),
            ))
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_form!(PolicyName);

/// The longest name of a contract, in bytes.
const MAX_CONTRACT_BYTES: usize = 64;

/// What every contract's name begins with.
const CONTRACT_PREFIX: &str = "portcullis:policy@";

/// The contract that a component was built for, such as `portcullis:policy@0.1.0`. Whether this gateway serves it is found
/// out when the component is loaded.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContractName(Box<str>);

impl ContractName {
    /// Takes a contract's name.
    ///
    /// # Errors
    /// When it is not `portcullis:policy@` and three numbers.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        let fits = text.len() <= MAX_CONTRACT_BYTES
            && text
                .strip_prefix(CONTRACT_PREFIX)
                .is_some_and(|version| version.split('.').count() == 3 && version.split('.').all(number));
        if fits {
            Ok(Self(text.into()))
        } else {
            Err(TextError::new(
                text,
                "a contract such as `portcullis:policy@0.1.0`",
            ))
        }
    }

    /// The contract as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The number in it, such as `0.1.0`.
    #[must_use]
    pub fn number(&self) -> &str {
        self.0.strip_prefix(CONTRACT_PREFIX).unwrap_or(&self.0)
    }
}

impl From<ContractVersion> for ContractName {
    fn from(version: ContractVersion) -> Self {
        Self(version.package().into())
    }
}

text_form!(ContractName);

/// The longest name of a parameter, in bytes.
const MAX_PARAMETER_NAME_BYTES: usize = 64;

/// The name of a parameter: 1 to 64 of `A-Z a-z 0-9 _ - .`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ParameterName(Box<str>);

impl ParameterName {
    /// Takes a name.
    ///
    /// # Errors
    /// When the length or a character is off.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
        if !text.is_empty() && text.len() <= MAX_PARAMETER_NAME_BYTES && text.bytes().all(plain) {
            Ok(Self(text.into()))
        } else {
            Err(TextError::new(
                text,
                format!("1 to {MAX_PARAMETER_NAME_BYTES} of `A-Z a-z 0-9 _ - .`"),
            ))
        }
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

text_form!(ParameterName);

/// Any text of 1 to `MAX` bytes without control characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentText<const MAX: usize>(BoundedText<MAX>);

impl<const MAX: usize> DocumentText<MAX> {
    /// Takes a text within the bound.
    ///
    /// # Errors
    /// When it is empty, too long, or holds a control character.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        BoundedText::parse(text)
            .map(Self)
            .map_err(|_| TextError::new(text, format!("1 to {MAX} bytes without control characters")))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl<const MAX: usize> fmt::Display for DocumentText<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<const MAX: usize> fmt::Debug for DocumentText<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl<const MAX: usize> Serialize for DocumentText<MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de, const MAX: usize> Deserialize<'de> for DocumentText<MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}
