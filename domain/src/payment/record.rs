//! A payment as it is stored, and the check of what comes back.

use std::fmt;

use crate::identifier::PaymentId;
use crate::risk::{Outcome, RiskDecision};
use crate::text::BoundedText;
use crate::timestamp::Timestamp;

use super::{
    DeclineCode, Operation, OperationKind, OperationStatus, PaymentAmounts, PaymentDetails, PaymentStatus,
    Review, ReviewVerdict,
};

/// What the acquirer calls a card that it keeps: of use to nobody but this merchant at this acquirer.
pub type CardToken = BoundedText<128>;

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
    /// The card as the acquirer keeps it, while the payment may still have to be authorized.
    pub card_token: Option<CardToken>,
    /// What an analyst said, if one did.
    pub review: Option<Review>,
    /// Until when somebody has to act on it, while it waits for that.
    pub expires_at: Option<Timestamp>,
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
    /// Whether a payment in this status may still have to be authorized.
    pub(super) const fn keeps_card(status: PaymentStatus) -> bool {
        matches!(
            status,
            PaymentStatus::InReview | PaymentStatus::RequiresAction | PaymentStatus::Authorizing
        )
    }

    pub(super) fn check(&self) -> Result<(), InconsistentRecord> {
        let checks = self.decision_checks().into_iter();
        let checks = checks.chain(self.operation_checks()).chain(self.amount_checks());
        match checks.into_iter().find(|(holds, _)| !holds) {
            Some((_, invariant)) => Err(InconsistentRecord { invariant }),
            None => Ok(()),
        }
    }

    /// What the decision, the status and the decline code have to say about each other.
    fn decision_checks(&self) -> [Check; 9] {
        let outcome = self.decision.outcome;
        let status_fits = match outcome {
            Outcome::Approve => !matches!(
                self.status,
                PaymentStatus::InReview | PaymentStatus::RequiresAction
            ),
            Outcome::Challenge => self.status != PaymentStatus::InReview,
            Outcome::Review => self.status != PaymentStatus::RequiresAction,
            Outcome::Decline => self.status == PaymentStatus::Declined,
        };
        let approved = |review: &Review| review.verdict == ReviewVerdict::Approved;
        let unreviewed = match self.status {
            PaymentStatus::InReview | PaymentStatus::Voided | PaymentStatus::Expired => true,
            PaymentStatus::Declined => self.operations.is_empty(),
            _ => false,
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
                (self.decline_code == Some(DeclineCode::RiskPolicy)) == (outcome == Outcome::Decline),
                "declined by a policy if and only if the decision says so",
            ),
            (
                (self.decline_code == Some(DeclineCode::ReviewRejected))
                    == self.review.as_ref().is_some_and(|review| !approved(review)),
                "declined by an analyst if and only if one rejected it",
            ),
            (
                match &self.review {
                    Some(review) => {
                        outcome == Outcome::Review
                            && (!approved(review) || self.status != PaymentStatus::InReview)
                    }
                    None => outcome != Outcome::Review || unreviewed,
                },
                "what was held for review goes on if and only if an analyst approved it",
            ),
            (
                self.card_token.is_none() || Self::keeps_card(self.status),
                "a card is kept only while the payment may have to be authorized",
            ),
            (
                self.expires_at.is_none() || self.status.waits(),
                "only a payment that waits expires",
            ),
            (
                self.created_at <= self.updated_at,
                "a payment does not change before it exists",
            ),
        ]
    }

    /// What the operations have to say about the payment and each other.
    fn operation_checks(&self) -> [Check; 9] {
        let mut open = self.operations.iter().filter(|o| o.is_open());
        let status_allows = |operation: &Operation| match operation.kind {
            OperationKind::Authorize => self.status == PaymentStatus::Authorizing,
            OperationKind::Capture | OperationKind::Void => {
                matches!(self.status, PaymentStatus::Authorized | PaymentStatus::Captured)
            }
            OperationKind::Refund => self.status == PaymentStatus::Captured,
        };
        let first_open = open.next();
        let declined_by_acquirer = self
            .operations
            .iter()
            .rfind(|o| o.kind == OperationKind::Authorize && o.decline_code.is_some());
        [
            (
                self.operations.is_empty()
                    || !matches!(
                        self.status,
                        PaymentStatus::InReview | PaymentStatus::RequiresAction
                    ) && self.decision.outcome != Outcome::Decline,
                "nothing is sent that was not approved",
            ),
            (
                self.operations
                    .iter()
                    .filter(|o| o.kind == OperationKind::Authorize)
                    .all(|o| o.amount == self.details.amount),
                "an authorization is about the payment's amount",
            ),
            (
                self.operations
                    .iter()
                    .all(|o| o.amount.currency() == self.details.amount.currency()),
                "every operation is in the payment's currency",
            ),
            (open.next().is_none(), "at most one operation is open"),
            (
                first_open.is_none_or(status_allows),
                "an operation is open only where the payment's status allows it",
            ),
            (
                self.operations
                    .iter()
                    .all(|o| o.acquirer_reference.is_some() == o.has_succeeded()),
                "an acquirer reference if and only if it succeeded",
            ),
            (
                self.operations
                    .iter()
                    .all(|o| o.decline_code.is_some() == (o.status == OperationStatus::Declined)),
                "an operation has a decline code if and only if the acquirer declined it",
            ),
            (
                self.operations
                    .iter()
                    .all(|o| o.inquire_at.is_none() || o.is_open()),
                "only an open operation is asked about",
            ),
            (
                declined_by_acquirer.is_none_or(|o| o.decline_code == self.decline_code),
                "the acquirer's reason is the payment's",
            ),
        ]
    }

    /// What the amounts of the operations have to say about the status and each other.
    fn amount_checks(&self) -> [Check; 5] {
        let amounts = PaymentAmounts::of(self);
        let authorized = amounts.authorized > 0;
        let expected = match self.status {
            PaymentStatus::Authorized => authorized && amounts.captured == 0 && amounts.released == 0,
            PaymentStatus::Captured => authorized && amounts.captured > 0,
            PaymentStatus::Voided => amounts.captured == 0 && amounts.released == amounts.authorized,
            PaymentStatus::Expired => amounts.captured == 0,
            PaymentStatus::InReview
            | PaymentStatus::RequiresAction
            | PaymentStatus::Authorizing
            | PaymentStatus::Declined => !authorized,
        };
        let begun = |kind| self.operations.iter().any(|o| o.kind == kind);
        [
            (
                amounts.authorized == 0 || amounts.authorized == self.details.amount.minor_units(),
                "at most one authorization succeeded",
            ),
            (expected, "the status is what the operations that succeeded say"),
            (
                amounts.capturable() >= 0,
                "no more is captured or let go of than was authorized",
            ),
            (amounts.refundable() >= 0, "no more is refunded than was captured"),
            (
                authorized
                    || ![OperationKind::Capture, OperationKind::Void, OperationKind::Refund]
                        .into_iter()
                        .any(begun),
                "nothing follows an authorization that did not succeed",
            ),
        ]
    }
}

/// Whether an invariant holds, and which.
type Check = (bool, &'static str);
