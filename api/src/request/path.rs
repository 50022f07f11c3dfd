//! Where in a body something is, written only when something is wrong there.

use std::fmt;

/// The longest name that is repeated to the caller, in bytes.
const MAX_PRESENTABLE_BYTES: usize = 40;
/// From this many digits on a name might be, or hold, a card number.
const MAX_PRESENTABLE_DIGITS: usize = 5;

/// A field, and the way to it. Lives on the stack of whoever reads the body.
#[derive(Clone, Copy)]
pub(super) struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    name: &'a str,
    position: usize,
}

impl<'a> Path<'a> {
    /// The body itself.
    pub(super) const ROOT: Path<'static> = Path {
        parent: None,
        name: "",
        position: 0,
    };

    /// A field of one of the gateway's own names.
    pub(super) fn field<'b>(&'b self, name: &'b str) -> Path<'b> {
        self.entry(name, 0)
    }

    /// A field of whatever name the caller gave it.
    pub(super) fn entry<'b>(&'b self, name: &'b str, position: usize) -> Path<'b> {
        Path {
            parent: Some(self),
            name,
            position,
        }
    }
}

impl fmt::Display for Path<'_> {
    /// Dotted. A name that cannot be shown is replaced by the field's position in its object: `metadata[3]`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(parent) = self.parent else {
            return Ok(());
        };
        write!(f, "{parent}")?;
        match (is_presentable(self.name), parent.parent) {
            (false, _) => write!(f, "[{}]", self.position),
            (true, None) => f.write_str(self.name),
            (true, Some(_)) => write!(f, ".{}", self.name),
        }
    }
}

/// Whether a name looks like one and cannot be a card number that went to the wrong place.
pub(super) fn is_presentable(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= MAX_PRESENTABLE_BYTES
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
        && name.bytes().filter(u8::is_ascii_digit).count() <= MAX_PRESENTABLE_DIGITS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_dotted() {
        let amount = Path::ROOT.field("amount");
        assert_eq!(Path::ROOT.to_string(), "");
        assert_eq!(amount.field("minor_units").to_string(), "amount.minor_units");
    }

    #[test]
    fn names_that_could_hold_a_secret_or_mislead_become_positions() {
        let metadata = Path::ROOT.field("metadata");
        for odd in ["4242424242424242", "", "a.b", "a b", "\u{202e}", &"x".repeat(41)] {
            assert_eq!(metadata.entry(odd, 3).to_string(), "metadata[3]", "{odd:?}");
        }
        assert_eq!(Path::ROOT.entry("a.b", 7).to_string(), "[7]");
    }
}
