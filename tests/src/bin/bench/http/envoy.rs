//! Envoy with the same rule as a proxy-wasm filter, beside one policy.

use std::path::PathBuf;
use std::process::Command;

use portcullis_tests::Launch;
use portcullis_tests::build::{repository, target};
use serde_json::{Value, json};
use testkit::benchmark::{Report, number};

use super::payload::Kind;
use super::policies::Policies;
use super::rounds::{Row, by_turns, table};
use super::server::{Server, on_its_core};
use super::wrk::{Load, Wrk};
use super::{CONNECTIONS, DESCRIPTORS, Plan};

/// The filter's source.
const FILTER: &str = "benchmarks/envoy-filter";

/// The ceilings of `plugins/amount-ceiling/policy.toml`.
const CEILINGS: &str = "CNY=2000000 EUR=250000 USD=300000 CNY/7995=100000 EUR/7995=15000 USD/7995=15000";

/// One minor unit above the ceiling of its currency.
const TOO_MUCH: i64 = 2_000_001;

/// The program, where `scripts/setup.sh bench` put it.
fn program() -> PathBuf {
    target().join("envoy/bin/envoy")
}

/// What cargo makes of the filter.
fn filter() -> PathBuf {
    target().join("envoy/filter/wasm32-wasip1/release/envoy_filter.wasm")
}

/// Builds the filter, where there is an Envoy to run it.
pub(crate) fn build() {
    if !program().exists() {
        return;
    }
    let built = Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "--locked",
            "--release",
            "--target",
            "wasm32-wasip1",
        ])
        .current_dir(repository().join(FILTER))
        .env("CARGO_TARGET_DIR", target().join("envoy/filter"))
        .status();
    assert!(
        built.expect("cargo runs").success(),
        "the filter for Envoy does not build"
    );
}

pub(crate) fn run(wrk: &Wrk, plan: &Plan, report: &mut Report) {
    if !program().exists() {
        report.say("Envoy with the same rule as a filter: not measured, for there is none. `make setup-bench` brings it.");
        return;
    }
    let echo = Server::echo("floor: axum, the same JSON in and out", DESCRIPTORS);
    let policies = Policies::published(1);
    let launch = Launch {
        store: policies.store(),
        settings: plan.settings.clone(),
        through: on_its_core(DESCRIPTORS),
        ..Launch::default()
    };
    let ours = Server::gateway("decisions, 1 policy", launch, policies.names());
    let envoy = start();
    check(wrk, &ours, &envoy);
    for server in [&echo, &ours, &envoy] {
        server.pause();
    }
    let load = Load {
        kind: Kind::Decision,
        connections: CONNECTIONS,
        seconds: plan.seconds,
        pause_ms: 0,
    };
    let rows = by_turns(wrk, &[&echo, &ours, &envoy], &load, plan.rounds);
    report.say(format!(
        "{} with the rule of amount-ceiling as a proxy-wasm filter on V8 (`{FILTER}`), `--concurrency 1`, {CONNECTIONS} connections. The filter reads the JSON and answers by itself: outcome, score and reasons. All requests share its one instance and its memory; nothing bounds the time, the instructions or the memory of a request, nothing is recorded, and no features are counted.",
        version()
    ));
    report.table(&table(&rows));
    for failures in rows.iter().filter_map(Row::failures) {
        report.say(failures);
    }
    report.say(format!(
        "Ours, with an instance of its own for each payment, answers {} times as many requests.",
        number(rows[1].over(&rows[2]))
    ));
}

fn version() -> String {
    let output = Command::new(program()).arg("--version").output();
    let told = String::from_utf8(output.expect("Envoy says its version").stdout).expect("text");
    // `PATH  version: COMMIT/1.40.0/Clean/RELEASE/BoringSSL`
    let version = told
        .rsplit("version: ")
        .next()
        .and_then(|version| version.split('/').nth(1));
    format!("Envoy {}", version.unwrap_or("of an unknown version"))
}

fn start() -> Server {
    let port = std::net::TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port();
    let file = target().join("envoy/envoy.json");
    std::fs::write(&file, configuration(port).to_string()).expect("its configuration can be written");
    Server::other(
        "Envoy, the same rule as a filter",
        DESCRIPTORS,
        &program(),
        &[
            "--config-path",
            &file.display().to_string(),
            "--concurrency",
            "1",
            "--disable-hot-restart",
            "--log-level",
            "warning",
        ],
        port,
    )
}

fn configuration(port: u16) -> Value {
    let filter = json!({
        "name": "amount-ceiling",
        // So that the filter gets the body after it has held the headers back.
        "allow_on_headers_stop_iteration": true,
        "configuration": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": CEILINGS},
        "vm_config": {
            "runtime": "envoy.wasm.runtime.v8",
            "code": {"local": {"filename": filter()}},
        },
    });
    let manager = json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "all",
        // Reached by nothing that the filter answers.
        "route_config": {"virtual_hosts": [{
            "name": "all", "domains": ["*"],
            "routes": [{"match": {"prefix": "/"}, "direct_response": {"status": 404}}],
        }]},
        "http_filters": [
            {"name": "envoy.filters.http.wasm", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm", "config": filter,
            }},
            {"name": "envoy.filters.http.router", "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
            }},
        ],
    });
    json!({"static_resources": {"listeners": [{
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": port}},
        "filter_chains": [{"filters": [{
            "name": "envoy.filters.network.http_connection_manager", "typed_config": manager,
        }]}],
    }]}})
}

/// Both decide alike, about what is approved and about what is not.
fn check(wrk: &Wrk, ours: &Server, envoy: &Server) {
    let approved = wrk.sample(Kind::Decision);
    let mut declined: Value = serde_json::from_str(&approved).expect("JSON");
    declined["amount"]["minor_units"] = json!(TOO_MUCH);
    declined["payment_id"] = json!("order-too-much");
    for (body, outcome) in [(approved, "approve"), (declined.to_string(), "decline")] {
        let (ours, envoy) = (
            ours.post(Kind::Decision, &body),
            envoy.post(Kind::Decision, &body),
        );
        let ours_told = &ours.body["risk"];
        assert_eq!(ours_told["outcome"], outcome, "{}", ours.text);
        for told in ["outcome", "score"] {
            assert_eq!(envoy.body[told], ours_told[told], "{} {}", envoy.text, ours.text);
        }
        let reason = |told: &Value| [told["code"].clone(), told["message"].clone()];
        assert_eq!(
            reason(&envoy.body["reasons"][0]),
            reason(&ours_told["reasons"][0]),
            "{} {}",
            envoy.text,
            ours.text
        );
    }
}
