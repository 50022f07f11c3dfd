//! What runs the risk policies.

use std::sync::Arc;

use async_trait::async_trait;
use domain::Timestamp;
use domain::feature::{FeatureSpec, FeatureValue};
use domain::risk::{FaultKind, Outcome, PolicyEvaluation, PolicyIdentity, RiskRequest};

/// Holds the policies that are in force, and says how they stand.
pub trait RiskPolicyEngine: Send + Sync {
    /// The policy set in force, or none before the first one was loaded. A decision takes it once and ends on it, also
    /// when another comes into force meanwhile.
    fn snapshot(&self) -> Option<Arc<dyn PolicySnapshot>>;

    /// How every policy of the store stands on this node, by name.
    fn statuses(&self) -> Vec<PolicyStatus>;
}

/// An immutable set of policies.
#[async_trait]
pub trait PolicySnapshot: Send + Sync {
    /// The revision of the policy store that it was built from.
    fn revision(&self) -> u64;

    /// Every feature that a policy of the set asks for, each once.
    fn features(&self) -> &[FeatureSpec];

    /// Runs every policy whose scope the payment is in, in the order of their priority. `features` are the values of
    /// [`PolicySnapshot::features`], in that order. Never fails: a policy that does not answer gives a fault.
    async fn evaluate(&self, request: &RiskRequest<'_>, features: &[FeatureValue]) -> Vec<PolicyEvaluation>;
}

/// How one policy stands on this node.
#[derive(Clone, Debug, Default)]
pub struct PolicyStatus {
    /// The policy's name.
    pub name: Box<str>,
    /// The release that decides, if there is one.
    pub in_force: Option<ReleaseInForce>,
    /// The newest document, where it was not taken.
    pub refused: Option<RefusedRelease>,
    /// Whether a newer document is being loaded.
    pub loading: bool,
    /// Why the release in force is not run, where it faulted too often.
    pub quarantine: Option<QuarantineInForce>,
    /// The release on trial beside the one in force.
    pub candidate: Option<CandidateOnTrial>,
    /// That nothing runs under the name, where a document says so.
    pub retired: Option<RetirementInForce>,
    /// The highest sequence of its documents that this node has taken; 0 where it took none. It takes none below.
    pub highest_sequence: u64,
}

/// A policy that a signed document took out of force.
#[derive(Clone, Debug)]
pub struct RetirementInForce {
    /// The sequence of that document.
    pub sequence: u64,
    /// Why, in the words of whoever retired it.
    pub reason: Option<Box<str>>,
    /// Since when, on this node.
    pub since: Timestamp,
}

/// A release that decides.
#[derive(Clone, Debug)]
pub struct ReleaseInForce {
    /// Which one.
    pub identity: Arc<PolicyIdentity>,
    /// What the policy says of itself.
    pub summary: Box<str>,
    /// Since when, on this node.
    pub since: Timestamp,
}

/// A release in force faulted too often: it is not run but for probes, until enough of these have answered.
#[derive(Clone, Debug)]
pub struct QuarantineInForce {
    /// Since when, on this node.
    pub since: Timestamp,
    /// Evaluations that were counted when it began.
    pub evaluations: u32,
    /// Those of them that were faults.
    pub faults: u32,
    /// What kind the last of these was.
    pub last_fault: FaultKind,
    /// The release before it, where that decides instead. Without one the failure mode does.
    pub instead: Option<Arc<PolicyIdentity>>,
}

impl QuarantineInForce {
    /// The share of faults, from 0 to 1, to the thousandth.
    #[must_use]
    pub fn fault_ratio(&self) -> f64 {
        (f64::from(self.faults) * 1_000.0 / f64::from(self.evaluations.max(1))).round() / 1_000.0
    }
}

/// A release on trial beside the one in force, on this node.
#[derive(Clone, Debug)]
pub struct CandidateOnTrial {
    /// Which one.
    pub identity: Arc<PolicyIdentity>,
    /// How far the trial has come: `shadow` or `canary`.
    pub stage: &'static str,
    /// The share of payments (`shadow`) or of cards (`canary`), in percent.
    pub percent: f64,
    /// Since when it is counted.
    pub since: Timestamp,
    /// Why it is not run any more, where a gate was crossed.
    pub sent_back: Option<SentBackCandidate>,
    /// Evaluations that say something about it.
    pub evaluations: u64,
    /// Those of them that were faults.
    pub faults: u64,
    /// The time within which 99 of 100 evaluations ended, in microseconds, at most a sixteenth too high.
    pub p99_us: Option<u64>,
    /// Payments about which both releases gave an answer.
    pub compared: u64,
    /// Those of them with another outcome.
    pub differing: u64,
    /// Those of them with the same outcome and another score.
    pub rescored: u64,
    /// Evaluations beside payments for which there was no room.
    pub dropped: u64,
    /// The last payments with another outcome, the newest first.
    pub differences: Vec<CandidateDifference>,
}

/// A candidate that crossed a gate.
#[derive(Clone, Debug)]
pub struct SentBackCandidate {
    /// The stable name of the gate, such as `fault_ratio`.
    pub gate: &'static str,
    /// Since when.
    pub since: Timestamp,
    /// What was found, and what was expected.
    pub reason: Box<str>,
}

/// A payment about which a candidate and the release in force differ. Nothing in it says anything of a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CandidateDifference {
    /// Which payment.
    pub payment_id: Box<str>,
    /// When they were compared.
    pub at: Timestamp,
    /// What the release in force said.
    pub in_force: CandidateAnswer,
    /// What the candidate said.
    pub candidate: CandidateAnswer,
}

/// What one of two releases said about a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CandidateAnswer {
    /// Its outcome, or what stands in for a fault.
    pub outcome: Outcome,
    /// Its score, where it is no fault.
    pub score: Option<u16>,
    /// Why it is no verdict.
    pub fault: Option<FaultKind>,
    /// The codes of its first reasons.
    pub reasons: Vec<Box<str>>,
}

/// A document that was not taken; what was in force before it stays so.
#[derive(Clone, Debug)]
pub struct RefusedRelease {
    /// The document's sequence number, where it could be read.
    pub sequence: Option<u64>,
    /// The stable name of the check that failed, such as `digest_mismatch`.
    pub code: &'static str,
    /// What was wrong, where, and what would be right.
    pub message: String,
    /// Since when, on this node.
    pub since: Timestamp,
}
