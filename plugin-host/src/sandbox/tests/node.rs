//! What a node cannot give, and what its pool can.

use std::sync::Arc;

use domain::Timestamp;
use domain::risk::PolicyIdentity;
use wasm_encoder::{RawSection, Section};

use super::*;
use crate::digest::Digest;
use crate::policy::Policy;
use crate::sandbox::EvaluationContext;
use crate::sandbox::fault::classify;
use crate::testing::engine;

/// What becomes of an error that the engine reports outside of the guest's own code.
fn classified(error: &wasmtime::Error) -> FaultKind {
    let identity = PolicyIdentity {
        name: "tested".into(),
        version: "1.0.0".into(),
        sequence: 1,
        digest: "".into(),
    };
    let limits = patient();
    let context = EvaluationContext::new(
        Arc::new(identity),
        limits.memory_bytes(),
        Timestamp::from_unix_millis(0),
        "pay_1",
        &Digest::of(b""),
    );
    classify(error, &context, &limits, 0).kind
}

#[test]
fn memory_that_the_system_does_not_give_is_no_fault_of_the_guest() {
    let not_mapped = wasmtime::Error::from(rustix::io::Errno::NOMEM).context("failed to map the image");
    assert_eq!(classified(&not_mapped), FaultKind::Unavailable);
    let not_read = wasmtime::Error::from(std::io::Error::from(std::io::ErrorKind::OutOfMemory));
    assert_eq!(classified(&not_read), FaultKind::Unavailable);
    let unreadable = wasmtime::Error::msg("invalid utf-8");
    assert_eq!(classified(&unreadable), FaultKind::InvalidOutput);
}

/// A policy with so many core instances more than it needs, in a component of their own.
fn with_instances(count: usize) -> Vec<u8> {
    let instances = "(core instance (instantiate $one))".repeat(count);
    let nested = wat::parse_str(format!("(component (core module $one) {instances})")).unwrap();
    let mut bytes = Guest::new().component();
    // The component; and one instance of it, without arguments.
    for (id, data) in [(4, &*nested), (5, &[1, 0, 0, 0])] {
        let section = RawSection { id, data };
        section.append_to(&mut bytes);
    }
    bytes
}

#[test]
fn every_component_that_the_pool_takes_can_be_instantiated() {
    let loaded = (1..=64)
        .rev()
        .find_map(|count| Policy::load(engine(), &with_instances(count)).ok());
    let policy = loaded.unwrap();
    assert!(evaluate(&policy, &patient()).result.is_ok());
    assert_eq!(refused(&with_instances(64)).code(), "not_compilable");
}
