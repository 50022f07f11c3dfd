//! How the policies stand on this node.

use application::ports::{
    CandidateAnswer, CandidateDifference, CandidateOnTrial, PolicyStatus, QuarantineInForce, RefusedRelease,
    ReleaseInForce, RetirementInForce,
};
use application::use_cases::ListedPolicies;
use domain::risk::{FaultKind, PolicyIdentity};
use serde::Serialize;

use super::Each;
use super::scalar::Rfc3339;

/// The answer to `GET /v1/policies`.
#[derive(Serialize)]
pub(crate) struct PoliciesView<'a> {
    policy_revision: Option<u64>,
    policies: Each<'a, PolicyStatus, PolicyView<'a>>,
}

impl<'a> PoliciesView<'a> {
    pub(crate) fn new(listed: &'a ListedPolicies) -> Self {
        Self {
            policy_revision: listed.revision,
            policies: Each(&listed.policies, PolicyView::new),
        }
    }
}

#[derive(Serialize)]
pub(crate) struct PolicyView<'a> {
    name: &'a str,
    state: &'static str,
    loading: bool,
    in_force: Option<InForceView<'a>>,
    refused: Option<RefusedView<'a>>,
    quarantine: Option<QuarantineView<'a>>,
    retired: Option<RetiredView<'a>>,
    candidate: Option<CandidateView<'a>>,
}

#[derive(Serialize)]
struct InForceView<'a> {
    version: &'a str,
    sequence: u64,
    digest: &'a str,
    summary: &'a str,
    since: Rfc3339,
}

#[derive(Serialize)]
struct RefusedView<'a> {
    sequence: Option<u64>,
    code: &'a str,
    message: &'a str,
    since: Rfc3339,
}

#[derive(Serialize)]
struct QuarantineView<'a> {
    since: Rfc3339,
    fault_ratio: f64,
    evaluations: u32,
    faults: u32,
    last_fault: &'static str,
    instead: Option<InsteadView<'a>>,
}

#[derive(Serialize)]
struct RetiredView<'a> {
    sequence: u64,
    reason: Option<&'a str>,
    since: Rfc3339,
}

#[derive(Serialize)]
struct InsteadView<'a> {
    version: &'a str,
    sequence: u64,
    digest: &'a str,
}

#[derive(Serialize)]
struct CandidateView<'a> {
    version: &'a str,
    digest: &'a str,
    stage: &'static str,
    percent: f64,
    state: &'static str,
    since: Rfc3339,
    sent_back: Option<SentBackView<'a>>,
    evaluations: u64,
    faults: u64,
    p99_us: Option<u64>,
    compared: u64,
    differing: u64,
    rescored: u64,
    dropped: u64,
    differences: Each<'a, CandidateDifference, DifferenceView<'a>>,
}

#[derive(Serialize)]
struct SentBackView<'a> {
    gate: &'static str,
    since: Rfc3339,
    reason: &'a str,
}

#[derive(Serialize)]
struct DifferenceView<'a> {
    payment_id: &'a str,
    at: Rfc3339,
    in_force: AnswerView<'a>,
    candidate: AnswerView<'a>,
}

#[derive(Serialize)]
struct AnswerView<'a> {
    outcome: &'static str,
    score: Option<u16>,
    fault: Option<&'static str>,
    reasons: &'a [Box<str>],
}

impl<'a> PolicyView<'a> {
    pub(crate) fn new(status: &'a PolicyStatus) -> Self {
        Self {
            name: &status.name,
            state: state(status),
            loading: status.loading,
            in_force: status.in_force.as_ref().map(InForceView::new),
            refused: status.refused.as_ref().map(RefusedView::new),
            quarantine: status.quarantine.as_ref().map(QuarantineView::new),
            retired: status.retired.as_ref().map(RetiredView::new),
            candidate: status.candidate.as_ref().map(CandidateView::new),
        }
    }
}

/// The headline over the rest of the entry. A document being loaded is newer than one that was refused.
pub(super) fn state(status: &PolicyStatus) -> &'static str {
    if status.quarantine.is_some() {
        return match (status.loading, status.refused.is_some()) {
            (false, false) => "quarantined",
            (true, _) => "quarantined_newer_loading",
            (false, true) => "quarantined_newer_refused",
        };
    }
    match (
        status.in_force.is_some(),
        status.loading,
        status.refused.is_some(),
    ) {
        (true, false, false) => "in_force",
        (true, true, _) => "in_force_newer_loading",
        (true, false, true) => "in_force_newer_refused",
        (false, true, _) => "loading",
        (false, false, true) => "refused",
        (false, false, false) if status.retired.is_some() => "retired",
        (false, false, false) => "absent",
    }
}

impl<'a> InForceView<'a> {
    fn new(release: &'a ReleaseInForce) -> Self {
        Self {
            version: &release.identity.version,
            sequence: release.identity.sequence,
            digest: &release.identity.digest,
            summary: &release.summary,
            since: Rfc3339(release.since),
        }
    }
}

impl<'a> QuarantineView<'a> {
    fn new(quarantine: &'a QuarantineInForce) -> Self {
        Self {
            since: Rfc3339(quarantine.since),
            fault_ratio: quarantine.fault_ratio(),
            evaluations: quarantine.evaluations,
            faults: quarantine.faults,
            last_fault: quarantine.last_fault.as_str(),
            instead: quarantine.instead.as_deref().map(InsteadView::new),
        }
    }
}

impl<'a> CandidateView<'a> {
    fn new(candidate: &'a CandidateOnTrial) -> Self {
        Self {
            version: &candidate.identity.version,
            digest: &candidate.identity.digest,
            stage: candidate.stage,
            percent: candidate.percent,
            state: if candidate.sent_back.is_some() {
                "sent_back"
            } else {
                "running"
            },
            since: Rfc3339(candidate.since),
            sent_back: candidate.sent_back.as_ref().map(|sent_back| SentBackView {
                gate: sent_back.gate,
                since: Rfc3339(sent_back.since),
                reason: &sent_back.reason,
            }),
            evaluations: candidate.evaluations,
            faults: candidate.faults,
            p99_us: candidate.p99_us,
            compared: candidate.compared,
            differing: candidate.differing,
            rescored: candidate.rescored,
            dropped: candidate.dropped,
            differences: Each(&candidate.differences, DifferenceView::new),
        }
    }
}

impl<'a> DifferenceView<'a> {
    fn new(difference: &'a CandidateDifference) -> Self {
        Self {
            payment_id: &difference.payment_id,
            at: Rfc3339(difference.at),
            in_force: AnswerView::new(&difference.in_force),
            candidate: AnswerView::new(&difference.candidate),
        }
    }
}

impl<'a> AnswerView<'a> {
    fn new(answer: &'a CandidateAnswer) -> Self {
        Self {
            outcome: answer.outcome.as_str(),
            score: answer.score,
            fault: answer.fault.map(FaultKind::as_str),
            reasons: &answer.reasons,
        }
    }
}

impl<'a> InsteadView<'a> {
    fn new(identity: &'a PolicyIdentity) -> Self {
        Self {
            version: &identity.version,
            sequence: identity.sequence,
            digest: &identity.digest,
        }
    }
}

impl<'a> RetiredView<'a> {
    fn new(retired: &'a RetirementInForce) -> Self {
        Self {
            sequence: retired.sequence,
            reason: retired.reason.as_deref(),
            since: Rfc3339(retired.since),
        }
    }
}

impl<'a> RefusedView<'a> {
    fn new(refused: &'a RefusedRelease) -> Self {
        Self {
            sequence: refused.sequence,
            code: refused.code,
            message: &refused.message,
            since: Rfc3339(refused.since),
        }
    }
}
