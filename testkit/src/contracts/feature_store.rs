//! What a feature store owes.

use std::sync::Arc;

use application::ports::{FeatureStore, SettledAs};
use domain::feature::{FeatureSpec, FeatureValue, PaymentFilter, Subject, VelocityMeasure};
use tokio::task::JoinSet;

use crate::builders::{
    OwnedRiskRequest, PaymentDetailsBuilder, after, cny, money, payment_details, risk_request,
};

type Store = Arc<dyn FeatureStore>;

const HOUR: u32 = 3_600;

fn velocity(
    subject: Subject,
    measure: VelocityMeasure,
    filter: PaymentFilter,
    window_seconds: u32,
) -> FeatureSpec {
    FeatureSpec::Velocity {
        subject,
        measure,
        filter,
        window_seconds,
    }
}

fn attempts(subject: Subject) -> FeatureSpec {
    velocity(subject, VelocityMeasure::Count, PaymentFilter::Attempted, HOUR)
}

fn of_card(measure: VelocityMeasure, filter: PaymentFilter) -> FeatureSpec {
    velocity(Subject::Card, measure, filter, HOUR)
}

fn payment(id: &str, details: PaymentDetailsBuilder, seconds: u64) -> OwnedRiskRequest {
    risk_request(id)
        .details(details.build())
        .at(after(seconds))
        .build()
}

fn with_card(id: &str, seconds: u64) -> OwnedRiskRequest {
    payment(id, payment_details().card("fp_1"), seconds)
}

async fn observe(store: &Store, request: &OwnedRiskRequest, features: &[FeatureSpec]) -> Vec<FeatureValue> {
    store.observe(&request.borrow(), features).await.unwrap()
}

async fn value(store: &Store, request: &OwnedRiskRequest, feature: FeatureSpec) -> FeatureValue {
    let values = observe(store, request, &[feature]).await;
    assert_eq!(values.len(), 1);
    values.into_iter().next().unwrap()
}

async fn settle(store: &Store, request: &OwnedRiskRequest, settled: SettledAs) {
    store.settle(&request.borrow(), settled).await.unwrap();
}

/// Exactly once.
pub async fn the_payment_being_decided_counts_as_attempted(store: Store) {
    let values = observe(
        &store,
        &with_card("pay_1", 0),
        &[
            of_card(VelocityMeasure::Count, PaymentFilter::Attempted),
            of_card(VelocityMeasure::Amount, PaymentFilter::Attempted),
            of_card(VelocityMeasure::Count, PaymentFilter::Approved),
        ],
    )
    .await;
    assert_eq!(
        values,
        [
            FeatureValue::Count(1),
            FeatureValue::Amount(12_900),
            FeatureValue::Count(0)
        ]
    );
}

/// However many, also none.
pub async fn values_come_in_the_order_of_the_specs(store: Store) {
    observe(&store, &with_card("pay_1", 0), &[]).await;
    let second = payment("pay_2", payment_details().card("fp_1").device("d_1"), 0);
    let specs = [
        attempts(Subject::Device),
        attempts(Subject::Card),
        attempts(Subject::Email),
        attempts(Subject::Device),
    ];
    let expected = [
        FeatureValue::Count(1),
        FeatureValue::Count(2),
        FeatureValue::Unavailable,
        FeatureValue::Count(1),
    ];
    assert_eq!(observe(&store, &second, &specs).await, expected);
    assert!(observe(&store, &second, &[]).await.is_empty());
}

/// A decision that is asked for again does not make its own payment suspect.
pub async fn a_payment_counts_once_however_often_it_is_observed(store: Store) {
    let request = with_card("pay_1", 0);
    for _ in 0..3 {
        assert_eq!(
            value(&store, &request, attempts(Subject::Card)).await,
            FeatureValue::Count(1)
        );
    }
    let amount = of_card(VelocityMeasure::Amount, PaymentFilter::Attempted);
    assert_eq!(
        value(&store, &request, amount).await,
        FeatureValue::Amount(12_900)
    );
}

/// Rather than zero.
pub async fn a_subject_that_the_payment_does_not_have_is_unavailable(store: Store) {
    let bare = payment("pay_1", payment_details(), 0);
    for subject in Subject::ALL {
        let expected = match subject {
            Subject::Merchant => FeatureValue::Count(1),
            _ => FeatureValue::Unavailable,
        };
        assert_eq!(
            value(&store, &bare, attempts(subject)).await,
            expected,
            "{subject:?}"
        );
    }
}

/// By kind and by value: the customer `x` is not the device `x`.
pub async fn subjects_are_counted_apart(store: Store) {
    let first = payment("pay_1", payment_details().merchant("m_1").customer("x"), 0);
    observe(&store, &first, &[]).await;
    let second = payment("pay_2", payment_details().merchant("m_2").device("x"), 0);
    assert_eq!(
        value(&store, &second, attempts(Subject::Device)).await,
        FeatureValue::Count(1)
    );
    assert_eq!(
        value(&store, &second, attempts(Subject::Merchant)).await,
        FeatureValue::Count(1)
    );
    let third = payment("pay_3", payment_details().merchant("m_1").customer("y"), 0);
    assert_eq!(
        value(&store, &third, attempts(Subject::Customer)).await,
        FeatureValue::Count(1)
    );
    assert_eq!(
        value(&store, &third, attempts(Subject::Merchant)).await,
        FeatureValue::Count(2)
    );
}

/// 60 seconds hold the payment's own second and the 59 before it.
pub async fn a_window_ends_to_the_second(store: Store) {
    observe(&store, &with_card("pay_1", 0), &[]).await;
    let minute = |filter| velocity(Subject::Card, VelocityMeasure::Count, filter, 60);
    let inside = with_card("pay_2", 59);
    assert_eq!(
        value(&store, &inside, minute(PaymentFilter::Attempted)).await,
        FeatureValue::Count(2)
    );
    let outside = with_card("pay_3", 60);
    assert_eq!(
        value(&store, &outside, minute(PaymentFilter::Attempted)).await,
        FeatureValue::Count(2),
        "the first is gone, the second and the third are there"
    );
}

/// Order of arrival is not order of time.
pub async fn a_payment_that_comes_late_counts_from_its_own_time(store: Store) {
    observe(&store, &with_card("pay_1", 100), &[]).await;
    observe(&store, &with_card("pay_2", 10), &[]).await;
    let minute = velocity(
        Subject::Card,
        VelocityMeasure::Count,
        PaymentFilter::Attempted,
        60,
    );
    let third = with_card("pay_3", 110);
    assert_eq!(value(&store, &third, minute).await, FeatureValue::Count(2));
    assert_eq!(
        value(&store, &third, attempts(Subject::Card)).await,
        FeatureValue::Count(3)
    );
}

/// Other currencies are counted, and not added.
pub async fn amounts_add_up_in_the_currency_of_the_payment(store: Store) {
    let amount = of_card(VelocityMeasure::Amount, PaymentFilter::Attempted);
    let of = |id: &str, amount| payment(id, payment_details().card("fp_1").amount(amount), 0);
    observe(&store, &of("pay_1", cny(100)), &[]).await;
    observe(&store, &of("pay_2", money(7, "EUR")), &[]).await;
    let third = of("pay_3", cny(23));
    assert_eq!(value(&store, &third, amount).await, FeatureValue::Amount(123));
    assert_eq!(
        value(&store, &third, attempts(Subject::Card)).await,
        FeatureValue::Count(3)
    );
}

/// And never the one that is being decided.
pub async fn approved_and_declined_hold_settled_payments_alone(store: Store) {
    let requests = ["pay_1", "pay_2", "pay_3"].map(|id| with_card(id, 0));
    for request in &requests {
        observe(&store, request, &[]).await;
    }
    settle(&store, &requests[0], SettledAs::Approved).await;
    settle(&store, &requests[1], SettledAs::Declined).await;
    let values = observe(
        &store,
        &with_card("pay_4", 1),
        &[
            of_card(VelocityMeasure::Count, PaymentFilter::Attempted),
            of_card(VelocityMeasure::Count, PaymentFilter::Approved),
            of_card(VelocityMeasure::Count, PaymentFilter::Declined),
            of_card(VelocityMeasure::Amount, PaymentFilter::Declined),
        ],
    )
    .await;
    assert_eq!(
        values,
        [
            FeatureValue::Count(4),
            FeatureValue::Count(1),
            FeatureValue::Count(1),
            FeatureValue::Amount(12_900)
        ]
    );
}

/// The first end stands.
pub async fn a_payment_settles_once(store: Store) {
    let request = with_card("pay_1", 0);
    observe(&store, &request, &[]).await;
    for settled in [SettledAs::Declined, SettledAs::Declined, SettledAs::Approved] {
        settle(&store, &request, settled).await;
    }
    let specs = [
        PaymentFilter::Attempted,
        PaymentFilter::Declined,
        PaymentFilter::Approved,
    ]
    .map(|filter| of_card(VelocityMeasure::Count, filter));
    assert_eq!(
        observe(&store, &request, &specs).await,
        [
            FeatureValue::Count(1),
            FeatureValue::Count(1),
            FeatureValue::Count(0)
        ]
    );
}

/// It would count as approved without ever having been attempted.
pub async fn a_payment_that_was_never_observed_does_not_settle(store: Store) {
    observe(&store, &with_card("pay_1", 0), &[]).await;
    settle(&store, &with_card("pay_2", 0), SettledAs::Approved).await;
    let third = with_card("pay_3", 0);
    let approved = of_card(VelocityMeasure::Count, PaymentFilter::Approved);
    assert_eq!(value(&store, &third, approved).await, FeatureValue::Count(0));
    assert_eq!(
        value(&store, &third, attempts(Subject::Card)).await,
        FeatureValue::Count(2)
    );
}

/// Cards of a device, for one.
pub async fn distinct_counts_every_other_subject_once(store: Store) {
    let cards = velocity(
        Subject::Device,
        VelocityMeasure::Distinct(Subject::Card),
        PaymentFilter::Attempted,
        HOUR,
    );
    let mut last = FeatureValue::Unavailable;
    for (number, card) in ["fp_1", "fp_2", "fp_1", "fp_3", "fp_2"].into_iter().enumerate() {
        let details = payment_details().device("d_1").card(card);
        last = value(
            &store,
            &payment(&format!("pay_{number}"), details, 0),
            cards.clone(),
        )
        .await;
    }
    assert_eq!(last, FeatureValue::Count(3));
    let without_card = payment("pay_9", payment_details().device("d_1"), 0);
    assert_eq!(value(&store, &without_card, cards).await, FeatureValue::Count(3));
}

/// As the other measures do.
pub async fn distinct_asks_for_the_same_filter_and_window(store: Store) {
    let cards = |filter, window_seconds| {
        velocity(
            Subject::Device,
            VelocityMeasure::Distinct(Subject::Card),
            filter,
            window_seconds,
        )
    };
    let first = payment("pay_1", payment_details().device("d_1").card("fp_1"), 0);
    let second = payment("pay_2", payment_details().device("d_1").card("fp_2"), 50);
    for request in [&first, &second] {
        observe(&store, request, &[]).await;
    }
    settle(&store, &second, SettledAs::Declined).await;
    let third = payment("pay_3", payment_details().device("d_1").card("fp_3"), 100);
    let specs = [
        cards(PaymentFilter::Attempted, HOUR),
        cards(PaymentFilter::Attempted, 60),
        cards(PaymentFilter::Declined, HOUR),
        cards(PaymentFilter::Declined, 50),
        cards(PaymentFilter::Approved, HOUR),
    ];
    let expected = [3, 2, 1, 0, 0].map(FeatureValue::Count);
    assert_eq!(observe(&store, &third, &specs).await, expected);
}

/// None before the first.
pub async fn a_subject_is_seen_with_one_of_itself(store: Store) {
    let itself = |filter| of_card(VelocityMeasure::Distinct(Subject::Card), filter);
    observe(&store, &with_card("pay_1", 0), &[]).await;
    let specs = [itself(PaymentFilter::Attempted), itself(PaymentFilter::Approved)];
    assert_eq!(
        observe(&store, &with_card("pay_2", 0), &specs).await,
        [FeatureValue::Count(1), FeatureValue::Count(0)]
    );
}

/// As mail providers see it.
pub async fn email_addresses_are_one_in_any_case(store: Store) {
    let first = payment("pay_1", payment_details().email("Ada@Example.com"), 0);
    observe(&store, &first, &[]).await;
    let second = payment("pay_2", payment_details().email("aDA@example.COM"), 0);
    assert_eq!(
        value(&store, &second, attempts(Subject::Email)).await,
        FeatureValue::Count(2)
    );
}

/// Of any number at least one sees them all, and none is counted twice.
pub async fn payments_at_the_same_time_see_each_other(store: Store) {
    const CROWD: u64 = 64;
    let mut observed = JoinSet::new();
    for number in 0..CROWD {
        let store = Arc::clone(&store);
        let request = with_card(&format!("pay_{number}"), 0);
        observed.spawn(async move {
            store
                .observe(&request.borrow(), &[attempts(Subject::Card)])
                .await
                .unwrap()
        });
    }
    let counts: Vec<FeatureValue> = observed.join_all().await.concat();
    let seen = counts.into_iter().map(|value| match value {
        FeatureValue::Count(count) => count,
        other => unreachable!("{other:?} is no count"),
    });
    let seen: Vec<u64> = seen.collect();
    assert_eq!(seen.iter().max(), Some(&CROWD));
    assert!(seen.iter().all(|count| (1..=CROWD).contains(count)));
}

/// A policy that names one by mistake is to find out.
pub async fn a_list_that_nobody_keeps_is_unavailable(store: Store) {
    let listed = FeatureSpec::Listed {
        list: "nobody-keeps-this".into(),
        subject: Subject::Card,
    };
    assert_eq!(
        value(&store, &with_card("pay_1", 0), listed).await,
        FeatureValue::Unavailable
    );
}
