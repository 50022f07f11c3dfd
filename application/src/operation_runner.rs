//! Running an operation: stored before the acquirer is asked, and what the acquirer said stored after it.

mod stored_answer;

use std::sync::Arc;
use std::time::Instant;

use domain::payment::{
    DeclineCode, IllegalTransition, Operation, OperationKind, OperationResult, OperationStatus, PaymentStatus,
};
use domain::{OperationId, Payment, PaymentId};
use thiserror::Error;

use crate::idempotency::KeyedRequest;
use crate::payment_times::{PaymentTimes, later};
use crate::ports::{
    Acquirer, AcquirerAnswer, AcquirerError, AuthorizationRequest, CardSource, Clock, FeatureStore,
    FollowUpRequest, PayerAuthentication, PaymentRepository, RepositoryError, SettledAs, Telemetry, Timer,
};

/// Why an operation did not come to an end that is stored.
#[derive(Debug, Error)]
pub enum RunError {
    /// The aggregate refused a step that is taken here: a defect, told rather than stepped over.
    #[error(transparent)]
    IllegalTransition(#[from] IllegalTransition),
    /// Nothing was sent to the acquirer. Where a commit broke off, the operation may be stored all the same, and is
    /// asked about later.
    #[error("the payment could not be stored, and nothing was sent: {0}")]
    NotStored(RepositoryError),
    /// The acquirer was asked, but its answer could not be stored. The operation stays open, and is never taken for a
    /// failure: it is asked about later.
    #[error("the acquirer's answer about payment `{payment}` could not be stored: {error}")]
    AnswerNotStored {
        /// The payment, which is stored as it was before the answer.
        payment: PaymentId,
        /// Why.
        error: RepositoryError,
    },
}

/// What an authorization takes that is not in the payment.
#[derive(Debug)]
pub struct AuthorizationMeans<'a> {
    /// With which card.
    pub card: CardSource<'a>,
    /// How the payer proved who he is.
    pub authentication: Option<&'a PayerAuthentication>,
}

/// Runs operations.
#[derive(Clone)]
pub struct OperationRunner {
    /// Keeps payments.
    pub payments: Arc<dyn PaymentRepository>,
    /// Moves the money.
    pub acquirer: Arc<dyn Acquirer>,
    /// Learns how payments end.
    pub features: Arc<dyn FeatureStore>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Waits between the tries to store an answer.
    pub timer: Arc<dyn Timer>,
    /// Counts operations.
    pub telemetry: Arc<dyn Telemetry>,
    /// How long things may take.
    pub times: Arc<PaymentTimes>,
}

impl OperationRunner {
    /// Runs the operation that was just begun. `means` belongs to an authorization, and to nothing else. Whatever the acquirer
    /// says is in the payment afterwards.
    ///
    /// # Errors
    /// When the operation or its end could not be stored.
    pub async fn run(
        &self,
        payment: &mut Payment,
        id: &OperationId,
        means: Option<AuthorizationMeans<'_>>,
        request: &mut KeyedRequest,
    ) -> Result<(), RunError> {
        let now = self.clock.now();
        payment.inquire_at(id, later(now, self.times.answer_ms));
        // Durable before it is sent: after a crash it is known that the acquirer may have been asked, and by which name.
        request
            .save(&*self.payments, payment, Some(id), now)
            .await
            .map_err(RunError::NotStored)?;
        let started = Instant::now();
        let answer = self.ask(payment, id, means).await;
        let elapsed_ns = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        if let Err(error) = &answer {
            tracing::warn!(payment.id = %payment.id(), operation.id = %id, %error, "no acquirer answer");
        }
        let result = result_of(answer);
        self.count(payment, id, &result, elapsed_ns);
        self.take_in(payment, id, result)?;
        self.store_answer(payment, id, request).await?;
        self.settle(payment).await;
        Ok(())
    }

    /// What the acquirer said becomes part of the payment, and with it what is to happen next by itself.
    ///
    /// # Errors
    /// When the payment does not take it.
    pub fn take_in(
        &self,
        payment: &mut Payment,
        id: &OperationId,
        result: OperationResult,
    ) -> Result<(), IllegalTransition> {
        let now = self.clock.now();
        let is_unknown = result == OperationResult::Unknown;
        let before = payment.status();
        payment.finish_operation(id, result, now)?;
        if is_unknown {
            if let Some(at) = self.times.next_inquiry(0, now) {
                payment.inquire_at(id, at);
            }
        } else if before == PaymentStatus::Authorizing && payment.status() == PaymentStatus::Authorized {
            payment.expire_at(later(now, self.times.authorization_ms));
        }
        Ok(())
    }

    /// Lets later payments know how this one was judged, where somebody did. The payment stands also if that fails.
    pub async fn settle(&self, payment: &Payment) {
        let settled = match payment.status() {
            PaymentStatus::Authorized => SettledAs::Approved,
            // Nobody declined it: were it counted, an outage of the acquirer would make every payer suspect.
            PaymentStatus::Declined
                if payment.record().decline_code == Some(DeclineCode::AcquirerUnavailable) =>
            {
                return;
            }
            PaymentStatus::Declined => SettledAs::Declined,
            _ => return,
        };
        if let Err(error) = self.features.settle(&payment.risk_request(), settled).await {
            tracing::warn!(payment.id = %payment.id(), %error, "the payment's end was not counted");
        }
    }

    async fn ask(
        &self,
        payment: &Payment,
        id: &OperationId,
        means: Option<AuthorizationMeans<'_>>,
    ) -> Result<AcquirerAnswer, AcquirerError> {
        let not_sent = |reason: &str| AcquirerError::NotSent {
            reason: reason.to_owned(),
        };
        let record = payment.record();
        let operation = record.operations.iter().find(|operation| operation.id == *id);
        let operation = operation.ok_or_else(|| not_sent("the payment has no such operation"))?;
        let merchant_id = &record.details.merchant_id;
        if operation.kind == OperationKind::Authorize {
            let means = means.ok_or_else(|| not_sent("there is no card to authorize on"))?;
            let request = AuthorizationRequest {
                operation_id: id,
                merchant_id,
                amount: operation.amount,
                card: means.card,
                authentication: means.authentication,
            };
            return self.acquirer.authorize(request).await;
        }
        let authorization = record
            .operations
            .iter()
            .find(|operation| operation.kind == OperationKind::Authorize && operation.has_succeeded())
            .and_then(|operation| operation.acquirer_reference.as_ref())
            .ok_or_else(|| not_sent("the payment has no authorization"))?;
        let request = FollowUpRequest {
            operation_id: id,
            kind: operation.kind,
            merchant_id,
            authorization,
            amount: operation.amount,
        };
        self.acquirer.follow_up(request).await
    }

    fn count(&self, payment: &Payment, id: &OperationId, result: &OperationResult, elapsed_ns: u64) {
        let is_it = |operation: &&Operation| operation.id == *id;
        if let Some(operation) = payment.record().operations.iter().find(is_it) {
            let status = match result {
                OperationResult::Succeeded(_) => OperationStatus::Succeeded,
                OperationResult::Declined(_) => OperationStatus::Declined,
                OperationResult::NotSent => OperationStatus::NotSent,
                OperationResult::Unknown => OperationStatus::Unknown,
            };
            self.telemetry
                .operation_finished(operation.kind, status, elapsed_ns);
        }
    }
}

fn result_of(answer: Result<AcquirerAnswer, AcquirerError>) -> OperationResult {
    match answer {
        Ok(AcquirerAnswer::Approved { reference }) => OperationResult::Succeeded(reference),
        Ok(AcquirerAnswer::Declined { code }) if code.is_acquirers() => OperationResult::Declined(code),
        // An adapter that says what it must not has still been told no.
        Ok(AcquirerAnswer::Declined { .. }) => OperationResult::Declined(DeclineCode::CardDeclined),
        Err(AcquirerError::NotSent { .. }) => OperationResult::NotSent,
        Err(AcquirerError::OutcomeUnknown { .. }) => OperationResult::Unknown,
    }
}
