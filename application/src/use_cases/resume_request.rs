//! Driving an interrupted request on to its end: its payment is stored, but its answer is not.

use domain::{OperationId, Payment, PaymentId};

use super::resolve_operation::{ResolveOperation, ResolveOperationError};
use crate::idempotency::KeyedRequest;

/// Why a request was not driven on. It can be sent again.
pub type ResumeRequestError = ResolveOperationError;

/// Drives requests on.
#[derive(Clone)]
pub struct ResumeRequest {
    /// Learns how the request's operation ended.
    pub resolve: ResolveOperation,
}

impl ResumeRequest {
    /// Asks the acquirer about the request's operation where its end is not known, and stores the answer to the request. Tells
    /// the payment, and the operation that the request began.
    ///
    /// # Errors
    /// When the payment cannot be read or written.
    pub async fn execute(
        &self,
        id: &PaymentId,
        mut request: KeyedRequest,
    ) -> Result<(Payment, Option<OperationId>), ResumeRequestError> {
        let operation = request.operation().cloned();
        let mut payment = self.resolve.execute(id).await?;
        let runner = &self.resolve.runner;
        let now = runner.clock.now();
        request
            .save(&*runner.payments, &mut payment, operation.as_ref(), now)
            .await?;
        Ok((payment, operation))
    }
}
