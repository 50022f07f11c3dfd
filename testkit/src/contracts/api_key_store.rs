//! What a store of API keys owes.

use std::sync::Arc;

use application::ports::{ApiKeyStore, ApiKeyStoreError};
use domain::access::{ApiKey, Grant, PreviousSecret, Role, Scope, SecretDigest};
use domain::text::BoundedText;
use domain::{ApiKeyId, MerchantId};
use tokio::task::JoinSet;

use crate::builders::{after, api_key as key};

type Store = Arc<dyn ApiKeyStore>;

/// How many callers come at the same time, where many do.
const CROWD: usize = 16;

/// A merchant's key with everything that a key can have.
fn full_key(id: &str) -> ApiKey {
    let merchant = MerchantId::parse("shop-1").ok();
    let scopes = [Scope::PaymentsRead, Scope::Refunds].into_iter().collect();
    ApiKey {
        grant: Grant::new(Role::Merchant, merchant, scopes).unwrap(),
        previous: Some(PreviousSecret {
            digest: SecretDigest([1; 32]),
            valid_until: after(60),
        }),
        rotated_at: after(1),
        expires_at: Some(after(3_600)),
        revoked_at: Some(after(2)),
        ..key(id)
    }
}

/// Nothing is made up.
pub async fn a_key_that_was_never_stored_is_not_found(store: Store) {
    assert_eq!(store.find(&key("key_1").id).await.unwrap(), None);
    let page = store.list(None, 10).await.unwrap();
    assert!(page.items.is_empty() && !page.has_more);
}

/// Of every role, with all that it has.
pub async fn a_stored_key_is_found_as_it_was(store: Store) {
    for mut stored in [key("key_1"), full_key("key_2")] {
        store.save(&mut stored).await.unwrap();
        assert_eq!(stored.version, 1);
        assert_eq!(store.find(&stored.id).await.unwrap(), Some(stored));
    }
}

/// The later state is the one that is found.
pub async fn a_changed_key_is_found_as_it_was_left(store: Store) {
    let mut stored = full_key("key_1");
    store.save(&mut stored).await.unwrap();
    stored.rotate(
        SecretDigest([9; 32]),
        BoundedText::parse("abcd").unwrap(),
        after(5),
        after(5),
    );
    stored.expires_at = None;
    store.save(&mut stored).await.unwrap();
    assert_eq!(stored.version, 2);
    assert_eq!(store.find(&stored.id).await.unwrap(), Some(stored));
}

/// The first one stays.
pub async fn a_name_that_is_taken_is_refused(store: Store) {
    let mut first = full_key("key_1");
    store.save(&mut first).await.unwrap();
    let mut second = key("key_1");
    let refused = store.save(&mut second).await.unwrap_err();
    assert_eq!(
        refused,
        ApiKeyStoreError::AlreadyExists {
            id: second.id.clone()
        }
    );
    assert_eq!(second.version, 0);
    assert_eq!(store.find(&first.id).await.unwrap(), Some(first));
}

/// Neither over another version nor where there is none.
pub async fn a_change_over_another_version_conflicts_and_changes_nothing(store: Store) {
    let mut stored = key("key_1");
    store.save(&mut stored).await.unwrap();
    let mut stale = stored.clone();
    stored.revoke(after(1));
    store.save(&mut stored).await.unwrap();
    let revision = store.revision().await.unwrap();
    stale.rotate(
        SecretDigest([9; 32]),
        BoundedText::parse("abcd").unwrap(),
        after(5),
        after(5),
    );
    let mut absent = ApiKey {
        version: 3,
        ..key("key_2")
    };
    for changed in [&mut stale, &mut absent] {
        let refused = store.save(changed).await.unwrap_err();
        assert_eq!(
            refused,
            ApiKeyStoreError::Conflict {
                id: changed.id.clone()
            }
        );
    }
    assert_eq!(store.find(&stored.id).await.unwrap(), Some(stored));
    assert_eq!(store.revision().await.unwrap(), revision);
}

/// So that whoever asks for it knows whether to read the keys again.
pub async fn every_change_raises_the_revision(store: Store) {
    let mut revisions = vec![store.revision().await.unwrap()];
    let mut first = key("key_1");
    for _ in 0..3 {
        store.save(&mut first).await.unwrap();
        revisions.push(store.revision().await.unwrap());
    }
    store.save(&mut key("key_2")).await.unwrap();
    revisions.push(store.revision().await.unwrap());
    assert!(revisions.is_sorted_by(|a, b| a < b), "{revisions:?}");
}

/// None is left out or told twice.
pub async fn keys_are_listed_by_name_page_by_page(store: Store) {
    for name in ["key_3", "key_1", "key_5", "key_2", "key_4"] {
        store.save(&mut key(name)).await.unwrap();
    }
    let mut found = Vec::new();
    let mut after: Option<ApiKeyId> = None;
    loop {
        let page = store.list(after.as_ref(), 2).await.unwrap();
        assert!(page.items.len() <= 2);
        after = page.items.last().map(|last| last.id.clone());
        found.extend(page.items.iter().map(|key| key.id.to_string()));
        if !page.has_more {
            break;
        }
    }
    assert_eq!(found, ["key_1", "key_2", "key_3", "key_4", "key_5"]);
}

/// Two that revoke and rotate at once do not undo one another.
pub async fn of_many_changes_over_one_version_one_wins(store: Store) {
    let mut stored = key("key_1");
    store.save(&mut stored).await.unwrap();
    let before = store.revision().await.unwrap();
    let mut crowd = JoinSet::new();
    for _ in 0..CROWD {
        let (store, mut mine) = (Arc::clone(&store), stored.clone());
        crowd.spawn(async move { store.save(&mut mine).await });
    }
    let results = crowd.join_all().await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert_eq!(store.find(&stored.id).await.unwrap().unwrap().version, 2);
    assert!(store.revision().await.unwrap() > before);
}
