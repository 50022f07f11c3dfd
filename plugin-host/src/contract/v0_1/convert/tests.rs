//! What guests may say, and what not.

use super::*;

fn decision(score: u16, reasons: Vec<types::Reason>) -> types::Decision {
    types::Decision {
        outcome: types::Outcome::Review,
        score,
        reasons,
    }
}

fn reason(code: &str, message: &str) -> types::Reason {
    types::Reason {
        code: code.to_owned(),
        message: message.to_owned(),
    }
}

#[test]
fn a_decision_within_the_contract_becomes_a_verdict() {
    let verdict = verdict(decision(1000, vec![reason("velocity.card.count", "六 payments")])).unwrap();
    assert_eq!(
        (verdict.outcome, verdict.score.value(), verdict.reasons.len()),
        (Outcome::Review, 1000, 1)
    );
}

#[test]
fn what_breaks_the_contract_is_refused_with_its_path() {
    let long = "x".repeat(MAX_MESSAGE_BYTES + 1);
    for (decision, path) in [
        (decision(1001, vec![]), "decision.score"),
        (decision(u16::MAX, vec![]), "decision.score"),
        (decision(1, vec![reason("", "")]), "decision.reasons[0].code"),
        (
            decision(1, vec![reason("a", ""), reason("A b", "")]),
            "decision.reasons[1].code",
        ),
        (
            decision(1, vec![reason("a", &long)]),
            "decision.reasons[0].message",
        ),
        (
            decision(1, vec![reason("a", ""); MAX_REASONS + 1]),
            "decision.reasons",
        ),
    ] {
        assert_eq!(verdict(decision).unwrap_err().path, path);
    }
}

fn descriptor() -> types::Descriptor {
    let velocity = types::VelocityFeature {
        subject: types::Subject::Card,
        measure: types::VelocityMeasure::Count,
        filter: types::PaymentFilter::Attempted,
        window_seconds: 3600,
    };
    types::Descriptor {
        summary: "a policy".to_owned(),
        reads: types::PaymentParts::CARD,
        features: vec![types::NamedFeatureSpec {
            name: "card_count_1h".to_owned(),
            spec: types::FeatureSpec::Velocity(velocity),
        }],
        parameters: vec![types::ParameterResult {
            name: "max_count".to_owned(),
            value: types::ParameterValueResult::Integer(5),
        }],
    }
}

#[test]
fn a_descriptor_keeps_its_order_and_defaults() {
    let described = describe_policy(descriptor()).unwrap();
    assert_eq!(&*described.features[0].0, "card_count_1h");
    assert_eq!(
        described.parameters,
        [("max_count".into(), ParameterValue::Integer(5))]
    );
}

#[test]
fn a_descriptor_with_a_name_twice_or_an_endless_window_is_refused() {
    let mut twice = descriptor();
    twice.features.push(twice.features[0].clone());
    assert_eq!(
        describe_policy(twice).unwrap_err().path,
        "descriptor.features[1].name"
    );
    for seconds in [0, MAX_WINDOW_SECONDS + 1, u32::MAX] {
        let mut endless = descriptor();
        let types::FeatureSpec::Velocity(velocity) = &mut endless.features[0].spec else {
            unreachable!()
        };
        velocity.window_seconds = seconds;
        assert_eq!(
            describe_policy(endless).unwrap_err().path,
            "descriptor.features[0].spec.window-seconds"
        );
    }
}
