//! Free text from outside, bounded once so that nothing behind it has to think of its length.

use std::fmt;

/// A text of at most `MAX` bytes that is not empty and holds no control characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BoundedText<const MAX: usize>(Box<str>);

/// Why a text was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextError {
    /// Nothing between the quotes.
    Empty,
    /// Longer than the bound, which is given in bytes.
    TooLong {
        /// The bound, in bytes of UTF-8.
        max: usize,
    },
    /// A control character, such as a line feed or NUL.
    ControlCharacter,
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("is empty"),
            Self::TooLong { max } => write!(f, "is longer than {max} bytes"),
            Self::ControlCharacter => f.write_str("holds a control character"),
        }
    }
}

impl std::error::Error for TextError {}

impl<const MAX: usize> BoundedText<MAX> {
    /// Takes a text within the bound.
    ///
    /// # Errors
    /// When it is empty, too long, or holds a control character.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        if text.is_empty() {
            return Err(TextError::Empty);
        }
        if text.len() > MAX {
            return Err(TextError::TooLong { max: MAX });
        }
        if has_control(text) {
            return Err(TextError::ControlCharacter);
        }
        Ok(Self(text.into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether there is a control character. Without an early end, so that several bytes are looked at at once; only beyond ASCII
/// there are characters to be put together.
fn has_control(text: &str) -> bool {
    let of_ascii = text
        .bytes()
        .fold(false, |found, byte| found | byte.is_ascii_control());
    of_ascii || (!text.is_ascii() && text.chars().any(char::is_control))
}

impl<const MAX: usize> fmt::Debug for BoundedText<MAX> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_counts_bytes() {
        assert!(BoundedText::<4>::parse("abcd").is_ok());
        assert!(BoundedText::<4>::parse("😀").is_ok());
        assert_eq!(BoundedText::<4>::parse("😀a"), Err(TextError::TooLong { max: 4 }));
    }

    #[test]
    fn empty_and_control_characters_are_refused() {
        assert_eq!(BoundedText::<4>::parse(""), Err(TextError::Empty));
        assert_eq!(BoundedText::<4>::parse("a\nb"), Err(TextError::ControlCharacter));
        for control in (0..=0x2ff).filter_map(char::from_u32) {
            let refused = BoundedText::<8>::parse(&format!("ab{control}c")).is_err();
            assert_eq!(refused, control.is_control(), "{control:?}");
        }
    }
}
