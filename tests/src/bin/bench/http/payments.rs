//! Payments that are on the disk before they are answered, by three policies and the simulated acquirer, beside the floor.

use portcullis_tests::{Launch, database};
use testkit::benchmark::{Bar, Report};
use testkit::postgres::{Postgres, Setup};

use super::decisions::check_echo;
use super::payload::Kind;
use super::policies::Policies;
use super::rounds::{Row, by_turns, table};
use super::server::{Server, on_its_core};
use super::wrk::{Load, Wrk};
use super::{CONNECTIONS, DESCRIPTORS, Plan};

/// Policies that decide about each payment.
pub(crate) const POLICIES: usize = 3;

/// Which part of the floor's requests per second payments on SQLite are to reach, and are hoped to.
const LEAST: f64 = 0.18;
const STRETCH: f64 = 0.22;

pub(crate) fn run(wrk: &Wrk, plan: &Plan, report: &mut Report) {
    let policies = Policies::published(POLICIES);
    // It has the core of the load generator: this program was moved there before.
    let postgres = Postgres::start(&Setup {
        is_durable: true,
        ..Setup::default()
    });
    let on_postgres = database::settings_of(&postgres);
    let echo = Server::echo("floor: axum, the same JSON in and out", DESCRIPTORS);
    let sqlite = gateway("payments, SQLite", &policies, plan, Vec::new());
    let postgres_too = gateway("payments, PostgreSQL", &policies, plan, on_postgres);
    check_echo(wrk, &echo, Kind::Payment);
    echo.pause();
    for gateway in [&sqlite, &postgres_too] {
        check(wrk, gateway);
        gateway.pause();
    }

    let load = Load {
        kind: Kind::Payment,
        connections: CONNECTIONS,
        seconds: plan.seconds,
        pause_ms: 0,
    };
    let rows = by_turns(wrk, &[&echo, &sqlite, &postgres_too], &load, plan.rounds);
    report.say(format!(
        "`POST /v1/payments`, {CONNECTIONS} connections, {POLICIES} policies, the simulated acquirer in the process, an idempotency key of its own for each. A payment is answered when it is on the disk (`synchronous = FULL`; `fsync = on`). SQLite runs in the gateway and has its core; PostgreSQL is a process on the core of the load generator."
    ));
    report.table(&table(&rows));
    for failures in rows.iter().filter_map(Row::failures) {
        report.say(failures);
    }
    let over = rows[1].over(&rows[0]);
    report.bar(Bar::at_least("durable payments/s, SQLite, 3 policies / echo", over, LEAST).stretch(STRETCH));
}

fn gateway(name: &str, policies: &Policies, plan: &Plan, mut settings: Vec<String>) -> Server {
    settings.extend(plan.settings.iter().cloned());
    let launch = Launch {
        store: policies.store(),
        settings,
        through: on_its_core(DESCRIPTORS),
        ..Launch::default()
    };
    Server::gateway(name, launch, policies.names())
}

/// A payment is authorized, after all policies were asked.
pub(crate) fn check(wrk: &Wrk, gateway: &Server) {
    let answer = gateway.post(Kind::Payment, &wrk.sample(Kind::Payment));
    assert_eq!(answer.status, Kind::Payment.status(), "{}", answer.text);
    assert_eq!(answer.body["status"], "authorized", "{}", answer.text);
    assert_eq!(
        answer.body["risk"]["policies"].as_array().map(Vec::len),
        Some(POLICIES),
        "{}",
        answer.text
    );
}
