//! The feature store in Redis: the contract, its bounds, what stands in Redis, and a Redis that is away. Without redis-server on
//! PATH these tests say so and pass; with `REQUIRE_BACKENDS=1` they fail instead.

mod away;
mod bound;
mod contract;
mod counting;
mod pace;
mod settings;
mod stored;

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use portcullis_features::{Config, RedisConfig, RedisFeatureStore, StoreKind, SubjectKey, SubjectLists};
use testkit::redis::{self, Redis};

/// Whether the tests may use Redis here. Says so when they are skipped, past the capture of the test runner.
#[expect(
    clippy::disallowed_methods,
    reason = "the switch of the test suite, see `make test`"
)]
fn is_here() -> bool {
    if redis::is_here() {
        return true;
    }
    let required = std::env::var_os("REQUIRE_BACKENDS").is_some_and(|value| value == "1");
    assert!(!required, "redis-server is not on PATH, and REQUIRE_BACKENDS=1");
    let test = std::thread::current().name().unwrap_or("?").to_owned();
    let message = format!("SKIPPED {test}: redis-server is not on PATH\n");
    std::io::stderr().write_all(message.as_bytes()).unwrap();
    false
}

/// The Redis that tests share which leave it as it is. It runs as long as one of them does.
async fn shared() -> Option<Arc<Redis>> {
    static SHARED: Mutex<Weak<Redis>> = Mutex::new(Weak::new());
    if !is_here() {
        return None;
    }
    let shared = tokio::task::spawn_blocking(|| {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let redis = Arc::new(Redis::start());
            *shared = Arc::downgrade(&redis);
            redis
        })
    });
    Some(shared.await.unwrap())
}

/// One of its own for a test, to kill and to change; none where there is no Redis.
async fn own(flags: &'static [&'static str]) -> Option<Arc<Redis>> {
    if !is_here() {
        return None;
    }
    let starting = tokio::task::spawn_blocking(move || Arc::new(Redis::start_with(flags)));
    Some(starting.await.unwrap())
}

/// Patient, so that a busy machine fails no test; with keys of its own.
fn config(redis: &Redis) -> Config {
    static PREFIXES: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = PREFIXES.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    Config {
        store: StoreKind::Redis,
        deadline_ms: 60_000,
        redis: RedisConfig {
            url: redis.url(),
            key_prefix: format!("test:{number}:"),
            ..RedisConfig::default()
        },
        ..Config::default()
    }
}

fn store(config: &Config) -> RedisFeatureStore {
    let lists = Arc::new(SubjectLists::new(&config.lists).unwrap());
    RedisFeatureStore::open(config, SubjectKey::new(&[7; 32]), lists).unwrap()
}

/// A connection of the test's own, to look at what is there.
async fn connection(redis: &Redis) -> ::redis::aio::MultiplexedConnection {
    let client = ::redis::Client::open(redis.url()).unwrap();
    client.get_multiplexed_async_connection().await.unwrap()
}
