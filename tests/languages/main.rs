//! One rule in six languages, each from its real toolchain, in one gateway: all decide as Rust does, to the last byte.
//!
//! `make languages` installs the toolchains and runs this. It is ignored elsewhere: compiling two interpreters takes minutes.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "helpers of tests are tests: a missing key is a failure; and what is measured is printed"
)]

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use portcullis_tests::languages::{compiled, golden_cases, languages, name, packed};
use portcullis_tests::policies::{publish, push};
use portcullis_tests::{Answer, Etcd, Gateway, Payment, Policy, eventually_within};
use serde_json::{Value, json};

/// The policy that the others are held against.
const RUST: &str = "velocity-limit";

/// How long a node may take to compile all of them, on a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// Settings of a node that compiles interpreters on a busy machine.
const SETTINGS: [&str; 1] = ["policies.load_timeout_ms=900000"];

/// The merchant whose payments all languages are asked about.
const EVERY_LANGUAGE: &str = "m_languages";

/// One whose payments only Rust is asked about.
const RUST_ALONE: &str = "m_demo";

/// The parameters that all six are published with: all kinds that there are.
const PARAMETERS: &str = "parameters = { max_count = 5, max_amount = 5_000_000, exempt = [\"metadata:𝔎=𝔙🧾\"], \
                          advice = \"🛑 请换一张卡\", explain = true }";

fn with_parameters(policy: Policy) -> Policy {
    policy.with(
        "parameters = { max_count = 5, max_amount = 5_000_000 }",
        PARAMETERS,
    )
}

/// What a policy said of a payment, without what tells its releases apart and what it took.
fn decided_by(answer: &Answer, policy: &str) -> String {
    let risk = &answer.body["risk"];
    let policies = risk["policies"].as_array().expect("policies");
    let mut decision = policies
        .iter()
        .find(|entry| entry["name"] == policy)
        .cloned()
        .unwrap_or_else(|| json!("did not decide"));
    if let Some(decision) = decision.as_object_mut() {
        for key in ["name", "version", "sequence", "digest", "fuel_used", "elapsed_us"] {
            decision.remove(key).expect("a known key");
        }
    }
    let reasons = risk["reasons"].as_array().expect("reasons").iter();
    let reasons: Vec<Value> = reasons
        .filter(|reason| reason["policy"] == policy)
        .map(|reason| json!([reason["code"], reason["message"]]))
        .collect();
    json!({"decision": decision, "reasons": reasons}).to_string()
}

/// Out of the scope of the others' payments.
fn with_a_merchant_of_its_own(policy: Policy) -> Policy {
    let scope = format!("[scope]\nmerchants = [\"{EVERY_LANGUAGE}\"]\n\n[failure_mode]");
    policy.with("[failure_mode]", &scope)
}

fn to(merchant: &str, mut payment: Payment) -> Payment {
    payment.0["merchant_id"] = json!(merchant);
    payment
}

/// Payments that take the rule down each of its paths.
fn payments() -> Vec<Payment> {
    let ordinary = to(EVERY_LANGUAGE, Payment::ordinary());
    let mut with_device = ordinary.clone();
    with_device.0["device"] = json!({"id": "d-💳", "ip": "192.0.2.7", "ip_country": "CN", "user_agent": "é"});
    with_device.0["merchant_category"] = json!("5411");
    let mut exempt = with_device.clone();
    exempt.0["metadata"] = json!({"kind": "gift", "𝔎": "𝔙🧾"});
    let large = to(
        EVERY_LANGUAGE,
        Payment::of(1_000_000_000_000_000, "CNY").with_card("4000056655665556"),
    );
    let mut payments = vec![ordinary.clone(), with_device.clone(), exempt.clone(), large];
    // From the sixth on the card is over its limit.
    payments.extend([
        ordinary.clone(),
        ordinary.clone(),
        ordinary.clone(),
        ordinary,
        with_device,
        exempt,
    ]);
    payments
}

fn wait_for(gateway: &Gateway, policy: &str) {
    eventually_within(PATIENCE, &format!("{policy} to be in force"), || {
        let found = gateway.policy(policy)?;
        assert!(found["refused"].is_null(), "{policy} is refused: {found}");
        (found["in_force"]["sequence"] == 1).then_some(())
    });
}

/// What one policy's evaluations of a merchant's payments took: microseconds and fuel of each.
fn costs(gateway: &Gateway, policy: &str, merchant: &str, evaluations: usize) -> Vec<(u64, u64)> {
    (0..evaluations)
        .map(|_| {
            // A card that was never seen, so that all take the same path.
            let payment = to(merchant, Payment::ordinary().with_card(&next_card()));
            let answer = gateway.post("/v1/risk/decisions", &payment.for_decision());
            let policies = answer.body["risk"]["policies"]
                .as_array()
                .expect("policies")
                .clone();
            let entry = policies.iter().find(|entry| entry["name"] == policy);
            let entry = entry.expect("the policy decides");
            let number = |key: &str| entry[key].as_u64().expect("a number");
            (number("elapsed_us"), number("fuel_used"))
        })
        .collect()
}

fn median(mut costs: Vec<(u64, u64)>) -> (u64, u64) {
    costs.sort_unstable();
    costs[costs.len() / 2]
}

/// Another card each time, with the check digit that its number needs.
fn next_card() -> String {
    static CARDS: AtomicU64 = AtomicU64::new(0);
    let digits = format!("400000{:09}", CARDS.fetch_add(1, Ordering::Relaxed));
    let doubled = |(place, digit): (usize, char)| {
        let digit = digit.to_digit(10).expect("a digit");
        let digit = if place % 2 == 0 { 2 * digit } else { digit };
        digit / 10 + digit % 10
    };
    let sum: u32 = digits.chars().enumerate().map(doubled).sum();
    format!("{digits}{}", (10 - sum % 10) % 10)
}

/// A line of a process's status under /proc, in kB.
fn resident_kb(gateway: &Gateway) -> u64 {
    let status =
        std::fs::read_to_string(format!("/proc/{}/status", gateway.id())).expect("a running gateway");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.expect("VmRSS").parse().expect("a number")
}

#[test]
#[ignore = "needs the toolchains that `make languages` installs"]
fn all_languages_decide_as_rust_does_in_one_gateway_and_the_small_one_pays_nothing() {
    let stores = [Etcd::start(), Etcd::start()];
    let [small, gateway] = stores.each_ref().map(|etcd| {
        publish(&etcd.location(), &[&with_parameters(Policy::built(RUST))]);
        let gateway = Gateway::start_with(&etcd.location(), &SETTINGS);
        wait_for(&gateway, RUST);
        gateway
    });
    let [_, etcd] = &stores;
    let alone_kb = resident_kb(&gateway);

    for language in languages() {
        let started = Instant::now();
        let wasm = compiled(language);
        let built = started.elapsed();
        let (policy, _) = packed(language, &wasm, Some(&golden_cases()));
        let size = std::fs::metadata(policy.wasm()).expect("a component").len();
        publish(
            &etcd.location(),
            &[&with_a_merchant_of_its_own(with_parameters(policy))],
        );
        let published = Instant::now();
        wait_for(&gateway, &name(language));
        let loaded = published.elapsed();
        println!(
            "{language:>12}: built in {built:.1?}, {size} bytes, in force {loaded:.1?} after it was published"
        );
    }

    for (number, payment) in payments().iter().enumerate() {
        let answer = gateway.pay(payment);
        assert!(matches!(answer.status, 201 | 202), "{}", answer.text);
        let expected = decided_by(&answer, RUST);
        for language in languages() {
            let found = decided_by(&answer, &name(language));
            assert_eq!(found, expected, "{language} decides payment {number} otherwise");
        }
        println!("payment {number}: all decide {expected}");
    }

    for language in languages() {
        let (us, fuel) = median(costs(&gateway, &name(language), EVERY_LANGUAGE, 400));
        println!("{language:>12}: an evaluation takes {us} us and {fuel} fuel");
    }
    let (after_us, _) = median(costs(&gateway, RUST, EVERY_LANGUAGE, 400));
    println!("{RUST}: an evaluation takes {after_us} us where all others were asked before");
    // By turns, so that what else the machine does falls on both.
    let (mut alone, mut beside) = (Vec::new(), Vec::new());
    for _ in 0..10 {
        alone.extend(costs(&small, RUST, RUST_ALONE, 50));
        beside.extend(costs(&gateway, RUST, RUST_ALONE, 50));
    }
    let ((alone_us, alone_fuel), (beside_us, beside_fuel)) = (median(alone), median(beside));
    let beside_kb = resident_kb(&gateway);
    let ratio = beside_us as f64 / alone_us.max(1) as f64;
    println!(
        "{RUST}: {alone_us} us in a gateway of its own, {beside_us} us in one that also has the others (ratio {ratio:.2}); resident {alone_kb} kB, then {beside_kb} kB"
    );
    assert_eq!(
        beside_fuel, alone_fuel,
        "what one policy computes has nothing to do with another"
    );
    // Were the slots of the pool all made or cleared as the largest guest needs it, this would be a factor of hundreds.
    assert!(ratio < 2.0, "{ratio}");
}

#[test]
#[ignore = "needs the toolchains that `make languages` installs"]
fn a_golden_case_that_is_wrong_is_refused_by_its_name_in_every_language() {
    let store = tempfile::tempdir().expect("a folder");
    let location = format!("dir:{}", store.path().display());
    let text = std::fs::read_to_string(golden_cases()).expect("golden cases");
    let mut cases: Value = serde_json::from_str(&text).expect("JSON");
    let wrong = &mut cases["cases"].as_array_mut().expect("cases")[1];
    let title = wrong["name"].as_str().expect("a name").to_owned();
    wrong["decision"]["score"] = json!(123);
    for language in languages() {
        let (policy, _) = packed(language, &compiled(language), None);
        let policy = policy.carrying("portcullis:golden-cases", cases.to_string().as_bytes());
        let refused = push(&location, &[&policy]);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(3), "{language}: {said}");
        for needle in ["golden_case_failed", &title, "score: expected 123, found"] {
            assert!(said.contains(needle), "{language}: `{needle}` is not in: {said}");
        }
        println!("{language:>12}: {}", said.trim());
    }
    assert_eq!(
        std::fs::read_dir(store.path()).expect("a folder").count(),
        0,
        "nothing was written"
    );
}
