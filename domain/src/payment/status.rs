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
    /// Refused by a policy, the issuer or the acquirer. Final.
    Declined,
}

impl PaymentStatus {
    /// Every status.
    pub const ALL: [Self; 5] = [
        Self::InReview,
        Self::RequiresAction,
        Self::Authorizing,
        Self::Authorized,
        Self::Declined,
    ];

    /// The stable name, such as `in_review`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InReview => "in_review",
            Self::RequiresAction => "requires_action",
            Self::Authorizing => "authorizing",
            Self::Authorized => "authorized",
            Self::Declined => "declined",
        }
    }

    /// The status of a stable name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == name)
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
    /// The acquirer reserved the amount.
    Authorized,
    /// The acquirer or the issuer refused.
    AuthorizationDeclined,
    /// The acquirer was certainly not reached.
    AcquirerNotReached,
}

impl Transition {
    /// Every transition.
    pub const ALL: [Self; 3] = [
        Self::Authorized,
        Self::AuthorizationDeclined,
        Self::AcquirerNotReached,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Authorized => "authorized",
            Self::AuthorizationDeclined => "authorization_declined",
            Self::AcquirerNotReached => "acquirer_not_reached",
        }
    }
}

/// Every move a payment can make: from, by, to. What is not here does not happen.
pub const TRANSITIONS: &[(PaymentStatus, Transition, PaymentStatus)] = &[
    (
        PaymentStatus::Authorizing,
        Transition::Authorized,
        PaymentStatus::Authorized,
    ),
    (
        PaymentStatus::Authorizing,
        Transition::AuthorizationDeclined,
        PaymentStatus::Declined,
    ),
    (
        PaymentStatus::Authorizing,
        Transition::AcquirerNotReached,
        PaymentStatus::Declined,
    ),
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
