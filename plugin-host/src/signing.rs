//! Signatures of policy documents: the keys that make them, and the keys that a node trusts.
//!
//! A signature is over DSSE's pre-authentication encoding of an envelope, made with Ed25519 or with SM2 and SM3. What a node
//! takes is decided by [`TrustedKeys`], which come from its own configuration and from nowhere else: no key is ever read
//! from the store. Without any, nothing is verified and every document is taken.
//!
//! | part | module |
//! |---|---|
//! | keys | `public_key`, `signing_key`, `key_id` |
//! | keys as files | [`key_file`] |
//! | whom a node trusts | `config`, `trusted_keys`, `name_pattern` |
//! | why signatures are not enough | `refusal` |

mod config;
pub mod key_file;
mod key_id;
mod name_pattern;
mod pem;
mod public_key;
mod refusal;
mod signing_key;
mod trusted_keys;

pub use config::{SignaturesConfig, SignaturesConfigError, TrustedKeyConfig};
pub use key_id::KeyId;
pub use name_pattern::NamePattern;
pub use pem::KeyError;
pub use public_key::PublicKey;
pub use refusal::{Objection, SignatureRefusal};
pub use signing_key::{SigningError, SigningKey};
pub use trusted_keys::{MAX_TRUSTED_KEYS, Signed, TrustedKeys};

use std::fmt;

/// How long a signature of either algorithm is, in bytes: for Ed25519 as RFC 8032 has it, for SM2 the numbers r and s, each
/// with 32 bytes, the highest first.
pub const SIGNATURE_BYTES: usize = 64;

/// What a key signs with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Algorithm {
    /// Ed25519 (RFC 8032), verified strictly.
    #[default]
    Ed25519,
    /// SM2 with SM3 (GB/T 32918.2) under the default distinguishing identifier, `1234567812345678`.
    Sm2,
}

impl Algorithm {
    /// The name, as the ids of keys begin with it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ed25519 => "ed25519",
            Self::Sm2 => "sm2",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
pub(crate) mod tests;
