//! The etcd of these tests, and whether there is one.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError, Weak};

pub(crate) use testkit::etcd::Etcd;
use testkit::etcd::{self, Setup};

/// Whether the tests may use etcd here. Says so when they are skipped, past the capture of the test runner.
#[expect(
    clippy::disallowed_methods,
    reason = "the switch of the test suite, see `make test`"
)]
pub(crate) fn is_here() -> bool {
    if etcd::is_here() {
        return true;
    }
    let required = std::env::var_os("REQUIRE_BACKENDS").is_some_and(|value| value == "1");
    assert!(
        !required,
        "etcd and etcdctl are not on PATH, and REQUIRE_BACKENDS=1"
    );
    let test = std::thread::current().name().unwrap_or("?").to_owned();
    let message = format!("SKIPPED {test}: etcd and etcdctl are not on PATH\n");
    std::io::stderr().write_all(message.as_bytes()).unwrap();
    false
}

/// The etcd that tests share which leave it as it is. It runs as long as one of them does.
pub(crate) fn shared() -> Arc<Etcd> {
    static SHARED: Mutex<Weak<Etcd>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    shared.upgrade().unwrap_or_else(|| {
        let etcd = Arc::new(Etcd::start(&Setup::default()));
        *shared = Arc::downgrade(&etcd);
        etcd
    })
}

/// One of its own for a test, to kill and to change; none where there is no etcd.
pub(crate) async fn own(setup: Setup) -> Option<Arc<Etcd>> {
    if !is_here() {
        return None;
    }
    let starting = tokio::task::spawn_blocking(move || Arc::new(Etcd::start(&setup)));
    Some(starting.await.unwrap())
}
