//! Storing what the acquirer answered, again and again for a while: money may have moved, and nobody else knows.

use std::time::{Duration, Instant};

use domain::payment::{AcquirerReference, DeclineCode};
use domain::{OperationId, Payment};

use super::{OperationRunner, RunError};
use crate::idempotency::KeyedRequest;
use crate::ports::RepositoryError;

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

impl OperationRunner {
    pub(super) async fn store_answer(
        &self,
        payment: &mut Payment,
        id: &OperationId,
        request: &mut KeyedRequest,
    ) -> Result<(), RunError> {
        self.save_again_and_again(payment, id, request)
            .await
            .map_err(|error| {
                self.report_lost_answer(payment, id, &error);
                RunError::AnswerNotStored {
                    payment: payment.id().clone(),
                    error,
                }
            })
    }

    async fn save_again_and_again(
        &self,
        payment: &mut Payment,
        id: &OperationId,
        request: &mut KeyedRequest,
    ) -> Result<(), RepositoryError> {
        let started = Instant::now();
        let mut stored = request
            .save(&*self.payments, payment, Some(id), self.clock.now())
            .await;
        for pause in ANSWER_SAVE_PAUSES {
            let worth_a_try = matches!(stored, Err(RepositoryError::Unavailable { .. }));
            if !worth_a_try || started.elapsed() + pause > ANSWER_SAVE_BUDGET {
                break;
            }
            self.timer.pause(pause).await;
            stored = request
                .save(&*self.payments, payment, Some(id), self.clock.now())
                .await;
        }
        match stored {
            Err(conflict @ (RepositoryError::Conflict { .. } | RepositoryError::KeyTaken)) => {
                self.find_stored_answer(payment, id, conflict).await
            }
            stored => stored,
        }
    }

    /// A try before this one may have been stored although it was told to have failed, or somebody asked the acquirer meanwhile:
    /// then the same answer is there already.
    async fn find_stored_answer(
        &self,
        payment: &mut Payment,
        id: &OperationId,
        conflict: RepositoryError,
    ) -> Result<(), RepositoryError> {
        let Some(found) = self.payments.find(payment.id()).await? else {
            return Err(conflict);
        };
        let end = |payment: &Payment| {
            let operation = payment.record().operations.iter().find(|o| o.id == *id)?;
            Some((
                operation.status,
                operation.acquirer_reference.clone(),
                operation.decline_code,
            ))
        };
        if end(&found) != end(payment) {
            return Err(conflict);
        }
        *payment = found;
        Ok(())
    }

    /// All that an operator needs to put the payment right by hand, since it is nowhere else.
    fn report_lost_answer(&self, payment: &Payment, id: &OperationId, error: &RepositoryError) {
        self.telemetry.answer_not_stored();
        let operation = payment.record().operations.iter().find(|o| o.id == *id);
        let reference = operation.and_then(|o| o.acquirer_reference.as_ref());
        tracing::error!(
            payment.id = %payment.id(),
            operation.id = %id,
            operation.status = operation.map(|o| o.status.as_str()),
            decline_code = operation.and_then(|o| o.decline_code).map(DeclineCode::as_str),
            acquirer.reference = reference.map(AcquirerReference::as_str),
            %error,
            "the acquirer's answer was not stored"
        );
    }
}
