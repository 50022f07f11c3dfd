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
}

impl OperationKind {
    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Authorize => "authorize",
        }
    }

    /// The kind of a stable name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        (name == Self::Authorize.as_str()).then_some(Self::Authorize)
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

/// Why a payment was declined. Stable; merchants act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeclineCode {
    /// A risk policy said so.
    RiskPolicy,
    /// The issuer declined without a reason.
    CardDeclined,
    /// The account does not hold the amount.
    InsufficientFunds,
    /// The acquirer could not be reached, and certainly did nothing.
    AcquirerUnavailable,
}

impl DeclineCode {
    const ALL: [Self; 4] = [
        Self::RiskPolicy,
        Self::CardDeclined,
        Self::InsufficientFunds,
        Self::AcquirerUnavailable,
    ];

    /// Whether it is the acquirer's or the issuer's to say. The others are said by the gateway itself.
    #[must_use]
    pub const fn is_acquirers(self) -> bool {
        match self {
            Self::CardDeclined | Self::InsufficientFunds => true,
            Self::RiskPolicy | Self::AcquirerUnavailable => false,
        }
    }

    /// The stable name, such as `insufficient_funds`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RiskPolicy => "risk_policy",
            Self::CardDeclined => "card_declined",
            Self::InsufficientFunds => "insufficient_funds",
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
            created_at: now,
            updated_at: now,
        }
    }

    /// Whether its end is not known: it was sent, or its answer never came.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.status, OperationStatus::Sent | OperationStatus::Unknown)
    }

    pub(super) fn finish(&mut self, result: OperationResult, now: Timestamp) {
        self.status = match result {
            OperationResult::Succeeded(reference) => {
                self.acquirer_reference = Some(reference);
                OperationStatus::Succeeded
            }
            OperationResult::Declined(_) => OperationStatus::Declined,
            OperationResult::NotSent => OperationStatus::NotSent,
            OperationResult::Unknown => OperationStatus::Unknown,
        };
        self.updated_at = now;
    }
}
