//! What happened to a payment, in the past tense: written to the outbox together with the payment it happened to.

use crate::identifier::OperationId;
use crate::timestamp::Timestamp;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PaymentEventKind {
    /// It was held for an analyst.
    HeldForReview,
    /// The payer was asked to prove who he is.
    Challenged,
    /// The amount was reserved.
    Authorized,
    /// It was declined.
    Declined,
    /// The amount or a part of it was taken.
    Captured,
    /// The acquirer refused to capture.
    CaptureFailed,
    /// It was taken back, or what was not captured of it.
    Voided,
    /// The acquirer refused to void.
    VoidFailed,
    /// Nobody acted on it in time.
    Expired,
    /// What was captured, or a part of it, was given back.
    Refunded,
    /// The acquirer refused to refund.
    RefundFailed,
}

impl PaymentEventKind {
    /// Every kind.
    pub const ALL: [Self; 11] = [
        Self::HeldForReview,
        Self::Challenged,
        Self::Authorized,
        Self::Declined,
        Self::Captured,
        Self::CaptureFailed,
        Self::Voided,
        Self::VoidFailed,
        Self::Expired,
        Self::Refunded,
        Self::RefundFailed,
    ];

    /// The stable name, such as `payment.authorized`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HeldForReview => "payment.held_for_review",
            Self::Challenged => "payment.challenged",
            Self::Authorized => "payment.authorized",
            Self::Declined => "payment.declined",
            Self::Captured => "payment.captured",
            Self::CaptureFailed => "payment.capture_failed",
            Self::Voided => "payment.voided",
            Self::VoidFailed => "payment.void_failed",
            Self::Expired => "payment.expired",
            Self::Refunded => "payment.refunded",
            Self::RefundFailed => "payment.refund_failed",
        }
    }

    /// The kind of a stable name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentEvent {
    /// What.
    pub kind: PaymentEventKind,
    /// By which operation, where it was one.
    pub operation: Option<OperationId>,
    /// When.
    pub occurred_at: Timestamp,
}
