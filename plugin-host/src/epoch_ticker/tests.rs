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
    let at = |micros| clock.origin + Duration::from_micros(micros);
    assert_eq!(
        clock.ticks_until(at(10_000)),
        11,
        "one more than ten: the first may come at once"
    );
    assert_eq!(clock.ticks_until(at(10_999)), 11);
    clock.made.store(4, Ordering::Relaxed);
    assert_eq!(clock.ticks_until(at(10_000)), 7);
    clock.made.store(30, Ordering::Relaxed);
    assert_eq!(
        clock.ticks_until(at(10_000)),
        1,
        "what is over already ends with the next tick"
    );
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
    let end = clock.origin + TICK * 10;
    assert_eq!(clock.take_due(clock.origin + TICK * 104), MAX_MADE_UP);
    (0..MAX_MADE_UP).for_each(|_| clock.was_made());
    assert_eq!(clock.next(), clock.origin + TICK * 105);
    assert_eq!(clock.take_due(clock.origin + TICK * 105), 1);
    clock.was_made();
    assert_eq!(clock.ticks_until(end), 1);
    assert_eq!(clock.ticks_until(clock.origin + TICK * 115), 11);
}
