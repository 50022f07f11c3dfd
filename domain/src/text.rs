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
        if text.chars().any(char::is_control) {
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
        assert_eq!(BoundedText::<4>::parse("\u{0}"), Err(TextError::ControlCharacter));
    }
}
