//! What is forgotten, and when.

use application::ports::{FeatureStore, SettledAs};
use domain::feature::{
    FeatureSpec, FeatureValue, MAX_WINDOW_SECONDS, PaymentFilter, Subject, VelocityMeasure,
};
use portcullis_features::Config;
use testkit::builders::{OwnedRiskRequest, after, payment_details, risk_request};

use crate::{attempts, store, value};

fn with_card(number: usize, card: &str, seconds: u64) -> OwnedRiskRequest {
    risk_request(&format!("pay_{number}"))
        .details(payment_details().card(card).build())
        .at(after(seconds))
        .build()
}

#[tokio::test]
async fn the_subject_that_was_idle_for_longest_is_forgotten_first() {
    // The merchant is one of the three.
    let store = store(&Config {
        max_subjects: 3,
        ..Config::default()
    });
    let card = |number, card| with_card(number, card, 0);
    for (number, fingerprint) in ["fp_1", "fp_2", "fp_1", "fp_3"].into_iter().enumerate() {
        value(&store, &card(number, fingerprint), attempts(Subject::Card, 60)).await;
        assert!(store.subject_count() <= 3);
    }
    assert_eq!(
        value(&store, &card(4, "fp_1"), attempts(Subject::Card, 60)).await,
        FeatureValue::Count(3),
        "seen again meanwhile"
    );
    assert_eq!(
        value(&store, &card(5, "fp_2"), attempts(Subject::Card, 60)).await,
        FeatureValue::Count(1),
        "forgotten"
    );
}

#[tokio::test]
async fn memory_stays_within_its_bound_under_a_flood_of_strangers() {
    let config = Config {
        max_memory_bytes: 256 * 1024,
        max_recent_payments: 2_048,
        ..Config::default()
    };
    let store = store(&config);
    for number in 0..20_000 {
        let details = payment_details()
            .card(&format!("fp_{number}"))
            .device(&format!("d_{number}"))
            .email(&format!("{number}@example.com"));
        let request = risk_request(&format!("pay_{number}"))
            .details(details.build())
            .at(after(number / 100))
            .build();
        store.observe(&request.borrow(), &[]).await.unwrap();
        assert!(store.memory_bytes() <= config.max_memory_bytes + 64 * 1024);
    }
    assert!(store.subject_count() > 100);
}

#[tokio::test]
async fn a_subject_that_no_window_reaches_is_forgotten() {
    let store = store(&Config {
        max_subjects: 1_000,
        ..Config::default()
    });
    for number in 0..100 {
        let request = with_card(number, &format!("fp_{number}"), 0);
        store.observe(&request.borrow(), &[]).await.unwrap();
    }
    assert_eq!(store.subject_count(), 101);
    let later = u64::from(MAX_WINDOW_SECONDS);
    for number in 100..160 {
        let request = with_card(number, "fp_new", later);
        store.observe(&request.borrow(), &[]).await.unwrap();
    }
    assert_eq!(store.subject_count(), 2, "the merchant and the new card");
}

#[tokio::test]
async fn distinct_says_its_bound_when_there_are_more() {
    let store = store(&Config {
        max_distinct: 10,
        ..Config::default()
    });
    let cards = FeatureSpec::Velocity {
        subject: Subject::Merchant,
        measure: VelocityMeasure::Distinct(Subject::Card),
        filter: PaymentFilter::Attempted,
        window_seconds: 3_600,
    };
    for number in 0..30 {
        let request = with_card(number, &format!("fp_{number}"), number as u64);
        let expected = (number as u64 + 1).min(10);
        assert_eq!(
            value(&store, &request, cards.clone()).await,
            FeatureValue::Count(expected)
        );
    }
    // The latest ten are the ones that are left.
    let request = with_card(99, "fp_29", 34);
    let FeatureSpec::Velocity {
        subject,
        measure,
        filter,
        ..
    } = cards
    else {
        unreachable!()
    };
    let short = FeatureSpec::Velocity {
        subject,
        measure,
        filter,
        window_seconds: 10,
    };
    assert_eq!(value(&store, &request, short).await, FeatureValue::Count(5));
}

#[tokio::test]
async fn a_payment_that_is_no_longer_remembered_counts_again_and_does_not_settle() {
    let store = store(&Config {
        max_recent_payments: 2,
        ..Config::default()
    });
    for number in 0..3 {
        let request = with_card(number, "fp_1", 0);
        store.observe(&request.borrow(), &[]).await.unwrap();
    }
    let forgotten = with_card(0, "fp_1", 0);
    store
        .settle(&forgotten.borrow(), SettledAs::Approved)
        .await
        .unwrap();
    let approved = FeatureSpec::Velocity {
        subject: Subject::Card,
        measure: VelocityMeasure::Count,
        filter: PaymentFilter::Approved,
        window_seconds: 60,
    };
    assert_eq!(
        value(&store, &with_card(2, "fp_1", 0), approved).await,
        FeatureValue::Count(0)
    );
    assert_eq!(
        value(&store, &forgotten, attempts(Subject::Card, 60)).await,
        FeatureValue::Count(4)
    );
}

#[tokio::test]
async fn a_window_that_is_longer_than_the_longest_is_the_longest() {
    let store = store(&Config::default());
    value(
        &store,
        &with_card(1, "fp_1", 0),
        attempts(Subject::Card, u32::MAX),
    )
    .await;
    let day_90 = u64::from(MAX_WINDOW_SECONDS);
    assert_eq!(
        value(
            &store,
            &with_card(2, "fp_1", day_90),
            attempts(Subject::Card, u32::MAX)
        )
        .await,
        FeatureValue::Count(1)
    );
}
