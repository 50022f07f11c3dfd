//! What every payment repository, catalog, event log, store of keys and list store owes.

mod sqlite {
    use std::sync::Arc;

    use portcullis_storage::SqlitePaymentRepository;
    use tempfile::TempDir;

    async fn open() -> (Arc<SqlitePaymentRepository>, TempDir) {
        let (folder, _, repository) = crate::fresh();
        (Arc::new(repository), folder)
    }

    testkit::payment_repository_contract!(open);
    testkit::idempotency_keys_contract!(open);
    testkit::payment_catalog_contract!(open);
    testkit::event_log_contract!(open);
}

mod postgres {
    use std::sync::Arc;

    use portcullis_storage::PostgresPaymentRepository;

    async fn open() -> (Arc<PostgresPaymentRepository>, ()) {
        (Arc::new(crate::postgres::fresh().await), ())
    }

    testkit::payment_repository_contract!(open);
    testkit::idempotency_keys_contract!(open);
    testkit::payment_catalog_contract!(open);
    testkit::event_log_contract!(open);
}

mod sqlite_api_keys {
    use std::sync::Arc;

    use application::ports::ApiKeyStore;
    use tempfile::TempDir;

    async fn open() -> (Arc<dyn ApiKeyStore>, TempDir) {
        let (folder, _, repository) = crate::fresh();
        (Arc::new(repository), folder)
    }

    testkit::api_key_store_contract!(open);
}

mod decisions {
    use std::sync::Arc;

    use application::ports::DecisionLog;
    use portcullis_storage::Storage;

    /// The storage is kept too: the log's task ends with it.
    pub(super) async fn over(config: &portcullis_storage::Config) -> (Arc<dyn DecisionLog>, Storage) {
        let storage = portcullis_storage::open(config).await.unwrap();
        (
            crate::decisions::log(&storage, &crate::decisions::patient()),
            storage,
        )
    }

    mod sqlite {
        use std::sync::Arc;

        use application::ports::DecisionLog;
        use portcullis_storage::Storage;
        use tempfile::TempDir;

        async fn open() -> (Arc<dyn DecisionLog>, (Storage, TempDir)) {
            let folder = tempfile::tempdir().unwrap();
            let (log, storage) = super::over(&crate::decisions::sqlite(&folder)).await;
            (log, (storage, folder))
        }

        testkit::decision_log_contract!(open);
    }

    mod postgres {
        use std::sync::Arc;

        use application::ports::DecisionLog;
        use portcullis_storage::Storage;

        async fn open() -> (Arc<dyn DecisionLog>, Storage) {
            super::over(&crate::decisions::postgres()).await
        }

        testkit::decision_log_contract!(open);
    }
}

mod sqlite_webhooks {
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

mod postgres_api_keys {
    use std::sync::Arc;

    use application::ports::ApiKeyStore;

    async fn open() -> (Arc<dyn ApiKeyStore>, ()) {
        (Arc::new(crate::postgres::fresh().await), ())
    }

    testkit::api_key_store_contract!(open);
}

mod postgres_lists {
    use std::sync::Arc;

    use application::ports::ListStore;

    async fn open() -> (Arc<dyn ListStore>, ()) {
        (Arc::new(crate::postgres::fresh().await), ())
    }

    testkit::list_store_contract!(open);
}

mod postgres_webhooks {
    use std::sync::Arc;

    use testkit::contracts::webhook_stores::WebhookStores;

    async fn open() -> (WebhookStores, ()) {
        let store = Arc::new(crate::postgres::fresh().await);
        let stores = WebhookStores {
            endpoints: Arc::clone(&store) as _,
            deliveries: Arc::clone(&store) as _,
            payments: store,
        };
        (stores, ())
    }

    testkit::webhook_stores_contract!(open);
}
