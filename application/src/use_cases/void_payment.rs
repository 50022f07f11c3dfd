//! Voiding: giving up a payment that was not sent, or having the acquirer let go of what was reserved and not captured.

use std::sync::Arc;

use domain::payment::{OperationRefused, PaymentStatus};
use domain::{OperationId, Payment};

use super::follow_up::{FollowUpError, PaymentOf};
use crate::idempotency::KeyedRequest;
use crate::operation_runner::OperationRunner;
use crate::ports::IdGenerator;

/// Why nothing was voided.
pub type VoidPaymentError = FollowUpError;

/// Voids payments.
#[derive(Clone)]
pub struct VoidPayment {
    /// Has the acquirer do it.
    pub runner: OperationRunner,
    /// Names the operation.
    pub ids: Arc<dyn IdGenerator>,
}

impl VoidPayment {
    /// Voids, and tells the payment as that left it, and the operation where one was needed. What the acquirer refused is no
    /// error. Must not be dropped half way: run it on a task of its own.
    ///
    /// # Errors
    /// When there is no such payment, nothing of it can be voided, or it cannot be stored.
    pub async fn execute(
        &self,
        payment: PaymentOf,
        mut request: KeyedRequest,
    ) -> Result<(Payment, Option<OperationId>), VoidPaymentError> {
        let found = self.runner.find_for(&payment).await?;
        let unsent = matches!(
            found.status(),
            PaymentStatus::InReview | PaymentStatus::RequiresAction
        );
        if unsent {
            let cancel = |payment: &mut Payment, now| payment.cancel(now).map_err(OperationRefused::from);
            match self.runner.change(&payment, &mut request, cancel).await {
                // It was sent meanwhile.
                Err(FollowUpError::Refused(_)) => {}
                changed => return changed.map(|payment| (payment, None)),
            }
        }
        let voided = self
            .runner
            .follow_up(&*self.ids, &payment, &mut request, |payment, id, now| {
                payment.begin_void(id, now).map(|_| ())
            })
            .await?;
        Ok((voided.0, Some(voided.1)))
    }
}
