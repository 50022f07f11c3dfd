//! Guests that are taken, and give no answer: each ends in a fault, by the bound that it runs into.

use portcullis_tests::Answer;
use serde_json::Value;

use super::row::{Expected, Row};
use super::scene::{ADDRESS, CUSTOMER, DEVICE, EMAIL, NOTE, Scene, evaluation};

/// Every kind of failure.
pub(super) fn rows() -> Vec<Row> {
    let mut rows = computing();
    rows.extend(hoarding());
    rows.extend(answering_nonsense());
    rows.extend(calling_the_host());
    rows
}

fn out_of_fuel(row: fn(&'static str, Expected) -> Row, name: &'static str) -> Row {
    row(
        name,
        Expected::Fault("out_of_fuel", "used all of its 10000000 units of fuel"),
    )
}

/// A deadline, and what the log says of a guest that met it.
type Deadline = (u32, &'static str);

/// Less than what the fuel takes, and long enough that others are served meanwhile on a busy machine too.
const LONG: Deadline = (100, "did not end within 100 ms");

/// The same of a guest whose fuel is gone sooner: in 100 ms where it backtracks, or by the byte where it writes.
const MEDIUM: Deadline = (40, "did not end within 40 ms");

/// Less than one instruction over much memory takes.
const SHORT: Deadline = (20, "did not end within 20 ms");

fn too_late(row: fn(&'static str, Expected) -> Row, name: &'static str, deadline: Deadline) -> Row {
    let (deadline_ms, saying) = deadline;
    row(name, Expected::Fault("deadline", saying)).deadline_ms(deadline_ms)
}

/// They compute without end.
fn computing() -> Vec<Row> {
    vec![
        out_of_fuel(Row::rust, "spins"),
        too_late(Row::rust, "spins", LONG).named("spins-until-the-deadline"),
        out_of_fuel(Row::rust, "backtracks"),
        too_late(Row::rust, "backtracks", MEDIUM).named("backtracks-until-the-deadline"),
        out_of_fuel(Row::rust, "sorts-dearly"),
        Row::rust("sorts-by-a-lie", Expected::Fault("trap", "total order")).fuel(100_000_000),
        Row::rust("recurses", Expected::Fault("trap", "out of bounds memory access")),
        Row::text(
            "recurses-on-the-host",
            Expected::Fault("stack_overflow", "call stack exhausted"),
        ),
        // One instruction that writes a quarter of a gigabyte is charged for each byte before it begins. Once begun it is
        // not interrupted, for as long as it takes: nobody waits for it but its own payment.
        out_of_fuel(Row::text, "fills-memory").memory_mib(256),
        too_late(Row::text, "fills-memory", MEDIUM).named("fills-memory-until-the-deadline"),
        too_late(Row::text, "fills-memory", SHORT)
            .memory_mib(256)
            .one_at_a_time()
            .named("fills-much-memory-until-the-deadline"),
        out_of_fuel(Row::text, "copies-memory").memory_mib(256),
        too_late(Row::text, "copies-memory", MEDIUM).named("copies-memory-until-the-deadline"),
        too_late(Row::text, "fills-a-table", LONG),
        out_of_fuel(Row::text, "spins-after-its-answer"),
        out_of_fuel(Row::text, "spins-at-its-start-when-paid"),
    ]
}

/// They take what there is.
fn hoarding() -> Vec<Row> {
    let out_of_memory = || {
        Expected::Fault(
            "out_of_memory",
            "asked for more than its 16777216 bytes of memory",
        )
    };
    vec![
        Row::rust("hoards", out_of_memory()),
        Row::text("grows-memory", out_of_memory()),
        Row::text(
            "grows-memory-regardless",
            Expected::Fault("out_of_fuel", "used all of its 100000 units"),
        )
        .fuel(100_000),
        Row::text("grows-a-table", out_of_memory()),
        // Fifty megabytes that its memory begins with, and sixteen that it may have.
        Row::generated(
            "begins-with-fifty-megabytes",
            || portcullis_tests::guests::generated::data(50),
            out_of_memory(),
        ),
    ]
}

/// Their answer, or what belongs to it, cannot be read.
fn answering_nonsense() -> Vec<Row> {
    let nonsense = |saying| Expected::Fault("invalid_output", saying);
    vec![
        Row::rust("gives-a-million-reasons", nonsense("too much data"))
            .fuel(1_000_000_000)
            .memory_mib(128),
        Row::rust("gives-a-long-reason", nonsense("too much data")).fuel(100_000_000),
        Row::rust(
            "scores-65535",
            nonsense("decision.score: expected 0 to 1000, found 65535"),
        ),
        Row::text("answers-broken-text", nonsense("utf-8")),
        Row::text("answers-an-unknown-outcome", nonsense("discriminant")),
        Row::text("answers-from-nowhere", nonsense("out of bounds")),
        Row::text("answers-across-the-edge", nonsense("out of bounds")),
        Row::text("answers-askew", nonsense("not aligned")),
        Row::text("answers-endless-reasons", nonsense("out of bounds")),
        Row::text("traps-in-realloc", Expected::Fault("trap", "unreachable")),
        Row::text("reallocates-wildly", nonsense("beyond end of memory")),
        Row::text("traps-after-its-answer", Expected::Fault("trap", "unreachable")),
        Row::rust("refuses-at-length", Expected::Fault("refused", "no no no")).fuel(100_000_000),
    ]
}

/// They call what they may, more than they may, and what they may not.
fn calling_the_host() -> Vec<Row> {
    let too_much = |saying| Expected::Fault("host_call_limit", saying);
    vec![
        Row::rust(
            "waits-for-the-clock",
            too_much("more than 1000 calls to the host"),
        ),
        Row::rust("prints-gigabytes", too_much("more than 1000 calls to the host")).also(logs_little),
        Row::rust("floods-the-log", too_much("more than 1000 calls to the host")).also(logs_little),
        Row::rust("signals-a-million-times", too_much("more than 32 signals")).also(keeps_32_signals),
        Row::rust("signals-a-megabyte", too_much("too much data")).fuel(100_000_000),
        Row::text(
            "asks-for-four-gigabytes-of-random-bytes",
            too_much("a request for 4294967296 random bytes"),
        ),
        Row::rust("exits", Expected::Fault("trap", "the guest called exit (ok)")),
        Row::rust("traps", Expected::Fault("trap", "no mind to decide")),
        tells_secrets().also(keeps_secrets),
    ]
}

/// The guest that panics with a message that holds all it was given.
pub(super) fn tells_secrets() -> Row {
    Row::rust("tells-secrets", Expected::Fault("trap", "panicked at")).fuel(100_000_000)
}

/// No more than its share of each evaluation reaches the log.
fn logs_little(scene: &Scene, answers: &[Answer]) {
    /// What the host keeps of one evaluation.
    const MAX_LOG_BYTES: usize = 8 * 1024;
    let name = answers[0].body["risk"]["policies"]
        .as_array()
        .and_then(|policies| policies.iter().find(|policy| policy["fault"] != Value::Null))
        .and_then(|policy| policy["name"].as_str())
        .expect("a policy that failed");
    let said: usize = scene
        .log_of(name)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter_map(|line| Some(line["message"].as_str()?.strip_prefix("guest: ")?.len()))
        .sum();
    assert!(said > 0, "{name} said something");
    assert!(
        said <= answers.len() * MAX_LOG_BYTES,
        "{name} logged {said} bytes"
    );
}

/// The signals before the one too many are in the answer.
fn keeps_32_signals(_: &Scene, answers: &[Answer]) {
    for answer in answers {
        let evaluation = evaluation(answer, "signals-a-million-times");
        assert_eq!(evaluation["signals"].as_array().map(Vec::len), Some(32));
    }
}

/// What a guest was given of the payer, and says in its panic, is nowhere but where the merchant himself put it.
fn keeps_secrets(scene: &Scene, answers: &[Answer]) {
    let answer = &answers[0];
    let gateway = scene.gateway();
    let asked = gateway.get("/v1/policies").text;
    let metrics = gateway.get("/metrics").text;
    let decided = answer.body["risk"].to_string();
    let kept = scene
        .etcd()
        .etcdctl()
        .args(["get", "--prefix", "/portcullis/v1/nodes/"])
        .output();
    let status = String::from_utf8_lossy(&kept.expect("etcdctl runs").stdout).into_owned();
    assert!(
        status.contains("tells-secrets"),
        "the node says how the policy stands: {status}"
    );
    for (place, text) in [
        ("GET /v1/policies", &asked),
        ("GET /metrics", &metrics),
        ("the decision", &decided),
        ("the node's status", &status),
    ] {
        for secret in secrets(answer) {
            assert!(!text.contains(secret), "{place} tells {secret}: {text}");
        }
    }
}

/// The same of the gateway's log: what the guest was given is taken out of its own lines and of the fault's detail.
pub(super) fn keeps_secrets_out_of_the_log(scene: &Scene, answers: &[Answer]) {
    let log = scene.gateway().log().join("\n");
    assert!(log.contains("panicked at"), "that it panicked is logged");
    for secret in secrets(&answers[0]) {
        assert!(
            !log.contains(secret),
            "the log tells {secret}: {}",
            scene.log_of("tells-secrets")
        );
    }
}

/// What a guest was given of the payer.
fn secrets(answer: &Answer) -> [&str; 6] {
    let fingerprint = answer.body["card"]["fingerprint"].as_str();
    let fingerprint = fingerprint.expect("a fingerprint");
    [EMAIL, CUSTOMER, DEVICE, ADDRESS, NOTE, fingerprint]
}
