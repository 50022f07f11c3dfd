//! How many instructions an evaluation takes, which repeats where its time does not: `make instructions` runs this under
//! callgrind, which counts what is called from [`counted`] alone, and holds the sum against what was kept.

use domain::feature::{FeatureSpec, PaymentFilter, Subject, VelocityMeasure};
use domain::risk::RiskRequest;
use testkit::builders::risk_request;

use super::*;
use crate::document::ParameterValue;
use crate::engine::SandboxEngine;
use crate::quarantine::QuarantineConfig;
use crate::testing::{Answer, Hand, release_on, small_config, supervision};

/// Evaluations that are counted. The script divides by it.
const EVALUATIONS: usize = 200;

/// Evaluations before the first that counts: slots of the pool and caches are warm then, as they are at a gateway.
const WARM_UP: usize = 50;

/// Reads all that there is of a payment, six features and three parameters, and answers with a reason.
fn sample() -> Arc<Release> {
    const ALL_PARTS: u8 = 0b1111;
    let answer = Answer::of(Outcome::Challenge, 57).because("velocity.card.count", "6 payments in an hour");
    let velocity = |subject| FeatureSpec::Velocity {
        subject,
        measure: VelocityMeasure::Count,
        filter: PaymentFilter::Attempted,
        window_seconds: 3_600,
    };
    let description = Subject::ALL.into_iter().fold(
        Description::of("reads all of it").reading(ALL_PARTS),
        |description, subject| description.feature(&format!("{subject:?}"), &velocity(subject)),
    );
    let description = description
        .parameter("ceiling", ParameterValue::Integer(500_000))
        .parameter("strict", ParameterValue::Flag(true))
        .parameter(
            "countries",
            ParameterValue::Texts(vec!["CN".to_owned(), "SG".to_owned()]),
        );
    // Under callgrind everything takes fifty times as long, which is no fault of the guest's.
    let otherwise = json!({
        "grants": ["card", "customer", "device", "metadata"], "limits": {"deadline_ms": 1_000},
    });
    let guest = Guest::answering(&answer).described(&description);
    // valgrind has room for a small pool alone.
    let engine = SandboxEngine::new(&small_config(1)).unwrap();
    let supervision = supervision(QuarantineConfig::default(), &Hand::default());
    release_on(&engine, &supervision, "counted", &guest, &otherwise).unwrap()
}

#[inline(never)]
fn counted(release: &Release, request: &RiskRequest<'_>) -> PolicyEvaluation {
    evaluate(release, request)
}

/// What a payment costs for each policy, on the lane: there its deadline may be as long as callgrind needs.
fn evaluate(release: &Release, request: &RiskRequest<'_>) -> PolicyEvaluation {
    let features = [FeatureValue::Count(6); Subject::ALL.len()];
    let payment = PaymentView::new(request, true);
    let called = release.call_in_lane(&payment, &features, &[0, 1, 2, 3, 4, 5]);
    release.finish(called, request.details.amount)
}

#[test]
#[ignore = "says something under callgrind alone: make instructions"]
fn instructions_of_an_evaluation() {
    let release = sample();
    let request = risk_request("pay_1").build();
    let request = request.borrow();
    let score = |evaluation: PolicyEvaluation| match evaluation.result {
        EvaluationResult::Verdict(verdict) => verdict.score.value(),
        EvaluationResult::Fault { fault, .. } => panic!("{}: {}", fault.kind, fault.detail),
    };
    for _ in 0..WARM_UP {
        assert_eq!(score(evaluate(&release, &request)), 57);
    }
    for _ in 0..EVALUATIONS {
        assert_eq!(score(counted(&release, &request)), 57);
    }
}
