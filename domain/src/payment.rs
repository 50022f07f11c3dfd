//! The payment aggregate: what is to be paid, what was decided about it, and every call to the acquirer.

mod amounts;
mod details;
mod event;
mod operation;
mod operations;
mod record;
mod refusal;
mod review;
mod status;

pub use amounts::PaymentAmounts;
pub use details::{
    CustomerDetails, DetailsText, DeviceDetails, MAX_METADATA_ENTRIES, MetadataText, PaymentDetails,
};
pub use event::{PaymentEvent, PaymentEventKind};
pub use operation::{
    AcquirerReference, DeclineCode, Operation, OperationKind, OperationResult, OperationStatus,
};
pub use record::{CardToken, InconsistentRecord, PaymentRecord};
pub use refusal::OperationRefused;
pub use review::{Review, ReviewVerdict, ReviewerName};
pub use status::{IllegalTransition, PaymentStatus, TRANSITIONS, Transition};

use crate::identifier::{OperationId, PaymentId};
use crate::risk::{Outcome, RiskDecision, RiskRequest};
use crate::timestamp::Timestamp;

/// One payment. Every change goes through a method that holds the invariants: its status moves along [`TRANSITIONS`]
/// alone; no more is captured than was authorized, and no more refunded than was captured; at most one operation is open at a
/// time; a final operation stays so. What a change means to others is among its [events](Self::events) until it is stored.
#[derive(Clone, Debug)]
pub struct Payment {
    record: PaymentRecord,
    /// What happened since it was stored last.
    events: Vec<PaymentEvent>,
}

/// Two payments are equal where their records are: what of it was told to others already is no part of a payment.
impl PartialEq for Payment {
    fn eq(&self, other: &Self) -> bool {
        self.record == other.record
    }
}

impl Eq for Payment {}

impl Payment {
    /// A payment as its risk decision leaves it: declined, held, to be challenged, or on its way to the acquirer.
    #[must_use]
    pub fn decided(
        id: PaymentId,
        details: PaymentDetails,
        decision: RiskDecision,
        created_at: Timestamp,
    ) -> Self {
        let (status, decline_code, event) = match decision.outcome {
            Outcome::Approve => (PaymentStatus::Authorizing, None, None),
            Outcome::Challenge => (
                PaymentStatus::RequiresAction,
                None,
                Some(PaymentEventKind::Challenged),
            ),
            Outcome::Review => (
                PaymentStatus::InReview,
                None,
                Some(PaymentEventKind::HeldForReview),
            ),
            Outcome::Decline => (
                PaymentStatus::Declined,
                Some(DeclineCode::RiskPolicy),
                Some(PaymentEventKind::Declined),
            ),
        };
        let mut payment = Self {
            record: PaymentRecord {
                id,
                details,
                status,
                decline_code,
                decision,
                card_token: None,
                review: None,
                expires_at: None,
                operations: Vec::new(),
                created_at,
                updated_at: created_at,
                version: 0,
            },
            events: Vec::new(),
        };
        if let Some(kind) = event {
            payment.tell(kind, None, created_at);
        }
        payment
    }

    /// A payment as it was stored.
    ///
    /// # Errors
    /// When the record breaks an invariant, so that nothing is built on altered or damaged rows.
    pub fn restore(record: PaymentRecord) -> Result<Self, InconsistentRecord> {
        record.check()?;
        Ok(Self {
            record,
            events: Vec::new(),
        })
    }

    /// What is stored of it.
    #[must_use]
    pub fn record(&self) -> &PaymentRecord {
        &self.record
    }

    /// What happened to it since it was stored last, in order. Stored in the same transaction as the payment.
    #[must_use]
    pub fn events(&self) -> &[PaymentEvent] {
        &self.events
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> &PaymentId {
        &self.record.id
    }

    /// Where it stands.
    #[must_use]
    pub fn status(&self) -> PaymentStatus {
        self.record.status
    }

    /// How much was reserved, taken and given back.
    #[must_use]
    pub fn amounts(&self) -> PaymentAmounts {
        PaymentAmounts::of(&self.record)
    }

    /// The operation whose end is not known, if there is one.
    #[must_use]
    pub fn open_operation(&self) -> Option<&Operation> {
        self.record
            .operations
            .iter()
            .find(|operation| operation.is_open())
    }

    /// What a policy is asked about.
    #[must_use]
    pub fn risk_request(&self) -> RiskRequest<'_> {
        RiskRequest {
            payment_id: &self.record.id,
            details: &self.record.details,
            created_at: self.record.created_at,
        }
    }

    /// Keeps what the acquirer made of the card, so that the payment can be authorized when somebody has acted on it.
    ///
    /// # Errors
    /// When the payment does not wait to be authorized.
    pub fn keep_card(&mut self, token: CardToken) -> Result<(), IllegalTransition> {
        match self.record.status {
            PaymentStatus::InReview | PaymentStatus::RequiresAction => {
                self.record.card_token = Some(token);
                Ok(())
            }
            _ => Err(self.illegal("keep_card")),
        }
    }

    /// Declines a payment that was to wait, but whose card the acquirer could not keep meanwhile.
    ///
    /// # Errors
    /// When the payment does not wait to be authorized.
    pub fn decline_unkept(&mut self, code: DeclineCode, now: Timestamp) -> Result<(), IllegalTransition> {
        let transition = match self.record.status {
            PaymentStatus::InReview | PaymentStatus::RequiresAction => Transition::CardNotKept,
            _ => return Err(self.illegal("decline_unkept")),
        };
        self.decline(transition, code, now)
    }

    /// Until when somebody has to act on it. Says nothing of a payment that does not wait.
    pub fn expire_at(&mut self, at: Timestamp) {
        if self.record.status.waits() {
            self.record.expires_at = Some(at);
        }
    }

    /// Whether nobody acted on it in time.
    #[must_use]
    pub fn is_overdue(&self, now: Timestamp) -> bool {
        self.record.expires_at.is_some_and(|at| at <= now)
    }

    /// Lets go of a payment that nobody acted on and that was not sent. One that is authorized is voided instead, so that the
    /// acquirer lets go of it too, and is then `expired`.
    ///
    /// # Errors
    /// When it is not overdue, or is authorized.
    pub fn expire(&mut self, now: Timestamp) -> Result<(), IllegalTransition> {
        if !self.is_overdue(now) || self.record.status == PaymentStatus::Authorized {
            return Err(self.illegal("expire"));
        }
        let to = self.record.status.after(Transition::Expired)?;
        self.move_to(to, now);
        self.tell(PaymentEventKind::Expired, None, now);
        Ok(())
    }

    /// Gives up a payment that was not sent yet.
    ///
    /// # Errors
    /// When it was.
    pub fn cancel(&mut self, now: Timestamp) -> Result<(), IllegalTransition> {
        let to = self.record.status.after(Transition::Cancelled)?;
        self.move_to(to, now);
        self.tell(PaymentEventKind::Voided, None, now);
        Ok(())
    }

    /// Takes in what an analyst said: the payment goes on its way to the acquirer, or is declined.
    ///
    /// # Errors
    /// When it is not held for review.
    pub fn review(&mut self, review: Review) -> Result<(), IllegalTransition> {
        let now = review.reviewed_at;
        match review.verdict {
            ReviewVerdict::Approved => {
                let to = self.record.status.after(Transition::ReviewApproved)?;
                self.move_to(to, now);
            }
            ReviewVerdict::Rejected => {
                self.decline(Transition::ReviewRejected, DeclineCode::ReviewRejected, now)?;
            }
        }
        self.record.review = Some(review);
        Ok(())
    }

    /// Takes in whether the payer proved who he is: the payment goes on its way to the acquirer, or is declined.
    ///
    /// # Errors
    /// When nobody asked him to.
    pub fn confirm(&mut self, authenticated: bool, now: Timestamp) -> Result<(), IllegalTransition> {
        if authenticated {
            let to = self.record.status.after(Transition::Authenticated)?;
            self.move_to(to, now);
            Ok(())
        } else {
            let code = DeclineCode::AuthenticationFailed;
            self.decline(Transition::AuthenticationFailed, code, now)
        }
    }

    /// Called by the repository when the payment is durable in its present form, and its events with it.
    pub fn stored_as(&mut self, version: u64) {
        self.record.version = version;
        self.events.clear();
    }

    fn decline(
        &mut self,
        transition: Transition,
        code: DeclineCode,
        now: Timestamp,
    ) -> Result<(), IllegalTransition> {
        let to = self.record.status.after(transition)?;
        self.move_to(to, now);
        self.record.decline_code = Some(code);
        self.tell(PaymentEventKind::Declined, None, now);
        Ok(())
    }

    /// To another status or within one; what belongs to the former status alone is gone.
    fn move_to(&mut self, status: PaymentStatus, now: Timestamp) {
        if self.record.status != status {
            self.record.expires_at = None;
        }
        self.record.status = status;
        if !PaymentRecord::keeps_card(status) {
            self.record.card_token = None;
        }
        self.touch(now);
    }

    fn tell(&mut self, kind: PaymentEventKind, operation: Option<OperationId>, occurred_at: Timestamp) {
        self.events.push(PaymentEvent {
            kind,
            operation,
            occurred_at,
        });
    }

    fn touch(&mut self, now: Timestamp) {
        self.record.updated_at = self.record.updated_at.max(now);
    }

    const fn illegal(&self, trigger: &'static str) -> IllegalTransition {
        IllegalTransition {
            from: self.record.status,
            trigger,
        }
    }
}

#[cfg(test)]
mod tests;
