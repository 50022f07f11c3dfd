//! Loading a component as a node does, and running it.
//!
//! The input is an artifact or a recipe for one (see [`crate::guests`]). It is loaded or refused; what is loaded is put one
//! payment, twice, under tight limits: no panic, nothing that runs on, and the same answer both times.

use std::sync::LazyLock;

use portcullis_plugin_host::component::componentize;
use portcullis_plugin_host::document::Limits;
use portcullis_plugin_host::fuzzing::Sandbox;
use portcullis_plugin_host::golden::GoldenCases;

use crate::guests::artifact;

thread_local! {
    /// Kept from input to input: it reserves the address space of all its memories.
    static SANDBOX: Sandbox = Sandbox::new().expect("an engine with a small pool");
}

/// Enough for every sample policy, and used up in a few milliseconds.
const FUEL: u64 = 200_000;

/// So long that fuel, which repeats exactly, ends a guest first.
const DEADLINE_MS: u32 = 1_000;

/// Less than a hostile guest would like.
const MEMORY_BYTES: u64 = 4 * 1024 * 1024;

/// A payment with every part. No answer is what it expects, so that the answer is told.
const CASES: &str = r#"{"contract": "portcullis:policy@0.1.0", "cases": [{
    "name": "a payment of a stranger",
    "payment": {"id": "pay_1", "merchant_id": "shop-1", "merchant_category": "5411",
        "amount": {"minor_units": 12900, "currency": "CNY"}, "created_at": 1772353800250,
        "card": {"bin": "424242", "last4": "4242", "fingerprint": "fp_00112233445566778899aabbccddeeff", "issuer_country": "US"},
        "customer": {"id": "c-9", "email": "a@example.com", "billing_country": "CN", "shipping_country": null},
        "device": {"id": "d-3", "ip": "203.0.113.7", "ip_country": "CN", "user_agent": "Mozilla/5.0"},
        "metadata": [["order", "2026-17"]]},
    "decision": {"outcome": "none", "score": 65535, "reasons": []}}]}"#;

static CASE: LazyLock<GoldenCases> =
    LazyLock::new(|| GoldenCases::parse(CASES.as_bytes()).expect("the case is right"));

/// Loads the input and runs it.
pub fn run(data: &[u8]) {
    let Some(artifact) = artifact(data) else {
        return;
    };
    let Ok(component) = componentize(&artifact) else {
        return;
    };
    let limits = Limits::new(FUEL, DEADLINE_MS, MEMORY_BYTES).expect("within the ceilings");
    let ran = SANDBOX.with(|sandbox| sandbox.load_and_run(&component, &CASE, &limits));
    assert!(
        ran.is_err() || ran == Ok(0),
        "the same payment was answered differently"
    );
}
