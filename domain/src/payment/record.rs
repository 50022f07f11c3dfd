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
        let count = |status| self.operations.iter().filter(|o| o.status == status).count();
        let open = self.operations.iter().filter(|o| o.is_open()).count();
        let approved = self.decision.outcome == Outcome::Approve;
        let checks = [
            (open <= 1, "at most one operation is open"),
            (
                self.operations
                    .iter()
                    .all(|o| o.amount.currency() == self.details.amount.currency()),
                "one currency",
            ),
            (
                (self.status == PaymentStatus::Authorized) == (count(OperationStatus::Succeeded) > 0),
                "authorized if and only if an authorization succeeded",
            ),
            (
                (self.status == PaymentStatus::Declined) == self.decline_code.is_some(),
                "declined if and only if there is a decline code",
            ),
            (
                self.operations.is_empty() || approved,
                "nothing is sent that was not approved",
            ),
            (
                open == 0 || self.status == PaymentStatus::Authorizing,
                "an operation is open only while authorizing",
            ),
            (
                self.created_at <= self.updated_at,
                "a payment does not change before it exists",
            ),
        ];
        match checks.iter().find(|(holds, _)| !holds) {
            Some((_, invariant)) => Err(InconsistentRecord { invariant }),
            None => Ok(()),
        }
    }
}
