//! What an idempotency key stands for, as columns.

use application::ports::{IdempotencyKey, KeyEntry, RequestDigest, StoredAnswer};
use domain::{MerchantId, OperationId, PaymentId};

use super::{Damage, moment, parsed};

/// The row of a key.
#[derive(Debug)]
pub(crate) struct KeyColumns {
    pub(crate) digest: Vec<u8>,
    pub(crate) payment_id: String,
    pub(crate) operation_id: Option<String>,
    pub(crate) claimed_until_ms: u64,
    pub(crate) answer_status: Option<u16>,
    pub(crate) answer_body: Option<Vec<u8>>,
    pub(crate) created_at_ms: u64,
}

impl KeyColumns {
    pub(crate) fn restore(self, tenant: MerchantId, key: IdempotencyKey) -> Result<KeyEntry, Damage> {
        let digest = <[u8; 32]>::try_from(self.digest.as_slice());
        let operation_id = self
            .operation_id
            .map(|id| parsed("idempotency_keys.operation_id", &id, OperationId::parse))
            .transpose()?;
        Ok(KeyEntry {
            tenant,
            key,
            digest: RequestDigest(
                digest.map_err(|_| Damage::of("idempotency_keys.digest", "is not 32 bytes"))?,
            ),
            payment_id: parsed("idempotency_keys.payment_id", &self.payment_id, PaymentId::parse)?,
            operation_id,
            claimed_until: moment("idempotency_keys.claimed_until_ms", self.claimed_until_ms)?,
            answer: self
                .answer_status
                .zip(self.answer_body)
                .map(|(status, body)| StoredAnswer { status, body }),
            created_at: moment("idempotency_keys.created_at_ms", self.created_at_ms)?,
        })
    }
}
