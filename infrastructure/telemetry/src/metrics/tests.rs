//! Names, labels and places of the metrics.

use domain::risk::RiskDecision;
use domain::{DecisionId, Timestamp};
use prometheus_client::encoding::text::encode;

use super::*;

fn shown(registry: &Registry) -> String {
    let mut text = String::new();
    encode(&mut text, registry).unwrap();
    text
}

fn decision(outcome: Outcome) -> RiskDecision {
    let id = DecisionId::parse("dec_1").unwrap();
    let mut decision = RiskDecision::join(id, vec![], 1, Timestamp::from_unix_millis(1));
    decision.outcome = outcome;
    decision
}

#[test]
fn every_value_of_an_enum_is_counted_in_its_own_place() {
    for (place_in_array, outcome) in Outcome::ALL.into_iter().enumerate() {
        assert_eq!(outcome as usize, place_in_array);
    }
    for (place_in_array, status) in PaymentStatus::ALL.into_iter().enumerate() {
        assert_eq!(status as usize, place_in_array);
    }
    for (place_in_array, status) in OPERATION_STATUSES.into_iter().enumerate() {
        assert_eq!(place(status), place_in_array);
    }
}

#[test]
fn everything_is_there_at_zero_before_the_first_payment() {
    let mut registry = Registry::default();
    let _telemetry = PrometheusTelemetry::register(&mut registry);
    let text = shown(&registry);
    for line in [
        "portcullis_decisions_total{outcome=\"review\"} 0",
        "portcullis_decision_duration_seconds_count 0",
        "portcullis_decision_duration_seconds_bucket{le=\"0.00001\"} 0",
        "portcullis_decisions_not_recorded_total 0",
        "portcullis_features_unavailable_total 0",
        "portcullis_operations_total{kind=\"authorize\",status=\"not_sent\"} 0",
        "portcullis_operation_duration_seconds_count{kind=\"authorize\"} 0",
        "portcullis_answers_not_stored_total 0",
        "portcullis_payments_total{status=\"in_review\"} 0",
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line}\n{text}");
    }
}

#[test]
fn what_happened_is_what_is_shown() {
    let mut registry = Registry::default();
    let telemetry = PrometheusTelemetry::register(&mut registry);
    telemetry.decision_made(&decision(Outcome::Decline), 15_000);
    telemetry.decision_not_recorded();
    telemetry.features_unavailable();
    telemetry.operation_finished(OperationKind::Authorize, OperationStatus::Unknown, 5_000_000_000);
    telemetry.answer_not_stored();
    telemetry.payment_finished(PaymentStatus::Declined);
    let text = shown(&registry);
    for line in [
        "portcullis_decisions_total{outcome=\"decline\"} 1",
        "portcullis_decisions_total{outcome=\"approve\"} 0",
        "portcullis_decision_duration_seconds_bucket{le=\"0.00001\"} 0",
        "portcullis_decision_duration_seconds_bucket{le=\"0.00002\"} 1",
        "portcullis_decisions_not_recorded_total 1",
        "portcullis_features_unavailable_total 1",
        "portcullis_operations_total{kind=\"authorize\",status=\"unknown\"} 1",
        "portcullis_operation_duration_seconds_sum{kind=\"authorize\"} 5.0",
        "portcullis_answers_not_stored_total 1",
        "portcullis_payments_total{status=\"declined\"} 1",
    ] {
        assert!(text.lines().any(|shown| shown == line), "{line}\n{text}");
    }
}

#[test]
fn buckets_rise_from_ten_microseconds_to_ten_seconds() {
    assert!(DURATION_BUCKETS.is_sorted());
    assert_eq!(DURATION_BUCKETS.first(), Some(&10e-6));
    assert_eq!(DURATION_BUCKETS.last(), Some(&10.0));
}
