//! What every payment repository owes.

use std::sync::Arc;

use application::ports::PaymentRepository;
use tempfile::TempDir;

async fn open() -> (Arc<dyn PaymentRepository>, TempDir) {
    let (folder, _, repository) = crate::fresh();
    (Arc::new(repository), folder)
}

testkit::payment_repository_contract!(open);

mod webhooks {
    use std::sync::Arc;

    use tempfile::TempDir;
    use testkit::contracts::webhook_stores::WebhookStores;

    async fn open() -> (WebhookStores, TempDir) {
        let (folder, _, repository) = crate::fresh();
        let store = Arc::new(repository);
        let stores = WebhookStores {
            endpoints: Arc::clone(&store) as _,
            deliveries: Arc::clone(&store) as _,
            payments: store,
        };
        (stores, folder)
    }

    testkit::webhook_stores_contract!(open);
}
