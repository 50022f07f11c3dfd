//! Whose webhook endpoints a key is good for.

use serde_json::json;

use super::{ask, keyed, refused};
use crate::fakes::World;

#[tokio::test]
async fn a_merchant_sees_and_touches_his_own_webhook_endpoints_alone() {
    const ENDPOINTS: &str = "/v1/webhook-endpoints";
    let world = World::new();
    let api = world.api_with(&keyed());
    let (own, other) = (world.shop("shop-1").await, world.shop("shop-2").await);
    let body = json!({"merchant_id": "shop-1", "url": "https://shop.example/in"});
    refused(
        &ask(&api, &other, "POST", ENDPOINTS, Some(&body)).await,
        403,
        "forbidden",
    );
    let made = ask(&api, &own, "POST", ENDPOINTS, Some(&body)).await;
    assert_eq!(made.status, 201, "{made:?}");
    let endpoint = format!("{ENDPOINTS}/{}", made.json()["id"].as_str().unwrap());
    for (method, path) in [
        ("GET", endpoint.clone()),
        ("PATCH", endpoint.clone()),
        ("POST", format!("{endpoint}/rotate-secret")),
        ("GET", format!("{endpoint}/deliveries")),
        ("DELETE", endpoint.clone()),
    ] {
        let answer = ask(&api, &other, method, &path, Some(&json!({}))).await;
        refused(&answer, 404, "webhook_endpoint_not_found");
    }
    let narrowed = format!("{ENDPOINTS}?merchant_id=shop-1");
    refused(&ask(&api, &other, "GET", &narrowed, None).await, 403, "forbidden");
    let listed = ask(&api, &other, "GET", ENDPOINTS, None).await.json();
    assert_eq!(listed["data"], json!([]));
    let delivery = world.delivery_to(made.json()["id"].as_str().unwrap()).await;
    let replay = format!("/v1/webhook-deliveries/{delivery}/replay");
    refused(
        &ask(&api, &other, "POST", &replay, None).await,
        404,
        "webhook_delivery_not_found",
    );
    assert_eq!(ask(&api, &own, "POST", &replay, None).await.status, 202);
    assert_eq!(ask(&api, &own, "DELETE", &endpoint, None).await.status, 204);
}
