//! The name of an artifact: the SHA-256 of its bytes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};

/// What a digest's text begins with.
const PREFIX: &str = "sha256:";

/// Length of a digest's text: the prefix and 64 hexadecimal digits.
pub const DIGEST_TEXT_BYTES: usize = PREFIX.len() + 64;

/// A SHA-256. As text it is `sha256:` and 64 lower-case hexadecimal digits, and no other spelling is taken, so that equal
/// digests are equal texts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

/// A text that is no digest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("found `{found}`, expected `sha256:` and 64 lower-case hexadecimal digits")]
pub struct DigestError {
    /// The text, cut where it is long.
    pub found: String,
}

impl Digest {
    /// The digest of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut hasher = Hasher::new();
        hasher.update(bytes);
        hasher.finish()
    }

    /// A digest that was computed elsewhere.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 64 hexadecimal digits alone: the name of a file.
    pub(crate) fn hexadecimal(&self) -> String {
        self.to_string().split_off(PREFIX.len())
    }

    /// Reads the text form.
    ///
    /// # Errors
    /// When it is anything but `sha256:` and 64 lower-case hexadecimal digits.
    pub fn parse(text: &str) -> Result<Self, DigestError> {
        let wrong = || DigestError {
            found: text.chars().take(DIGEST_TEXT_BYTES + 8).collect(),
        };
        let digits = text.strip_prefix(PREFIX).ok_or_else(wrong)?.as_bytes();
        if digits.len() != 64 {
            return Err(wrong());
        }
        let mut bytes = [0_u8; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let &[high, low] = pair else {
                return Err(wrong());
            };
            *byte = nibble(high).ok_or_else(wrong)? << 4 | nibble(low).ok_or_else(wrong)?;
        }
        Ok(Self(bytes))
    }
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PREFIX)?;
        for byte in self.0 {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

/// Computes a digest from bytes as they come.
#[derive(Clone, Debug, Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// Of nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all bytes taken.
    #[must_use]
    pub fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EMPTY: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn a_digest_is_the_sha_256_of_its_bytes() {
        assert_eq!(Digest::of(b"").to_string(), EMPTY);
        let mut hasher = Hasher::new();
        hasher.update(b"port");
        hasher.update(b"cullis");
        assert_eq!(hasher.finish(), Digest::of(b"portcullis"));
    }

    #[test]
    fn a_digest_has_one_spelling() {
        assert_eq!(Digest::parse(EMPTY), Ok(Digest::of(b"")));
        let upper = EMPTY.to_uppercase();
        let bad = [
            "",
            "sha256:",
            &EMPTY[7..],
            &EMPTY[..70],
            &format!("{EMPTY}0"),
            &upper,
            &EMPTY.replace("e3b0", "E3B0"),
            &EMPTY.replace("sha256", "sha512"),
            &EMPTY.replace("e3b0", "é3b"),
        ];
        for text in bad {
            assert!(Digest::parse(text).is_err(), "{text:?}");
        }
    }
}
