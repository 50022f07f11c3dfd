//! Whether a node can take payments.

use domain::risk::Outcome;
use portcullis_application::use_cases::CheckReadiness;
use testkit::fakes::{Save, ScriptedRiskEngine};

use crate::World;

async fn problems(world: &World) -> Vec<&'static str> {
    let use_case = CheckReadiness {
        engine: world.engine.clone(),
        payments: world.payments.clone(),
    };
    let checks = use_case.execute().await;
    assert_eq!(
        checks.iter().map(|check| check.name).collect::<Vec<_>>(),
        ["policies", "storage"]
    );
    let failed = checks.into_iter().filter(|check| check.problem.is_some());
    failed.map(|check| check.name).collect()
}

#[tokio::test]
async fn a_node_with_policies_and_storage_is_ready() {
    assert!(problems(&World::deciding(Outcome::Approve)).await.is_empty());
}

#[tokio::test]
async fn what_is_missing_is_told_by_name() {
    let world = World::new(ScriptedRiskEngine::without_policy_set());
    assert_eq!(problems(&world).await, ["policies"]);
    world.payments.script(&[Save::Fails]);
    assert_eq!(problems(&world).await, ["policies", "storage"]);
}
