//! Letting go of a payment that nobody acted on in time.

use std::sync::Arc;

use domain::payment::PaymentStatus;
use domain::{Payment, PaymentId};

use super::follow_up::{FollowUpError, PaymentOf};
use crate::idempotency::KeyedRequest;
use crate::operation_runner::OperationRunner;
use crate::ports::IdGenerator;

/// Why the payment did not expire.
pub type ExpirePaymentError = FollowUpError;

/// Lets go of payments.
#[derive(Clone)]
pub struct ExpirePayment {
    /// Has the acquirer let go of what it reserved.
    pub runner: OperationRunner,
    /// Names the operation.
    pub ids: Arc<dyn IdGenerator>,
}

impl ExpirePayment {
    /// Lets go of an overdue payment: what is reserved is voided at the acquirer, anything else just ends. Tells the payment as
    /// that left it; one that is not overdue any more is left as it is.
    ///
    /// # Errors
    /// When there is no such payment, somebody acts on it just now, or it cannot be stored.
    pub async fn execute(&self, id: &PaymentId) -> Result<Payment, ExpirePaymentError> {
        let of = PaymentOf {
            id: id.clone(),
            merchant: None,
        };
        let mut request = KeyedRequest::without_key();
        let payment = self.runner.find_for(&of).await?;
        if !payment.is_overdue(self.runner.clock.now()) {
            return Ok(payment);
        }
        if payment.status() == PaymentStatus::Authorized {
            let (payment, _) = self
                .runner
                .follow_up(&*self.ids, &of, &mut request, |payment, id, now| {
                    payment.begin_void(id, now).map(|_| ())
                })
                .await?;
            return Ok(payment);
        }
        let expire = |payment: &mut Payment, now| payment.expire(now).map_err(Into::into);
        self.runner.change(&of, &mut request, expire).await
    }
}
