//! Taking a payment: decide, and where the policies approve, have the acquirer reserve the amount.

use std::sync::Arc;

use domain::payment::{DeclineCode, IllegalTransition, OperationRefused, PaymentDetails, PaymentStatus};
use domain::risk::RiskRequest;
use domain::{CardExpiry, CardNumber, CountryCode, Payment};
use thiserror::Error;

use crate::idempotency::KeyedRequest;
use crate::operation_runner::{AuthorizationMeans, OperationRunner, RunError};
use crate::payment_times::later;
use crate::ports::{AcquirerError, CardFingerprinter, CardKept, CardSource, KeepCardRequest};
use crate::risk_assessment::{NoPolicySet, RiskAssessment};

use super::summarize_card;

/// The card that pays. Its number is wiped when this is dropped.
#[derive(Debug)]
pub struct PaymentCard {
    /// The full number.
    pub number: CardNumber,
    /// Its last month.
    pub expiry: CardExpiry,
    /// Where its issuer is, as far as the merchant knows.
    pub issuer_country: Option<CountryCode>,
}

/// A payment that a merchant asks for.
#[derive(Debug)]
pub struct AuthorizePaymentCommand {
    /// What is to be paid; its `card` is filled in from the card below.
    pub details: PaymentDetails,
    /// What pays it.
    pub card: PaymentCard,
}

/// Why a payment was not taken in. A declined payment is no error.
#[derive(Debug, Error)]
pub enum AuthorizePaymentError {
    /// The card's last month is over.
    #[error("the card has expired")]
    CardExpired,
    /// No policies are loaded, so nothing can be decided.
    #[error(transparent)]
    NoPolicySet(#[from] NoPolicySet),
    /// The aggregate refused a step that this use case takes: a defect, told rather than stepped over.
    #[error(transparent)]
    Refused(#[from] OperationRefused),
    /// The payment, or how its authorization ended, could not be stored.
    #[error(transparent)]
    Run(#[from] RunError),
}

impl From<IllegalTransition> for AuthorizePaymentError {
    fn from(illegal: IllegalTransition) -> Self {
        Self::Refused(illegal.into())
    }
}

/// Takes payments.
#[derive(Clone)]
pub struct AuthorizePayment {
    /// Decides about them.
    pub risk: RiskAssessment,
    /// Has the acquirer reserve the amount.
    pub runner: OperationRunner,
    /// Recognizes cards.
    pub fingerprinter: Arc<dyn CardFingerprinter>,
}

impl AuthorizePayment {
    /// Decides about a payment and, where approved, has the acquirer reserve the amount. Whatever the policies and the
    /// acquirer say is in the payment that comes back. Must not be dropped half way: run it on a task of its own.
    ///
    /// # Errors
    /// When the card has expired, no policies are loaded, or the payment cannot be stored.
    pub async fn execute(
        &self,
        command: AuthorizePaymentCommand,
        mut request: KeyedRequest,
    ) -> Result<Payment, AuthorizePaymentError> {
        let AuthorizePaymentCommand { mut details, card } = command;
        let created_at = self.risk.clock.now();
        if card.expiry.is_past(created_at) {
            return Err(AuthorizePaymentError::CardExpired);
        }
        details.card = Some(summarize_card(
            &self.fingerprinter,
            &card.number,
            card.issuer_country,
        ));
        let id = self.risk.ids.payment_id();
        let asked = RiskRequest {
            payment_id: &id,
            details: &details,
            created_at,
        };
        let decision = self.risk.assess(&asked).await?;

        let mut payment = Payment::decided(id, details, decision, created_at);
        match payment.status() {
            PaymentStatus::Authorizing => self.authorize(&mut payment, &card, &mut request).await?,
            PaymentStatus::InReview | PaymentStatus::RequiresAction => {
                self.hold(&mut payment, &card).await?;
                self.store(&mut payment, &mut request).await?;
            }
            _ => self.store(&mut payment, &mut request).await?,
        }
        self.risk.telemetry.payment_finished(payment.status());
        Ok(payment)
    }

    async fn authorize(
        &self,
        payment: &mut Payment,
        card: &PaymentCard,
        request: &mut KeyedRequest,
    ) -> Result<(), AuthorizePaymentError> {
        let operation_id = self.risk.ids.operation_id();
        payment.begin_authorization(operation_id.clone(), self.risk.clock.now())?;
        let means = AuthorizationMeans {
            card: CardSource::Card {
                number: &card.number,
                expiry: card.expiry,
            },
            authentication: None,
        };
        self.runner
            .run(payment, &operation_id, Some(means), request)
            .await?;
        Ok(())
    }

    /// Has the acquirer keep the card of a payment that waits, since here its number is gone when the request is. A payment
    /// whose card nobody keeps could never be authorized, and is declined.
    async fn hold(&self, payment: &mut Payment, card: &PaymentCard) -> Result<(), AuthorizePaymentError> {
        let now = self.risk.clock.now();
        let times = &self.runner.times;
        let waits_ms = match payment.status() {
            PaymentStatus::InReview => times.review_ms,
            _ => times.challenge_ms,
        };
        let keep = KeepCardRequest {
            payment_id: payment.id(),
            merchant_id: &payment.record().details.merchant_id,
            number: &card.number,
            expiry: card.expiry,
        };
        match self.runner.acquirer.keep_card(keep).await {
            Ok(CardKept::As(token)) => {
                payment.keep_card(token)?;
                payment.expire_at(later(now, waits_ms));
            }
            Ok(CardKept::Declined { code }) => payment.decline_unkept(code, now)?,
            Err(error @ (AcquirerError::NotSent { .. } | AcquirerError::OutcomeUnknown { .. })) => {
                tracing::warn!(payment.id = %payment.id(), %error, "the acquirer did not keep the card");
                payment.decline_unkept(DeclineCode::AcquirerUnavailable, now)?;
            }
        }
        Ok(())
    }

    async fn store(
        &self,
        payment: &mut Payment,
        request: &mut KeyedRequest,
    ) -> Result<(), AuthorizePaymentError> {
        let now = self.risk.clock.now();
        request
            .save(&*self.runner.payments, payment, None, now)
            .await
            .map_err(RunError::NotStored)?;
        self.runner.settle(payment).await;
        Ok(())
    }
}
