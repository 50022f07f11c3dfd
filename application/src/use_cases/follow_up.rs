//! What capturing, voiding and refunding have in common: a payment is read, an operation begun and run, and where somebody else
//! changed the payment meanwhile, it is read again.

use domain::payment::{IllegalTransition, OperationRefused};
use domain::{MerchantId, OperationId, Payment, PaymentId, Timestamp};
use thiserror::Error;

use crate::idempotency::KeyedRequest;
use crate::operation_runner::{OperationRunner, RunError};
use crate::ports::{IdGenerator, RepositoryError};

/// How often a payment is read anew, because somebody else was faster. Each of those has done something with it, and one
/// operation at a time is all that a payment takes, so more than two are hardly ever seen.
const MAX_READS: usize = 4;

/// Why a payment was not captured, voided, refunded, confirmed or reviewed.
#[derive(Debug, Error)]
pub enum FollowUpError {
    /// No payment has this name, or it is another merchant's.
    #[error("there is no payment `{id}`")]
    NotFound {
        /// The name.
        id: PaymentId,
    },
    /// The payment does not take it as it is. Nothing has changed.
    #[error(transparent)]
    Refused(#[from] OperationRefused),
    /// The payment could not be read. Nothing has changed.
    #[error(transparent)]
    Repository(RepositoryError),
    /// What was done, or how it ended, could not be stored.
    #[error(transparent)]
    Run(#[from] RunError),
}

impl From<IllegalTransition> for FollowUpError {
    fn from(illegal: IllegalTransition) -> Self {
        Self::Refused(illegal.into())
    }
}

/// Which payment, and whose it has to be.
#[derive(Clone, Debug)]
pub struct PaymentOf {
    /// The payment.
    pub id: PaymentId,
    /// The merchant who asks; none where an operator does.
    pub merchant: Option<MerchantId>,
}

impl OperationRunner {
    /// A payment, where whoever asks may see it.
    pub(super) async fn find_for(&self, of: &PaymentOf) -> Result<Payment, FollowUpError> {
        let found = self
            .payments
            .find(&of.id)
            .await
            .map_err(FollowUpError::Repository)?;
        let is_theirs = |payment: &Payment| {
            let merchant = &payment.record().details.merchant_id;
            of.merchant.as_ref().is_none_or(|asking| asking == merchant)
        };
        found
            .filter(is_theirs)
            .ok_or_else(|| FollowUpError::NotFound { id: of.id.clone() })
    }

    /// Begins an operation and runs it.
    pub(super) async fn follow_up(
        &self,
        ids: &dyn IdGenerator,
        of: &PaymentOf,
        request: &mut KeyedRequest,
        begin: impl Fn(&mut Payment, OperationId, Timestamp) -> Result<(), OperationRefused> + Send + Sync,
    ) -> Result<(Payment, OperationId), FollowUpError> {
        for _ in 1..MAX_READS {
            match self.follow_up_once(ids, of, request, &begin).await {
                Err(FollowUpError::Run(RunError::NotStored(RepositoryError::Conflict { .. }))) => {}
                ended => return ended,
            }
        }
        self.follow_up_once(ids, of, request, &begin).await
    }

    async fn follow_up_once(
        &self,
        ids: &dyn IdGenerator,
        of: &PaymentOf,
        request: &mut KeyedRequest,
        begin: &(impl Fn(&mut Payment, OperationId, Timestamp) -> Result<(), OperationRefused> + Send + Sync),
    ) -> Result<(Payment, OperationId), FollowUpError> {
        let mut payment = self.find_for(of).await?;
        let operation_id = ids.operation_id();
        begin(&mut payment, operation_id.clone(), self.clock.now())?;
        self.run(&mut payment, &operation_id, None, request).await?;
        Ok((payment, operation_id))
    }

    /// Changes a payment without the acquirer, and stores it with the answer to the request.
    pub(super) async fn change(
        &self,
        of: &PaymentOf,
        request: &mut KeyedRequest,
        change: impl Fn(&mut Payment, Timestamp) -> Result<(), OperationRefused> + Send + Sync,
    ) -> Result<Payment, FollowUpError> {
        let mut reads = 1;
        loop {
            let mut payment = self.find_for(of).await?;
            let now = self.clock.now();
            change(&mut payment, now)?;
            match request.save(&*self.payments, &mut payment, None, now).await {
                Ok(()) => {
                    self.settle(&payment).await;
                    return Ok(payment);
                }
                Err(RepositoryError::Conflict { .. }) if reads < MAX_READS => reads += 1,
                Err(error) => return Err(RunError::NotStored(error).into()),
            }
        }
    }
}
