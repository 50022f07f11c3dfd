//! `/readyz`.

use serde_json::json;

use crate::caller::get;
use crate::fakes::{World, unavailable};

#[tokio::test]
async fn a_node_with_policies_and_storage_is_ready() {
    let answer = get(&World::new().api(), "/readyz").await;
    assert_eq!(answer.status, 200);
    let ok = |name: &str| json!({"name": name, "status": "ok"});
    assert_eq!(
        answer.json(),
        json!({"status": "ready", "checks": [ok("policies"), ok("storage")]})
    );
}

#[tokio::test]
async fn what_is_missing_is_named_and_its_reason_stays_inside() {
    let world = World::new();
    world.engine.unload();
    world.repository.then(Some(unavailable()));
    let answer = get(&world.api(), "/readyz").await;
    assert_eq!(answer.status, 503);
    let failed = |name: &str| json!({"name": name, "status": "failed"});
    assert_eq!(
        answer.json(),
        json!({"status": "not_ready", "checks": [failed("policies"), failed("storage")]})
    );
}

#[tokio::test]
async fn a_draining_node_is_not_ready_and_still_serves() {
    let api = World::new().api();
    api.begin_drain();
    let answer = get(&api, "/readyz").await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.json(), json!({"status": "draining", "checks": []}));
    assert_eq!(get(&api, "/v1/policies").await.status, 200);
}
