//! The suites over the fakes, so that a use case that passes over them is worth something.

use std::collections::BTreeSet;

mod fake_payment_repository {
    use std::sync::Arc;

    use application::ports::{PaymentRepository as _, RepositoryError};
    use domain::payment::PaymentStatus;
    use portcullis_testkit::builders::payment;
    use portcullis_testkit::fakes::InMemoryPaymentRepository;

    async fn open() -> (Arc<InMemoryPaymentRepository>, ()) {
        (Arc::new(InMemoryPaymentRepository::default()), ())
    }

    portcullis_testkit::payment_repository_contract!(open);
    portcullis_testkit::idempotency_keys_contract!(open);
    portcullis_testkit::payment_catalog_contract!(open);
    portcullis_testkit::event_log_contract!(open);

    #[tokio::test]
    async fn a_record_that_breaks_an_invariant_is_corrupt() {
        let repository = InMemoryPaymentRepository::default();
        let mut record = payment().build().record().clone();
        record.status = PaymentStatus::Authorized;
        repository.put(record.clone());
        let error = repository.find(&record.id).await.unwrap_err();
        assert!(matches!(error, RepositoryError::Corrupt { .. }));
    }
}

mod fake_feature_store {
    use std::sync::Arc;

    use application::ports::FeatureStore;
    use portcullis_testkit::fakes::InMemoryFeatureStore;

    async fn open() -> (Arc<dyn FeatureStore>, ()) {
        (Arc::new(InMemoryFeatureStore::default()), ())
    }

    portcullis_testkit::feature_store_contract!(open);
}

mod fake_api_key_store {
    use std::sync::Arc;

    use application::ports::ApiKeyStore;
    use portcullis_testkit::fakes::InMemoryApiKeyStore;

    async fn open() -> (Arc<dyn ApiKeyStore>, ()) {
        (Arc::new(InMemoryApiKeyStore::default()), ())
    }

    portcullis_testkit::api_key_store_contract!(open);
}

mod fake_webhook_store {
    use std::sync::Arc;

    use portcullis_testkit::contracts::webhook_stores::WebhookStores;
    use portcullis_testkit::fakes::{InMemoryPaymentRepository, InMemoryWebhookStore};

    async fn open() -> (WebhookStores, ()) {
        let payments = Arc::new(InMemoryPaymentRepository::default());
        let store = Arc::new(InMemoryWebhookStore::beside(Arc::clone(&payments)));
        let stores = WebhookStores {
            endpoints: Arc::clone(&store) as _,
            deliveries: store,
            payments,
        };
        (stores, ())
    }

    portcullis_testkit::webhook_stores_contract!(open);
}

#[test]
fn every_obligation_is_in_the_list_that_is_run() {
    let lists = include_str!("../../src/contracts.rs");
    let listed: BTreeSet<&str> = lists.split_whitespace().collect();
    for suite in [
        include_str!("../../src/contracts/payment_repository.rs"),
        include_str!("../../src/contracts/idempotency_keys.rs"),
        include_str!("../../src/contracts/payment_catalog.rs"),
        include_str!("../../src/contracts/event_log.rs"),
        include_str!("../../src/contracts/feature_store.rs"),
        include_str!("../../src/contracts/api_key_store.rs"),
        include_str!("../../src/contracts/webhook_stores.rs"),
        include_str!("../../src/contracts/webhook_stores/deliveries.rs"),
    ] {
        for rest in suite.split("pub async fn ").skip(1) {
            let name = rest.split('(').next().unwrap();
            assert!(
                listed.contains(name),
                "`{name}` is not run: add it to the macro in contracts.rs"
            );
        }
    }
}
