//! A payment as it is stored, and the check of what comes back.

use std::fmt;

use crate::identifier::PaymentId;
use crate::risk::{Outcome, RiskDecision};
use crate::timestamp::Timestamp;

use super::{DeclineCode, Operation, OperationStatus, PaymentDetails, PaymentStatus};

/// All that is kept of a payment. Plain data: repositories read and write it, `Payment::restore` checks it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentRecord {
    /// Its name.
    pub id: PaymentId,
    /// What the merchant said.
    pub details: PaymentDetails,
    /// Where it stands.
    pub status: PaymentStatus,
    /// Why it was declined, if it was.
    pub decline_code: Option<DeclineCode>,
    /// What the policies said.
    pub decision: RiskDecision,
    /// Every call to the acquirer, oldest first.
    pub operations: Vec<Operation>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// How often it was stored; 0 before the first time. Guards against lost updates.
    pub version: u64,
}

/// A stored payment that cannot have been written by this aggregate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InconsistentRecord {
    /// The invariant that does not hold.
    pub invariant: &'static str,
}

impl fmt::Display for InconsistentRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the stored payment breaks an invariant: {}", self.invariant)
    }
}

impl std::error::Error for InconsistentRecord {}

impl PaymentRecord {
    pub(super) fn check(&self) -> Result<(), InconsistentRecord> {
        let mut checks = self.decision_checks().into_iter().chain(self.operation_checks());
        match checks.find(|(holds, _)| !holds) {
            Some((_, invariant)) => Err(InconsistentRecord { invariant }),
            None => Ok(()),
        }
    }

    /// What the decision, the status and the decline code have to say about each other.
    fn decision_checks(&self) -> [Check; 5] {
        let status_fits = match self.decision.outcome {
            Outcome::Approve => matches!(
                self.status,
                PaymentStatus::Authorizing | PaymentStatus::Authorized | PaymentStatus::Declined
            ),
            Outcome::Challenge => self.status == PaymentStatus::RequiresAction,
            Outcome::Review => self.status == PaymentStatus::InReview,
            Outcome::Decline => self.status == PaymentStatus::Declined,
        };
        [
            (
                self.decision.is_joined(),
                "the decision is the strictest of its evaluations",
            ),
            (status_fits, "the status is one that the decision leads to"),
            (
                (self.status == PaymentStatus::Declined) == self.decline_code.is_some(),
                "declined if and only if there is a decline code",
            ),
            (
                (self.decline_code == Some(DeclineCode::RiskPolicy))
                    == (self.decision.outcome == Outcome::Decline),
                "declined by a policy if and only if the decision says so",
            ),
            (
                self.created_at <= self.updated_at,
                "a payment does not change before it exists",
            ),
        ]
    }

    /// What the operations have to say about the payment and each other.
    fn operation_checks(&self) -> [Check; 7] {
        let open = self.operations.iter().filter(|o| o.is_open()).count();
        let succeeded = |operation: &Operation| operation.status == OperationStatus::Succeeded;
        let successes = self.operations.iter().filter(|o| succeeded(o)).count();
        [
            (
                self.operations.is_empty() || self.decision.outcome == Outcome::Approve,
                "nothing is sent that was not approved",
            ),
            // Every kind of operation there is so far is about the whole amount.
            (
                self.operations.iter().all(|o| o.amount == self.details.amount),
                "an authorization is about the payment's amount",
            ),
            (open <= 1, "at most one operation is open"),
            (
                open == 0 || self.status == PaymentStatus::Authorizing,
                "an operation is open only while authorizing",
            ),
            (successes <= 1, "at most one authorization succeeded"),
            (
                (self.status == PaymentStatus::Authorized) == (successes > 0),
                "authorized if and only if an authorization succeeded",
            ),
            (
                self.operations
                    .iter()
                    .all(|o| o.acquirer_reference.is_some() == succeeded(o)),
                "an acquirer reference if and only if it succeeded",
            ),
        ]
    }
}

/// Whether an invariant holds, and which.
type Check = (bool, &'static str);
