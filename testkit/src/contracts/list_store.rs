//! What a list store owes.

use std::collections::BTreeSet;
use std::sync::Arc;

use application::ports::{
    ListChange, ListCursor, ListStore, ListStoreError, MAX_LIST_ITEMS, MAX_LISTS, Removed,
};
use domain::feature::Subject;
use domain::{ListAuthor, ListItem, ListName, ListNote, ListedValue, Timestamp};
use tokio::task::JoinSet;

use crate::builders::after;

type Store = Arc<dyn ListStore>;

fn list(name: &str) -> ListName {
    ListName::parse(name).unwrap()
}

fn value(subject: Subject, text: &str) -> ListedValue {
    ListedValue::parse(subject, text).unwrap()
}

/// Of the list `blocked`, added at the beginning, for good.
fn item(subject: Subject, text: &str) -> ListItem {
    ListItem {
        list: list("blocked"),
        value: value(subject, text),
        expires_at: None,
        added_by: ListAuthor::parse("ada").unwrap(),
        added_at: after(0),
        note: None,
    }
}

fn until(item: ListItem, at: Timestamp) -> ListItem {
    ListItem {
        expires_at: Some(at),
        ..item
    }
}

async fn put(store: &Store, item: &ListItem) {
    store.put(item).await.unwrap();
}

async fn all(store: &Store, name: &str) -> Vec<ListItem> {
    let page = store.items(&list(name), None, 1_000).await.unwrap();
    assert!(!page.has_more);
    page.items
}

/// With everything that was said of it.
pub async fn an_item_is_found_as_it_was_put(store: Store) {
    let complete = ListItem {
        expires_at: Some(after(60)),
        note: Some(ListNote::parse("chargebacks in May; “quoted” 漢字").unwrap()),
        ..item(Subject::Email, "Ada@Example.com")
    };
    let bare = item(Subject::Ip, "203.0.113.0/24");
    put(&store, &complete).await;
    put(&store, &bare).await;
    assert_eq!(all(&store, "blocked").await, [complete, bare]);
}

/// Whoever adds it again says something new of it.
pub async fn an_item_of_the_same_value_takes_the_place_of_the_first(store: Store) {
    put(&store, &item(Subject::Customer, "c_1")).await;
    let second = ListItem {
        expires_at: Some(after(60)),
        added_by: ListAuthor::parse("grace").unwrap(),
        added_at: after(10),
        note: Some(ListNote::parse("again").unwrap()),
        ..item(Subject::Customer, "c_1")
    };
    put(&store, &second).await;
    assert_eq!(all(&store, "blocked").await, [second]);
    put(&store, &item(Subject::Customer, "c_1")).await;
    assert_eq!(all(&store, "blocked").await, [item(Subject::Customer, "c_1")]);
}

/// The customer `x` is not the device `x`, and not the one on another list.
pub async fn items_are_apart_by_list_and_subject(store: Store) {
    let elsewhere = ListItem {
        list: list("allowed"),
        ..item(Subject::Customer, "x")
    };
    for item in [
        &item(Subject::Customer, "x"),
        &item(Subject::Device, "x"),
        &elsewhere,
    ] {
        put(&store, item).await;
    }
    let device = value(Subject::Device, "x");
    let removed = store.remove(&list("blocked"), &device, after(1)).await;
    assert_eq!(removed.unwrap(), Removed::Yes);
    assert_eq!(all(&store, "blocked").await, [item(Subject::Customer, "x")]);
    assert_eq!(all(&store, "allowed").await, [elsewhere]);
}

/// Once, and it can be put there again.
pub async fn an_item_that_was_removed_is_there_no_more(store: Store) {
    let customer = item(Subject::Customer, "c_1");
    put(&store, &customer).await;
    let remove = || store.remove(&customer.list, &customer.value, after(1));
    assert_eq!(remove().await.unwrap(), Removed::Yes);
    assert_eq!(remove().await.unwrap(), Removed::WasNotThere);
    assert!(all(&store, "blocked").await.is_empty());
    put(&store, &customer).await;
    assert_eq!(all(&store, "blocked").await, std::slice::from_ref(&customer));
    assert_eq!(remove().await.unwrap(), Removed::Yes);
}

/// To be removed, at its very millisecond.
pub async fn an_item_that_has_expired_is_not_there(store: Store) {
    for (text, expires_at, expected) in [
        ("c_1", after(10), Removed::WasNotThere),
        ("c_2", after(11), Removed::Yes),
    ] {
        let customer = until(item(Subject::Customer, text), expires_at);
        put(&store, &customer).await;
        let removed = store.remove(&customer.list, &customer.value, after(10));
        assert_eq!(removed.await.unwrap(), expected);
    }
    // Whether it is still told or not: whoever reads it sees that it has expired.
    assert!(
        all(&store, "blocked")
            .await
            .iter()
            .all(|item| item.has_expired(after(10)))
    );
}

/// Rather than empty.
pub async fn a_list_that_nobody_ever_put_anything_on_is_unknown(store: Store) {
    put(&store, &item(Subject::Customer, "c_1")).await;
    let unknown = list("unknown");
    let read = store.items(&unknown, None, 10).await.unwrap_err();
    let removed = store
        .remove(&unknown, &value(Subject::Customer, "c_1"), after(1))
        .await;
    for error in [read, removed.unwrap_err()] {
        assert!(
            matches!(&error, ListStoreError::UnknownList { list } if *list == unknown),
            "{error}"
        );
    }
}

/// Also for whoever follows.
pub async fn a_list_stays_when_its_last_item_is_gone(store: Store) {
    let customer = item(Subject::Customer, "c_1");
    put(&store, &customer).await;
    store
        .remove(&customer.list, &customer.value, after(1))
        .await
        .unwrap();
    assert!(all(&store, "blocked").await.is_empty());
    let changes = store.changes_after(0, 10).await.unwrap();
    assert_eq!(changes.lists, [list("blocked")]);
}

/// In whatever pages.
pub async fn pages_hold_every_item_once_and_in_order(store: Store) {
    let mut expected = Vec::new();
    for subject in Subject::ALL {
        for number in 0..7 {
            let text = match subject {
                Subject::Card => format!("fp_{number:032x}"),
                Subject::Ip => format!("192.0.2.{number}"),
                _ => format!("x_{number}"),
            };
            let item = item(subject, &text);
            put(&store, &item).await;
            expected.push(item);
        }
    }
    expected.sort_by(|a, b| {
        let order = |item: &ListItem| (item.value.subject().as_str(), item.value.as_str().to_owned());
        order(a).cmp(&order(b))
    });
    for limit in [1, 4, 41, 42, 43] {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = store
                .items(&list("blocked"), after.as_ref(), limit)
                .await
                .unwrap();
            assert!(page.items.len() <= limit);
            let last = page.items.last().map(|item| ListCursor {
                value: item.value.clone(),
            });
            found.extend(page.items);
            if !page.has_more {
                break;
            }
            after = last;
        }
        assert_eq!(found, expected, "{limit} a page");
    }
}

/// An item that is removed while somebody pages through moves no other one.
pub async fn a_cursor_outlives_its_item(store: Store) {
    for text in ["c_1", "c_2", "c_3"] {
        put(&store, &item(Subject::Customer, text)).await;
    }
    let cursor = ListCursor {
        value: value(Subject::Customer, "c_2"),
    };
    store
        .remove(&list("blocked"), &cursor.value, after(1))
        .await
        .unwrap();
    let page = store.items(&list("blocked"), Some(&cursor), 10).await.unwrap();
    assert_eq!(page.items, [item(Subject::Customer, "c_3")]);
}

/// Whoever asks from where he stopped hears of everything, and of each value once.
pub async fn changes_are_told_from_a_revision_on(store: Store) {
    let [first, second, third] = ["c_1", "c_2", "c_3"].map(|text| item(Subject::Customer, text));
    put(&store, &first).await;
    put(&store, &second).await;
    let begun = store.changes_after(0, 10).await.unwrap();
    assert_eq!(
        begun.changes,
        [ListChange::Put(first.clone()), ListChange::Put(second.clone())]
    );
    let nothing = store.changes_after(begun.revision, 10).await.unwrap();
    assert!(nothing.changes.is_empty() && !nothing.has_more);
    assert_eq!(nothing.revision, begun.revision);

    store.remove(&first.list, &first.value, after(1)).await.unwrap();
    put(&store, &third).await;
    let again = until(second.clone(), after(100));
    put(&store, &again).await;
    let later = store.changes_after(begun.revision, 10).await.unwrap();
    let removed = ListChange::Removed {
        list: first.list.clone(),
        value: first.value.clone(),
    };
    assert_eq!(
        later.changes,
        [removed, ListChange::Put(third), ListChange::Put(again)]
    );
}

/// However few at once.
pub async fn changes_come_in_pages(store: Store) {
    for number in 0..10 {
        put(&store, &item(Subject::Customer, &format!("c_{number}"))).await;
    }
    let (mut revision, mut told) = (0, 0);
    loop {
        let changes = store.changes_after(revision, 3).await.unwrap();
        assert!(changes.changes.len() <= 3 && changes.revision >= revision);
        told += changes.changes.len();
        revision = changes.revision;
        if !changes.has_more {
            break;
        }
    }
    assert_eq!(told, 10);
}

/// None is lost, and whoever follows meanwhile misses none.
pub async fn items_that_are_put_at_the_same_time_are_all_told(store: Store) {
    const CROWD: usize = 64;
    let mut puts = JoinSet::new();
    for number in 0..CROWD {
        let store = Arc::clone(&store);
        puts.spawn(async move { put(&store, &item(Subject::Customer, &format!("c_{number}"))).await });
    }
    let (mut revision, mut told) = (0, BTreeSet::new());
    loop {
        let all_put = puts.is_empty();
        let changes = store.changes_after(revision, 10).await.unwrap();
        revision = changes.revision;
        for change in changes.changes {
            match change {
                ListChange::Put(item) => told.insert(item.value),
                ListChange::Removed { .. } => unreachable!("nothing was removed"),
            };
        }
        if all_put && !changes.has_more {
            break;
        }
        puts.join_next().await.transpose().unwrap();
    }
    assert_eq!(told.len(), CROWD);
}

/// And the ones there are can be changed still.
pub async fn there_are_only_so_many_lists(store: Store) {
    let on = |number: usize| ListItem {
        list: list(&format!("list-{number}")),
        ..item(Subject::Customer, "c_1")
    };
    for number in 0..MAX_LISTS {
        put(&store, &on(number)).await;
    }
    let error = store.put(&on(MAX_LISTS)).await.unwrap_err();
    assert!(matches!(error, ListStoreError::TooManyLists), "{error}");
    put(&store, &on(0)).await;
    assert_eq!(store.changes_after(0, 1).await.unwrap().lists.len(), MAX_LISTS);
}

/// Those that have expired take no room.
pub async fn a_list_holds_only_so_many_items(store: Store) {
    let number = |number: usize| item(Subject::Customer, &format!("c_{number}"));
    // Many at once, so that a store can write them together.
    const AT_ONCE: usize = 500;
    for from in (0..MAX_LIST_ITEMS).step_by(AT_ONCE) {
        let mut puts = JoinSet::new();
        for at in from..from + AT_ONCE {
            let store = Arc::clone(&store);
            // The first one expires.
            let item = if at == 0 {
                until(number(at), after(10))
            } else {
                number(at)
            };
            puts.spawn(async move { store.put(&item).await.unwrap() });
        }
        puts.join_all().await;
    }
    let late = |seconds| ListItem {
        added_at: after(seconds),
        ..number(MAX_LIST_ITEMS)
    };
    let error = store.put(&late(9)).await.unwrap_err();
    assert!(matches!(error, ListStoreError::ListFull { .. }), "{error}");
    put(&store, &number(1)).await;
    put(&store, &late(10)).await;
    let last = ListItem {
        added_at: after(10),
        ..number(MAX_LIST_ITEMS + 1)
    };
    let error = store.put(&last).await.unwrap_err();
    assert!(matches!(error, ListStoreError::ListFull { .. }), "{error}");
    store
        .remove(&list("blocked"), &number(5).value, after(10))
        .await
        .unwrap();
    put(&store, &last).await;
}
