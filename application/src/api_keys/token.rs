//! A key as it is shown once and sent with every request: `pck_<id>_<secret><checksum>`.
//!
//! The id is 32 lower-case hexadecimal digits, the secret 64 and the checksum 8: the CRC-32 of all before it. By its beginning and its
//! form a scanner finds a key that was committed somewhere, and by the checksum it tells it from a look-alike; so does the
//! gateway with a key that was cut short or mistyped, without a look at any stored one.

use std::fmt::Write as _;

use domain::ApiKeyId;
use thiserror::Error;

/// What keys begin with.
const PREFIX: &str = "pck_";
/// What names of keys begin with.
const ID_PREFIX: &str = "key_";
const ID_DIGITS: usize = 32;
const SECRET_DIGITS: usize = 64;
const CHECKSUM_DIGITS: usize = 8;
/// All of it but the checksum, in bytes.
const CHECKED_BYTES: usize = PREFIX.len() + ID_DIGITS + 1 + SECRET_DIGITS;
const TOKEN_BYTES: usize = CHECKED_BYTES + CHECKSUM_DIGITS;

/// Why a text is no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TokenError {
    /// It does not have the form of one.
    #[error("expected `pck_`, 32 digits, `_` and 72 digits, all lower-case hexadecimal")]
    Form,
    /// It has the form, and its checksum is of another.
    #[error("the checksum does not fit: a character was changed")]
    Checksum,
}

/// A key that was read, and not looked up yet.
#[derive(Clone, Copy)]
pub struct ApiKeyToken<'a> {
    id_digits: &'a str,
    secret: [u8; 32],
}

impl<'a> ApiKeyToken<'a> {
    /// Reads a key. Allocates nothing.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &'a str) -> Result<Self, TokenError> {
        if text.len() != TOKEN_BYTES || !text.is_ascii() {
            return Err(TokenError::Form);
        }
        let rest = text.strip_prefix(PREFIX).ok_or(TokenError::Form)?;
        let (id_digits, rest) = rest.split_once('_').ok_or(TokenError::Form)?;
        if id_digits.len() != ID_DIGITS || !id_digits.bytes().all(is_digit) {
            return Err(TokenError::Form);
        }
        let (secret_digits, checksum) = rest.split_at_checked(SECRET_DIGITS).ok_or(TokenError::Form)?;
        let secret = bytes_of(secret_digits).ok_or(TokenError::Form)?;
        let checksum: [u8; 4] = bytes_of(checksum).ok_or(TokenError::Form)?;
        let checked = text.as_bytes().get(..CHECKED_BYTES).ok_or(TokenError::Form)?;
        if crc32(checked) != u32::from_be_bytes(checksum) {
            return Err(TokenError::Checksum);
        }
        Ok(Self { id_digits, secret })
    }

    /// Writes a key. None for a name that was not made by [`ApiKeySecrets`](crate::ports::ApiKeySecrets).
    #[must_use]
    pub fn write(id: &ApiKeyId, secret: &[u8; 32]) -> Option<String> {
        let digits = Self::digits_of(id)?;
        let mut text = String::with_capacity(TOKEN_BYTES);
        text.push_str(PREFIX);
        text.push_str(digits);
        text.push('_');
        for byte in secret {
            // Writing to a text does not fail.
            let _infallible = write!(text, "{byte:02x}");
        }
        let checksum = crc32(text.as_bytes());
        let _infallible = write!(text, "{checksum:08x}");
        Some(text)
    }

    /// The part of a name that stands in the key.
    #[must_use]
    pub fn digits_of(id: &ApiKeyId) -> Option<&str> {
        let digits = id.as_str().strip_prefix(ID_PREFIX)?;
        (digits.len() == ID_DIGITS && digits.bytes().all(is_digit)).then_some(digits)
    }

    /// The digits of the key's name.
    #[must_use]
    pub const fn id_digits(&self) -> &'a str {
        self.id_digits
    }

    /// The secret.
    #[must_use]
    pub const fn secret(&self) -> &[u8; 32] {
        &self.secret
    }
}

const fn is_digit(byte: u8) -> bool {
    matches!(byte, b'0'..=b'9' | b'a'..=b'f')
}

fn bytes_of<const N: usize>(digits: &str) -> Option<[u8; N]> {
    if digits.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *byte = (value_of(*high)? << 4) | value_of(*low)?;
    }
    Some(bytes)
}

const fn value_of(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

/// CRC-32 as of ISO 3309, which zip and PNG use: so that a scanner can be written in a line of any language. Bit by bit: some
/// hundred bytes take below a microsecond.
fn crc32(bytes: &[u8]) -> u32 {
    const POLYNOMIAL: u32 = 0xedb8_8320;
    !bytes.iter().fold(!0, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc: u32, _| {
            (crc >> 1) ^ if crc & 1 == 1 { POLYNOMIAL } else { 0 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written() -> String {
        let id = ApiKeyId::parse(&format!("key_{}", "0f".repeat(16))).unwrap();
        ApiKeyToken::write(&id, &[0xa5; 32]).unwrap()
    }

    #[test]
    fn the_checksum_is_the_common_one() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn a_key_is_read_as_it_was_written() {
        let text = written();
        let token = ApiKeyToken::parse(&text).unwrap();
        assert_eq!(token.id_digits(), "0f".repeat(16));
        assert_eq!(token.secret(), &[0xa5; 32]);
    }

    #[test]
    fn a_slip_anywhere_is_told_before_any_key_is_looked_at() {
        let text = written();
        for place in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[place] = if bytes[place] == b'1' { b'2' } else { b'1' };
            let slip = String::from_utf8(bytes).unwrap();
            assert!(ApiKeyToken::parse(&slip).is_err(), "{place}");
        }
        let cut = &text[..text.len() - 1];
        for other in ["", "pck_", cut, &text.to_uppercase(), &"é".repeat(54)] {
            assert_eq!(ApiKeyToken::parse(other).err(), Some(TokenError::Form), "{other}");
        }
    }

    #[test]
    fn a_name_that_was_not_made_for_it_is_not_written() {
        for name in ["key_1", "pay_00000000000000000000000000000000", "00"] {
            assert_eq!(
                ApiKeyToken::write(&ApiKeyId::parse(name).unwrap(), &[0; 32]),
                None
            );
        }
    }
}
