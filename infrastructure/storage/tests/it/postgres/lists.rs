//! Items of lists, where several gateways change them and others follow.

use std::collections::BTreeMap;
use std::sync::Arc;

use application::ports::{ListChange, ListStore, Removed};
use domain::feature::Subject;
use domain::{ListAuthor, ListItem, ListName, ListedValue};
use portcullis_storage::PostgresPaymentRepository;
use testkit::builders::after;
use testkit::postgres::shared;
use tokio::task::JoinSet;

use super::{back_door, config, open, somebody_waits_for_a_lock};

/// How many tasks change lists at the same time.
const TASKS: usize = 16;

/// How many changes each of them makes.
const CHANGES: usize = 60;

/// How many values they change: few, so that they meet.
const VALUES: usize = 7;

fn list(name: &str) -> ListName {
    ListName::parse(name).unwrap()
}

fn item(number: usize, seconds: u64) -> ListItem {
    ListItem {
        list: list("blocked"),
        value: ListedValue::parse(Subject::Customer, &format!("c_{number}")).unwrap(),
        expires_at: None,
        added_by: ListAuthor::parse("ada").unwrap(),
        added_at: after(seconds),
        note: None,
    }
}

/// What somebody who follows knows.
#[derive(Default)]
struct Follower {
    revision: u64,
    known: BTreeMap<(String, String), ListItem>,
}

impl Follower {
    /// Reads a page on; tells whether there was anything.
    async fn follow(&mut self, store: &PostgresPaymentRepository) -> bool {
        let told = store.changes_after(self.revision, 5).await.unwrap();
        assert!(told.revision >= self.revision);
        self.revision = told.revision;
        let was_told = !told.changes.is_empty();
        for change in told.changes {
            match change {
                ListChange::Put(item) => {
                    let name = (item.list.to_string(), item.value.as_str().to_owned());
                    self.known.insert(name, item);
                }
                ListChange::Removed { list, value } => {
                    self.known.remove(&(list.to_string(), value.as_str().to_owned()));
                }
            }
        }
        was_told
    }
}

/// Puts and removes by turns, on two lists, each time something else.
async fn change(store: Arc<PostgresPaymentRepository>, task: usize) {
    for number in 0..CHANGES {
        let is_blocked = (task + number).is_multiple_of(2);
        let changed = ListItem {
            list: list(if is_blocked { "blocked" } else { "watched" }),
            // Nobody else adds it at that second.
            ..item((task * 5 + number * 3) % VALUES, (task * CHANGES + number) as u64)
        };
        store.put(&changed).await.unwrap();
        if number % 3 != 0 {
            store
                .remove(&changed.list, &changed.value, after(1))
                .await
                .unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_follows_while_two_gateways_change_lists_ends_with_what_is_stored() {
    let server = shared();
    let database = server.fresh_database();
    let config = config(server, &database);
    let gateways = [Arc::new(open(&config).await), Arc::new(open(&config).await)];
    let mut changes = JoinSet::new();
    for task in 0..TASKS {
        let gateway = Arc::clone(&gateways[task % gateways.len()]);
        changes.spawn(change(gateway, task));
    }
    let follower = open(&config).await;
    let mut follows = Follower::default();
    let mut are_all_done = false;
    loop {
        let was_told = follows.follow(&follower).await;
        if are_all_done && !was_told {
            break;
        }
        // Once nobody changes anything any more, what is behind is read to its end.
        while let Some(done) = changes.try_join_next() {
            done.unwrap();
        }
        are_all_done = changes.is_empty();
    }
    for name in ["blocked", "watched"] {
        let stored = follower.items(&list(name), None, 1_000).await.unwrap().items;
        let known = follows.known.values().filter(|item| item.list == list(name));
        assert_eq!(known.cloned().collect::<Vec<_>>(), stored, "{name}");
    }
    let counts = "SELECT bool_and(items = (SELECT count(*) FROM list_items WHERE list = name AND removed_at_ms IS NULL))
        FROM lists";
    assert_eq!(server.sql(&database, counts), "t", "the lists know their lengths");
    // What was asked for twice changed nothing the second time.
    let highest = server.sql(&database, "SELECT max(revision) FROM list_items");
    assert_eq!(highest, follows.revision.to_string());
}

/// The other one commits first, and yet is told behind it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_whose_commit_takes_its_time_is_not_skipped() {
    let server = shared();
    let database = server.fresh_database();
    let store = Arc::new(open(&config(server, &database)).await);
    store.put(&item(1, 0)).await.unwrap();
    let slow = back_door(server, &database).await;
    slow.batch_execute(
        "BEGIN; SELECT revision FROM list_revision FOR UPDATE;
        UPDATE list_revision SET revision = revision + 1;
        UPDATE list_items SET revision = 2, note = 'slow'",
    )
    .await
    .unwrap();
    let putting = Arc::clone(&store);
    let put = tokio::spawn(async move { putting.put(&item(2, 0)).await });
    somebody_waits_for_a_lock(&slow).await;
    let meanwhile = store.changes_after(1, 10).await.unwrap();
    assert_eq!((meanwhile.revision, meanwhile.changes.len()), (1, 0));
    slow.batch_execute("COMMIT").await.unwrap();
    put.await.unwrap().unwrap();
    let told = store.changes_after(meanwhile.revision, 10).await.unwrap();
    let values: Vec<&str> = told
        .changes
        .iter()
        .map(|change| match change {
            ListChange::Put(item) => item.value.as_str(),
            ListChange::Removed { .. } => unreachable!("nothing was removed"),
        })
        .collect();
    assert_eq!(values, ["c_1", "c_2"]);
    assert_eq!(told.revision, 3);
}

/// Of those who come for the last place, as many get in as there is room for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gateways_that_make_lists_at_once_make_no_more_than_there_can_be() {
    let server = shared();
    let database = server.fresh_database();
    let config = config(server, &database);
    let gateways = [Arc::new(open(&config).await), Arc::new(open(&config).await)];
    let many =
        "INSERT INTO lists (name, items) SELECT 'old-' || number, 0 FROM generate_series(1, 253) AS number";
    server.sql(&database, many);
    let mut puts = JoinSet::new();
    for number in 0..TASKS {
        let gateway = Arc::clone(&gateways[number % gateways.len()]);
        let item = ListItem {
            list: list(&format!("new-{number}")),
            ..item(1, 0)
        };
        puts.spawn(async move { gateway.put(&item).await.is_ok() });
    }
    let put = puts.join_all().await.into_iter().filter(|is_ok| *is_ok).count();
    assert_eq!(put, 3);
    assert_eq!(
        server.sql(
            &database,
            "SELECT count(*), max(revision) FROM lists, list_revision"
        ),
        "256|3"
    );
}

/// Also the connection that it was to be made by is good for the next one.
#[tokio::test]
async fn a_change_that_takes_too_long_is_undone_and_told() {
    let server = shared();
    let database = server.fresh_database();
    let mut config = config(server, &database);
    config.statement_timeout_ms = 1_000;
    config.max_connections = 1;
    let store = open(&config).await;
    store.put(&item(1, 0)).await.unwrap();
    let holder = back_door(server, &database).await;
    let hold = "BEGIN; SELECT revision FROM list_revision FOR UPDATE";
    holder.batch_execute(hold).await.unwrap();
    let told = store.put(&item(2, 0)).await.unwrap_err().to_string();
    assert!(told.contains("57014"), "{told}");
    holder.batch_execute("COMMIT").await.unwrap();
    let changes = store.changes_after(0, 10).await.unwrap();
    assert_eq!(changes.changes, [ListChange::Put(item(1, 0))]);
    store.put(&item(2, 0)).await.unwrap();
    assert_eq!(store.changes_after(0, 10).await.unwrap().revision, 2);
}

#[tokio::test]
async fn an_item_that_was_put_through_one_gateway_is_removed_through_another() {
    let server = shared();
    let config = config(server, &server.fresh_database());
    let (one, other) = (open(&config).await, open(&config).await);
    one.put(&item(1, 0)).await.unwrap();
    let first = other.changes_after(0, 10).await.unwrap();
    assert_eq!(first.changes, [ListChange::Put(item(1, 0))]);
    let removed = other.remove(&item(1, 0).list, &item(1, 0).value, after(1)).await;
    assert_eq!(removed.unwrap(), Removed::Yes);
    let second = one.changes_after(first.revision, 10).await.unwrap();
    assert!(matches!(second.changes[..], [ListChange::Removed { .. }]));
}

#[tokio::test]
async fn what_was_removed_or_has_expired_does_not_stay_for_ever() {
    const DAY: u64 = 86_400;
    let server = shared();
    let database = server.fresh_database();
    let store = open(&config(server, &database)).await;
    let rows = || {
        server.sql(
            &database,
            "SELECT count(*), (SELECT items FROM lists) FROM list_items",
        )
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
    assert_eq!(rows(), "40|20", "a removal is told for a day");
    for number in 0..10 {
        store.put(&item(200 + number, 3 * DAY)).await.unwrap();
    }
    assert_eq!(rows(), "10|10");
}

#[tokio::test]
async fn an_item_that_no_gateway_wrote_is_told_as_damage() {
    let server = shared();
    let database = server.fresh_database();
    let store = open(&config(server, &database)).await;
    store.put(&item(1, 0)).await.unwrap();
    server.sql(
        &database,
        "UPDATE list_items SET subject = 'card', value = '4242424242424242'",
    );
    let error = store.changes_after(0, 10).await.unwrap_err().to_string();
    assert!(error.contains("list_items.value"), "{error}");
    assert!(!error.contains("4242"), "{error}");
}
