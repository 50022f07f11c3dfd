//! What every list store owes, and what of it is in the file.

use std::sync::Arc;

use application::ports::{ListChange, ListStore};
use domain::feature::Subject;
use domain::{ListAuthor, ListItem, ListName, ListedValue};
use portcullis_storage::SqliteListStore;
use tempfile::TempDir;
use testkit::builders::after;

use crate::{back_door, fresh, open};

async fn open_lists() -> (Arc<dyn ListStore>, TempDir) {
    let (folder, _, repository) = fresh();
    (Arc::new(SqliteListStore::new(Arc::new(repository))), folder)
}

testkit::list_store_contract!(open_lists);

fn item(number: usize, seconds: u64) -> ListItem {
    ListItem {
        list: ListName::parse("blocked").unwrap(),
        value: ListedValue::parse(Subject::Customer, &format!("c_{number}")).unwrap(),
        expires_at: None,
        added_by: ListAuthor::parse("ada").unwrap(),
        added_at: after(seconds),
        note: None,
    }
}

#[tokio::test]
async fn items_are_there_when_the_file_is_opened_again() {
    let (_folder, config, repository) = fresh();
    let repository = Arc::new(repository);
    let store = SqliteListStore::new(Arc::clone(&repository));
    store.put(&item(1, 0)).await.unwrap();
    repository.close().await.unwrap();
    let again = SqliteListStore::new(Arc::new(open(&config)));
    let changes = again.changes_after(0, 10).await.unwrap();
    assert_eq!(changes.changes, [ListChange::Put(item(1, 0))]);
}

#[tokio::test]
async fn another_process_on_the_same_file_is_told_of_a_change() {
    let (_folder, config, one) = fresh();
    let (one, other) = (
        SqliteListStore::new(Arc::new(one)),
        SqliteListStore::new(Arc::new(open(&config))),
    );
    one.put(&item(1, 0)).await.unwrap();
    let first = other.changes_after(0, 10).await.unwrap();
    other.put(&item(2, 0)).await.unwrap();
    let second = one.changes_after(first.revision, 10).await.unwrap();
    assert_eq!(second.changes, [ListChange::Put(item(2, 0))]);
}

#[tokio::test]
async fn what_was_removed_or_has_expired_does_not_stay_for_ever() {
    const DAY: u64 = 86_400;
    let (_folder, config, repository) = fresh();
    let store = SqliteListStore::new(Arc::new(repository));
    let rows = || {
        let count = "SELECT count(*), (SELECT items FROM lists) FROM list_items";
        back_door(&config).query_row(count, [], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
        })
    };
    for number in 0..20 {
        let short = ListItem {
            expires_at: Some(after(60)),
            ..item(100 + number, 0)
        };
        store.put(&item(number, 0)).await.unwrap();
        store.put(&short).await.unwrap();
        let removed = item(number, 0);
        store
            .remove(&removed.list, &removed.value, after(1))
            .await
            .unwrap();
    }
    assert_eq!(rows().unwrap(), (40, 20), "a removal is told for a day");
    for number in 0..10 {
        store.put(&item(200 + number, 3 * DAY)).await.unwrap();
    }
    assert_eq!(rows().unwrap(), (10, 10));
}

#[tokio::test]
async fn an_item_that_no_gateway_wrote_is_told_as_damage() {
    let (_folder, config, repository) = fresh();
    let store = SqliteListStore::new(Arc::new(repository));
    store.put(&item(1, 0)).await.unwrap();
    back_door(&config)
        .execute(
            "UPDATE list_items SET subject = 'card', value = '4242424242424242'",
            [],
        )
        .unwrap();
    let error = store.changes_after(0, 10).await.unwrap_err().to_string();
    assert!(error.contains("list_items.value"), "{error}");
    assert!(!error.contains("4242"), "{error}");
}
