//! What counts once, what counts again, and what several gateways see of each other.

use std::time::{SystemTime, UNIX_EPOCH};

use application::ports::{FeatureStore, SettledAs};
use domain::Timestamp;
use domain::feature::{FeatureSpec, FeatureValue, PaymentFilter, Subject, VelocityMeasure};
use portcullis_features::{Config, RedisFeatureStore};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use testkit::builders::{OwnedRiskRequest, PaymentDetailsBuilder, after, payment_details, risk_request};
use testkit::fakes::InMemoryFeatureStore;

use super::{config, shared, store};
use crate::model::{Step, requests, specs, steps};
use crate::{attempts, lists_of};

fn request(id: &str, details: PaymentDetailsBuilder, seconds: u64) -> OwnedRiskRequest {
    risk_request(id)
        .details(details.build())
        .at(after(seconds))
        .build()
}

fn distinct(subject: Subject, other: Subject, filter: PaymentFilter, window_seconds: u32) -> FeatureSpec {
    FeatureSpec::Velocity {
        subject,
        measure: VelocityMeasure::Distinct(other),
        filter,
        window_seconds,
    }
}

async fn value(store: &RedisFeatureStore, request: &OwnedRiskRequest, feature: FeatureSpec) -> FeatureValue {
    let values = store.observe(&request.borrow(), &[feature]).await.unwrap();
    values[0]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_answers_are_those_of_a_plain_list() {
    let Some(redis) = shared().await else { return };
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || {
        let mut runner = TestRunner::new(ProptestConfig {
            cases: 48,
            failure_persistence: None,
            ..ProptestConfig::default()
        });
        let result = runner.run(&(requests(), steps()), |(requests, steps)| {
            runtime.block_on(async {
                let (store, fake, specs) = (store(&config(&redis)), InMemoryFeatureStore::default(), specs());
                for step in steps {
                    match step {
                        Step::Observe(index) => {
                            let request = requests[index % requests.len()].borrow();
                            let values = store.observe(&request, &specs).await.unwrap();
                            let expected = fake.observe(&request, &specs).await.unwrap();
                            for ((spec, value), expected) in specs.iter().zip(values).zip(expected) {
                                prop_assert_eq!(value, expected, "{:?}", spec);
                            }
                        }
                        Step::Settle(index, settled) => {
                            let request = requests[index % requests.len()].borrow();
                            store.settle(&request, settled).await.unwrap();
                            fake.settle(&request, settled).await.unwrap();
                        }
                    }
                }
                Ok(())
            })
        });
        result.unwrap();
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn gateways_that_share_a_redis_count_together_and_a_payment_once() {
    let Some(redis) = shared().await else { return };
    let config = config(&redis);
    let gateways = [store(&config), store(&config)];
    for (number, gateway) in [0, 1, 0, 1].into_iter().enumerate() {
        // The second and the fourth are asked of the other gateway again.
        let payment = request(&format!("pay_{}", number / 2), payment_details().card("fp_1"), 0);
        let expected = number as u64 / 2 + 1;
        assert_eq!(
            value(&gateways[gateway], &payment, attempts(Subject::Card, 60)).await,
            FeatureValue::Count(expected)
        );
        gateways[gateway]
            .settle(&payment.borrow(), SettledAs::Declined)
            .await
            .unwrap();
    }
    let third = request("pay_9", payment_details().card("fp_1"), 0);
    let declined = FeatureSpec::Velocity {
        subject: Subject::Card,
        measure: VelocityMeasure::Count,
        filter: PaymentFilter::Declined,
        window_seconds: 60,
    };
    assert_eq!(
        value(&gateways[0], &third, declined).await,
        FeatureValue::Count(2)
    );
}

#[tokio::test]
async fn the_same_name_at_two_merchants_is_two_payments() {
    let Some(redis) = shared().await else { return };
    let store = store(&config(&redis));
    for (merchant, expected) in [("shop-1", 1), ("shop-2", 2), ("shop-1", 2)] {
        let details = payment_details().merchant(merchant).card("fp_1");
        let payment = request("order-1", details, 0);
        assert_eq!(
            value(&store, &payment, attempts(Subject::Card, 60)).await,
            FeatureValue::Count(expected),
            "{merchant}"
        );
    }
}

#[tokio::test]
async fn a_name_that_is_used_again_with_another_card_hides_no_card() {
    let Some(redis) = shared().await else { return };
    let store = store(&config(&redis));
    for card in 0..20 {
        let details = payment_details().card(&format!("fp_{card}")).device("d_1");
        let again = request("order-1", details, 0);
        let cards = distinct(Subject::Device, Subject::Card, PaymentFilter::Attempted, 3_600);
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
async fn distinct_says_its_bound_when_there_are_more() {
    let Some(redis) = shared().await else { return };
    let store = store(&Config {
        max_distinct: 10,
        ..config(&redis)
    });
    let cards = |window| distinct(Subject::Merchant, Subject::Card, PaymentFilter::Attempted, window);
    for number in 0..30_u64 {
        let details = payment_details().card(&format!("fp_{number}"));
        let payment = request(&format!("pay_{number}"), details, number);
        assert_eq!(
            value(&store, &payment, cards(3_600)).await,
            FeatureValue::Count((number + 1).min(10))
        );
    }
    // The latest ten are the ones that are left.
    let payment = request("pay_99", payment_details().card("fp_29"), 34);
    assert_eq!(value(&store, &payment, cards(10)).await, FeatureValue::Count(5));
}

#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "Redis goes by the time of day, and so must this"
)]
async fn a_payment_dated_far_ahead_counts_as_one_of_now_and_hides_no_other() {
    let Some(redis) = shared().await else { return };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let at = |id: &str, details: PaymentDetailsBuilder, second: u64| {
        risk_request(id)
            .details(details.build())
            .at(Timestamp::from_unix_millis(second * 1_000))
            .build()
    };
    const DAY: u64 = 86_400;
    for ahead in [400, DAY, 200 * DAY, 30_000 * DAY] {
        let store = store(&config(&redis));
        let details = || payment_details().card("fp_1").device("d_1");
        let window = attempts(Subject::Device, 60);
        value(&store, &at("pay_0", details(), now), window.clone()).await;
        value(&store, &at("pay_ahead", details(), now + ahead), window.clone()).await;
        for number in 1..4 {
            let next = at(&format!("pay_{number}"), details(), now + number);
            assert_eq!(
                value(&store, &next, window.clone()).await,
                FeatureValue::Count(number + 2),
                "{ahead} s ahead"
            );
        }
    }
}

#[tokio::test]
async fn a_payment_that_settles_days_late_is_found_where_it_began() {
    const DAY: u64 = 86_400;
    let Some(redis) = shared().await else { return };
    let store = store(&config(&redis));
    let first = request("pay_1", payment_details().card("fp_1"), 0);
    value(&store, &first, attempts(Subject::Card, 60)).await;
    // Enough payments later that no fine bucket of that time is left.
    for number in 0..20 {
        let later = request(
            &format!("later_{number}"),
            payment_details().card("fp_1"),
            DAY + 60 * number,
        );
        value(&store, &later, attempts(Subject::Card, 60)).await;
    }
    store.settle(&first.borrow(), SettledAs::Approved).await.unwrap();
    let approved = |window_seconds| FeatureSpec::Velocity {
        subject: Subject::Card,
        measure: VelocityMeasure::Amount,
        filter: PaymentFilter::Approved,
        window_seconds,
    };
    let last = request("last", payment_details().card("fp_1"), DAY + 3_600);
    let week = u32::try_from(7 * DAY).unwrap();
    assert_eq!(
        value(&store, &last, approved(week)).await,
        FeatureValue::Amount(12_900)
    );
    assert_eq!(
        value(&store, &last, approved(3_600)).await,
        FeatureValue::Amount(0)
    );
}

#[tokio::test]
async fn lists_are_looked_up_beside_velocity() {
    let Some(redis) = shared().await else { return };
    let store = store(&Config {
        lists: lists_of(&[("ip", "198.51.100.0/24"), ("email", "Ada@Example.com")]),
        ..config(&redis)
    });
    let details = payment_details().ip("198.51.100.9").email("eve@example.com");
    let payment = request("pay_1", details, 0);
    let listed = |subject| FeatureSpec::Listed {
        list: "blocked".into(),
        subject,
    };
    let specs = [
        listed(Subject::Ip),
        attempts(Subject::Email, 60),
        listed(Subject::Email),
        listed(Subject::Device),
        attempts(Subject::Ip, 60),
    ];
    assert_eq!(
        store.observe(&payment.borrow(), &specs).await.unwrap(),
        [
            FeatureValue::Listed(true),
            FeatureValue::Count(1),
            FeatureValue::Listed(false),
            FeatureValue::Unavailable,
            FeatureValue::Count(1),
        ]
    );
}
