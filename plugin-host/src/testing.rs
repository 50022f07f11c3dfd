//! Policies for tests: components made of a few lines of WebAssembly text, and what they are run with.

mod captured_log;
mod guest;
mod hand;
mod memory_image;

pub(crate) use captured_log::captured;
pub(crate) use guest::Guest;
pub(crate) use hand::Hand;
pub(crate) use memory_image::{Answer, Description, MemoryImage};

use std::sync::{Arc, OnceLock};

use domain::Timestamp;
use domain::risk::{Fault, Verdict};
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use testkit::fakes::SettableClock;
use tokio::sync::Notify;

use crate::artifact::Artifact;
use crate::config::Config;
use crate::contract::request::{Inputs, Money, PaymentView, exponent};
use crate::contract::version::ContractVersion;
use crate::document::limits::{MAX_DEADLINE_MS, MAX_MEMORY_BYTES};
use crate::document::{Limits, PolicyDocument};
use crate::engine::SandboxEngine;
use crate::load_error::LoadError;
use crate::metrics::HostMetrics;
use crate::policy::Policy;
use crate::quarantine::{Quarantine, QuarantineConfig, Supervision};
use crate::release::Release;
use crate::sandbox::{Called, RunsOn};

/// When the payments of these tests are made: 2026-02-02T02:40:00.123Z.
pub(crate) const PAID_AT: u64 = 1_770_000_000_123;

/// A configuration with as small a pool as tests can do with.
pub(crate) fn small_config(max_concurrent_evaluations: u32) -> Config {
    Config {
        max_concurrent_evaluations,
        max_warm_instances: 2,
        // Tests pause the clock, and a paused clock jumps ahead while the compiler's threads are at work.
        load_timeout_ms: 10_000_000_000,
        // Tests that keep something say where.
        state_path: std::path::PathBuf::new(),
        // The window is one of real time: a busy machine must not let a test's faults fall out of it.
        quarantine: QuarantineConfig {
            window_ms: 3_600_000,
            ..QuarantineConfig::default()
        },
        ..Config::default()
    }
}

/// The engine that all tests of a process share: each reserves address space for all its memories. As many evaluations at once
/// as a machine may run tests.
pub(crate) fn engine() -> &'static SandboxEngine {
    static ENGINE: OnceLock<SandboxEngine> = OnceLock::new();
    ENGINE.get_or_init(|| SandboxEngine::new(&small_config(64)).unwrap())
}

/// Loads a component that a node would take.
pub(crate) fn load(component: &[u8]) -> Policy {
    Policy::load(engine(), component).unwrap()
}

/// Why a component is not taken.
pub(crate) fn refused(component: &[u8]) -> LoadError {
    match Policy::load(engine(), component) {
        Ok(_) => panic!("the component was taken"),
        Err(error) => error,
    }
}

/// Limits that leave a guest time and memory, so that fuel alone can end it.
pub(crate) fn fuel(fuel: u64) -> Limits {
    Limits::new(fuel, MAX_DEADLINE_MS, MAX_MEMORY_BYTES).unwrap()
}

/// The default fuel and memory, and the longest deadline: a busy machine is no fault of a guest's.
pub(crate) fn patient() -> Limits {
    Limits::new(
        Limits::default().fuel(),
        MAX_DEADLINE_MS,
        Limits::default().memory_bytes(),
    )
    .unwrap()
}

/// A payment of 129.00 yuan to the merchant `m_1`, and nothing else.
pub(crate) fn payment(id: &str) -> PaymentView<'_> {
    payment_in("CNY", id)
}

/// A payment of 12,900 minor units of a currency to the merchant `m_1`, and nothing else.
pub(crate) fn payment_in<'a>(currency: &'a str, id: &'a str) -> PaymentView<'a> {
    PaymentView {
        id,
        merchant_id: "m_1",
        merchant_category: None,
        amount: Money {
            minor_units: 12_900,
            currency,
            exponent: exponent(currency),
        },
        created_at: PAID_AT,
        card: None,
        customer: None,
        device: None,
        metadata: Vec::new(),
    }
}

/// Runs a policy on the payment of that name.
pub(crate) fn evaluate_payment(policy: &Policy, limits: &Limits, id: &str) -> Called<Verdict> {
    evaluate_view(policy, limits, &payment(id))
}

/// Runs a policy on a payment, without features and parameters.
pub(crate) fn evaluate_view(policy: &Policy, limits: &Limits, payment: &PaymentView<'_>) -> Called<Verdict> {
    let inputs = Inputs {
        payment,
        features: std::iter::empty(),
        parameters: &[],
    };
    policy.evaluate(inputs, limits, RunsOn::OwnThread, policy.identity())
}

/// Runs a policy on some payment.
pub(crate) fn evaluate(policy: &Policy, limits: &Limits) -> Called<Verdict> {
    evaluate_payment(policy, limits, "pay_1")
}

/// The verdict of a guest that gives one.
pub(crate) fn verdict(guest: &Guest) -> Verdict {
    evaluate(&guest.policy(), &patient()).result.unwrap()
}

/// The fault of a guest that runs into one.
pub(crate) fn fault(guest: &Guest) -> Fault {
    evaluate(&guest.policy(), &patient()).result.unwrap_err()
}

/// What a document says of a component that imports this version of the contract.
fn contract(component: &[u8]) -> &'static str {
    let imports = |version: &ContractVersion| {
        let import = format!("portcullis:policy/types@{}", version.number());
        component
            .windows(import.len())
            .any(|bytes| bytes == import.as_bytes())
    };
    let mut newest_first = ContractVersion::ALL.into_iter().rev();
    newest_first
        .find(imports)
        .unwrap_or(ContractVersion::V0_1)
        .package()
}

/// The document of a component, with some of its fields said otherwise.
pub(crate) fn document(name: &str, component: &[u8], otherwise: &Value) -> PolicyDocument {
    let artifact = Artifact::new(component.to_vec()).unwrap();
    let mut document = json!({
        "name": name, "sequence": 1, "version": "1.0.0", "contract": contract(component),
        "artifact": artifact.reference(),
        "limits": {"deadline_ms": MAX_DEADLINE_MS},
        "failure_mode": {"default": "review"},
        "published_at": "2026-01-01T00:00:00Z", "publisher": "tests",
    });
    let fields = document.as_object_mut().unwrap();
    fields.extend(otherwise.as_object().unwrap().clone());
    PolicyDocument::parse(document.to_string().as_bytes()).unwrap()
}

/// Quarantines by a clock that the test moves.
pub(crate) fn supervision(config: QuarantineConfig, time: &Hand) -> Arc<Supervision> {
    let clock = Arc::new(SettableClock::default());
    let changed = Arc::new(Notify::new());
    Arc::new(Supervision::new(config, Box::new(time.clone()), clock, changed))
}

/// A release of a component under a document.
pub(crate) fn release(name: &str, guest: &Guest, otherwise: &Value) -> Result<Arc<Release>, LoadError> {
    let supervision = supervision(QuarantineConfig::default(), &Hand::default());
    release_under(&supervision, name, guest, otherwise)
}

/// The same, whose quarantine is supervised like this.
pub(crate) fn release_under(
    supervision: &Arc<Supervision>,
    name: &str,
    guest: &Guest,
    otherwise: &Value,
) -> Result<Arc<Release>, LoadError> {
    release_on(engine(), supervision, name, guest, otherwise)
}

/// The same, compiled for this engine.
pub(crate) fn release_on(
    engine: &SandboxEngine,
    supervision: &Arc<Supervision>,
    name: &str,
    guest: &Guest,
    otherwise: &Value,
) -> Result<Arc<Release>, LoadError> {
    let component = guest.component();
    let document = document(name, &component, otherwise);
    let metrics = HostMetrics::register(&mut Registry::default()).of_policy(name);
    let since = Timestamp::from_unix_millis(PAID_AT);
    let quarantine = Quarantine::new(Arc::clone(supervision), document.limits.deadline());
    let policy = Policy::load(engine, &component)?;
    Release::new(Arc::new(policy), &document, since, metrics, quarantine).map(Arc::new)
}

/// The document of two components, the second of them the candidate, with some of the fields of both said otherwise.
pub(crate) fn document_with_candidate(
    name: &str,
    component: &[u8],
    otherwise: &Value,
    candidate: &[u8],
    of_the_candidate: &Value,
) -> PolicyDocument {
    let artifact = Artifact::new(candidate.to_vec()).unwrap();
    let mut on_trial = json!({
        "artifact": artifact.reference(), "version": "2.0.0", "contract": contract(candidate),
        "stage": "canary", "percent": 100,
    });
    on_trial
        .as_object_mut()
        .unwrap()
        .extend(of_the_candidate.as_object().unwrap().clone());
    let mut otherwise = otherwise.clone();
    otherwise["candidate"] = on_trial;
    document(name, component, &otherwise)
}
