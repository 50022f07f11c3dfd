//! `bench scale`: a gateway with 1 to 1,000 loaded policies, of which up to 100 are in scope.
//!
//! The policies are one component in a thousand versions that differ in a custom section, so that each is another artifact with its own
//! machine code. They are laid into the folder of the store by hand, which spares compiling them for `portcullis policy push` too, and
//! compiled once by the gateway; then it is started again and again from what it kept.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark ends where something is missing"
)]

use std::path::Path;
use std::time::{Duration, Instant};

use portcullis_tests::raw::{document, lay_into};
use portcullis_tests::{Footprint, Gateway, Payment, Policy, eventually_within};
use serde_json::{Value, json};
use testkit::benchmark::{Bar, Report, Samples, Table, number};

/// Loaded policies, each row with those of the one before.
const LOADED: [usize; 4] = [1, 10, 100, 1_000];

/// Policies that are in scope of the payments of a merchant of his own.
const IN_SCOPE: [usize; 4] = [0, 1, 10, 100];

/// Starts that are measured with each number of policies.
const STARTS: usize = 9;

/// Starts before the first that counts.
const WARM_UP: usize = 1;

/// Decisions of each round, and rounds, in which the merchants take turns.
const DECISIONS: usize = 100;
const ROUNDS: usize = 15;

/// How long all of them may take to compile at first.
const LONGEST_COMPILE: Duration = Duration::from_secs(900);

/// What was measured with so many policies.
struct Row {
    loaded: usize,
    starts: Samples,
    memory: Footprint,
}

pub(crate) fn run() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = folder.path().join("store");
    std::fs::create_dir(&store).expect("a folder");
    let component = std::fs::read(Policy::built("amount-ceiling").wasm()).expect("a component");
    let mut gateway: Option<Gateway> = None;
    let mut rows = Vec::new();
    let mut laid = 0;
    for loaded in LOADED {
        for number in laid..loaded {
            lay(&store, &component, number);
        }
        let gateway = match &mut gateway {
            Some(gateway) => {
                gateway.start_again();
                gateway
            }
            None => gateway.insert(Gateway::start_with(&format!("dir:{}", store.display()), &[])),
        };
        until_kept(gateway, loaded, loaded - laid);
        laid = loaded;
        rows.push(measure(gateway, loaded));
    }
    let gateway = gateway.expect("it was started");
    report(&rows, component.len(), &decisions(&gateway));
}

/// Lays one policy into the store: another artifact, and a document of its own.
fn lay(store: &Path, component: &[u8], number: usize) {
    let padding = u32::try_from(number).expect("a thousand") + 1;
    let policy = Policy::of(component, "").padded(padding);
    let mut document = document(&format!("amount-ceiling-{number}"), 1, &policy);
    let merchants: Vec<String> = IN_SCOPE
        .iter()
        .filter(|in_scope| number < **in_scope)
        .map(|in_scope| merchant(*in_scope))
        .chain(["m_nobody".to_owned()])
        .collect();
    document["scope"] = json!({"merchants": merchants});
    // What is measured is not whether a busy machine gives a policy its few milliseconds.
    document["limits"] = json!({"deadline_ms": 1_000});
    document["parameters"] = json!({"ceilings": ["CNY=2000000"]});
    lay_into(store, &document, &policy);
}

/// The merchant in whose payments' scope so many policies are.
fn merchant(in_scope: usize) -> String {
    format!("m_{in_scope}")
}

/// Waits until all policies are in force, and what the next start takes is on the disk.
fn until_kept(gateway: &Gateway, loaded: usize, new: usize) {
    eventually_within(LONGEST_COMPILE, "every policy to be compiled and kept", || {
        let written = gateway.metric("portcullis_policy_compile_cache_total{result=\"written\"}")?;
        let in_force = gateway.metric("portcullis_policies_in_force")?;
        let saved = gateway.metric("portcullis_policy_state_saved_revision")?;
        (written == new as u64 && in_force == loaded as u64 && saved > 0).then_some(())
    });
}

/// Starts the gateway again and again; the last one is left running.
fn measure(gateway: &mut Gateway, loaded: usize) -> Row {
    let mut times = Vec::new();
    let mut memory = Vec::new();
    for start in 0..WARM_UP + STARTS {
        assert!(gateway.terminate().success());
        let elapsed = gateway.time_to_ready_on(None);
        let in_force = gateway.metric("portcullis_policies_in_force");
        assert_eq!(in_force, Some(loaded as u64), "it is ready with every policy");
        let hits = gateway.metric("portcullis_policy_compile_cache_total{result=\"hit\"}");
        assert_eq!(hits, Some(loaded as u64), "none was compiled anew");
        if start >= WARM_UP {
            times.push(elapsed);
            memory.push(Footprint::of(gateway.id()));
        }
    }
    assert!(LOADED.last() == Some(&loaded) || gateway.terminate().success());
    Row {
        loaded,
        starts: Samples::new(times),
        memory: Footprint::median(&memory),
    }
}

/// How long a decision takes for the payments of each merchant.
fn decisions(gateway: &Gateway) -> Vec<(usize, Samples)> {
    let decide = |in_scope: usize, payment: &Value| {
        let began = Instant::now();
        let answer = gateway.post("/v1/risk/decisions", payment);
        let elapsed = began.elapsed();
        let policies = answer.body["risk"]["policies"].as_array().map(Vec::len);
        assert_eq!(
            (answer.status, policies),
            (200, Some(in_scope)),
            "{}",
            answer.text
        );
        assert_eq!(answer.body["risk"]["outcome"], "approve", "{}", answer.text);
        elapsed
    };
    let mut payments = IN_SCOPE.map(|in_scope| {
        let mut payment = Payment::ordinary();
        payment.0["merchant_id"] = json!(merchant(in_scope));
        (in_scope, payment.for_decision(), Vec::new())
    });
    // The first ones map the memories of every policy.
    for round in 0..=ROUNDS {
        for (in_scope, payment, times) in &mut payments {
            for _ in 0..DECISIONS {
                let elapsed = decide(*in_scope, payment);
                if round > 0 {
                    times.push(elapsed);
                }
            }
        }
    }
    let samples = payments.map(|(in_scope, _, times)| (in_scope, Samples::new(times)));
    samples.into()
}

fn report(rows: &[Row], artifact: usize, decisions: &[(usize, Samples)]) {
    let mut report = Report::new("45-scale", "One policy to a thousand");
    report.say(format!(
        "Policies of {artifact} bytes, each another artifact, all in the compile cache; {STARTS} starts a row, from before the process is \
         made until `/readyz` says 200. Memory is right after that, in MB (10⁶ bytes)."
    ));
    let megabytes = |bytes: u64| number(bytes as f64 / 1e6);
    let first = rows.first().expect("a row");
    let each = |row: &Row| {
        let more = row.memory.private.saturating_sub(first.memory.private) as f64;
        more / (row.loaded - first.loaded) as f64 / 1e3
    };
    let mut table = Table::new([
        "loaded",
        "ready p50 ms",
        "max ms",
        "RSS",
        "PSS",
        "private",
        "anonymous",
        "kB/policy",
    ]);
    for row in rows {
        table = table.row([
            row.loaded.to_string(),
            number(row.starts.median_ms()),
            number(row.starts.quantile_ms(1.0)),
            megabytes(row.memory.resident),
            megabytes(row.memory.proportional),
            megabytes(row.memory.private),
            megabytes(row.memory.anonymous),
            if row.loaded > first.loaded {
                number(each(row))
            } else {
                String::new()
            },
        ]);
    }
    report.table(&table);
    let last = rows.last().expect("a row");
    report.bar(Bar::at_most(
        format!("start to ready with {} cached policies, ms", last.loaded),
        last.starts.median_ms(),
        1_000.0,
    ));
    report.bar(Bar::at_most(
        "memory per loaded small policy, kB",
        each(last),
        320.0,
    ));
    report_decisions(&mut report, last.loaded, decisions);
    report.finish();
}

fn report_decisions(report: &mut Report, loaded: usize, decisions: &[(usize, Samples)]) {
    report.say(format!(
        "Decisions by the gateway with {loaded} loaded policies, one after the other on one connection, {} of each kind.",
        ROUNDS * DECISIONS
    ));
    let floor = decisions
        .first()
        .map_or(0.0, |(_, samples)| samples.quantile_us(0.5));
    let mut table = Table::new(["in scope", "p50 µs", "p99 µs", "µs/policy over none"]);
    for (in_scope, samples) in decisions {
        let over = samples.quantile_us(0.5) - floor;
        table = table.row([
            in_scope.to_string(),
            number(samples.quantile_us(0.5)),
            number(samples.quantile_us(0.99)),
            if *in_scope > 0 {
                number(over / *in_scope as f64)
            } else {
                String::new()
            },
        ]);
    }
    report.table(&table);
}
