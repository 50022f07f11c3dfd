//! One request at a time under one idempotency key, and one answer for all of them.
//!
//! Nothing is written for a key on its own: it is claimed in the transaction that first stores what the request does, and is
//! given its answer in the one that stores how that ended. So there is no moment at which the one is known and the other is
//! not. What a request does without anything being stored (a body with errors, a payment that does not take the command) its
//! key does not remember.

mod in_flight;

use std::sync::Arc;

use domain::payment::OperationStatus;
use domain::{MerchantId, OperationId, Payment, PaymentId, Timestamp};

use crate::payment_times::later;
use crate::ports::{
    Clock, IdempotencyKey, KeyEntry, KeyWrite, PaymentRepository, RepositoryError, RequestDigest,
    StoredAnswer,
};
use in_flight::{KeysInFlight, Place};

/// How long whoever claimed a key may be at work: the acquirer's 5 s, the tries to store its answer (10 s) and a last save
/// (7 s). Where it died, the next request drives on after that.
const CLAIM_MS: u64 = 25_000;

/// Makes answers of payments. The interface that requests come by knows how.
pub trait AnswerRenderer: Send + Sync {
    /// What whoever asked is told, of the payment as it is and of the operation that he asked for.
    fn render(&self, payment: &Payment, operation: Option<&OperationId>) -> StoredAnswer;
}

/// A request's name, and its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestKey {
    /// Whose.
    pub tenant: MerchantId,
    /// As the merchant calls it.
    pub key: IdempotencyKey,
    /// Of what it asks for.
    pub digest: RequestDigest,
}

/// How a request stands when it comes.
pub enum Opened {
    /// It is new.
    New(KeyedRequest),
    /// It was answered before.
    Answered {
        /// With this.
        answer: StoredAnswer,
        /// About this payment.
        payment_id: PaymentId,
    },
    /// The same is under way.
    Running,
    /// The key stands for another request.
    OtherRequest,
    /// It was begun, and whoever did it is gone, or did not learn how it ended.
    Interrupted {
        /// The payment that it is about.
        payment_id: PaymentId,
        /// To save it with.
        request: KeyedRequest,
    },
}

/// Tells new requests from those that came before.
#[derive(Clone)]
pub struct IdempotentRequests {
    /// Where keys are kept, beside the payments.
    pub payments: Arc<dyn PaymentRepository>,
    /// Tells how old a claim is.
    pub clock: Arc<dyn Clock>,
    in_flight: Arc<KeysInFlight>,
}

impl IdempotentRequests {
    /// Over the keys of this repository.
    #[must_use]
    pub fn new(payments: Arc<dyn PaymentRepository>, clock: Arc<dyn Clock>) -> Self {
        Self {
            payments,
            clock,
            in_flight: Arc::default(),
        }
    }

    /// Looks a request up by its key, and holds the key on this node for as long as what comes back lives. `renderer` makes the
    /// answer that is kept, should there be one to keep.
    ///
    /// # Errors
    /// When the repository does not answer.
    pub async fn open(
        &self,
        key: RequestKey,
        renderer: Arc<dyn AnswerRenderer>,
    ) -> Result<Opened, RepositoryError> {
        let request = |key, place| KeyedRequest {
            key: Some(Key {
                key,
                renderer,
                _place: place,
            }),
        };
        let Some(place) = self.in_flight.take(&key.tenant, &key.key) else {
            return Ok(Opened::Running);
        };
        let Some(entry) = self.payments.find_key(&key.tenant, &key.key).await? else {
            return Ok(Opened::New(request(NewOrKept::New(key), place)));
        };
        if entry.digest != key.digest {
            return Ok(Opened::OtherRequest);
        }
        let payment_id = entry.payment_id.clone();
        Ok(match &entry.answer {
            Some(answer) => Opened::Answered {
                answer: answer.clone(),
                payment_id,
            },
            None if entry.claimed_until > self.clock.now() => Opened::Running,
            None => Opened::Interrupted {
                payment_id,
                request: request(NewOrKept::Kept(entry), place),
            },
        })
    }
}

/// What of a key is known.
enum NewOrKept {
    New(RequestKey),
    Kept(KeyEntry),
}

struct Key {
    key: NewOrKept,
    renderer: Arc<dyn AnswerRenderer>,
    /// Nobody else on this node works on this key meanwhile.
    _place: Place,
}

/// A request that saves payments. Where it has a key, the key is written in the same transactions.
pub struct KeyedRequest {
    key: Option<Key>,
}

impl KeyedRequest {
    /// A request without a key.
    #[must_use]
    pub const fn without_key() -> Self {
        Self { key: None }
    }

    /// The operation that it began, where it did so before it was interrupted.
    #[must_use]
    pub fn operation(&self) -> Option<&OperationId> {
        match &self.key.as_ref()?.key {
            NewOrKept::Kept(entry) => entry.operation_id.as_ref(),
            NewOrKept::New(_) => None,
        }
    }

    /// Saves a payment, and with it what the key is to remember: that it stands for this payment and this operation, and the
    /// answer as soon as the operation has ended.
    pub(crate) async fn save(
        &mut self,
        payments: &dyn PaymentRepository,
        payment: &mut Payment,
        operation: Option<&OperationId>,
        now: Timestamp,
    ) -> Result<(), RepositoryError> {
        let Some(key) = &mut self.key else {
            return payments.save(payment).await;
        };
        let entry = key.entry(payment, operation, now);
        let write = match key.key {
            NewOrKept::New(_) => KeyWrite::Claim(&entry),
            NewOrKept::Kept(_) => KeyWrite::Update(&entry),
        };
        payments.save_with_key(payment, Some(write)).await?;
        key.key = NewOrKept::Kept(entry);
        Ok(())
    }
}

impl Key {
    fn entry(&self, payment: &Payment, operation: Option<&OperationId>, now: Timestamp) -> KeyEntry {
        let (tenant, key, digest, created_at) = match &self.key {
            NewOrKept::New(new) => (&new.tenant, &new.key, new.digest, now),
            NewOrKept::Kept(kept) => (&kept.tenant, &kept.key, kept.digest, kept.created_at),
        };
        let begun = payment
            .record()
            .operations
            .iter()
            .find(|o| Some(&o.id) == operation);
        let open = begun.filter(|operation| operation.is_open());
        KeyEntry {
            tenant: tenant.clone(),
            key: key.clone(),
            digest,
            payment_id: payment.id().clone(),
            operation_id: operation.cloned(),
            claimed_until: match open {
                Some(open) if open.status == OperationStatus::Sent => later(now, CLAIM_MS),
                // Nobody is at work on it any more: whoever comes next may ask the acquirer again.
                _ => now,
            },
            answer: match open {
                Some(_) => None,
                None => Some(self.renderer.render(payment, operation)),
            },
            created_at,
        }
    }
}
