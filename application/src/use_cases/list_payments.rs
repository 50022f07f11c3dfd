//! Going through payments, page by page.

use std::sync::Arc;

use domain::{Payment, PaymentId};

use crate::ports::{Page, PageCursor, PaymentCatalog, PaymentQuery, RepositoryError};

/// Why there is no page.
pub type ListPaymentsError = RepositoryError;

/// Lists payments.
#[derive(Clone)]
pub struct ListPayments {
    /// Finds them.
    pub catalog: Arc<dyn PaymentCatalog>,
}

impl ListPayments {
    /// A page of payments, the newest first.
    ///
    /// # Errors
    /// When the store does not answer, or one of them is stored damaged.
    pub async fn execute(
        &self,
        query: &PaymentQuery,
        after: Option<&PageCursor>,
        limit: usize,
    ) -> Result<Page<Payment>, ListPaymentsError> {
        self.catalog.list(query, after, limit).await
    }

    /// A page of payments with an operation that is left to humans, by name.
    ///
    /// # Errors
    /// As for [`ListPayments::execute`].
    pub async fn left_to_humans(
        &self,
        after: Option<&PaymentId>,
        limit: usize,
    ) -> Result<Page<Payment>, ListPaymentsError> {
        self.catalog.left_to_humans(after, limit).await
    }
}
