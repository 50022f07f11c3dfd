//! Taking a policy out of force: by a document that says so, and by nothing else.
//!
//! Whoever can delete a key needs no signature, and a store may be wiped or put back to an older state by accident. So a
//! document that is gone takes nothing out of force: a rule is loosened by a statement that somebody signed.

use std::time::Duration;

use domain::Timestamp;

use super::Reconciler;
use super::known::Acceptance;
use super::loads::Retiring;

impl Reconciler {
    /// Takes policies out of force, as their documents say. The swap is the caller's.
    pub(super) fn retire(&mut self, retiring: Vec<Retiring>, now: Timestamp, elapsed: Duration) {
        for one in retiring {
            let Some(known) = self.known.get_mut(&one.name) else {
                continue;
            };
            match known.retire(&one, now) {
                Acceptance::InForce => {
                    tracing::info!(
                        policy.name = one.name,
                        policy.sequence = one.retirement.sequence,
                        publisher = one.retirement.publisher.as_str(),
                        reason = one.retirement.reason.as_ref().map(|reason| reason.as_str()),
                        "the policy is retired"
                    );
                    self.metrics.loaded("retired", elapsed);
                }
                Acceptance::Replaced => {}
                Acceptance::Replayed(refusal) => self.refuse(&one.name, &one.value, &refusal, now, elapsed),
            }
        }
    }

    /// The document is gone from the store.
    pub(super) fn vanish(&mut self, name: &str, now: Timestamp) {
        let Some(known) = self.known.get_mut(name) else {
            return;
        };
        if known.vanish(now) {
            tracing::error!(
                policy.name = name,
                in_force = known.in_force.as_ref().map(|release| release.identity().sequence),
                "the policy's document is gone from the store; its last release stays in force"
            );
        }
    }
}
