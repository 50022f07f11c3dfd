//! What is counted, and for how long.

use proptest::prelude::*;

use super::*;

const WINDOW_MS: u64 = 1_000;

#[test]
fn what_is_older_than_the_window_does_not_count() {
    let window = Window::new(WINDOW_MS);
    window.count(0, true);
    window.count(499, false);
    window.count(500, true);
    let totals = |evaluations, faults| Totals { evaluations, faults };
    assert_eq!(window.totals(999), totals(3, 2));
    assert_eq!(window.totals(1_000), totals(1, 1));
    assert_eq!(window.totals(1_500), totals(0, 0));
    window.count(1_000_000_000_000, false);
    assert_eq!(window.totals(1_000_000_000_000), totals(1, 0));
}

#[test]
fn an_evaluation_that_is_told_too_late_does_not_wipe_out_newer_ones() {
    let window = Window::new(WINDOW_MS);
    window.count(5_000, true);
    window.count(4_000, true);
    assert_eq!(window.totals(5_000).evaluations, 1);
}

#[test]
fn however_many_are_counted_the_share_of_faults_stays_and_nothing_spills_over() {
    let window = Window::new(WINDOW_MS);
    for index in 0..1_000_000_u32 {
        window.count(7, index % 4 == 0);
        let Totals { evaluations, faults } = window.totals(7);
        assert!(evaluations <= 1 << 15, "{evaluations}");
        if index > 1_000 {
            let share = f64::from(faults) / f64::from(evaluations);
            assert!((0.24..=0.26).contains(&share), "{share} after {index}");
        }
    }
    assert!(window.totals(7).evaluations >= 1 << 14);
    assert_eq!(span_of(window.even.load(Ordering::Relaxed)), 0);
}

#[test]
fn many_threads_lose_no_count() {
    let window = Window::new(WINDOW_MS);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..1_000).for_each(|_| window.count(3, true)));
        }
    });
    assert_eq!(
        window.totals(3),
        Totals {
            evaluations: 4_000,
            faults: 4_000
        }
    );
}

proptest! {
    /// Held against a list of everything that ever was.
    #[test]
    fn the_counts_are_those_of_this_half_of_the_window_and_the_one_before(
        steps in proptest::collection::vec((0_u64..700, any::<bool>()), 1..300)
    ) {
        let window = Window::new(WINDOW_MS);
        let mut told: Vec<(u64, bool)> = Vec::new();
        let mut now_ms = 0;
        for (pause, fault) in steps {
            now_ms += pause;
            window.count(now_ms, fault);
            told.push((now_ms / 500, fault));
            let recent = || told.iter().filter(|(span, _)| span + 1 >= now_ms / 500);
            let expected = Totals {
                evaluations: u32::try_from(recent().count()).unwrap(),
                faults: u32::try_from(recent().filter(|(_, fault)| *fault).count()).unwrap(),
            };
            prop_assert_eq!(window.totals(now_ms), expected);
        }
    }
}
