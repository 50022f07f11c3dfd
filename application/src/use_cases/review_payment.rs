//! What an analyst says about a payment that was held: it goes on to the acquirer, or is declined.

use std::sync::Arc;

use domain::payment::{OperationRefused, Review, ReviewVerdict, ReviewerName};
use domain::{OperationId, Payment};

use super::follow_up::{FollowUpError, PaymentOf};
use crate::idempotency::KeyedRequest;
use crate::operation_runner::OperationRunner;
use crate::ports::IdGenerator;

/// What was said about which payment.
#[derive(Clone, Debug)]
pub struct ReviewPaymentCommand {
    /// The payment.
    pub payment: PaymentOf,
    /// What was said.
    pub verdict: ReviewVerdict,
    /// By whom.
    pub reviewer: ReviewerName,
}

/// Why the review was not taken.
pub type ReviewPaymentError = FollowUpError;

/// Takes in reviews.
#[derive(Clone)]
pub struct ReviewPayment {
    /// Has the acquirer reserve the amount.
    pub runner: OperationRunner,
    /// Names the operation.
    pub ids: Arc<dyn IdGenerator>,
}

impl ReviewPayment {
    /// Takes a review in, and tells the payment as that left it, and its authorization where it was approved. Must not be dropped
    /// half way: run it on a task of its own.
    ///
    /// # Errors
    /// When there is no such payment, it is not held for review, or it cannot be stored.
    pub async fn execute(
        &self,
        command: ReviewPaymentCommand,
        mut request: KeyedRequest,
    ) -> Result<(Payment, Option<OperationId>), ReviewPaymentError> {
        let ReviewPaymentCommand {
            payment,
            verdict,
            reviewer,
        } = command;
        let review = move |payment: &mut Payment, now| {
            payment
                .review(Review {
                    verdict,
                    reviewer: reviewer.clone(),
                    reviewed_at: now,
                })
                .map_err(OperationRefused::from)
        };
        match verdict {
            ReviewVerdict::Rejected => {
                let payment = self.runner.change(&payment, &mut request, review).await?;
                Ok((payment, None))
            }
            ReviewVerdict::Approved => self
                .runner
                .release(&*self.ids, &payment, &mut request, None, review)
                .await
                .map(|(payment, operation)| (payment, Some(operation))),
        }
    }
}
