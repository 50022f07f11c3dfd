//! The payment aggregate: what is to be paid, what was decided about it, and every call to the acquirer.

mod details;
mod operation;
mod record;
mod status;

pub use details::{
    CustomerDetails, DetailsText, DeviceDetails, MAX_METADATA_ENTRIES, MetadataText, PaymentDetails,
};
pub use operation::{
    AcquirerReference, DeclineCode, Operation, OperationKind, OperationResult, OperationStatus,
};
pub use record::{InconsistentRecord, PaymentRecord};
pub use status::{IllegalTransition, PaymentStatus, TRANSITIONS, Transition};

use crate::identifier::{OperationId, PaymentId};
use crate::risk::{Outcome, RiskDecision, RiskRequest};
use crate::timestamp::Timestamp;

/// One payment. Every change goes through a method that holds the invariants:
/// its status moves along [`TRANSITIONS`] alone; at most one operation is open at a time; a final operation stays so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment(PaymentRecord);

impl Payment {
    /// A payment as its risk decision leaves it: declined, held, to be challenged, or on its way to the acquirer.
    #[must_use]
    pub fn decided(
        id: PaymentId,
        details: PaymentDetails,
        decision: RiskDecision,
        created_at: Timestamp,
    ) -> Self {
        let (status, decline_code) = match decision.outcome {
            Outcome::Approve => (PaymentStatus::Authorizing, None),
            Outcome::Challenge => (PaymentStatus::RequiresAction, None),
            Outcome::Review => (PaymentStatus::InReview, None),
            Outcome::Decline => (PaymentStatus::Declined, Some(DeclineCode::RiskPolicy)),
        };
        Self(PaymentRecord {
            id,
            details,
            status,
            decline_code,
            decision,
            operations: Vec::new(),
            created_at,
            updated_at: created_at,
            version: 0,
        })
    }

    /// A payment as it was stored.
    ///
    /// # Errors
    /// When the record breaks an invariant, so that nothing is built on altered or damaged rows.
    pub fn restore(record: PaymentRecord) -> Result<Self, InconsistentRecord> {
        record.check()?;
        Ok(Self(record))
    }

    /// What is stored of it.
    #[must_use]
    pub fn record(&self) -> &PaymentRecord {
        &self.0
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> &PaymentId {
        &self.0.id
    }

    /// Where it stands.
    #[must_use]
    pub fn status(&self) -> PaymentStatus {
        self.0.status
    }

    /// What a policy is asked about.
    #[must_use]
    pub fn risk_request(&self) -> RiskRequest<'_> {
        RiskRequest {
            payment_id: &self.0.id,
            details: &self.0.details,
            created_at: self.0.created_at,
        }
    }

    /// Opens the authorization that is about to be sent. Store the payment before the acquirer is called: what is not
    /// known to have been sent can neither be asked for again nor be undone.
    ///
    /// # Errors
    /// When the payment is not `authorizing`, or an operation is open already.
    pub fn begin_authorization(
        &mut self,
        id: OperationId,
        now: Timestamp,
    ) -> Result<&Operation, IllegalTransition> {
        let refused = IllegalTransition {
            from: self.0.status,
            trigger: "begin_authorization",
        };
        if self.0.status != PaymentStatus::Authorizing || self.0.operations.iter().any(Operation::is_open) {
            return Err(refused);
        }
        self.0.operations.push(Operation::sent(
            id,
            OperationKind::Authorize,
            self.0.details.amount,
            now,
        ));
        self.touch(now);
        self.0.operations.last().ok_or(refused)
    }

    /// Takes in what the acquirer answered, or that it did not answer.
    ///
    /// # Errors
    /// When there is no such open operation, the payment's status does not allow the answer, or the answer's decline
    /// code is not the acquirer's to say.
    pub fn finish_authorization(
        &mut self,
        id: &OperationId,
        result: OperationResult,
        now: Timestamp,
    ) -> Result<(), IllegalTransition> {
        let transition = match &result {
            OperationResult::Succeeded(_) => Some(Transition::Authorized),
            OperationResult::Declined(_) => Some(Transition::AuthorizationDeclined),
            OperationResult::NotSent => Some(Transition::AcquirerNotReached),
            // The money may have moved: the payment stays where it is until the acquirer has said what happened.
            OperationResult::Unknown => None,
        };
        let from = self.0.status;
        let refused = IllegalTransition {
            from,
            trigger: "finish_authorization",
        };
        if matches!(&result, OperationResult::Declined(code) if !code.is_acquirers()) {
            return Err(refused);
        }
        let to = transition.map_or(Ok(from), |transition| from.after(transition))?;
        let decline_code = match &result {
            OperationResult::Declined(code) => Some(*code),
            OperationResult::NotSent => Some(DeclineCode::AcquirerUnavailable),
            OperationResult::Succeeded(_) | OperationResult::Unknown => None,
        };
        let operation = self.0.operations.iter_mut().find(|operation| operation.id == *id);
        let operation = operation.filter(|operation| operation.is_open());
        operation.ok_or(refused)?.finish(result, now);
        self.0.status = to;
        self.0.decline_code = decline_code;
        self.touch(now);
        Ok(())
    }

    /// Called by the repository when the payment is durable in its present form.
    pub fn stored_as(&mut self, version: u64) {
        self.0.version = version;
    }

    fn touch(&mut self, now: Timestamp) {
        self.0.updated_at = self.0.updated_at.max(now);
    }
}

#[cfg(test)]
mod tests;
