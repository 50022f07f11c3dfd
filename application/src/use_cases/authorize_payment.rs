//! Taking a payment: decide, and where the policies approve, have the acquirer reserve the amount.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::payment::{
    AcquirerReference, DeclineCode, IllegalTransition, OperationKind, OperationResult, OperationStatus,
    PaymentDetails, PaymentStatus,
};
use domain::risk::RiskRequest;
use domain::{CardExpiry, CardNumber, CountryCode, OperationId, Payment, PaymentId};
use thiserror::Error;

use crate::ports::{
    Acquirer, AcquirerAnswer, AcquirerError, AuthorizationRequest, CardFingerprinter, PaymentRepository,
    RepositoryError, SettledAs, Timer,
};
use crate::risk_assessment::{NoPolicySet, RiskAssessment};

use super::summarize_card;

/// How long is waited before each new try to store the acquirer's answer: in all 6.3 s, which outlasts a lock that a
/// backup holds (5 s) and a disk that was filled for a moment.
const ANSWER_SAVE_PAUSES: [Duration; 6] = [
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(800),
    Duration::from_millis(1_600),
    Duration::from_millis(3_200),
];

/// No new try is begun after so long, since each takes its own time too. With the acquirer's 5 s before it and a last
/// save of 7 s (2 s for its turn, 5 s for a lock) this stays below the 25 s that payments get when the gateway is told
/// to stop.
const ANSWER_SAVE_BUDGET: Duration = Duration::from_secs(10);

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
    IllegalTransition(#[from] IllegalTransition),
    /// Nothing was sent to the acquirer. Where a commit broke off, the payment may be stored all the same.
    #[error("the payment could not be stored, and was not sent: {0}")]
    NotStored(RepositoryError),
    /// The acquirer was asked, but its answer could not be stored. The operation stays open, and is never taken for a
    /// failure: an operator has to ask the acquirer.
    #[error("the acquirer's answer about payment `{payment}` could not be stored: {error}")]
    AnswerNotStored {
        /// The payment, which is stored as it was before the answer.
        payment: PaymentId,
        /// Why.
        error: RepositoryError,
    },
}

/// Takes payments.
#[derive(Clone)]
pub struct AuthorizePayment {
    /// Decides about them.
    pub risk: RiskAssessment,
    /// Keeps them.
    pub payments: Arc<dyn PaymentRepository>,
    /// Moves the money.
    pub acquirer: Arc<dyn Acquirer>,
    /// Recognizes cards.
    pub fingerprinter: Arc<dyn CardFingerprinter>,
    /// Waits between the tries to store an answer.
    pub timer: Arc<dyn Timer>,
}

impl AuthorizePayment {
    /// Decides about a payment and, where approved, has the acquirer reserve the amount. Whatever the policies and the
    /// acquirer say is in the payment that comes back. Must not be dropped half way: run it on a task of its own.
    ///
    /// # Errors
    /// When the card has expired, no policies are loaded, or the payment cannot be stored.
    pub async fn execute(&self, command: AuthorizePaymentCommand) -> Result<Payment, AuthorizePaymentError> {
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
        let request = RiskRequest {
            payment_id: &id,
            details: &details,
            created_at,
        };
        let decision = self.risk.assess(&request).await?;

        let mut payment = Payment::decided(id, details, decision, created_at);
        if payment.status() == PaymentStatus::Authorizing {
            self.authorize(&mut payment, &card).await?;
        } else {
            self.payments
                .save(&mut payment)
                .await
                .map_err(AuthorizePaymentError::NotStored)?;
        }
        self.settle(&payment).await;
        self.risk.telemetry.payment_finished(payment.status());
        Ok(payment)
    }

    async fn authorize(
        &self,
        payment: &mut Payment,
        card: &PaymentCard,
    ) -> Result<(), AuthorizePaymentError> {
        let operation_id = self.risk.ids.operation_id();
        let now = self.risk.clock.now();
        payment.begin_authorization(operation_id.clone(), now)?;
        // Durable before it is sent: after a crash it is known that the acquirer may have been asked, and by which name.
        self.payments
            .save(payment)
            .await
            .map_err(AuthorizePaymentError::NotStored)?;
        let result = self.call_acquirer(payment, &operation_id, card).await;
        payment.finish_authorization(&operation_id, result, self.risk.clock.now())?;
        self.store_answer(payment).await.map_err(|error| {
            self.report_lost_answer(payment, &operation_id, &error);
            AuthorizePaymentError::AnswerNotStored {
                payment: payment.id().clone(),
                error,
            }
        })
    }

    /// Saves what the acquirer answered, again and again for a while where the store is away: money may have moved, and
    /// nobody else knows.
    async fn store_answer(&self, payment: &mut Payment) -> Result<(), RepositoryError> {
        let started = Instant::now();
        let mut stored = self.payments.save(payment).await;
        for pause in ANSWER_SAVE_PAUSES {
            let worth_a_try = matches!(stored, Err(RepositoryError::Unavailable { .. }));
            if !worth_a_try || started.elapsed() + pause > ANSWER_SAVE_BUDGET {
                break;
            }
            self.timer.pause(pause).await;
            stored = match self.payments.save(payment).await {
                Err(conflict @ RepositoryError::Conflict { .. }) => {
                    self.find_stored_answer(payment, conflict).await
                }
                stored => stored,
            };
        }
        stored
    }

    /// A try before this one may have been stored although it was told to have failed: then it is what conflicts.
    async fn find_stored_answer(
        &self,
        payment: &mut Payment,
        conflict: RepositoryError,
    ) -> Result<(), RepositoryError> {
        let Some(found) = self.payments.find(payment.id()).await? else {
            return Err(conflict);
        };
        let mut expected = payment.clone();
        expected.stored_as(found.record().version);
        if found != expected {
            return Err(conflict);
        }
        *payment = found;
        Ok(())
    }

    /// All that an operator needs to put the payment right by hand, since it is nowhere else.
    fn report_lost_answer(&self, payment: &Payment, id: &OperationId, error: &RepositoryError) {
        self.risk.telemetry.answer_not_stored();
        let operation = payment.record().operations.iter().find(|o| o.id == *id);
        let reference = operation.and_then(|o| o.acquirer_reference.as_ref());
        tracing::error!(
            payment.id = %payment.id(),
            operation.id = %id,
            operation.status = operation.map(|o| o.status.as_str()),
            decline_code = payment.record().decline_code.map(DeclineCode::as_str),
            acquirer.reference = reference.map(AcquirerReference::as_str),
            %error,
            "the acquirer's answer was not stored"
        );
    }

    async fn call_acquirer(
        &self,
        payment: &Payment,
        operation_id: &OperationId,
        card: &PaymentCard,
    ) -> OperationResult {
        let details = &payment.record().details;
        let started = Instant::now();
        let answer = self
            .acquirer
            .authorize(AuthorizationRequest {
                operation_id,
                merchant_id: &details.merchant_id,
                amount: details.amount,
                card: &card.number,
                expiry: card.expiry,
            })
            .await;
        let (result, status) = match answer {
            Ok(AcquirerAnswer::Approved { reference }) => {
                (OperationResult::Succeeded(reference), OperationStatus::Succeeded)
            }
            Ok(AcquirerAnswer::Declined { code }) => {
                (OperationResult::Declined(code), OperationStatus::Declined)
            }
            Err(error) => {
                tracing::warn!(payment.id = %payment.id(), operation.id = %operation_id, %error, "no acquirer answer");
                match error {
                    AcquirerError::NotSent { .. } => (OperationResult::NotSent, OperationStatus::NotSent),
                    AcquirerError::OutcomeUnknown { .. } => {
                        (OperationResult::Unknown, OperationStatus::Unknown)
                    }
                }
            }
        };
        let elapsed_ns = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.risk
            .telemetry
            .operation_finished(OperationKind::Authorize, status, elapsed_ns);
        result
    }

    /// Lets later payments know how this one ended, where somebody judged it. The payment stands also if that fails.
    async fn settle(&self, payment: &Payment) {
        let settled = match payment.status() {
            PaymentStatus::Authorized => SettledAs::Approved,
            // Nobody declined it: were it counted, an outage of the acquirer would make every payer suspect.
            PaymentStatus::Declined
                if payment.record().decline_code == Some(DeclineCode::AcquirerUnavailable) =>
            {
                return;
            }
            PaymentStatus::Declined => SettledAs::Declined,
            PaymentStatus::InReview | PaymentStatus::RequiresAction | PaymentStatus::Authorizing => return,
        };
        if let Err(error) = self.risk.features.settle(&payment.risk_request(), settled).await {
            tracing::warn!(payment.id = %payment.id(), %error, "the payment's end was not counted");
        }
    }
}
