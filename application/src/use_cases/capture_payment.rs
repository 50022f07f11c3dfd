//! Capturing: having the acquirer take what it reserved, all of it or a part at a time.

use std::sync::Arc;

use domain::{Money, OperationId, Payment};

use super::follow_up::{FollowUpError, PaymentOf};
use crate::idempotency::KeyedRequest;
use crate::operation_runner::OperationRunner;
use crate::ports::IdGenerator;

/// What is to be captured.
#[derive(Clone, Debug)]
pub struct CapturePaymentCommand {
    /// Of which payment.
    pub payment: PaymentOf,
    /// How much; all that is left where that is not said.
    pub amount: Option<Money>,
}

/// Why nothing was captured.
pub type CapturePaymentError = FollowUpError;

/// Captures payments.
#[derive(Clone)]
pub struct CapturePayment {
    /// Has the acquirer do it.
    pub runner: OperationRunner,
    /// Names the operation.
    pub ids: Arc<dyn IdGenerator>,
}

impl CapturePayment {
    /// Captures, and tells the payment as that left it, and the operation. What the acquirer refused is no error. Must not be
    /// dropped half way: run it on a task of its own.
    ///
    /// # Errors
    /// When there is no such payment, it does not take that, or it cannot be stored.
    pub async fn execute(
        &self,
        command: CapturePaymentCommand,
        mut request: KeyedRequest,
    ) -> Result<(Payment, OperationId), CapturePaymentError> {
        let CapturePaymentCommand { payment, amount } = command;
        self.runner
            .follow_up(&*self.ids, &payment, &mut request, |payment, id, now| {
                payment.begin_capture(id, amount, now).map(|_| ())
            })
            .await
    }
}
