//! What every payment repository owes.

use std::sync::Arc;

use application::ports::PaymentRepository;
use tempfile::TempDir;

async fn open() -> (Arc<dyn PaymentRepository>, TempDir) {
    let (folder, _, repository) = crate::fresh();
    (Arc::new(repository), folder)
}

testkit::payment_repository_contract!(open);

mod api_keys {
    use std::sync::Arc;

    use application::ports::ApiKeyStore;
    use tempfile::TempDir;

    async fn open() -> (Arc<dyn ApiKeyStore>, TempDir) {
        let (folder, _, repository) = crate::fresh();
        (Arc::new(repository), folder)
    }

    testkit::api_key_store_contract!(open);
}
