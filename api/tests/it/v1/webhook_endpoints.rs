//! `/v1/webhook-endpoints` and `/v1/webhook-deliveries`.

use application::ports::{DisabledReason, NewDelivery, WebhookDeliveryStore};
use domain::payment::PaymentEventKind;
use domain::{WebhookDeliveryId, WebhookEndpointId};
use portcullis_api::Api;
use serde_json::{Value, json};

use crate::caller::{Answer, delete, get, patch, post};
use crate::fakes::{NOW, World};

const PATH: &str = "/v1/webhook-endpoints";

async fn created(api: &Api) -> Value {
    let body = json!({"merchant_id": "shop-1", "url": "https://shop.example/in", "event_types": ["payment.captured"]});
    let answer = post(api, PATH, &body).await;
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.json()
}

fn path(endpoint: &Value) -> String {
    format!("{PATH}/{}", endpoint["id"].as_str().unwrap())
}

#[tokio::test]
async fn a_secret_is_shown_when_it_is_made_and_never_again() {
    let api = World::new().api();
    let made = created(&api).await;
    assert_eq!(
        made["secret"],
        "whsec_AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE="
    );
    assert_eq!(made["event_types"], json!(["payment.captured"]));
    assert_eq!(
        (&made["status"], &made["disabled_reason"]),
        (&json!("enabled"), &Value::Null)
    );
    let shown = get(&api, &path(&made)).await;
    assert_eq!((shown.status.as_u16(), shown.json().get("secret")), (200, None));
    let listed = get(&api, PATH).await;
    assert_eq!(listed.json()["data"][0]["id"], made["id"]);
    assert!(!listed.text.contains("whsec_"));
    let rotated = post(&api, &format!("{}/rotate-secret", path(&made)), &json!({})).await;
    assert_ne!(rotated.json()["secret"], made["secret"]);
    assert_eq!(
        rotated.json()["previous_secret_until"],
        "2026-03-02T08:30:00.250Z"
    );
    let revoked = post(
        &api,
        &format!("{}/rotate-secret", path(&made)),
        &json!({"previous_secret": "revoke"}),
    )
    .await;
    assert_eq!(
        revoked.json()["previous_secret_until"],
        "2026-03-01T08:30:00.250Z"
    );
}

#[tokio::test]
async fn an_endpoint_is_listed_for_its_merchant_alone() {
    let api = World::new().api();
    created(&api).await;
    for (merchant, count) in [("shop-1", 1), ("shop-2", 0)] {
        let listed = get(&api, &format!("{PATH}?merchant_id={merchant}")).await;
        assert_eq!(
            listed.json()["data"].as_array().unwrap().len(),
            count,
            "{merchant}"
        );
    }
}

#[tokio::test]
async fn an_endpoint_is_changed_in_what_is_said() {
    let api = World::new().api();
    let made = created(&api).await;
    let body = json!({"status": "disabled", "event_types": ["*"]});
    let changed = patch(&api, &path(&made), &body).await.json();
    assert_eq!(changed["disabled_reason"], DisabledReason::ByMerchant.as_str());
    assert_eq!(
        (&changed["event_types"], &changed["url"]),
        (&json!(["*"]), &made["url"])
    );
    let enabled = patch(&api, &path(&made), &json!({"status": "enabled"}))
        .await
        .json();
    assert_eq!(enabled["status"], "enabled");
}

#[tokio::test]
async fn a_deleted_endpoint_is_not_found() {
    let api = World::new().api();
    let made = created(&api).await;
    let gone = delete(&api, &path(&made)).await;
    assert_eq!((gone.status.as_u16(), gone.text.as_str()), (204, ""));
    for answer in [get(&api, &path(&made)).await, delete(&api, &path(&made)).await] {
        assert_eq!(answer.status, 404);
        assert_eq!(answer.problem().0, "webhook_endpoint_not_found");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_body_is_told() {
    let api = World::new().api();
    let card = crate::caller::CARD_NUMBER;
    for (body, code, at) in [
        (
            json!({"merchant_id": "a", "url": "http://x.example/"}),
            "invalid_webhook_url",
            "url",
        ),
        (json!({"merchant_id": "a"}), "missing_field", "url"),
        (
            json!({"merchant_id": "a", "url": "https://x.example/", "event_types": "*"}),
            "wrong_type",
            "event_types",
        ),
        (
            json!({"merchant_id": "a", "url": "https://x.example/", "event_types": []}),
            "invalid_text",
            "event_types",
        ),
        (
            json!({"merchant_id": "a", "url": "https://x.example/", "event_types": ["*", "nothing"]}),
            "invalid_text",
            "event_types[1]",
        ),
        (
            json!({"merchant_id": "a", "url": format!("https://x.example/{card}")}),
            "card_number_misplaced",
            "url",
        ),
    ] {
        let answer = post(&api, PATH, &body).await;
        assert_eq!(
            answer.problem(),
            (code.to_owned(), vec![(at.to_owned(), code.to_owned())]),
            "{body}"
        );
    }
}

#[tokio::test]
async fn a_merchant_has_sixteen_endpoints_at_most() {
    let api = World::new().api();
    for _ in 0..16 {
        created(&api).await;
    }
    let body = json!({"merchant_id": "shop-1", "url": "https://shop.example/in"});
    let answer = post(&api, PATH, &body).await;
    assert_eq!(
        (answer.status.as_u16(), answer.problem().0.as_str()),
        (409, "too_many_webhook_endpoints")
    );
}

impl World {
    /// Hands one event out to an endpoint.
    pub(crate) async fn delivery_to(&self, endpoint: &str) -> &'static str {
        let id = "whd_1";
        let delivery = NewDelivery {
            id: WebhookDeliveryId::parse(id).unwrap(),
            endpoint_id: WebhookEndpointId::parse(endpoint).unwrap(),
            event_id: "evt_1".to_owned(),
            event_kind: PaymentEventKind::Captured,
            body: b"{}".to_vec(),
            created_at: NOW,
        };
        self.webhooks.enqueue(0, 1, vec![delivery]).await.unwrap();
        id
    }
}

async fn replay(api: &Api, id: &str) -> Answer {
    post(api, &format!("/v1/webhook-deliveries/{id}/replay"), &json!({})).await
}

#[tokio::test]
async fn a_delivery_is_listed_and_sent_again_by_hand() {
    let world = World::new();
    let api = world.api();
    let made = created(&api).await;
    let id = WebhookEndpointId::parse(made["id"].as_str().unwrap()).unwrap();
    assert_eq!(world.delivery_to(id.as_str()).await, "whd_1");
    let listed = get(&api, &format!("{}/deliveries?state=pending", path(&made)))
        .await
        .json();
    assert_eq!(listed["data"][0]["id"], "whd_1");
    assert_eq!(listed["data"][0]["event_type"], "payment.captured");
    assert_eq!(listed["data"][0]["next_attempt_at"], "2026-03-01T08:30:00.250Z");
    assert_eq!(replay(&api, "whd_1").await.status, 202);
    let until = domain::Timestamp::from_unix_millis(NOW.unix_millis() + 1_000);
    world.webhooks.claim(&id, NOW, until, 9).await.unwrap();
    let in_flight = replay(&api, "whd_1").await;
    assert_eq!(
        (in_flight.status.as_u16(), in_flight.header("retry-after")),
        (409, "1")
    );
    patch(&api, &path(&made), &json!({"status": "disabled"})).await;
    assert_eq!(
        replay(&api, "whd_1").await.problem().0,
        "webhook_endpoint_disabled"
    );
    assert_eq!(
        replay(&api, "whd_2").await.problem().0,
        "webhook_delivery_not_found"
    );
}
