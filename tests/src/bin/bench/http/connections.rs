//! Thousands of connections at once, each with a request under way all the time.

use portcullis_tests::Launch;
use testkit::benchmark::Report;

use super::payload::Kind;
use super::policies::Policies;
use super::rounds::{Row, by_turns, table};
use super::server::{Server, on_its_core};
use super::wrk::{Load, Wrk};
use super::{Plan, decisions, payments};

/// How many connections there are.
const CONNECTIONS: [u32; 2] = [1_000, 10_000];

/// Seconds of load, of which the first go into making the connections.
const SECONDS: u64 = 10;

/// Descriptors of a server: one for each connection, and others.
const DESCRIPTORS: u32 = 16_384;

/// What so many requests at once need, beyond the defaults: by these a gateway tells most of them to come back.
const SETTINGS: [&str; 5] = [
    "http.max_connections=12000",
    "http.max_in_flight=12000",
    "storage.sqlite.queue_jobs=12000",
    "storage.sqlite.save_timeout_ms=20000",
    "storage.sqlite.read_timeout_ms=20000",
];

pub(crate) fn run(wrk: &Wrk, plan: &Plan, report: &mut Report) {
    let policies = Policies::published(payments::POLICIES);
    let server = |name: &str| {
        let settings = SETTINGS.iter().map(|setting| (*setting).to_owned());
        let launch = Launch {
            store: policies.store(),
            settings: settings.chain(plan.settings.iter().cloned()).collect(),
            through: on_its_core(DESCRIPTORS),
            ..Launch::default()
        };
        Server::gateway(name, launch, policies.names())
    };
    report.say(format!(
        "The same with thousands of connections, one round of {SECONDS} s each, with {}.",
        SETTINGS.map(|setting| format!("`{setting}`")).join(", ")
    ));
    for connections in CONNECTIONS {
        // Started anew for each: memory that was needed for more connections is not given back at once.
        let echo =
            |kind: &str| Server::echo(&format!("{connections} connections: echo of {kind}"), DESCRIPTORS);
        for kind in Kind::ALL {
            let (echo, gateway) = match kind {
                Kind::Decision => (echo("decisions"), server("decisions, 3 policies")),
                Kind::Payment => (echo("payments"), server("payments, SQLite, 3 policies")),
            };
            match kind {
                Kind::Decision => decisions::check(wrk, &gateway, payments::POLICIES),
                Kind::Payment => payments::check(wrk, &gateway),
            }
            for server in [&echo, &gateway] {
                server.pause();
            }
            let load = Load {
                kind,
                connections,
                seconds: SECONDS,
                pause_ms: 0,
            };
            let rows = by_turns(wrk, &[&echo, &gateway], &load, 1);
            report.table(&table(&rows));
            for failures in rows.iter().filter_map(Row::failures) {
                report.say(failures);
            }
        }
    }
}
