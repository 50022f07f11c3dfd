//! What an idempotency key stands for: one request of one merchant, and the answer that it got.

use domain::text::BoundedText;
use domain::{MerchantId, OperationId, PaymentId, Timestamp};

/// What a merchant calls a request, so that it is done once however often it comes.
pub type IdempotencyKey = BoundedText<255>;

/// Tells requests apart: a keyed digest of the method, the path and the body. Keyed, because bodies hold card numbers, which are
/// few enough to be tried one by one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestDigest(pub [u8; 32]);

/// An answer as it was given, to be given again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// What is kept of a request under its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyEntry {
    /// Whose key it is: two merchants may use the same one.
    pub tenant: MerchantId,
    /// The key.
    pub key: IdempotencyKey,
    /// Of the request that it stands for.
    pub digest: RequestDigest,
    /// The payment that the request is about.
    pub payment_id: PaymentId,
    /// The operation that it began, if it did.
    pub operation_id: Option<OperationId>,
    /// Until when whoever took it may be at work on it. After that a request with the same key drives it on.
    pub claimed_until: Timestamp,
    /// The answer; none while it is not known.
    pub answer: Option<StoredAnswer>,
    /// When it came first.
    pub created_at: Timestamp,
}

/// What is to be written of a key.
#[derive(Clone, Copy, Debug)]
pub enum KeyWrite<'a> {
    /// It is new.
    Claim(&'a KeyEntry),
    /// It is there, without an answer.
    Update(&'a KeyEntry),
}

impl KeyWrite<'_> {
    /// The entry.
    #[must_use]
    pub const fn entry(&self) -> &KeyEntry {
        match self {
            Self::Claim(entry) | Self::Update(entry) => entry,
        }
    }
}
