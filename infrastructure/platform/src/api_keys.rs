//! Names and secrets of API keys.

use application::ports::{ApiKeySecrets, NoRandomness};
use domain::ApiKeyId;
use domain::access::SecretDigest;
use sha2::{Digest, Sha256};

use crate::identifiers::name;

/// Secrets of the system's randomness, kept as their SHA-256.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemApiKeySecrets;

impl ApiKeySecrets for SystemApiKeySecrets {
    fn api_key_id(&self) -> ApiKeyId {
        name("key_", ApiKeyId::parse)
    }

    fn secret(&self) -> Result<[u8; 32], NoRandomness> {
        let mut secret = [0; 32];
        getrandom::fill(&mut secret).map_err(|error| NoRandomness {
            reason: error.to_string(),
        })?;
        Ok(secret)
    }

    fn digest(&self, secret: &[u8; 32]) -> SecretDigest {
        SecretDigest(Sha256::digest(secret).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_the_sha_256() {
        // Of 32 zero bytes, as `head -c 32 /dev/zero | sha256sum` has it.
        let digest = SystemApiKeySecrets.digest(&[0; 32]);
        assert_eq!(&digest.0[..4], &[0x66, 0x68, 0x7a, 0xad]);
    }

    #[test]
    fn every_key_is_another() {
        let (one, other) = (
            SystemApiKeySecrets.secret().unwrap(),
            SystemApiKeySecrets.secret().unwrap(),
        );
        assert_ne!(one, other);
        let id = SystemApiKeySecrets.api_key_id();
        assert_ne!(id, SystemApiKeySecrets.api_key_id());
        let token = application::api_keys::ApiKeyToken::write(&id, &one).unwrap();
        let read = application::api_keys::ApiKeyToken::parse(&token).unwrap();
        assert_eq!(read.secret(), &one);
    }
}
