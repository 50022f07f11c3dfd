//! A store that begins empty is told of the past.

use application::ports::{FeatureStore, SettledAs};
use domain::feature::{FeatureSpec, FeatureValue, PaymentFilter, Subject, VelocityMeasure};
use portcullis_features::Config;
use testkit::builders::{OwnedRiskRequest, after, payment_details, risk_request};

use crate::{store, value};

const DAY: u64 = 86_400;

fn payment(number: u64) -> OwnedRiskRequest {
    let details = payment_details()
        .card(&format!("fp_{}", number % 3))
        .device("d_1");
    risk_request(&format!("pay_{number}"))
        .details(details.build())
        .at(after(number * DAY))
        .build()
}

fn settled(number: u64) -> Option<SettledAs> {
    match number % 3 {
        0 => Some(SettledAs::Approved),
        1 => Some(SettledAs::Declined),
        _ => None,
    }
}

fn specs() -> Vec<FeatureSpec> {
    let mut specs = Vec::new();
    for measure in [
        VelocityMeasure::Count,
        VelocityMeasure::Amount,
        VelocityMeasure::Distinct(Subject::Card),
    ] {
        for filter in [
            PaymentFilter::Attempted,
            PaymentFilter::Approved,
            PaymentFilter::Declined,
        ] {
            for window_seconds in [60, 86_400 * 8, 86_400 * 90] {
                specs.push(FeatureSpec::Velocity {
                    subject: Subject::Device,
                    measure,
                    filter,
                    window_seconds,
                });
            }
        }
    }
    specs
}

#[tokio::test]
async fn a_store_that_was_told_of_the_past_answers_like_one_that_was_there() {
    let (there, told) = (store(&Config::default()), store(&Config::default()));
    for number in 0..30 {
        let payment = payment(number);
        there.observe(&payment.borrow(), &[]).await.unwrap();
        if let Some(settled) = settled(number) {
            there.settle(&payment.borrow(), settled).await.unwrap();
        }
        told.take_in(&payment.borrow(), settled(number));
    }
    let now = payment(30);
    let expected = there.observe(&now.borrow(), &specs()).await.unwrap();
    assert_eq!(told.observe(&now.borrow(), &specs()).await.unwrap(), expected);
    assert!(expected.contains(&FeatureValue::Count(31)), "{expected:?}");
}

#[tokio::test]
async fn payments_of_today_may_be_counted_meanwhile_and_nothing_counts_twice() {
    let store = store(&Config::default());
    let today = payment(30);
    store.observe(&today.borrow(), &[]).await.unwrap();
    for number in 0..=30 {
        store.take_in(&payment(number).borrow(), settled(number));
        store.take_in(&payment(number).borrow(), settled(number));
    }
    let counted = |filter| FeatureSpec::Velocity {
        subject: Subject::Device,
        measure: VelocityMeasure::Count,
        filter,
        window_seconds: 86_400 * 90,
    };
    for (filter, expected) in [
        (PaymentFilter::Attempted, 31),
        (PaymentFilter::Approved, 11),
        (PaymentFilter::Declined, 10),
    ] {
        assert_eq!(
            value(&store, &today, counted(filter)).await,
            FeatureValue::Count(expected),
            "{filter:?}"
        );
    }
}
