//! Whether the payer proved who he is: the payment goes on to the acquirer, or is declined.

use std::sync::Arc;

use domain::payment::OperationRefused;
use domain::{OperationId, Payment};

use super::follow_up::{FollowUpError, PaymentOf};
use crate::idempotency::KeyedRequest;
use crate::operation_runner::OperationRunner;
use crate::ports::{IdGenerator, PayerAuthentication};

/// What came of the challenge of which payment.
#[derive(Clone, Debug)]
pub struct ConfirmPaymentCommand {
    /// The payment.
    pub payment: PaymentOf,
    /// The proof; none where the payer failed, or gave up.
    pub authentication: Option<PayerAuthentication>,
}

/// Why the payment was not confirmed.
pub type ConfirmPaymentError = FollowUpError;

/// Confirms payments.
#[derive(Clone)]
pub struct ConfirmPayment {
    /// Has the acquirer reserve the amount.
    pub runner: OperationRunner,
    /// Names the operation.
    pub ids: Arc<dyn IdGenerator>,
}

impl ConfirmPayment {
    /// Takes in what came of the challenge, and tells the payment as that left it, and its authorization where the payer proved
    /// who he is. Must not be dropped half way: run it on a task of its own.
    ///
    /// # Errors
    /// When there is no such payment, nobody is asked to prove anything, or it cannot be stored.
    pub async fn execute(
        &self,
        command: ConfirmPaymentCommand,
        mut request: KeyedRequest,
    ) -> Result<(Payment, Option<OperationId>), ConfirmPaymentError> {
        let ConfirmPaymentCommand {
            payment,
            authentication,
        } = command;
        let is_proved = authentication.is_some();
        let confirm =
            move |payment: &mut Payment, now| payment.confirm(is_proved, now).map_err(OperationRefused::from);
        match &authentication {
            None => {
                let payment = self.runner.change(&payment, &mut request, confirm).await?;
                Ok((payment, None))
            }
            Some(authentication) => self
                .runner
                .release(&*self.ids, &payment, &mut request, Some(authentication), confirm)
                .await
                .map(|(payment, operation)| (payment, Some(operation))),
        }
    }
}
