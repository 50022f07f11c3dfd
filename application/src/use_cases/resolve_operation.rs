//! Learning how an operation ended whose answer did not come in: by asking the acquirer, or from a human who did.

use domain::payment::{AcquirerReference, DeclineCode, IllegalTransition, OperationResult};
use domain::{OperationId, Payment, PaymentId};
use thiserror::Error;

use crate::operation_runner::OperationRunner;
use crate::ports::{AcquirerAnswer, InquiryAnswer, RepositoryError};

/// Why nothing was learned.
#[derive(Debug, Error)]
pub enum ResolveOperationError {
    /// No payment has this name, or it has no such operation.
    #[error("payment `{payment}` has no such operation")]
    NotFound {
        /// The payment.
        payment: PaymentId,
    },
    /// Its end is known already, or the payment does not take that end.
    #[error(transparent)]
    Illegal(#[from] IllegalTransition),
    /// The payment could not be read or written.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
}

/// What a human learned from the acquirer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HumanAnswer {
    /// It was done.
    Succeeded(AcquirerReference),
    /// It was refused.
    Declined(DeclineCode),
    /// It was never received, and never will be.
    NotSent,
}

/// Learns how operations ended.
#[derive(Clone)]
pub struct ResolveOperation {
    /// Asks, and stores.
    pub runner: OperationRunner,
}

impl ResolveOperation {
    /// Asks the acquirer about the payment's open operation, if it has one, and tells the payment as that left it. Where the
    /// acquirer cannot say, it is asked again later, or the operation is left to humans.
    ///
    /// # Errors
    /// When there is no such payment, or it cannot be read or written.
    pub async fn execute(&self, id: &PaymentId) -> Result<Payment, ResolveOperationError> {
        let mut payment = self.find(id).await?;
        let Some(operation) = payment.open_operation() else {
            return Ok(payment);
        };
        let (operation_id, inquiries) = (operation.id.clone(), operation.inquiries);
        let merchant = payment.record().details.merchant_id.clone();
        let answer = self.runner.acquirer.inquire(&operation_id, &merchant).await;
        let result = match answer {
            Ok(InquiryAnswer::Answered(AcquirerAnswer::Approved { reference })) => {
                Some(OperationResult::Succeeded(reference))
            }
            Ok(InquiryAnswer::Answered(AcquirerAnswer::Declined { code })) => {
                Some(OperationResult::Declined(code))
            }
            Ok(InquiryAnswer::NeverReceived) => Some(OperationResult::NotSent),
            Ok(InquiryAnswer::UnderWay) => None,
            Err(error) => {
                tracing::warn!(payment.id = %id, operation.id = %operation_id, %error, "the acquirer cannot say");
                None
            }
        };
        match result {
            Some(result) => self.settle(payment, &operation_id, result).await,
            None => {
                let now = self.runner.clock.now();
                let next = self.runner.times.next_inquiry(inquiries + 1, now);
                payment.asked_in_vain(&operation_id, next, now)?;
                self.runner.payments.save(&mut payment).await?;
                if next.is_none() {
                    tracing::error!(
                        payment.id = %id, operation.id = %operation_id, inquiries,
                        "the acquirer never said how the operation ended; somebody has to ask it"
                    );
                }
                Ok(payment)
            }
        }
    }

    /// Takes in what a human learned.
    ///
    /// # Errors
    /// When there is no such payment or operation, the operation's end is known, or it cannot be stored.
    pub async fn by_hand(
        &self,
        id: &PaymentId,
        operation_id: &OperationId,
        answer: HumanAnswer,
    ) -> Result<Payment, ResolveOperationError> {
        let payment = self.find(id).await?;
        let result = match answer {
            HumanAnswer::Succeeded(reference) => OperationResult::Succeeded(reference),
            HumanAnswer::Declined(code) => OperationResult::Declined(code),
            HumanAnswer::NotSent => OperationResult::NotSent,
        };
        self.settle(payment, operation_id, result).await
    }

    async fn find(&self, id: &PaymentId) -> Result<Payment, ResolveOperationError> {
        let found = self.runner.payments.find(id).await?;
        found.ok_or_else(|| ResolveOperationError::NotFound { payment: id.clone() })
    }

    async fn settle(
        &self,
        mut payment: Payment,
        operation_id: &OperationId,
        result: OperationResult,
    ) -> Result<Payment, ResolveOperationError> {
        self.runner.take_in(&mut payment, operation_id, result)?;
        self.runner.payments.save(&mut payment).await?;
        self.runner.settle(&payment).await;
        tracing::info!(
            payment.id = %payment.id(), operation.id = %operation_id, payment.status = payment.status().as_str(),
            "an operation's end was learned"
        );
        Ok(payment)
    }
}
