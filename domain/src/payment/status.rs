//! Where a payment stands, and the table of how it may move.

use std::fmt;

/// The states of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PaymentStatus {
    /// Held for an analyst.
    InReview,
    /// The payer has to prove who he is.
    RequiresAction,
    /// On its way to the acquirer, or waiting to learn what the acquirer did.
    Authorizing,
    /// The amount is reserved.
    Authorized,
    /// All of the amount or a part of it was taken; of that, some or all may have been given back.
    Captured,
    /// Taken back before anything was captured. Final.
    Voided,
    /// Refused by a policy, an analyst, the issuer or the acquirer. Final.
    Declined,
    /// Nobody acted on it in time. Final.
    Expired,
}

impl PaymentStatus {
    /// Every status.
    pub const ALL: [Self; 8] = [
        Self::InReview,
        Self::RequiresAction,
        Self::Authorizing,
        Self::Authorized,
        Self::Captured,
        Self::Voided,
        Self::Declined,
        Self::Expired,
    ];

    /// The stable name, such as `in_review`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InReview => "in_review",
            Self::RequiresAction => "requires_action",
            Self::Authorizing => "authorizing",
            Self::Authorized => "authorized",
            Self::Captured => "captured",
            Self::Voided => "voided",
            Self::Declined => "declined",
            Self::Expired => "expired",
        }
    }

    /// The status of a stable name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
    }

    /// Whether nothing can change it any more.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Voided | Self::Declined | Self::Expired)
    }

    /// Whether it waits for somebody to act, and [expires](Transition::Expired) where nobody does.
    #[must_use]
    pub const fn waits(self) -> bool {
        matches!(self, Self::InReview | Self::RequiresAction | Self::Authorized)
    }

    /// The status after a transition.
    ///
    /// # Errors
    /// When the table has no such row.
    pub fn after(self, transition: Transition) -> Result<Self, IllegalTransition> {
        TRANSITIONS
            .iter()
            .find(|(from, by, _)| *from == self && *by == transition)
            .map(|(.., to)| *to)
            .ok_or(IllegalTransition {
                from: self,
                trigger: transition.as_str(),
            })
    }
}

/// What can move a payment that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transition {
    /// An analyst let it go on.
    ReviewApproved,
    /// An analyst refused it.
    ReviewRejected,
    /// The payer proved who he is.
    Authenticated,
    /// The payer did not.
    AuthenticationFailed,
    /// The acquirer did not keep the card for when somebody has acted.
    CardNotKept,
    /// The merchant gave it up before it was sent to the acquirer.
    Cancelled,
    /// The acquirer reserved the amount.
    Authorized,
    /// The acquirer or the issuer refused.
    AuthorizationDeclined,
    /// The acquirer was certainly not reached.
    AcquirerNotReached,
    /// The acquirer took the amount, or a part of it.
    Captured,
    /// The acquirer let go of what was reserved and not captured.
    Released,
    /// The acquirer gave back what was captured, or a part of it.
    Refunded,
    /// Nobody acted in time.
    Expired,
}

impl Transition {
    /// Every transition.
    pub const ALL: [Self; 13] = [
        Self::ReviewApproved,
        Self::ReviewRejected,
        Self::Authenticated,
        Self::AuthenticationFailed,
        Self::CardNotKept,
        Self::Cancelled,
        Self::Authorized,
        Self::AuthorizationDeclined,
        Self::AcquirerNotReached,
        Self::Captured,
        Self::Released,
        Self::Refunded,
        Self::Expired,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::ReviewApproved => "review_approved",
            Self::ReviewRejected => "review_rejected",
            Self::Authenticated => "authenticated",
            Self::AuthenticationFailed => "authentication_failed",
            Self::CardNotKept => "card_not_kept",
            Self::Cancelled => "cancelled",
            Self::Authorized => "authorized",
            Self::AuthorizationDeclined => "authorization_declined",
            Self::AcquirerNotReached => "acquirer_not_reached",
            Self::Captured => "captured",
            Self::Released => "released",
            Self::Refunded => "refunded",
            Self::Expired => "expired",
        }
    }
}

/// Every move a payment can make: from, by, to. What is not here does not happen.
#[rustfmt::skip]
pub const TRANSITIONS: &[(PaymentStatus, Transition, PaymentStatus)] = &[
    (PaymentStatus::InReview,       Transition::ReviewApproved,        PaymentStatus::Authorizing),
    (PaymentStatus::InReview,       Transition::ReviewRejected,        PaymentStatus::Declined),
    (PaymentStatus::InReview,       Transition::CardNotKept,           PaymentStatus::Declined),
    (PaymentStatus::InReview,       Transition::Cancelled,             PaymentStatus::Voided),
    (PaymentStatus::InReview,       Transition::Expired,               PaymentStatus::Expired),
    (PaymentStatus::RequiresAction, Transition::Authenticated,         PaymentStatus::Authorizing),
    (PaymentStatus::RequiresAction, Transition::AuthenticationFailed,  PaymentStatus::Declined),
    (PaymentStatus::RequiresAction, Transition::CardNotKept,           PaymentStatus::Declined),
    (PaymentStatus::RequiresAction, Transition::Cancelled,             PaymentStatus::Voided),
    (PaymentStatus::RequiresAction, Transition::Expired,               PaymentStatus::Expired),
    (PaymentStatus::Authorizing,    Transition::Authorized,            PaymentStatus::Authorized),
    (PaymentStatus::Authorizing,    Transition::AuthorizationDeclined, PaymentStatus::Declined),
    (PaymentStatus::Authorizing,    Transition::AcquirerNotReached,    PaymentStatus::Declined),
    (PaymentStatus::Authorized,     Transition::Captured,              PaymentStatus::Captured),
    (PaymentStatus::Authorized,     Transition::Released,              PaymentStatus::Voided),
    (PaymentStatus::Authorized,     Transition::Expired,               PaymentStatus::Expired),
    (PaymentStatus::Captured,       Transition::Captured,              PaymentStatus::Captured),
    (PaymentStatus::Captured,       Transition::Released,              PaymentStatus::Captured),
    (PaymentStatus::Captured,       Transition::Refunded,              PaymentStatus::Captured),
];

/// A command that the payment's present state does not allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IllegalTransition {
    /// Where the payment stands.
    pub from: PaymentStatus,
    /// What was asked of it.
    pub trigger: &'static str,
}

impl fmt::Display for IllegalTransition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "a payment that is {} does not take {}",
            self.from.as_str(),
            self.trigger
        )
    }
}

impl std::error::Error for IllegalTransition {}
