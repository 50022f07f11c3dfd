//! What is done with a payment that is there: capture, void, refund, confirm, review, resolve; and listings of them.

use application::ports::{AcquirerAnswer, AcquirerError};
use domain::payment::DeclineCode;
use domain::risk::Outcome;
use portcullis_api::Api;
use serde_json::{Value, json};

use super::PATH;
use crate::caller::{Answer, get, post, post_text, small_payment};
use crate::fakes::{World, verdict};

async fn paid(api: &Api) -> String {
    let answer = post(api, PATH, &small_payment()).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()["id"].as_str().unwrap().to_owned()
}

async fn act(api: &Api, id: &str, action: &str, body: &Value) -> Answer {
    post(api, &format!("{PATH}/{id}/{action}"), body).await
}

fn cny(minor_units: i64) -> Value {
    json!({"amount": {"minor_units": minor_units, "currency": "CNY"}})
}

fn amounts(answer: &Answer) -> [i64; 4] {
    let amounts = &answer.json()["amounts"];
    ["captured", "refunded", "capturable", "refundable"].map(|name| amounts[name].as_i64().unwrap())
}

fn refused(answer: &Answer, status: u16, code: &str) {
    assert_eq!(
        (answer.status.as_u16(), answer.problem().0.as_str()),
        (status, code),
        "{answer:?}"
    );
}

#[tokio::test]
async fn a_payment_is_captured_and_refunded_in_parts() {
    let world = World::new();
    let api = world.api();
    let id = paid(&api).await;
    let first = act(&api, &id, "capture", &cny(10_000)).await;
    assert_eq!(first.status, 200, "{first:?}");
    assert_eq!(first.json()["status"], "captured");
    assert_eq!(first.json()["operation"]["kind"], "capture");
    assert_eq!(amounts(&first), [10_000, 0, 2_900, 10_000]);
    refused(
        &act(&api, &id, "capture", &cny(2_901)).await,
        422,
        "amount_exceeds_remainder",
    );
    let rest = post_text(&api, &format!("{PATH}/{id}/capture"), "{}").await;
    assert_eq!(amounts(&rest), [12_900, 0, 0, 12_900]);

    let refund = act(&api, &id, "refunds", &cny(6_000)).await;
    assert_eq!(refund.status, 201, "{refund:?}");
    assert_eq!(refund.json()["operation"]["status"], "succeeded");
    let too_much = act(&api, &id, "refunds", &cny(6_901)).await;
    refused(&too_much, 422, "amount_exceeds_remainder");
    assert!(
        too_much.text.contains("6900 minor units are left"),
        "{too_much:?}"
    );
    let last = act(&api, &id, "refunds", &json!({})).await;
    assert_eq!(amounts(&last), [12_900, 12_900, 0, 0]);
    refused(
        &act(&api, &id, "void", &json!({})).await,
        422,
        "amount_exceeds_remainder",
    );
}

#[tokio::test]
async fn a_body_may_be_left_out() {
    let api = World::new().api();
    let id = paid(&api).await;
    let request = axum::http::Request::post(format!("{PATH}/{id}/void"))
        .body(axum::body::Body::empty())
        .unwrap();
    let answer = crate::caller::send(&api, request).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.json()["status"], "voided");
    refused(
        &act(&api, &id, "capture", &json!({})).await,
        409,
        "payment_state_conflict",
    );
}

#[tokio::test]
async fn what_the_acquirer_refuses_is_an_outcome_of_the_operation() {
    let world = World::new();
    let api = world.api();
    let id = paid(&api).await;
    world.acquirer.then(Ok(AcquirerAnswer::Declined {
        code: DeclineCode::NotPermitted,
    }));
    let answer = act(&api, &id, "capture", &json!({})).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json()["status"], "authorized");
    assert_eq!(answer.json()["operation"]["status"], "declined");
    assert_eq!(answer.json()["operation"]["decline_code"], "not_permitted");
}

#[tokio::test]
async fn while_the_end_of_a_refund_is_unknown_nothing_else_begins_and_a_human_can_tell_it() {
    let world = World::new();
    let api = world.api();
    let id = paid(&api).await;
    act(&api, &id, "capture", &json!({})).await;
    world.acquirer.then(Err(AcquirerError::OutcomeUnknown {
        reason: "lost".to_owned(),
    }));
    let unknown = act(&api, &id, "refunds", &cny(6_000)).await;
    assert_eq!(unknown.status, 202, "{unknown:?}");
    let second = act(&api, &id, "refunds", &cny(6_000)).await;
    refused(&second, 409, "operation_in_flight");
    assert_eq!(second.header("retry-after"), "1");

    let operation = unknown.json()["operation"]["id"].as_str().unwrap().to_owned();
    let resolve = format!("operations/{operation}/resolve");
    let wrong = act(&api, &id, &resolve, &json!({"result": "succeeded"})).await;
    assert_eq!(
        wrong.problem().1,
        [("acquirer_reference".to_owned(), "missing_field".to_owned())]
    );
    let told = json!({"result": "succeeded", "acquirer_reference": "acq-7"});
    let resolved = act(&api, &id, &resolve, &told).await;
    assert_eq!(resolved.status, 200, "{resolved:?}");
    assert_eq!(amounts(&resolved), [12_900, 6_000, 0, 6_900]);
    refused(
        &act(&api, &id, &resolve, &told).await,
        409,
        "payment_state_conflict",
    );
    let stranger = act(&api, &id, "operations/op_none/resolve", &told).await;
    refused(&stranger, 404, "operation_not_found");
}

#[tokio::test]
async fn a_payment_in_review_is_listed_approved_and_authorized() {
    let world = World::new();
    world.engine.put(vec![verdict("scripted", Outcome::Review, 0)]);
    let api = world.api();
    let id = paid(&api).await;
    let listed = get(&api, "/v1/reviews").await;
    assert_eq!(listed.json()["data"][0]["id"], id.as_str());
    assert_eq!(listed.json()["has_more"], false);
    let nobody = post(&api, &format!("/v1/reviews/{id}/approve"), &json!({})).await;
    assert_eq!(
        nobody.problem().1,
        [("reviewer".to_owned(), "missing_field".to_owned())]
    );
    let approved = post(
        &api,
        &format!("/v1/reviews/{id}/approve"),
        &json!({"reviewer": "ana"}),
    )
    .await;
    assert_eq!(approved.status, 200, "{approved:?}");
    assert_eq!(approved.json()["status"], "authorized");
    assert_eq!(approved.json()["review"]["reviewer"], "ana");
    let again = post(
        &api,
        &format!("/v1/reviews/{id}/reject"),
        &json!({"reviewer": "bob"}),
    )
    .await;
    refused(&again, 409, "payment_state_conflict");
    assert_eq!(get(&api, "/v1/reviews").await.json()["data"], json!([]));
}

#[tokio::test]
async fn a_challenge_is_confirmed_with_its_proof_or_fails() {
    let world = World::new();
    world.engine.put(vec![verdict("scripted", Outcome::Challenge, 0)]);
    let api = world.api();
    let proof = json!({"eci": "05", "cryptogram": "AAABBBCCC=", "transaction_id": "ds-1"});
    for (body, path, code) in [
        (json!({}), "result", "missing_field"),
        (json!({"result": "maybe"}), "result", "invalid_text"),
        (
            json!({"result": "authenticated"}),
            "authentication",
            "missing_field",
        ),
        (
            json!({"result": "failed", "authentication": proof}),
            "authentication",
            "conflicting_fields",
        ),
    ] {
        let id = paid(&api).await;
        let answer = act(&api, &id, "confirm", &body).await;
        assert_eq!(answer.problem().1, [(path.to_owned(), code.to_owned())], "{body}");
    }
    let id = paid(&api).await;
    let answer = act(
        &api,
        &id,
        "confirm",
        &json!({"result": "authenticated", "authentication": proof}),
    )
    .await;
    assert_eq!(answer.json()["status"], "authorized", "{answer:?}");
    let id = paid(&api).await;
    let answer = act(&api, &id, "confirm", &json!({"result": "failed"})).await;
    assert_eq!(answer.json()["decline_code"], "authentication_failed");
}

#[tokio::test]
async fn payments_are_listed_page_by_page() {
    let world = World::new();
    let api = world.api();
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(paid(&api).await);
    }
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = get(&api, &format!("{PATH}?merchant_id=shop-1&limit=2{cursor}"))
            .await
            .json();
        let data = page["data"].as_array().unwrap();
        found.extend(
            data.iter()
                .map(|payment| payment["id"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next_cursor"].as_str() else {
            break;
        };
        assert_eq!(page["has_more"], true);
        cursor = format!("&cursor={next}");
    }
    found.sort();
    ids.sort();
    assert_eq!(found, ids);
    let none = get(&api, &format!("{PATH}?status=declined")).await.json();
    assert_eq!((&none["data"], &none["has_more"]), (&json!([]), &json!(false)));
}

#[tokio::test]
async fn a_query_that_is_wrong_is_told_what_would_be_right() {
    let api = World::new().api();
    for (query, told) in [
        ("?limit=0", "a number of 1 to 100"),
        ("?limit=101", "a number of 1 to 100"),
        ("?status=paid", "a status"),
        ("?sort=amount", "Parameter 1 of the query is unknown"),
        ("?limit=1&limit=2", "`limit` twice"),
        ("?cursor=nonsense", "next_cursor"),
    ] {
        let answer = get(&api, &format!("{PATH}{query}")).await;
        refused(&answer, 400, "invalid_query");
        assert!(answer.text.contains(told), "{query}: {answer:?}");
    }
}

#[tokio::test]
async fn what_happened_is_told_in_order() {
    let world = World::new();
    let api = world.api();
    let id = paid(&api).await;
    act(&api, &id, "capture", &json!({})).await;
    act(&api, &id, "refunds", &cny(1)).await;
    let events = get(&api, "/v1/events").await.json();
    let types: Vec<_> = events["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["type"].clone())
        .collect();
    assert_eq!(
        types,
        ["payment.authorized", "payment.captured", "payment.refunded"]
    );
    assert_eq!(events["data"][2]["data"]["refunded_minor_units"], 1);
    let cursor = events["next_cursor"].as_str().unwrap();
    let later = get(&api, &format!("/v1/events?cursor={cursor}")).await.json();
    assert_eq!(later["data"], json!([]));
    assert_eq!(later["has_more"], false);
}
