//! Operations: one call each to the acquirer.

use crate::identifier::OperationId;
use crate::money::Money;
use crate::text::BoundedText;
use crate::timestamp::Timestamp;

/// The acquirer's own name for what it did.
pub type AcquirerReference = BoundedText<128>;

/// What is asked of the acquirer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OperationKind {
    /// Reserve the amount on the card.
    Authorize,
    /// Take what is reserved, or a part of it.
    Capture,
    /// Let go of what is reserved and not captured.
    Void,
    /// Give back what was captured, or a part of it.
    Refund,
}

impl OperationKind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Authorize, Self::Capture, Self::Void, Self::Refund];

    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Authorize => "authorize",
            Self::Capture => "capture",
            Self::Void => "void",
            Self::Refund => "refund",
        }
    }

    /// The kind of a stable name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// Where an operation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OperationStatus {
    /// Durable, and from here on possibly at the acquirer.
    Sent,
    /// The acquirer did it.
    Succeeded,
    /// The acquirer refused.
    Declined,
    /// It certainly never reached the acquirer.
    NotSent,
    /// The answer never came: it may or may not have happened.
    Unknown,
}

impl OperationStatus {
    const ALL: [Self; 5] = [
        Self::Sent,
        Self::Succeeded,
        Self::Declined,
        Self::NotSent,
        Self::Unknown,
    ];

    /// The stable name, such as `not_sent`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Succeeded => "succeeded",
            Self::Declined => "declined",
            Self::NotSent => "not_sent",
            Self::Unknown => "unknown",
        }
    }

    /// The status of a stable name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }
}

/// Why a payment or an operation was declined. Stable; merchants act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeclineCode {
    /// A risk policy said so.
    RiskPolicy,
    /// An analyst said so.
    ReviewRejected,
    /// The payer did not prove who he is.
    AuthenticationFailed,
    /// The issuer declined without a reason.
    CardDeclined,
    /// The account does not hold the amount.
    InsufficientFunds,
    /// The acquirer does not do it: the amount, the time or the state of the payment is not one that it takes.
    NotPermitted,
    /// The acquirer could not be reached, and certainly did nothing.
    AcquirerUnavailable,
}

impl DeclineCode {
    /// Every code.
    pub const ALL: [Self; 7] = [
        Self::RiskPolicy,
        Self::ReviewRejected,
        Self::AuthenticationFailed,
        Self::CardDeclined,
        Self::InsufficientFunds,
        Self::NotPermitted,
        Self::AcquirerUnavailable,
    ];

    /// Whether it is the acquirer's or the issuer's to say. The others are said by the gateway itself.
    #[must_use]
    pub const fn is_acquirers(self) -> bool {
        match self {
            Self::CardDeclined | Self::InsufficientFunds | Self::NotPermitted => true,
            Self::RiskPolicy
            | Self::ReviewRejected
            | Self::AuthenticationFailed
            | Self::AcquirerUnavailable => false,
        }
    }

    /// The stable name, such as `insufficient_funds`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RiskPolicy => "risk_policy",
            Self::ReviewRejected => "review_rejected",
            Self::AuthenticationFailed => "authentication_failed",
            Self::CardDeclined => "card_declined",
            Self::InsufficientFunds => "insufficient_funds",
            Self::NotPermitted => "not_permitted",
            Self::AcquirerUnavailable => "acquirer_unavailable",
        }
    }

    /// The code of a stable name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == name)
    }
}

/// What came of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperationResult {
    /// The acquirer did it, under this reference.
    Succeeded(AcquirerReference),
    /// The acquirer refused, for a reason that [is its to say](DeclineCode::is_acquirers).
    Declined(DeclineCode),
    /// It never left.
    NotSent,
    /// No answer; never to be taken for a failure.
    Unknown,
}

/// One call to the acquirer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// Its name, which is also the idempotency key that the acquirer is given.
    pub id: OperationId,
    /// What was asked.
    pub kind: OperationKind,
    /// Where it stands.
    pub status: OperationStatus,
    /// How much.
    pub amount: Money,
    /// The acquirer's name for it, once it succeeded.
    pub acquirer_reference: Option<AcquirerReference>,
    /// Why the acquirer refused, where it did.
    pub decline_code: Option<DeclineCode>,
    /// How often the acquirer was asked what became of it, in vain.
    pub inquiries: u32,
    /// When it is to be asked next, while the end is not known; none where that is left to humans.
    pub inquire_at: Option<Timestamp>,
    /// When it was made durable, before it was sent.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Operation {
    pub(super) fn sent(id: OperationId, kind: OperationKind, amount: Money, now: Timestamp) -> Self {
        let status = OperationStatus::Sent;
        Self {
            id,
            kind,
            status,
            amount,
            acquirer_reference: None,
            decline_code: None,
            inquiries: 0,
            inquire_at: None,
            created_at: now,
            updated_at: now,
        }
    }

    /// Whether its end is not known: it was sent, or its answer never came.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.status, OperationStatus::Sent | OperationStatus::Unknown)
    }

    /// Whether the acquirer did it.
    #[must_use]
    pub fn has_succeeded(&self) -> bool {
        self.status == OperationStatus::Succeeded
    }

    pub(super) fn asked_in_vain(&mut self, next: Option<Timestamp>, now: Timestamp) {
        self.inquiries = self.inquiries.saturating_add(1);
        self.inquire_at = next;
        self.updated_at = now;
    }

    pub(super) fn finish(&mut self, result: OperationResult, now: Timestamp) {
        self.status = match result {
            OperationResult::Succeeded(reference) => {
                self.acquirer_reference = Some(reference);
                OperationStatus::Succeeded
            }
            OperationResult::Declined(code) => {
                self.decline_code = Some(code);
                OperationStatus::Declined
            }
            OperationResult::NotSent => OperationStatus::NotSent,
            OperationResult::Unknown => OperationStatus::Unknown,
        };
        if !self.is_open() {
            self.inquire_at = None;
        }
        self.updated_at = now;
    }
}
