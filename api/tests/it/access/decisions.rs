//! Whose decisions somebody reads.

use domain::access::Role;

use super::{ask, keyed, refused};
use crate::caller::{Answer, small_decision};
use crate::fakes::World;

const PATH: &str = "/v1/risk/decisions";

#[tokio::test]
async fn a_merchant_reads_his_own_decisions_alone_and_an_analyst_all() {
    let world = World::new();
    let api = world.api_with(&keyed());
    let (own, other) = (world.shop("shop-1").await, world.shop("shop-2").await);
    let made = ask(&api, &own, "POST", PATH, Some(&small_decision())).await;
    assert_eq!(made.status, 200, "{made:?}");
    let decision = format!("{PATH}/{}", made.json()["risk"]["decision_id"].as_str().unwrap());
    refused(
        &ask(&api, &other, "GET", &decision, None).await,
        404,
        "decision_not_found",
    );
    let of = |answer: &Answer| answer.json()["data"].as_array().unwrap().len();
    assert_eq!(of(&ask(&api, &other, "GET", PATH, None).await), 0);
    let asked = format!("{PATH}?merchant_id=shop-1");
    refused(&ask(&api, &other, "GET", &asked, None).await, 403, "forbidden");
    let (analyst, auditor) = (world.role(Role::Analyst).await, world.role(Role::Auditor).await);
    for token in [own, analyst, auditor] {
        assert_eq!(ask(&api, &token, "GET", &decision, None).await.status, 200);
        assert_eq!(of(&ask(&api, &token, "GET", &asked, None).await), 1);
    }
}
