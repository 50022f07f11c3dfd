//! What stops the policy host from starting, and what does not.

use std::error::Error as _;

use application::ports::RiskPolicyEngine;
use testkit::fakes::SettableClock;

use super::*;
use crate::testing::small_config;

async fn start(config: &Config) -> Result<PolicyHost, StartError> {
    PolicyHost::start(
        config,
        CompilerCommand {
            program: "/bin/false".into(),
            arguments: Vec::new(),
        },
        Arc::new(SettableClock::default()),
        &mut Registry::default(),
    )
    .await
}

#[tokio::test]
async fn a_host_over_an_empty_folder_puts_an_empty_set_in_force_and_ends_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config {
        store: format!("dir:{}", folder.path().display()),
        ..small_config(1)
    };
    let host = start(&config).await.unwrap();
    let engine = host.engine();
    assert!(engine.snapshot().is_none());
    let stop = CancellationToken::new();
    let running = tokio::spawn(host.run(stop.clone()));
    while engine.snapshot().is_none() {
        tokio::task::yield_now().await;
    }
    assert!(engine.snapshot().unwrap().features().is_empty());
    assert!(engine.statuses().is_empty());
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn a_setting_that_cannot_be_is_told_by_its_key() {
    for (config, key) in [
        (
            Config {
                store: "ftp://policies".to_owned(),
                ..small_config(1)
            },
            "policies.store",
        ),
        (
            Config {
                store: "dir:".to_owned(),
                ..small_config(1)
            },
            "policies.store",
        ),
        (
            Config {
                node_id: "../other".to_owned(),
                ..small_config(1)
            },
            "policies.node_id",
        ),
    ] {
        let Err(error) = start(&config).await else {
            panic!("it started")
        };
        assert_eq!(error.to_string(), key);
        assert!(error.source().is_some(), "what is wrong with it is told too");
    }
    let mut config = small_config(1);
    config.quarantine.window_ms = 1;
    let Err(error) = start(&config).await else {
        panic!("it started")
    };
    let told = error.to_string();
    assert!(
        told.starts_with("policies.quarantine.window_ms: found 1,"),
        "{told}"
    );
}

#[test]
fn a_node_without_a_name_is_called_after_its_host_and_process() {
    let id = node_id("").unwrap();
    assert!(id.as_str().ends_with(&format!("-{}", std::process::id())), "{id}");
    assert_eq!(node_id("gateway-1").unwrap().as_str(), "gateway-1");
}
