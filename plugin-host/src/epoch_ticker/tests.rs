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
