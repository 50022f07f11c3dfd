//! Why the signatures of a document are not enough.

use std::fmt;

use crate::document::{Moment, PolicyName};

use super::{KeyId, NamePattern};

/// Why one signature does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Objection {
    /// No trusted key has this id, or none made a signature that names no key.
    Untrusted {
        /// The id that the signature gives, escaped, and cut where it is long; empty where it gives none.
        keyid: String,
    },
    /// The trusted key that it names did not make it over these bytes.
    Invalid {
        /// The key.
        key: NamedKey,
    },
    /// A trusted key made it, and is not trusted yet.
    NotYetValid {
        /// The key.
        key: NamedKey,
        /// From when on it is.
        not_before: Moment,
        /// Now.
        now: Moment,
    },
    /// A trusted key made it, and is not trusted any more.
    Expired {
        /// The key.
        key: NamedKey,
        /// Until when it was.
        not_after: Moment,
        /// Now.
        now: Moment,
    },
    /// A trusted key made it, and may not sign this policy.
    NotAllowed {
        /// The key.
        key: NamedKey,
        /// The policy.
        policy: PolicyName,
        /// What it may sign.
        allowed: Vec<NamePattern>,
    },
}

/// A trusted key as people know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedKey {
    /// The name that this node's configuration gives it.
    pub name: Box<str>,
    /// Its id.
    pub id: KeyId,
}

impl fmt::Display for NamedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` ({})", self.name, KeyId::shortened(self.id.as_str()))
    }
}

impl Objection {
    /// The stable name of what is wrong.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Untrusted { .. } => "signature_untrusted",
            Self::Invalid { .. } => "signature_invalid",
            Self::NotYetValid { .. } => "signature_key_not_yet_valid",
            Self::Expired { .. } => "signature_key_expired",
            Self::NotAllowed { .. } => "signature_key_not_allowed",
        }
    }

    /// How near it came to counting: what is told of several is the nearest.
    const fn rank(&self) -> u8 {
        match self {
            Self::Untrusted { .. } => 0,
            Self::Invalid { .. } => 1,
            Self::NotAllowed { .. } => 2,
            Self::NotYetValid { .. } => 3,
            Self::Expired { .. } => 4,
        }
    }
}

impl fmt::Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Untrusted { keyid } if keyid.is_empty() => {
                f.write_str("a signature that names no key is by none that this node trusts")
            }
            Self::Untrusted { keyid } => {
                write!(f, "the key `{keyid}` is none that this node trusts")
            }
            Self::Invalid { key } => write!(
                f,
                "the signature under the id of {key} does not verify: another document was signed, or this one was altered since"
            ),
            Self::NotYetValid { key, not_before, now } => {
                write!(
                    f,
                    "{key} signed it and is trusted from {not_before} on; it is {now}"
                )
            }
            Self::Expired { key, not_after, now } => write!(
                f,
                "{key} signed it and was trusted until {not_after}; it is {now}: sign it with a key that is trusted now"
            ),
            Self::NotAllowed { key, policy, allowed } => {
                write!(f, "{key} signed it and may not sign `{policy}`, only ")?;
                for (index, pattern) in allowed.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}`{pattern}`")?;
                }
                Ok(())
            }
        }
    }
}

/// Why a document is not taken for its signatures.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureRefusal {
    /// There is none.
    #[error(
        "the document has no signature, expected {threshold} by trusted keys; publish it with `portcullis policy push --key FILE`"
    )]
    Missing {
        /// How many there must be.
        threshold: usize,
    },
    /// None of them counts.
    #[error("no signature counts: {}", joined(.0))]
    NoneCounts(
        /// Why, of each.
        Vec<Objection>,
    ),
    /// Some count.
    #[error(
        "found {} of {threshold} signatures by trusted keys ({}){}",
        counted.len(),
        joined(counted),
        others(objections)
    )]
    TooFew {
        /// How many there must be.
        threshold: usize,
        /// The keys whose signatures count.
        counted: Vec<NamedKey>,
        /// Why the others do not.
        objections: Vec<Objection>,
    },
}

impl SignatureRefusal {
    /// The stable name of what is wrong.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "signature_missing",
            Self::TooFew { .. } => "signatures_too_few",
            Self::NoneCounts(objections) => objections
                .iter()
                .max_by_key(|objection| objection.rank())
                .map_or("signature_missing", Objection::code),
        }
    }

    /// Whether the same document may be taken at another time.
    #[must_use]
    pub fn depends_on_the_time(&self) -> bool {
        let of_time = |objection: &Objection| {
            matches!(
                objection,
                Objection::NotYetValid { .. } | Objection::Expired { .. }
            )
        };
        match self {
            Self::Missing { .. } => false,
            Self::NoneCounts(objections) | Self::TooFew { objections, .. } => objections.iter().any(of_time),
        }
    }
}

fn joined<T: fmt::Display>(parts: &[T]) -> String {
    let parts: Vec<String> = parts.iter().map(T::to_string).collect();
    parts.join("; ")
}

fn others(objections: &[Objection]) -> String {
    if objections.is_empty() {
        String::new()
    } else {
        format!("; of the others: {}", joined(objections))
    }
}
