//! What every payment repository owes.

use std::sync::Arc;

use application::ports::PaymentRepository;
use tempfile::TempDir;

async fn open() -> (Arc<dyn PaymentRepository>, TempDir) {
    let (folder, _, repository) = crate::fresh();
    (Arc::new(repository), folder)
}

testkit::payment_repository_contract!(open);
