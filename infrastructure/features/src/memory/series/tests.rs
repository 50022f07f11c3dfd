//! The bound of the buckets, held against a plain list of payments.

use proptest::prelude::*;

use super::*;

const START: u64 = 1_770_000_000;

fn window(from_second: u64) -> Window {
    Window {
        from_second,
        filter: PaymentFilter::Attempted,
    }
}

/// The numbers of payments from a second on.
fn exact(payments: &[(u64, i64)], from_second: u64) -> (u64, i64) {
    payments
        .iter()
        .filter(|(second, _)| *second >= from_second)
        .fold((0, 0), |(count, amount), (_, more)| (count + 1, amount + more))
}

fn series_of(payments: &[(u64, i64)]) -> Series {
    let mut series = Series::default();
    for (second, amount) in payments {
        series.record(*second, PaymentFilter::Attempted, *amount);
    }
    series
}

fn check_bound(payments: &[(u64, i64)], window_seconds: u64, lateness: u64) {
    let series = series_of(payments);
    let now = series.newest_second() - lateness;
    let from = now + 1 - window_seconds;
    let reach = (window_seconds + lateness) / AGE_PER_WIDTH;
    let least = exact(payments, from);
    let most = exact(payments, from - reach);
    let (count, amount) = (series.count(window(from)), series.amount(window(from)));
    assert!(
        (least.0..=most.0).contains(&count),
        "{count} of {least:?} to {most:?}"
    );
    assert!(
        (least.1..=most.1).contains(&amount),
        "{amount} of {least:?} to {most:?}"
    );
}

/// Gaps between payments from none to hours, so that one case spans seconds and another months.
fn payments() -> impl Strategy<Value = Vec<(u64, i64)>> {
    let gap = prop_oneof![Just(0_u64), 0..3_u64, 0..100_u64, 0..20_000_u64];
    prop::collection::vec((gap, 1..1_000_i64), 1..600).prop_map(|steps| {
        let mut second = START;
        steps
            .into_iter()
            .map(|(gap, amount)| {
                second += gap;
                (second, amount)
            })
            .collect()
    })
}

proptest! {
    #[test]
    fn no_payment_of_a_window_is_missed_and_none_counts_that_is_a_64th_too_old(
        payments in payments(),
        window_seconds in prop_oneof![1..200_u64, 1..=u64::from(MAX_WINDOW_SECONDS)],
    ) {
        check_bound(&payments, window_seconds, 0);
    }

    #[test]
    fn the_bound_holds_for_payments_out_of_order_and_windows_that_end_late(
        payments in payments().prop_shuffle(),
        window_seconds in 1..1_000_000_u64,
        lateness in 0..5_000_u64,
    ) {
        let newest = payments.iter().map(|(second, _)| *second).max().unwrap();
        // What is 90 days behind the newest when it comes is dropped, as it should be.
        prop_assume!(payments.iter().all(|(second, _)| second + u64::from(MAX_WINDOW_SECONDS) > newest));
        check_bound(&payments, window_seconds, lateness);
    }
}

#[test]
fn the_last_two_minutes_are_exact_to_the_second() {
    let payments: Vec<(u64, i64)> = (0..5_000).map(|second| (START + second, 1)).collect();
    let series = series_of(&payments);
    for window_seconds in 1..=128 {
        let from = series.newest_second() + 1 - window_seconds;
        assert_eq!(series.count(window(from)), window_seconds);
    }
}

#[test]
fn a_busy_subject_takes_a_bounded_number_of_buckets() {
    let mut series = Series::default();
    let mut most = 0;
    // A payment every 10 s for 100 days.
    for step in 0..864_000 {
        series.record(START + 10 * step, PaymentFilter::Attempted, 1);
        most = most.max(series.buckets.capacity());
    }
    assert!(most <= 3_200, "{most}");
}

#[test]
fn what_is_older_than_ninety_days_is_dropped() {
    let mut series = series_of(&[(START, 1)]);
    let later = START + u64::from(MAX_WINDOW_SECONDS);
    for second in 0..200 {
        series.record(later + second, PaymentFilter::Attempted, 1);
    }
    assert!(series.buckets.iter().all(|bucket| bucket.first >= later));
    series.record(START, PaymentFilter::Attempted, 1);
    assert_eq!(series.count(window(0)), 200);
}

#[test]
fn attempted_approved_and_declined_are_counted_apart() {
    let mut series = Series::default();
    series.record(START, PaymentFilter::Attempted, 5);
    series.record(START, PaymentFilter::Attempted, 7);
    series.record(START, PaymentFilter::Declined, 5);
    let read = |filter| {
        let window = Window {
            from_second: START,
            filter,
        };
        (series.count(window), series.amount(window))
    };
    assert_eq!(read(PaymentFilter::Attempted), (2, 12));
    assert_eq!(read(PaymentFilter::Approved), (0, 0));
    assert_eq!(read(PaymentFilter::Declined), (1, 5));
}

#[test]
fn a_sum_that_is_too_large_stays_at_the_largest() {
    let mut series = Series::default();
    series.record(START, PaymentFilter::Attempted, i64::MAX);
    series.record(START, PaymentFilter::Attempted, 1);
    series.record(START + 1, PaymentFilter::Attempted, 1);
    assert_eq!(series.amount(window(START)), i64::MAX);
}
