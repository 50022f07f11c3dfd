//! The thread that ticks ends with its owner, and with its engine.

use wasmtime::{Config, Engine};

use super::*;

fn engine() -> Engine {
    Engine::new(Config::new().epoch_interruption(true)).unwrap()
}

#[test]
fn a_ticker_that_is_dropped_joins_its_thread() {
    let engine = engine();
    let ticker = EpochTicker::start(engine.weak()).unwrap();
    let stop = Arc::clone(&ticker.stop);
    drop(ticker);
    assert!(stop.load(Ordering::Relaxed));
    assert_eq!(Arc::strong_count(&stop), 1, "the thread has let go of the flag");
}

#[test]
fn the_thread_ends_when_the_engine_is_gone() {
    let engine = engine();
    let mut ticker = EpochTicker::start(engine.weak()).unwrap();
    drop(engine);
    let thread = ticker.thread.take().unwrap();
    thread.join().unwrap();
}

#[test]
fn a_deadline_is_counted_in_ticks_that_are_still_to_come() {
    let clock = EpochClock::new();
    assert_eq!(
        clock.tick_after(clock.origin, TICK * 10),
        11,
        "one more than ten: the first may come at once"
    );
    let almost = TICK - Duration::from_nanos(1);
    assert_eq!(clock.tick_after(clock.origin, TICK * 10 + almost), 11);
    assert_eq!(clock.tick_after(clock.origin + almost, TICK * 10), 11);
    assert_eq!(clock.tick_after(clock.origin + almost, TICK * 10 + almost), 12);
    clock.made.store(4, Ordering::Relaxed);
    let now = clock.origin + TICK * 4;
    assert_eq!(clock.tick_after(now, TICK * 10), 15);
    assert_eq!(clock.tick_after(now, Duration::ZERO), 5);
}

#[test]
fn a_tick_that_comes_late_does_not_put_off_those_after_it() {
    let clock = EpochClock::new();
    assert_eq!(clock.next(), clock.origin + TICK);
    assert_eq!(clock.take_due(clock.origin + TICK * 3 + TICK / 2), 3);
    (0..3).for_each(|_| clock.was_made());
    assert_eq!(clock.next(), clock.origin + TICK * 4);
    assert_eq!(clock.take_due(clock.origin + TICK * 3 + TICK / 2), 0);
}

#[test]
fn time_in_which_the_clock_was_not_let_run_is_not_counted() {
    let clock = EpochClock::new();
    assert_eq!(clock.take_due(clock.origin + TICK * 104), MAX_MADE_UP);
    (0..MAX_MADE_UP).for_each(|_| clock.was_made());
    assert_eq!(clock.next(), clock.origin + TICK * 105);
    assert_eq!(clock.take_due(clock.origin + TICK * 105), 1);
    clock.was_made();
    let now = clock.origin + TICK * 105;
    assert_eq!(clock.tick_after(now, TICK * 10), clock.tick() + 11);
}

#[test]
fn who_begins_while_the_clock_is_late_waits_for_no_tick_that_is_never_made() {
    let clock = EpochClock::new();
    // The clock comes again after fifty ticks; a guest begins just before.
    let now = clock.origin + TICK * 50;
    let last = clock.tick_after(now, TICK * 4);
    assert_eq!(last, MAX_MADE_UP + 5);
    assert_eq!(clock.take_due(now), MAX_MADE_UP);
    (0..MAX_MADE_UP).for_each(|_| clock.was_made());
    assert_eq!(clock.take_due(now + TICK * 5), 5);
    (0..5).for_each(|_| clock.was_made());
    assert_eq!(clock.tick(), last, "five ticks later it is over");
}

/// Waits for a state of the ticker's thread, which has no other way to be seen.
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < Duration::from_secs(60), "{what}");
        thread::yield_now();
    }
}

#[test]
fn the_clock_stands_while_no_guest_runs_and_goes_on_for_the_next_one() {
    let engine = engine();
    let ticker = EpochTicker::start(engine.weak()).unwrap();
    let clock = ticker.clock();
    eventually("the thread sleeps", || clock.sleeps.load(Ordering::SeqCst));
    let stood_at = clock.tick();
    assert!(stood_at >= TICKS_TO_SLEEP, "no guest may outlast the clock");

    let last = clock.tick_after(Instant::now(), TICK * 4);
    let late = last - (stood_at + 5);
    assert!(
        late <= MAX_MADE_UP,
        "as for a clock that is late, by {late} ticks"
    );
    eventually("the guest's last tick is made", || clock.tick() >= last);
}

#[test]
fn a_guest_that_begins_while_others_did_keeps_its_clock() {
    let clock = EpochClock::new();
    clock.wanted.store(false, Ordering::SeqCst);
    clock.tick_after(clock.origin, TICK);
    assert!(
        clock.wanted.load(Ordering::SeqCst),
        "the thread finds it when it looks"
    );
}

#[test]
fn a_sleeping_ticker_ends_with_its_owner_and_with_its_engine() {
    for owner_first in [true, false] {
        let engine = engine();
        let mut ticker = EpochTicker::start(engine.weak()).unwrap();
        let clock = Arc::clone(ticker.clock());
        eventually("the thread sleeps", || clock.sleeps.load(Ordering::SeqCst));
        if owner_first {
            drop(ticker);
        } else {
            drop(engine);
            ticker.thread.take().unwrap().join().unwrap();
        }
    }
}
