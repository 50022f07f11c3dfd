//! `/healthz`.

use crate::caller::get;
use crate::fakes::World;

#[tokio::test]
async fn a_process_without_policies_is_alive() {
    let world = World::new();
    world.engine.unload();
    let answer = get(&world.api(), "/healthz").await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.text, r#"{"status":"ok"}"#);
}
