//! `/v1/lists`.

use application::ports::{ListStore, MAX_LISTS};
use domain::feature::Subject;
use domain::{ListAuthor, ListItem, ListName, ListedValue, Timestamp};
use portcullis_api::Api;
use serde_json::{Value, json};

use crate::caller::{Answer, CARD_NUMBER, delete, get, post, with};
use crate::fakes::{NOW, World};

const BLOCKED: &str = "/v1/lists/blocked/items";
const FINGERPRINT: &str = "fp_4be04be04be04be04be04be04be04be0";

fn item(subject: &str, value: &str) -> Value {
    json!({"subject": subject, "value": value, "added_by": "ana"})
}

async fn add(api: &Api, subject: &str, value: &str) -> Answer {
    let answer = post(api, BLOCKED, &item(subject, value)).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    answer
}

/// The values on a page.
fn values(page: &Answer) -> Vec<String> {
    let page = page.json();
    let items = page["data"].as_array().unwrap().iter();
    items
        .map(|item| item["value"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn an_item_is_added_shown_and_removed() {
    let api = World::new().api();
    let mut body = item("email", " Ada@Example.com.");
    body["expires_at"] = json!("2026-03-01T16:30:00.251+08:00");
    body["note"] = json!("chargebacks");
    let added = post(&api, BLOCKED, &body).await;
    assert_eq!(added.status, 200, "{added:?}");
    let shown = json!({
        "list": "blocked",
        "subject": "email",
        "value": "ada@example.com",
        "expires_at": "2026-03-01T08:30:00.251Z",
        "note": "chargebacks",
        "added_by": "ana",
        "added_at": "2026-03-01T08:30:00.250Z",
    });
    assert_eq!(added.json(), shown);
    let listed = get(&api, BLOCKED).await;
    assert_eq!(
        listed.json(),
        json!({"data": [shown], "has_more": false, "next_cursor": null})
    );
    let one = format!("{BLOCKED}?subject=email&value=ADA%40example.com");
    let removed = delete(&api, &one).await;
    assert_eq!((removed.status.as_u16(), removed.text.as_str()), (204, ""));
    assert!(
        values(&get(&api, BLOCKED).await).is_empty(),
        "the list stays, empty"
    );
    let again = delete(&api, &one).await;
    assert_eq!(
        (again.status.as_u16(), again.problem().0.as_str()),
        (404, "list_item_not_found")
    );
}

#[tokio::test]
async fn what_is_there_already_is_answered_the_same_way_and_takes_its_place() {
    let api = World::new().api();
    let first = post(
        &api,
        BLOCKED,
        &with(item("ip", "2001:DB8::/32"), "note", json!("old")),
    )
    .await;
    let body = item("ip", "2001:db8:0::/32");
    let second = post(&api, BLOCKED, &body).await;
    let third = post(&api, BLOCKED, &body).await;
    assert_eq!((second.status, &second.text), (third.status, &third.text));
    assert_eq!(first.status, second.status);
    assert_eq!(second.json()["note"], json!(null));
    assert_eq!(values(&get(&api, BLOCKED).await), ["2001:db8::/32"]);
    let removed = delete(&api, &format!("{BLOCKED}?subject=ip&value=2001:db8::%2F32")).await;
    assert_eq!(removed.status, 204, "a value with a slash");
}

#[tokio::test]
async fn a_list_is_read_page_by_page_without_what_has_expired() {
    let world = World::new();
    let api = world.api();
    for (subject, value) in [
        ("ip", "192.0.2.1"),
        ("email", "b+c@x.example"),
        ("email", "a@x.example"),
    ] {
        add(&api, subject, value).await;
    }
    let expired = ListItem {
        list: ListName::parse("blocked").unwrap(),
        value: ListedValue::parse(Subject::Email, "aa@x.example").unwrap(),
        expires_at: Some(NOW),
        added_by: ListAuthor::parse("ana").unwrap(),
        added_at: Timestamp::from_unix_millis(0),
        note: None,
    };
    world.lists.put(&expired).await.unwrap();
    let (mut read, mut path, mut pages) = (Vec::new(), format!("{BLOCKED}?limit=1"), 0);
    loop {
        let page = get(&api, &path).await;
        assert_eq!(page.status, 200, "{page:?}");
        read.extend(values(&page));
        pages += 1;
        let page = page.json();
        assert_eq!(page["has_more"], json!(!page["next_cursor"].is_null()));
        let Some(next) = page["next_cursor"].as_str() else {
            break;
        };
        path = format!("{BLOCKED}?limit=1&cursor={next}");
    }
    assert_eq!(read, ["a@x.example", "b+c@x.example", "192.0.2.1"]);
    assert_eq!(pages, 4, "that of what has expired is empty");
}

#[tokio::test]
async fn a_card_number_is_refused_wherever_it_stands_and_never_repeated() {
    let world = World::new();
    let api = world.api();
    let misplaced = "card_number_misplaced";
    for (body, path, code) in [
        (item("card", CARD_NUMBER), "value", misplaced),
        (item("card", "4242 4242 4242 4242"), "value", misplaced),
        (item("card", "fp_4242424242424242"), "value", misplaced),
        (item("card", "4242424242424241"), "value", "invalid_fingerprint"),
        (item("customer", CARD_NUMBER), "value", misplaced),
        (item("device", "4242-4242-4242-4242"), "value", misplaced),
        (item("email", "4242424242424242@example.com"), "value", misplaced),
        (
            with(item("customer", "c_1"), "note", json!("card 4242424242424242")),
            "note",
            misplaced,
        ),
        (
            with(item("customer", "c_1"), "added_by", json!(CARD_NUMBER)),
            "added_by",
            misplaced,
        ),
    ] {
        let answer = post(&api, BLOCKED, &body).await;
        let error = (path.to_owned(), code.to_owned());
        assert_eq!(answer.problem(), (code.to_owned(), vec![error]), "{body}");
        assert!(
            answer.text.contains("fingerprint"),
            "says what to send instead: {answer:?}"
        );
        assert!(!answer.text.contains("4242"), "{answer:?}");
    }
    let named = post(
        &api,
        &format!("/v1/lists/{CARD_NUMBER}/items"),
        &item("customer", "c_1"),
    )
    .await;
    assert_eq!(named.problem().0, misplaced);
    let removed = delete(&api, &format!("{BLOCKED}?subject=card&value={CARD_NUMBER}")).await;
    assert_eq!(removed.problem().0, "invalid_query");
    for answer in [named, removed] {
        assert!(!answer.text.contains("4242"), "{answer:?}");
        assert!(answer.text.contains("fingerprint"), "{answer:?}");
    }
    assert_eq!(get(&api, BLOCKED).await.status, 404, "nothing was put anywhere");
    add(&api, "card", FINGERPRINT).await;
    add(&api, "merchant", "424242424242428").await;
}

#[tokio::test]
async fn what_cannot_be_meant_is_refused_with_its_path() {
    let api = World::new().api();
    for (body, path, code) in [
        (item("phone", "1"), "subject", "invalid_text"),
        (
            json!({"value": "c_1", "added_by": "ana"}),
            "subject",
            "missing_field",
        ),
        (
            json!({"subject": "customer", "added_by": "ana"}),
            "value",
            "missing_field",
        ),
        (
            json!({"subject": "customer", "value": "c_1"}),
            "added_by",
            "missing_field",
        ),
        (
            json!({"subject": "customer", "value": 7, "added_by": "ana"}),
            "value",
            "wrong_type",
        ),
        (item("customer", " \u{200b}"), "value", "invalid_text"),
        (item("customer", "a\nb"), "value", "invalid_text"),
        (item("device", &"x".repeat(321)), "value", "invalid_text"),
        (item("ip", "192.0.2.1/24"), "value", "invalid_ip_address"),
        (
            with(
                item("customer", "c"),
                "expires_at",
                json!("2026-03-01T08:30:00.250Z"),
            ),
            "expires_at",
            "invalid_expires_at",
        ),
        (
            with(item("customer", "c"), "expires_at", json!("tomorrow")),
            "expires_at",
            "invalid_expires_at",
        ),
        (
            with(item("customer", "c"), "expires_at", json!(1_900_000_000)),
            "expires_at",
            "wrong_type",
        ),
        (
            with(item("customer", "c"), "note", json!("x".repeat(501))),
            "note",
            "invalid_text",
        ),
        (
            with(item("customer", "c"), "reason", json!("x")),
            "reason",
            "unknown_field",
        ),
    ] {
        let answer = post(&api, BLOCKED, &body).await;
        let error = (path.to_owned(), code.to_owned());
        assert_eq!(answer.status, 400, "{answer:?}");
        assert_eq!(answer.problem(), (code.to_owned(), vec![error]), "{body}");
    }
}

#[tokio::test]
async fn a_query_that_cannot_be_meant_is_refused_and_removes_nothing() {
    let api = World::new().api();
    add(&api, "ip", "192.0.2.1").await;
    for query in [
        "",
        "?subject=ip",
        "?value=192.0.2.1",
        "?subject=phone&value=1",
        "?subject=ip&value=nowhere",
        "?subject=ip&value=192.0.2.1&limit=1",
    ] {
        let answer = delete(&api, &format!("{BLOCKED}{query}")).await;
        assert_eq!(
            (answer.status.as_u16(), answer.problem().0.as_str()),
            (400, "invalid_query"),
            "{query}"
        );
    }
    for query in ["?limit=0", "?cursor=ip.zz", "?subject=ip"] {
        let answer = get(&api, &format!("{BLOCKED}{query}")).await;
        assert_eq!(answer.problem().0, "invalid_query", "{query}");
    }
    assert_eq!(values(&get(&api, BLOCKED).await), ["192.0.2.1"]);
}

#[tokio::test]
async fn a_list_that_nobody_keeps_or_could_keep_is_not_found() {
    let api = World::new().api();
    for list in ["none", "a%20b", "a%2Fb", "%F0%9F%98%80"] {
        let path = format!("/v1/lists/{list}/items");
        let answers = [
            get(&api, &path).await,
            delete(&api, &format!("{path}?subject=ip&value=192.0.2.1")).await,
        ];
        for answer in answers {
            assert_eq!(
                (answer.status.as_u16(), answer.problem().0.as_str()),
                (404, "list_not_found"),
                "{list}"
            );
        }
    }
    let answer = post(&api, "/v1/lists/a%20b/items", &item("customer", "c_1")).await;
    assert_eq!(answer.problem().0, "list_not_found");
}

#[tokio::test]
async fn bounds_and_a_store_that_is_away_are_told() {
    let world = World::new();
    let api = world.api();
    for number in 0..MAX_LISTS {
        let path = format!("/v1/lists/list-{number}/items");
        assert_eq!(post(&api, &path, &item("customer", "c_1")).await.status, 200);
    }
    let one_more = post(&api, BLOCKED, &item("customer", "c_1")).await;
    assert_eq!(
        (one_more.status.as_u16(), one_more.problem().0.as_str()),
        (409, "too_many_lists")
    );
    world.lists.set_available(false);
    let list = "/v1/lists/list-1/items";
    for answer in [
        post(&api, list, &item("customer", "c_1")).await,
        get(&api, list).await,
        delete(&api, &format!("{list}?subject=customer&value=c_1")).await,
    ] {
        assert_eq!(
            (answer.status.as_u16(), answer.problem().0.as_str()),
            (503, "storage_unavailable")
        );
        assert_eq!(answer.header("retry-after"), "5");
        assert!(!answer.text.contains("the test says so"), "{answer:?}");
    }
}
