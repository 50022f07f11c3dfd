//! How the policies stand.

use domain::risk::Outcome;
use portcullis_application::ports::PolicyStatus;
use portcullis_application::use_cases::ListPolicies;
use testkit::fakes::ScriptedRiskEngine;

use crate::World;

#[tokio::test]
async fn policies_are_listed_with_the_revision_in_force() {
    let world = World::deciding(Outcome::Approve);
    world.engine.show(vec![PolicyStatus {
        name: "velocity-limit".into(),
        in_force: None,
        refused: None,
        loading: true,
        quarantine: None,
        retired: None,
        highest_sequence: 0,
    }]);
    let listed = ListPolicies { engine: world.engine }.execute();
    assert_eq!(listed.revision, Some(7));
    assert_eq!(listed.policies.len(), 1);
}

#[tokio::test]
async fn there_is_no_revision_before_the_first_policy_set() {
    let world = World::new(ScriptedRiskEngine::without_policy_set());
    let listed = ListPolicies { engine: world.engine }.execute();
    assert_eq!(listed.revision, None);
}
