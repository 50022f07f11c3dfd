//! The threads that check and try what was compiled.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use super::*;
use crate::document::Limits;
use crate::testing::{Guest, document, engine};

fn loader() -> Loader {
    Loader::start(engine().clone(), Compiler::Here(engine().clone()), 1).unwrap()
}

#[tokio::test]
async fn a_load_that_panics_takes_no_thread_with_it() {
    let loader = loader();
    for _ in 0..3 {
        let panicked = loader
            .run(|_| if true { panic!("on purpose") } else { Ok(()) })
            .await;
        assert_eq!(panicked, Err(LoadError::Panicked));
    }
    assert_eq!(loader.run(|_| Ok(7)).await, Ok(7));
}

#[tokio::test]
async fn loading_happens_on_threads_that_make_way_once_payments_are_decided() {
    let loader = loader();
    let thread = || {
        loader.run(|_| {
            let name = std::thread::current().name().unwrap_or_default().to_owned();
            Ok((name, rustix::process::getpriority_process(None).unwrap()))
        })
    };
    let own = rustix::process::getpriority_process(None).unwrap();
    assert_eq!(thread().await.unwrap(), ("policy-loader-0".to_owned(), own));
    loader.make_way();
    while thread().await.unwrap().1 < NICENESS {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_policy_is_held_against_each_document_without_compiling_it_again() {
    let loader = loader();
    let component = Guest::new().component();
    let first = Arc::new(document("tested", &component, &serde_json::json!({})));
    let policy = loader.load(first, component.clone().into()).await.unwrap();
    let second = Arc::new(document(
        "tested",
        &component,
        &serde_json::json!({"priority": 1}),
    ));
    let again = loader.reuse(second, Arc::clone(&policy)).await.unwrap();
    assert!(Arc::ptr_eq(&policy, &again));
    let unknown = serde_json::json!({"parameters": {"max": 1}});
    let third = Arc::new(document("tested", &component, &unknown));
    let Err(error) = loader.reuse(third, policy).await else {
        panic!("the document was taken")
    };
    assert_eq!(error.code(), "unknown_parameter");
}

#[tokio::test]
async fn what_nobody_waits_for_when_its_turn_comes_is_not_begun() {
    let loader = loader();
    let (release, held) = mpsc::sync_channel::<()>(1);
    let begun = Arc::new(AtomicBool::new(false));
    // The only thread is busy until it is released.
    let busy = tokio::spawn({
        let loader = loader.clone();
        async move { loader.run(move |_| Ok(held.recv().is_ok())).await }
    });
    let queued = loader.run({
        let begun = Arc::clone(&begun);
        move |_| {
            begun.store(true, Ordering::Relaxed);
            Ok(())
        }
    });
    tokio::select! {
        biased;
        _ = queued => panic!("it was run"),
        () = tokio::task::yield_now() => {}
    }
    release.send(()).unwrap();
    assert_eq!(busy.await.unwrap(), Ok(true));
    assert_eq!(loader.run(|_| Ok(7)).await, Ok(7));
    assert!(!begun.load(Ordering::Relaxed));
}

#[tokio::test]
async fn a_job_is_told_when_nobody_waits_for_it_any_more() {
    let loader = loader();
    let (tell, begun) = oneshot::channel();
    let (end, ended) = mpsc::sync_channel(1);
    let job = loader.run(move |is_awaited| {
        let _told = tell.send(is_awaited());
        while is_awaited() {
            std::thread::yield_now();
        }
        let _told = end.send(());
        Ok(())
    });
    tokio::select! {
        _ = job => panic!("it ended before it was given up"),
        was_awaited = begun => assert!(was_awaited.unwrap()),
    }
    ended.recv().unwrap();
}

#[test]
fn golden_cases_end_when_nobody_waits_for_them_any_more() {
    let case = serde_json::json!({
        "name": "approves", "decision": {"outcome": "approve", "score": 0, "reasons": []},
        "payment": {"id": "p", "merchant_id": "m", "amount": {"minor_units": 1, "currency": "CNY"}, "created_at": 1},
    });
    let cases = serde_json::json!({"contract": "portcullis:policy@0.1.0", "cases": [case, case, case]});
    let policy = crate::testing::load(&Guest::new().with_golden_cases(cases.to_string()).component());
    let asked = std::cell::Cell::new(0);
    let given_up = policy.check_golden_cases(&Limits::MOST, || {
        asked.set(asked.get() + 1);
        asked.get() < 2
    });
    assert_eq!(given_up, Err(LoadError::GivenUp));
    assert_eq!(asked.get(), 2, "the third case was not run");
    assert_eq!(policy.check_golden_cases(&Limits::MOST, || true), Ok(3));
}
