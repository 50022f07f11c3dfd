//! What counts once, and what counts again.

use application::ports::{FeatureStore, SettledAs};
use domain::feature::{FeatureSpec, FeatureValue, PaymentFilter, Subject, VelocityMeasure};
use portcullis_features::Config;
use testkit::builders::{OwnedRiskRequest, PaymentDetailsBuilder, after, payment_details, risk_request};

use crate::{attempts, store, value};

fn request(id: &str, details: PaymentDetailsBuilder, seconds: u64) -> OwnedRiskRequest {
    risk_request(id)
        .details(details.build())
        .at(after(seconds))
        .build()
}

fn distinct(subject: Subject, other: Subject, filter: PaymentFilter) -> FeatureSpec {
    FeatureSpec::Velocity {
        subject,
        measure: VelocityMeasure::Distinct(other),
        filter,
        window_seconds: 3_600,
    }
}

#[tokio::test]
async fn a_payment_that_is_observed_again_counts_once() {
    let store = store(&Config::default());
    for _ in 0..3 {
        let again = request("order-1", payment_details().card("fp_1").device("d_1"), 0);
        for subject in [Subject::Card, Subject::Device, Subject::Merchant] {
            assert_eq!(
                value(&store, &again, attempts(subject, 60)).await,
                FeatureValue::Count(1),
                "{subject:?}"
            );
        }
    }
}

#[tokio::test]
async fn the_same_name_at_two_merchants_is_two_payments() {
    let store = store(&Config::default());
    for (merchant, expected) in [("shop-1", 1), ("shop-2", 2), ("shop-1", 2)] {
        let details = payment_details().merchant(merchant).card("fp_1");
        assert_eq!(
            value(
                &store,
                &request("order-1", details, 0),
                attempts(Subject::Card, 60)
            )
            .await,
            FeatureValue::Count(expected),
            "{merchant}"
        );
    }
}

#[tokio::test]
async fn a_name_that_is_used_again_with_another_card_hides_no_card() {
    let store = store(&Config::default());
    for card in 0..20 {
        let details = payment_details().card(&format!("fp_{card}")).device("d_1");
        let again = request("order-1", details, 0);
        let cards = distinct(Subject::Device, Subject::Card, PaymentFilter::Attempted);
        assert_eq!(value(&store, &again, cards).await, FeatureValue::Count(card + 1));
        for subject in [Subject::Card, Subject::Device, Subject::Merchant] {
            assert_eq!(
                value(&store, &again, attempts(subject, 60)).await,
                FeatureValue::Count(1),
                "{subject:?}"
            );
        }
    }
}

#[tokio::test]
async fn one_card_is_not_counted_less_for_a_name_that_was_used_before() {
    let store = store(&Config::default());
    let strangers = request("order-1", payment_details().card("fp_1"), 0);
    value(&store, &strangers, attempts(Subject::Card, 60)).await;
    for (id, expected) in [("order-1", 1), ("order-2", 2), ("order-1", 2)] {
        let own = request(id, payment_details().card("fp_2"), 1);
        assert_eq!(
            value(&store, &own, attempts(Subject::Card, 60)).await,
            FeatureValue::Count(expected)
        );
    }
}

#[tokio::test]
async fn a_payment_dated_far_ahead_does_not_hide_those_that_come_after_it() {
    const DAY: u64 = 86_400;
    for ahead in [400, DAY, 200 * DAY, 30_000 * DAY] {
        let store = store(&Config::default());
        let details = || payment_details().card("fp_1").device("d_1");
        value(
            &store,
            &request("pay_0", details(), 0),
            attempts(Subject::Card, 60),
        )
        .await;
        value(
            &store,
            &request("pay_ahead", details().card("fp_ahead"), ahead),
            attempts(Subject::Card, 60),
        )
        .await;
        for number in 1..4 {
            let next = request(&format!("pay_{number}"), details(), number);
            let cards = distinct(Subject::Device, Subject::Card, PaymentFilter::Attempted);
            assert_eq!(
                value(&store, &next, attempts(Subject::Device, 60)).await,
                FeatureValue::Count(number + 1),
                "{ahead} s ahead"
            );
            assert_eq!(value(&store, &next, cards).await, FeatureValue::Count(1));
        }
    }
}

#[tokio::test]
async fn a_payment_that_settles_late_takes_nothing_away() {
    let store = store(&Config::default());
    let first = request("pay_1", payment_details().card("fp_1"), 0);
    let later = request("pay_2", payment_details().card("fp_1"), 3_000);
    value(&store, &first, attempts(Subject::Card, 3_600)).await;
    value(&store, &later, attempts(Subject::Card, 3_600)).await;
    store.settle(&first.borrow(), SettledAs::Approved).await.unwrap();
    assert_eq!(
        value(&store, &later, attempts(Subject::Card, 3_600)).await,
        FeatureValue::Count(2)
    );
}

#[tokio::test]
async fn fresh_attempts_push_no_approved_other_out() {
    let store = store(&Config {
        max_distinct: 4,
        ..Config::default()
    });
    for number in 0..30 {
        let details = payment_details().card(&format!("fp_{number}")).device("d_1");
        let request = request(&format!("pay_{number}"), details, number);
        store.observe(&request.borrow(), &[]).await.unwrap();
        if number < 3 {
            store
                .settle(&request.borrow(), SettledAs::Approved)
                .await
                .unwrap();
        }
    }
    let last = request("pay_29", payment_details().card("fp_29").device("d_1"), 29);
    for (filter, expected) in [
        (PaymentFilter::Attempted, 4),
        (PaymentFilter::Approved, 3),
        (PaymentFilter::Declined, 0),
    ] {
        assert_eq!(
            value(&store, &last, distinct(Subject::Device, Subject::Card, filter)).await,
            FeatureValue::Count(expected),
            "{filter:?}"
        );
    }
}
