//! Reading one payment.

use std::sync::Arc;

use domain::{Payment, PaymentId};
use thiserror::Error;

use crate::ports::{PaymentRepository, RepositoryError};

/// Why there is no payment to show.
#[derive(Debug, Error)]
pub enum GetPaymentError {
    /// No payment has this name.
    #[error("there is no payment `{id}`")]
    NotFound {
        /// The name.
        id: PaymentId,
    },
    /// The store did not answer.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
}

/// Reads payments.
#[derive(Clone)]
pub struct GetPayment {
    /// Where they are kept.
    pub payments: Arc<dyn PaymentRepository>,
}

impl GetPayment {
    /// The payment of a name.
    ///
    /// # Errors
    /// When there is none, or the store does not answer.
    pub async fn execute(&self, id: &PaymentId) -> Result<Payment, GetPaymentError> {
        self.payments
            .find(id)
            .await?
            .ok_or_else(|| GetPaymentError::NotFound { id: id.clone() })
    }
}
