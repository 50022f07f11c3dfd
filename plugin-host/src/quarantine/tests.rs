//! When a quarantine begins, and what ends it.

use proptest::prelude::*;
use testkit::builders::NOW;
use testkit::fakes::SettableClock;

use super::*;
use crate::testing::Hand;

const TRAP: Option<FaultKind> = Some(FaultKind::Trap);

struct Scene {
    time: Hand,
    changed: Arc<Notify>,
    quarantine: Arc<Quarantine>,
}

impl Scene {
    fn new(change: impl FnOnce(&mut QuarantineConfig)) -> Self {
        Self::of_one_that_takes(Duration::from_millis(10), change)
    }

    fn of_one_that_takes(deadline: Duration, change: impl FnOnce(&mut QuarantineConfig)) -> Self {
        let mut config = QuarantineConfig::default();
        change(&mut config);
        config.check().unwrap();
        let time = Hand::default();
        let changed = Arc::new(Notify::new());
        let supervision = Supervision::new(
            config,
            Box::new(time.clone()),
            Arc::new(SettableClock::default()),
            Arc::clone(&changed),
        );
        Self {
            time,
            changed,
            quarantine: Arc::new(Quarantine::new(Arc::new(supervision), deadline)),
        }
    }

    /// Quarantined with the fewest faults that do it.
    fn quarantined() -> Self {
        let scene = Self::new(|_| ());
        let begun = (0..20).filter_map(|_| scene.quarantine.evaluated(TRAP)).count();
        assert_eq!(begun, 1);
        scene
    }

    /// Makes the next probe as soon as it is due.
    fn probe(&self, result: ProbeResult) -> Option<Episode> {
        self.time.forward(1_000);
        self.quarantine.probe().unwrap().finish(result)
    }
}

#[test]
fn a_release_that_faults_too_often_is_quarantined_and_says_why() {
    let scene = Scene::new(|_| ());
    for _ in 0..10 {
        assert_eq!(scene.quarantine.evaluated(None), None);
    }
    for _ in 0..9 {
        assert_eq!(scene.quarantine.evaluated(TRAP), None);
    }
    assert!(!scene.quarantine.holds());
    let episode = scene.quarantine.evaluated(Some(FaultKind::Refused)).unwrap();
    assert_eq!(
        episode,
        Episode {
            since: NOW,
            evaluations: 20,
            faults: 10,
            last_fault: FaultKind::Refused,
        }
    );
    assert!(scene.quarantine.holds());
    assert_eq!(scene.quarantine.episode(), Some(episode));
    assert_eq!(
        scene.quarantine.evaluated(TRAP),
        None,
        "one that was under way begins nothing"
    );
}

#[test]
fn one_that_burns_a_long_deadline_is_quarantined_after_fewer_evaluations() {
    for (deadline_ms, evaluations) in [(10, 20), (250, 20), (500, 10), (1_000, 5)] {
        let scene = Scene::of_one_that_takes(Duration::from_millis(deadline_ms), |_| ());
        for _ in 1..evaluations {
            assert_eq!(scene.quarantine.evaluated(Some(FaultKind::Deadline)), None);
            scene.time.forward(deadline_ms);
        }
        let episode = scene.quarantine.evaluated(Some(FaultKind::Deadline)).unwrap();
        assert_eq!(episode.evaluations, evaluations, "{deadline_ms} ms");
    }
}

#[test]
fn where_the_node_had_no_room_nothing_is_counted() {
    let scene = Scene::new(|config| config.minimum_evaluations = 1);
    for _ in 0..100 {
        for kind in [FaultKind::Unavailable, FaultKind::Quarantined] {
            assert_eq!(scene.quarantine.evaluated(Some(kind)), None);
        }
    }
    assert_eq!(scene.quarantine.evaluated(TRAP).unwrap().evaluations, 1);
}

#[test]
fn where_it_is_switched_off_nothing_is_quarantined() {
    let scene = Scene::new(|config| config.enabled = false);
    let begun = (0..1_000)
        .filter_map(|_| scene.quarantine.evaluated(TRAP))
        .count();
    assert_eq!(begun, 0);
    assert!(!scene.quarantine.holds());
}

#[test]
fn faults_that_are_long_past_do_not_count() {
    let scene = Scene::new(|_| ());
    for _ in 0..19 {
        assert_eq!(scene.quarantine.evaluated(TRAP), None);
    }
    scene.time.forward(10_000);
    assert_eq!(scene.quarantine.evaluated(TRAP), None);
    assert!(!scene.quarantine.holds());
}

#[test]
fn one_probe_is_made_at_a_time_and_the_next_an_interval_after_it_ended() {
    let scene = Scene::quarantined();
    assert!(
        scene.quarantine.probe().is_none(),
        "the first is due after an interval"
    );
    scene.time.forward(999);
    assert!(scene.quarantine.probe().is_none());
    scene.time.forward(1);
    let probe = scene.quarantine.probe().unwrap();
    scene.time.forward(5_000);
    assert!(scene.quarantine.probe().is_none(), "one is under way");
    // Dropped without a result, as where the lane does not take it.
    drop(probe);
    assert!(scene.quarantine.probe().is_none());
    scene.time.forward(1_000);
    assert!(scene.quarantine.probe().is_some());
}

#[test]
fn a_probe_that_faults_starts_the_count_anew_and_one_without_room_does_not() {
    let scene = Scene::quarantined();
    for _ in 0..4 {
        assert_eq!(scene.probe(ProbeResult::Answered), None);
    }
    assert_eq!(scene.probe(ProbeResult::Faulted), None);
    for _ in 0..4 {
        assert_eq!(scene.probe(ProbeResult::Answered), None);
        assert_eq!(scene.probe(ProbeResult::Unavailable), None);
    }
    assert!(scene.quarantine.holds());
    assert_eq!(scene.probe(ProbeResult::Answered).unwrap().faults, 20);
    assert!(!scene.quarantine.holds());
    assert_eq!(scene.quarantine.episode(), None);
}

#[test]
fn a_release_that_recovered_has_a_clean_slate() {
    let scene = Scene::quarantined();
    let ended = (0..5).filter_map(|_| scene.probe(ProbeResult::Answered)).count();
    assert_eq!(ended, 1);
    for _ in 0..19 {
        assert_eq!(scene.quarantine.evaluated(TRAP), None);
    }
    assert!(scene.quarantine.evaluated(TRAP).is_some());
}

#[test]
fn a_probe_of_an_earlier_quarantine_says_nothing_about_this_one() {
    let scene = Scene::new(|config| {
        config.minimum_evaluations = 1;
        config.probes_to_recover = 1;
    });
    scene.quarantine.evaluated(TRAP).unwrap();
    scene.time.forward(1_000);
    let slow = scene.quarantine.probe().unwrap();
    scene.quarantine.next_probe_ms.store(0, Ordering::Relaxed);
    let quick = scene.quarantine.probe().unwrap();
    assert!(quick.finish(ProbeResult::Answered).is_some());
    scene.quarantine.evaluated(TRAP).unwrap();
    assert_eq!(slow.finish(ProbeResult::Answered), None);
    assert!(scene.quarantine.holds());
}

#[tokio::test]
async fn whoever_waits_is_told_of_a_beginning_and_of_an_end() {
    let scene = Scene::quarantined();
    scene.changed.notified().await;
    for _ in 0..5 {
        let _episode = scene.probe(ProbeResult::Answered);
    }
    scene.changed.notified().await;
}

#[test]
fn of_many_payments_that_meet_the_last_straw_one_begins_the_quarantine() {
    for _ in 0..50 {
        let scene = Scene::new(|config| config.minimum_evaluations = 1);
        let begun: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| usize::from(scene.quarantine.evaluated(TRAP).is_some())))
                .collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(begun, 1);
    }
}

proptest! {
    /// Whatever comes in whatever rhythm: a quarantine begins exactly where the counts of the window say so.
    #[test]
    fn a_release_is_never_quarantined_below_the_ratio(
        minimum in 1_u32..40,
        percent in 1_u32..=100,
        steps in proptest::collection::vec((0_u64..1_500, proptest::bool::weighted(0.6)), 1..400),
    ) {
        let scene = Scene::new(|config| {
            config.minimum_evaluations = minimum;
            config.fault_ratio = f64::from(percent) / 100.0;
        });
        let mut told: Vec<(u64, bool)> = Vec::new();
        let mut now_ms = 0;
        for (pause, fault) in steps {
            now_ms += pause;
            scene.time.forward(pause);
            let begun = scene.quarantine.evaluated(fault.then_some(FaultKind::Deadline));
            told.push((now_ms / 5_000, fault));
            let recent = || told.iter().filter(|(span, _)| span + 1 >= now_ms / 5_000);
            let evaluations = u32::try_from(recent().count()).unwrap();
            let faults = u32::try_from(recent().filter(|(_, fault)| *fault).count()).unwrap();
            let too_much = fault && evaluations >= minimum && faults * 100 >= evaluations * percent;
            prop_assert_eq!(begun.is_some(), too_much);
            if begun.is_some() {
                break;
            }
        }
    }

    /// Whatever its probes did before: so many good ones in a row end it, and fewer do not.
    #[test]
    fn a_release_always_recovers_after_enough_good_probes(
        needed in 1_u32..20,
        before in proptest::collection::vec(proptest::sample::select(ProbeResult::ALL.as_slice()), 0..60),
    ) {
        let scene = Scene::new(|config| {
            config.minimum_evaluations = 1;
            config.probes_to_recover = needed;
        });
        scene.quarantine.evaluated(TRAP).unwrap();
        let mut in_a_row = 0;
        for result in before {
            match result {
                ProbeResult::Answered => in_a_row += 1,
                ProbeResult::Faulted => in_a_row = 0,
                ProbeResult::Unavailable => {}
            }
            prop_assert_eq!(scene.probe(result).is_some(), in_a_row == needed);
            if in_a_row == needed {
                return Ok(());
            }
        }
        scene.probe(ProbeResult::Faulted);
        for index in 1..=needed {
            prop_assert!(scene.quarantine.holds());
            prop_assert_eq!(scene.probe(ProbeResult::Answered).is_some(), index == needed);
        }
        prop_assert!(!scene.quarantine.holds());
    }
}
