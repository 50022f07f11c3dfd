//! A key to the HTTP interface, as columns.

use domain::access::{ApiKey, ApiKeyName, Grant, PreviousSecret, Role, Scope, ScopeSet, SecretDigest};
use domain::text::BoundedText;
use domain::{ApiKeyId, MerchantId};

use super::{Damage, moment, parsed};

/// The row of a key.
#[derive(Clone, Debug)]
pub(crate) struct ApiKeyColumns {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) role: String,
    pub(crate) merchant_id: Option<String>,
    pub(crate) scopes: String,
    pub(crate) digest: Vec<u8>,
    pub(crate) last4: String,
    pub(crate) previous_digest: Option<Vec<u8>>,
    pub(crate) previous_valid_until_ms: Option<u64>,
    pub(crate) created_at_ms: u64,
    pub(crate) rotated_at_ms: u64,
    pub(crate) expires_at_ms: Option<u64>,
    pub(crate) revoked_at_ms: Option<u64>,
    /// Of the state that this is, one above the one that it is written over.
    pub(crate) version: u64,
}

impl ApiKeyColumns {
    /// The state after a save.
    pub(crate) fn of(key: &ApiKey) -> Self {
        let ApiKey {
            id,
            name,
            grant,
            digest,
            last4,
            previous,
            created_at,
            rotated_at,
            expires_at,
            revoked_at,
            version,
        } = key;
        let scopes: Vec<&str> = grant.scopes().iter().map(Scope::as_str).collect();
        Self {
            id: id.as_str().to_owned(),
            name: name.as_str().to_owned(),
            role: grant.role().as_str().to_owned(),
            merchant_id: grant.merchant().map(|merchant| merchant.as_str().to_owned()),
            scopes: scopes.join(" "),
            digest: digest.0.to_vec(),
            last4: last4.as_str().to_owned(),
            previous_digest: previous.map(|previous| previous.digest.0.to_vec()),
            previous_valid_until_ms: previous.map(|previous| previous.valid_until.unix_millis()),
            created_at_ms: created_at.unix_millis(),
            rotated_at_ms: rotated_at.unix_millis(),
            expires_at_ms: expires_at.map(|at| at.unix_millis()),
            revoked_at_ms: revoked_at.map(|at| at.unix_millis()),
            version: version.saturating_add(1),
        }
    }

    pub(crate) fn restore(self) -> Result<ApiKey, Damage> {
        let role = Role::parse(&self.role).ok_or_else(|| Damage::of("api_keys.role", "is unknown"))?;
        let scope = |name| Scope::parse(name).ok_or_else(|| Damage::of("api_keys.scopes", "are unknown"));
        let scopes = self
            .scopes
            .split_whitespace()
            .map(scope)
            .collect::<Result<ScopeSet, _>>()?;
        let merchant = self
            .merchant_id
            .map(|id| parsed("api_keys.merchant_id", &id, MerchantId::parse))
            .transpose()?;
        let previous = match self.previous_digest.zip(self.previous_valid_until_ms) {
            Some((bytes, valid_until_ms)) => Some(PreviousSecret {
                digest: digest("api_keys.previous_digest", &bytes)?,
                valid_until: moment("api_keys.previous_valid_until_ms", valid_until_ms)?,
            }),
            None => None,
        };
        Ok(ApiKey {
            id: parsed("api_keys.id", &self.id, ApiKeyId::parse)?,
            name: parsed("api_keys.name", &self.name, ApiKeyName::parse)?,
            grant: Grant::new(role, merchant, scopes).map_err(|error| Damage::of("api_keys.role", error))?,
            digest: digest("api_keys.digest", &self.digest)?,
            last4: parsed("api_keys.last4", &self.last4, BoundedText::parse)?,
            previous,
            created_at: moment("api_keys.created_at_ms", self.created_at_ms)?,
            rotated_at: moment("api_keys.rotated_at_ms", self.rotated_at_ms)?,
            expires_at: self
                .expires_at_ms
                .map(|ms| moment("api_keys.expires_at_ms", ms))
                .transpose()?,
            revoked_at: self
                .revoked_at_ms
                .map(|ms| moment("api_keys.revoked_at_ms", ms))
                .transpose()?,
            version: self.version,
        })
    }
}

fn digest(column: &str, bytes: &[u8]) -> Result<SecretDigest, Damage> {
    let bytes = <[u8; 32]>::try_from(bytes);
    bytes
        .map(SecretDigest)
        .map_err(|_| Damage::of(column, "is not 32 bytes"))
}
