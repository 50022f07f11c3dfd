//! Adding to lists, taking off them, and reading them.

use std::sync::Arc;

use domain::feature::Subject;
use domain::{ListAuthor, ListItem, ListName, ListNote, ListedValueError, Timestamp};
use portcullis_application::ports::{ListCursor, ListStoreError};
use portcullis_application::use_cases::{
    AddListItem, AddListItemCommand, AddListItemError, ListItems, RemoveListItem, RemoveListItemCommand,
    RemoveListItemError,
};
use testkit::builders::after;
use testkit::fakes::{InMemoryListStore, SettableClock};

#[derive(Default)]
struct Desk {
    lists: Arc<InMemoryListStore>,
    clock: Arc<SettableClock>,
}

fn blocked() -> ListName {
    ListName::parse("blocked").unwrap()
}

fn adding(subject: Subject, value: &str, expires_at: Option<Timestamp>) -> AddListItemCommand {
    AddListItemCommand {
        list: blocked(),
        subject,
        value: value.to_owned(),
        expires_at,
        note: Some(ListNote::parse("chargebacks").unwrap()),
        added_by: ListAuthor::parse("ada").unwrap(),
    }
}

impl Desk {
    async fn add(&self, command: AddListItemCommand) -> Result<ListItem, AddListItemError> {
        let add = AddListItem {
            lists: self.lists.clone(),
            clock: self.clock.clone(),
        };
        add.execute(command).await
    }

    async fn remove(&self, subject: Subject, value: &str) -> Result<(), RemoveListItemError> {
        let remove = RemoveListItem {
            lists: self.lists.clone(),
            clock: self.clock.clone(),
        };
        let command = RemoveListItemCommand {
            list: blocked(),
            subject,
            value: value.to_owned(),
        };
        remove.execute(command).await
    }

    async fn page(&self, after: Option<&ListCursor>, limit: usize) -> (Vec<String>, Option<ListCursor>) {
        let read = ListItems {
            lists: self.lists.clone(),
            clock: self.clock.clone(),
        };
        let page = read.execute(&blocked(), after, limit).await.unwrap();
        let values = page.items.iter().map(|item| item.value.as_str().to_owned());
        (values.collect(), page.next)
    }
}

#[tokio::test]
async fn an_item_is_added_dated_and_read() {
    let desk = Desk::default();
    let added = desk
        .add(adding(Subject::Email, " Ada@Example.com", Some(after(60))))
        .await
        .unwrap();
    assert_eq!(added.value.as_str(), "ada@example.com");
    assert_eq!(added.added_at, after(0));
    assert_eq!(added.added_by.as_str(), "ada");
    assert_eq!(
        desk.page(None, 10).await,
        (vec!["ada@example.com".to_owned()], None)
    );
}

#[tokio::test]
async fn a_card_number_is_refused_and_nothing_is_kept_of_it() {
    let desk = Desk::default();
    let error = desk
        .add(adding(Subject::Card, "4242424242424242", None))
        .await
        .unwrap_err();
    assert!(matches!(
        error,
        AddListItemError::Value(ListedValueError::MalformedCard)
    ));
    assert!(
        error.to_string().contains("never put a card number here"),
        "{error}"
    );
    assert!(!format!("{error} {error:?}").contains("4242"));
    let read = ListItems {
        lists: desk.lists.clone(),
        clock: desk.clock.clone(),
    };
    let error = read.execute(&blocked(), None, 10).await.unwrap_err();
    assert!(matches!(error, ListStoreError::UnknownList { .. }), "{error}");
}

#[tokio::test]
async fn an_item_that_would_have_expired_already_is_refused() {
    let desk = Desk::default();
    for at in [after(0), Timestamp::from_unix_millis(0)] {
        let error = desk
            .add(adding(Subject::Customer, "c_1", Some(at)))
            .await
            .unwrap_err();
        assert!(matches!(error, AddListItemError::Expired), "{error}");
    }
}

#[tokio::test]
async fn an_item_is_removed_in_any_spelling_and_once() {
    let desk = Desk::default();
    desk.add(adding(Subject::Ip, "2001:db8::/32", None))
        .await
        .unwrap();
    desk.remove(Subject::Ip, "2001:DB8:0::/32").await.unwrap();
    let error = desk.remove(Subject::Ip, "2001:db8::/32").await.unwrap_err();
    assert!(matches!(error, RemoveListItemError::NotFound { .. }), "{error}");
}

#[tokio::test]
async fn pages_go_past_items_that_have_expired() {
    let desk = Desk::default();
    for (number, expires_at) in [(1, None), (2, Some(after(10))), (3, Some(after(10))), (4, None)] {
        let command = adding(Subject::Customer, &format!("c_{number}"), expires_at);
        desk.add(command).await.unwrap();
    }
    desk.clock.set(after(10));
    let (mut found, mut next) = desk.page(None, 1).await;
    while let Some(cursor) = next {
        let (more, behind) = desk.page(Some(&cursor), 1).await;
        found.extend(more);
        next = behind;
    }
    assert_eq!(found, ["c_1", "c_4"]);
}
