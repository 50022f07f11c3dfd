//! What guests may say, and what not.

use domain::feature::{PaymentFilter, Subject, VelocityMeasure};

use super::*;

fn decided(score: u16, reasons: Vec<Reason>) -> Result<Verdict, Fault> {
    verdict(Outcome::Review, score, reasons.into_iter())
}

fn reason(code: &str, message: &str) -> Reason {
    Reason {
        code: code.into(),
        message: message.into(),
    }
}

#[test]
fn a_decision_within_the_contract_becomes_a_verdict() {
    let verdict = decided(1000, vec![reason("velocity.card.count", "六 payments")]).unwrap();
    assert_eq!(
        (verdict.outcome, verdict.score.value(), verdict.reasons.len()),
        (Outcome::Review, 1000, 1)
    );
}

#[test]
fn what_breaks_the_contract_is_refused_with_its_path() {
    let long = "x".repeat(MAX_MESSAGE_BYTES + 1);
    for (score, reasons, path) in [
        (1001, vec![], "decision.score"),
        (u16::MAX, vec![], "decision.score"),
        (1, vec![reason("", "")], "decision.reasons[0].code"),
        (
            1,
            vec![reason("a", ""), reason("A b", "")],
            "decision.reasons[1].code",
        ),
        (1, vec![reason("a", &long)], "decision.reasons[0].message"),
        (1, vec![reason("a", ""); MAX_REASONS + 1], "decision.reasons"),
    ] {
        let fault = decided(score, reasons).unwrap_err();
        assert_eq!(fault.kind, FaultKind::InvalidOutput);
        assert!(fault.detail.starts_with(&format!("{path}: ")), "{}", fault.detail);
    }
}

#[test]
fn a_policy_s_own_error_is_cut_at_a_character() {
    let fault = refusal("六".repeat(MAX_REFUSAL_BYTES));
    assert_eq!(fault.kind, FaultKind::Refused);
    assert_eq!(fault.detail.len(), MAX_REFUSAL_BYTES - 1);
}

fn described(window_seconds: u32) -> DescribedPolicy {
    let velocity = FeatureSpec::Velocity {
        subject: Subject::Card,
        measure: VelocityMeasure::Count,
        filter: PaymentFilter::Attempted,
        window_seconds,
    };
    DescribedPolicy {
        summary: "a policy".into(),
        reads: PaymentParts::NONE,
        features: vec![("card_count_1h".into(), velocity)],
        parameters: vec![("max_count".into(), ParameterValue::Integer(5))],
    }
}

#[test]
fn a_descriptor_within_the_contract_is_taken_as_it_is() {
    let checked = described(3600).check().unwrap();
    assert_eq!(&*checked.features[0].0, "card_count_1h");
    assert_eq!(
        checked.parameters,
        [("max_count".into(), ParameterValue::Integer(5))]
    );
}

#[test]
fn a_descriptor_with_a_name_twice_or_an_endless_window_is_refused() {
    let path = |described: DescribedPolicy| described.check().unwrap_err().path;
    let mut twice = described(3600);
    twice.features.push(twice.features[0].clone());
    assert_eq!(path(twice), "descriptor.features[1].name");
    let mut twice = described(3600);
    twice.parameters.push(twice.parameters[0].clone());
    assert_eq!(path(twice), "descriptor.parameters[1].name");
    for seconds in [0, MAX_WINDOW_SECONDS + 1, u32::MAX] {
        assert_eq!(
            path(described(seconds)),
            "descriptor.features[0].spec.window-seconds"
        );
    }
}

#[test]
fn a_descriptor_of_more_than_there_may_be_is_refused() {
    let path = |described: DescribedPolicy| described.check().unwrap_err().path;
    let mut wordy = described(3600);
    wordy.summary = "x".repeat(MAX_SUMMARY_BYTES + 1).into();
    assert_eq!(path(wordy), "descriptor.summary");
    let mut nameless = described(3600);
    nameless.parameters[0].0 = "".into();
    assert_eq!(path(nameless), "descriptor.parameters[0].name");
    let mut many = described(3600);
    many.parameters = (0..=MAX_PARAMETERS)
        .map(|index| (format!("p{index}").into(), ParameterValue::Flag(true)))
        .collect();
    assert_eq!(path(many), "descriptor.parameters");
}
