//! The bound of the buckets, held against a plain list of payments, and the space that a subject takes.

use application::ports::FeatureStore;
use domain::feature::{
    FeatureSpec, FeatureValue, MAX_WINDOW_SECONDS, PaymentFilter, Subject, VelocityMeasure,
};
use domain::money::MAX_MINOR_UNITS;
use portcullis_features::RedisFeatureStore;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use testkit::builders::{OwnedRiskRequest, after, cny, payment_details, risk_request};

use super::{config, connection, own, shared, store};

const EXACT_BELOW_SECONDS: u64 = 512;

fn of_card(measure: VelocityMeasure, window_seconds: u64) -> FeatureSpec {
    FeatureSpec::Velocity {
        subject: Subject::Card,
        measure,
        filter: PaymentFilter::Attempted,
        window_seconds: u32::try_from(window_seconds).unwrap(),
    }
}

fn payment(number: usize, amount: i64, second: u64) -> OwnedRiskRequest {
    risk_request(&format!("pay_{number}"))
        .details(payment_details().card("fp_1").amount(cny(amount)).build())
        .at(after(second))
        .build()
}

/// Gaps between payments from none to days, so that one case spans seconds and another months.
fn payments() -> impl Strategy<Value = Vec<(u64, i64)>> {
    let gap = prop_oneof![Just(0_u64), 0..3_u64, 0..100_u64, 0..20_000_u64, 0..400_000_u64];
    prop::collection::vec((gap, 1..1_000_i64), 1..150).prop_map(|steps| {
        let mut second = 0;
        let mut payment = |(gap, amount)| {
            second += gap;
            (second, amount)
        };
        steps.into_iter().map(&mut payment).collect()
    })
}

fn windows() -> impl Strategy<Value = Vec<u64>> {
    let window = prop_oneof![
        1..EXACT_BELOW_SECONDS,
        EXACT_BELOW_SECONDS..20_000,
        20_000..=u64::from(MAX_WINDOW_SECONDS)
    ];
    prop::collection::vec(window, 1..8)
}

async fn observed(store: &RedisFeatureStore, request: &OwnedRiskRequest, specs: &[FeatureSpec]) -> Vec<i64> {
    let values = store.observe(&request.borrow(), specs).await.unwrap();
    let numbers = values.into_iter().map(|value| match value {
        FeatureValue::Count(count) => i64::try_from(count).unwrap(),
        FeatureValue::Amount(amount) => amount,
        other => unreachable!("{other:?} is no number"),
    });
    numbers.collect()
}

/// The number and the sum of payments from a second on.
fn exact(payments: &[(u64, i64)], from_second: i64) -> (i64, i64) {
    let inside = payments
        .iter()
        .filter(|(second, _)| i64::try_from(*second).unwrap() >= from_second);
    inside.fold((0, 0), |(count, sum), (_, amount)| (count + 1, sum + amount))
}

/// Every case has a card of its own: the prefix is.
async fn check(redis: &testkit::redis::Redis, payments: &[(u64, i64)], windows: &[u64]) {
    let store = store(&config(redis));
    let (last, earlier) = payments.split_last().unwrap();
    // Out of order: the second half first, then the first.
    let (first_half, second_half) = earlier.split_at(earlier.len() / 2);
    for (number, (second, amount)) in second_half.iter().chain(first_half).enumerate() {
        observed(&store, &payment(number, *amount, *second), &[]).await;
    }
    let mut specs = Vec::new();
    for window in windows {
        specs.push(of_card(VelocityMeasure::Count, *window));
        specs.push(of_card(VelocityMeasure::Amount, *window));
    }
    let values = observed(&store, &payment(payments.len(), last.1, last.0), &specs).await;
    for (window, values) in windows.iter().zip(values.chunks(2)) {
        let from = i64::try_from(last.0 + 1).unwrap() - i64::try_from(*window).unwrap();
        let reach = if *window < EXACT_BELOW_SECONDS {
            0
        } else {
            window / 64
        };
        let least = exact(payments, from);
        let most = exact(payments, from - i64::try_from(reach).unwrap());
        assert!(
            (least.0..=most.0).contains(&values[0]),
            "{window} s: {} of {least:?} to {most:?}",
            values[0]
        );
        assert!(
            (least.1..=most.1).contains(&values[1]),
            "{window} s: {} of {least:?} to {most:?}",
            values[1]
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_payment_of_a_window_is_missed_and_none_counts_that_is_a_64th_too_old() {
    let Some(redis) = shared().await else { return };
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || {
        let mut runner = TestRunner::new(ProptestConfig {
            cases: 48,
            failure_persistence: None,
            ..ProptestConfig::default()
        });
        let cases = (payments(), windows());
        let result = runner.run(&cases, |(payments, windows)| {
            runtime.block_on(check(&redis, &payments, &windows));
            Ok(())
        });
        result.unwrap();
    })
    .await
    .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_busy_subject_takes_a_bounded_space() {
    let Some(redis) = own(&[]).await else { return };
    let store = store(&config(&redis));
    // As many payments of a second each as the finest buckets have room for, twice.
    for number in 0..2_500 {
        observed(&store, &payment(number, 1, number as u64), &[]).await;
    }
    let mut connection = connection(&redis).await;
    let keys: Vec<String> = ::redis::cmd("KEYS")
        .arg("test:*:s:*")
        .query_async(&mut connection)
        .await
        .unwrap();
    assert_eq!(keys.len(), 2, "the card and the merchant");
    for key in keys {
        let fields: usize = ::redis::cmd("HLEN")
            .arg(&key)
            .query_async(&mut connection)
            .await
            .unwrap();
        // 1,024 of a second, as many of amounts, those of the wider levels, the other, and what makes it a table.
        let wider = 2 * (2_500 / 8 + 2_500 / 64 + 2_500 / 512 + 2 * 8);
        assert!(fields <= 2 * 1_024 + wider + 2, "{fields}");
        assert!(fields > 2 * 1_024, "{fields}: the ring was not filled");
    }
    let window = of_card(VelocityMeasure::Count, 511);
    assert_eq!(
        observed(&store, &payment(9_999, 1, 2_499), &[window]).await,
        [512]
    );
}

#[tokio::test]
async fn a_sum_that_is_too_large_stays_at_the_largest_that_can_be_told() {
    let Some(redis) = shared().await else { return };
    let store = store(&config(&redis));
    let sum = of_card(VelocityMeasure::Amount, 60);
    let mut told = Vec::new();
    for number in 0..12 {
        let payment = payment(number, MAX_MINOR_UNITS, 0);
        told.extend(observed(&store, &payment, std::slice::from_ref(&sum)).await);
    }
    assert_eq!(told[8], 9 * MAX_MINOR_UNITS);
    assert_eq!(told[9..], [9_007_199_254_740_991; 3]);
}
