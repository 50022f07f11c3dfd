//! Which policies a key may sign.

use std::fmt;

use crate::document::{PolicyName, TextError};

/// The name of a policy, or what names begin with and a `*`.
#[derive(Clone, PartialEq, Eq)]
pub enum NamePattern {
    /// This one.
    Exactly(PolicyName),
    /// Every name that begins so; with an empty text every name there is.
    Beginning(Box<str>),
}

impl NamePattern {
    /// Takes a pattern such as `velocity-limit`, `velocity-*` or `*`.
    ///
    /// # Errors
    /// When it is neither a name nor the beginning of one with a `*` behind it: a pattern that no name fits would lock out a
    /// key without a word.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let wrong = || {
            TextError::new(
                text,
                "the name of a policy, or the beginning of one and `*`, such as `velocity-*`",
            )
        };
        match text.strip_suffix('*') {
            None => PolicyName::parse(text).map(Self::Exactly).map_err(|_| wrong()),
            Some("") => Ok(Self::Beginning("".into())),
            Some(beginning) => {
                // With a letter behind it, it must be a name.
                PolicyName::parse(&format!("{beginning}a")).map_err(|_| wrong())?;
                Ok(Self::Beginning(beginning.into()))
            }
        }
    }

    /// Whether the name is one of these.
    #[must_use]
    pub fn fits(&self, name: &PolicyName) -> bool {
        match self {
            Self::Exactly(exactly) => exactly == name,
            Self::Beginning(beginning) => name.as_str().starts_with(&**beginning),
        }
    }
}

impl fmt::Display for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exactly(name) => write!(f, "{name}"),
            Self::Beginning(beginning) => write!(f, "{beginning}*"),
        }
    }
}

impl fmt::Debug for NamePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_a_name_or_the_beginning_of_one() {
        let name = |text| PolicyName::parse(text).unwrap();
        for (pattern, fitting, other) in [
            ("velocity-limit", "velocity-limit", "velocity-limits"),
            ("velocity-*", "velocity-limit", "velocity"),
            ("v*", "velocity", "amount"),
        ] {
            let read = NamePattern::parse(pattern).unwrap();
            assert!(read.fits(&name(fitting)), "{pattern} {fitting}");
            assert!(!read.fits(&name(other)), "{pattern} {other}");
            assert_eq!(read.to_string(), pattern);
        }
        assert!(NamePattern::parse("*").unwrap().fits(&name("a")));
        for wrong in [
            "",
            "Velocity",
            "*-limit",
            "a*b",
            "a**",
            "-*",
            "a b*",
            "velocity-?",
        ] {
            let error = NamePattern::parse(wrong).unwrap_err().to_string();
            assert!(error.contains("such as `velocity-*`"), "{error}");
        }
    }
}
