//! Who keeps lists, and under which name.

use domain::access::Role;
use serde_json::json;

use super::{ask, keyed, refused};
use crate::caller::with;
use crate::fakes::World;

#[tokio::test]
async fn an_item_of_a_list_carries_the_name_of_the_key_that_added_it() {
    const ITEMS: &str = "/v1/lists/blocked/items";
    let world = World::new();
    let api = world.api_with(&keyed());
    let (_, ana) = world.key("ana", Role::Analyst, None, &[]).await;
    let item = json!({"subject": "customer", "value": "c_1"});
    let forged = with(item.clone(), "added_by", json!("bob"));
    refused(
        &ask(&api, &ana, "POST", ITEMS, Some(&forged)).await,
        400,
        "unknown_field",
    );
    let added = ask(&api, &ana, "POST", ITEMS, Some(&item)).await;
    assert_eq!(added.json()["added_by"], "ana", "{added:?}");
    let auditor = world.role(Role::Auditor).await;
    assert_eq!(
        ask(&api, &auditor, "GET", ITEMS, None).await.json()["data"][0]["added_by"],
        "ana"
    );
    let removal = format!("{ITEMS}?subject=customer&value=c_1");
    refused(
        &ask(&api, &auditor, "DELETE", &removal, None).await,
        403,
        "forbidden",
    );
    let operator = world.role(Role::Operator).await;
    assert_eq!(ask(&api, &operator, "DELETE", &removal, None).await.status, 204);
}
