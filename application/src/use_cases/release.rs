//! Sending a payment to the acquirer that waited for somebody: with the card that the acquirer kept.

use domain::payment::OperationRefused;
use domain::{OperationId, Payment, Timestamp};

use super::follow_up::{FollowUpError, PaymentOf};
use crate::idempotency::KeyedRequest;
use crate::operation_runner::{AuthorizationMeans, OperationRunner, RunError};
use crate::ports::{CardSource, IdGenerator, PayerAuthentication, RepositoryError};

/// How often a payment is read anew, because somebody else was faster: after that it does not wait any more.
const MAX_READS: usize = 2;

impl OperationRunner {
    /// Lets a payment go on and authorizes it, both or neither. `go_on` moves the payment where it can be authorized.
    pub(super) async fn release(
        &self,
        ids: &dyn IdGenerator,
        of: &PaymentOf,
        request: &mut KeyedRequest,
        authentication: Option<&PayerAuthentication>,
        go_on: impl Fn(&mut Payment, Timestamp) -> Result<(), OperationRefused> + Send + Sync,
    ) -> Result<(Payment, OperationId), FollowUpError> {
        let mut reads = 1;
        loop {
            let mut payment = self.find_for(of).await?;
            let now = self.clock.now();
            go_on(&mut payment, now)?;
            let operation_id = ids.operation_id();
            payment.begin_authorization(operation_id.clone(), now)?;
            let token = payment.record().card_token.clone();
            // Payments from before cards were kept have none: the acquirer is not asked, and the payment is declined.
            let means = token.as_ref().map(|token| AuthorizationMeans {
                card: CardSource::Kept(token),
                authentication,
            });
            match self.run(&mut payment, &operation_id, means, request).await {
                Ok(()) => return Ok((payment, operation_id)),
                Err(RunError::NotStored(RepositoryError::Conflict { .. })) if reads < MAX_READS => reads += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }
}
