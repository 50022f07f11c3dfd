//! The threads that compile.

use super::*;
use crate::testing::{Guest, document, engine};

fn loader() -> Loader {
    Loader::start(engine().clone(), Compiler::Here(engine().clone()), 1).unwrap()
}

#[tokio::test]
async fn a_load_that_panics_takes_no_thread_with_it() {
    let loader = loader();
    for _ in 0..3 {
        let panicked = loader
            .run(|| if true { panic!("on purpose") } else { Ok(()) })
            .await;
        assert_eq!(panicked, Err(LoadError::Panicked));
    }
    assert_eq!(loader.run(|| Ok(7)).await, Ok(7));
}

#[tokio::test]
async fn loading_happens_on_threads_of_low_priority() {
    let (name, niceness) = loader()
        .run(|| {
            let name = std::thread::current().name().unwrap_or_default().to_owned();
            Ok((name, rustix::process::getpriority_process(None)))
        })
        .await
        .unwrap();
    assert_eq!(name, "policy-loader-0");
    assert!(niceness.unwrap() >= NICENESS);
}

#[tokio::test]
async fn a_policy_is_held_against_each_document_without_compiling_it_again() {
    let loader = loader();
    let component = Guest::new().component();
    let first = Arc::new(document("tested", &component, &serde_json::json!({})));
    let policy = loader.load(first, component.clone()).await.unwrap();
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
