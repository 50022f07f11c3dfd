//! The party that moves the money.

use async_trait::async_trait;
use domain::payment::{AcquirerReference, CardToken, DeclineCode, OperationKind};
use domain::text::BoundedText;
use domain::{CardExpiry, CardNumber, MerchantId, Money, OperationId, PaymentId};
use thiserror::Error;

/// With which card is paid.
#[derive(Debug)]
pub enum CardSource<'a> {
    /// The card itself; its number goes no further than the acquirer.
    Card {
        /// The full number.
        number: &'a CardNumber,
        /// The card's last month.
        expiry: CardExpiry,
    },
    /// One that the acquirer was given before, and keeps.
    Kept(&'a CardToken),
}

/// How the payer proved who he is, as his issuer's 3-D Secure server says it. Handed on to the acquirer, and not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PayerAuthentication {
    /// The electronic commerce indicator: two digits.
    pub eci: BoundedText<2>,
    /// The cryptogram (CAVV or AAV), in base64.
    pub cryptogram: BoundedText<64>,
    /// The 3-D Secure server's or directory server's name for it.
    pub transaction_id: BoundedText<64>,
}

/// One authorization to be made.
#[derive(Debug)]
pub struct AuthorizationRequest<'a> {
    /// The operation's name: the acquirer must do it at most once under this name.
    pub operation_id: &'a OperationId,
    /// Who is paid.
    pub merchant_id: &'a MerchantId,
    /// How much is to be reserved.
    pub amount: Money,
    /// With which card.
    pub card: CardSource<'a>,
    /// How the payer proved who he is, if he was asked to.
    pub authentication: Option<&'a PayerAuthentication>,
}

/// A card that is to be kept until somebody has decided about its payment.
#[derive(Debug)]
pub struct KeepCardRequest<'a> {
    /// For which payment: asked twice, the acquirer keeps it once.
    pub payment_id: &'a PaymentId,
    /// For whom.
    pub merchant_id: &'a MerchantId,
    /// The full number.
    pub number: &'a CardNumber,
    /// The card's last month.
    pub expiry: CardExpiry,
}

/// A capture, a void or a refund of what was authorized.
#[derive(Clone, Copy, Debug)]
pub struct FollowUpRequest<'a> {
    /// The operation's name: the acquirer must do it at most once under this name.
    pub operation_id: &'a OperationId,
    /// What is to be done; never an authorization.
    pub kind: OperationKind,
    /// Who is paid.
    pub merchant_id: &'a MerchantId,
    /// The acquirer's name for the authorization.
    pub authorization: &'a AcquirerReference,
    /// How much.
    pub amount: Money,
}

/// What the acquirer said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AcquirerAnswer {
    /// It is done.
    Approved {
        /// The acquirer's name for it.
        reference: AcquirerReference,
    },
    /// It refused.
    Declined {
        /// Why; a code that [is the acquirer's to say](DeclineCode::is_acquirers).
        code: DeclineCode,
    },
}

/// What became of a card that was to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CardKept {
    /// It is kept under this name.
    As(CardToken),
    /// The acquirer does not take the card.
    Declined {
        /// Why; a code that [is the acquirer's to say](DeclineCode::is_acquirers).
        code: DeclineCode,
    },
}

/// What the acquirer says about an operation that it may have been asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InquiryAnswer {
    /// It was asked, and this is what it said.
    Answered(AcquirerAnswer),
    /// It was asked, and has not done with it yet.
    UnderWay,
    /// It was never asked, and from now on refuses whatever comes late under that name.
    NeverReceived,
}

/// Why there is no answer. The two are worlds apart: after `NotSent` nothing happened, after `OutcomeUnknown` money
/// may have moved.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AcquirerError {
    /// The request certainly never reached the acquirer.
    #[error("the acquirer was not reached: {reason}")]
    NotSent {
        /// For the operator.
        reason: String,
    },
    /// The request may have reached the acquirer, but its answer did not come.
    #[error("the acquirer's answer did not come: {reason}")]
    OutcomeUnknown {
        /// For the operator.
        reason: String,
    },
}

/// Moves money. Each of its methods MUST answer within a bound of its own: callers do not add one.
#[async_trait]
pub trait Acquirer: Send + Sync {
    /// Reserves an amount on a card.
    ///
    /// # Errors
    /// MUST return `NotSent` only where the acquirer cannot have seen the request, and `OutcomeUnknown` in every
    /// doubt.
    async fn authorize(&self, request: AuthorizationRequest<'_>) -> Result<AcquirerAnswer, AcquirerError>;

    /// Captures, voids or refunds.
    ///
    /// # Errors
    /// As for [`Acquirer::authorize`].
    async fn follow_up(&self, request: FollowUpRequest<'_>) -> Result<AcquirerAnswer, AcquirerError>;

    /// Has a card kept for later. Moves no money.
    ///
    /// # Errors
    /// When there was no answer; which of the two errors does not matter.
    async fn keep_card(&self, request: KeepCardRequest<'_>) -> Result<CardKept, AcquirerError>;

    /// Asks what became of an operation. MUST answer `NeverReceived` only where the acquirer refuses from then on whatever
    /// comes under that name: a request that was on its way all the time would otherwise move money that nobody knows of.
    ///
    /// # Errors
    /// When there was no answer; which of the two errors does not matter.
    async fn inquire(
        &self,
        operation_id: &OperationId,
        merchant_id: &MerchantId,
    ) -> Result<InquiryAnswer, AcquirerError>;
}
