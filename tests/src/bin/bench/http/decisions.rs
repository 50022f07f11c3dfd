//! Bare decisions by 0, 1, 3 and 10 policies, beside the floor.

use portcullis_tests::Launch;
use testkit::benchmark::{Bar, Report};

use super::payload::Kind;
use super::policies::Policies;
use super::rounds::{by_turns, table};
use super::server::{Server, on_its_core};
use super::wrk::{Load, Wrk};
use super::{CONNECTIONS, DESCRIPTORS, Plan};

/// Policies of a row, and the part of the floor's requests per second that it is to reach, and is hoped to.
const ROWS: [(usize, f64, f64); 4] = [(0, 0.85, 0.9), (1, 0.6, 0.7), (3, 0.4, 0.5), (10, 0.18, 0.22)];

pub(crate) fn run(wrk: &Wrk, plan: &Plan, report: &mut Report) {
    let echo = Server::echo("floor: axum, the same JSON in and out", DESCRIPTORS);
    let gateways: Vec<(Policies, Server)> = ROWS
        .iter()
        .map(|(count, _, _)| {
            let policies = Policies::published(*count);
            let gateway = gateway(&policies, plan);
            check(wrk, &gateway, *count);
            gateway.pause();
            (policies, gateway)
        })
        .collect();
    check_echo(wrk, &echo, Kind::Decision);
    echo.pause();

    let servers: Vec<&Server> = std::iter::once(&echo)
        .chain(gateways.iter().map(|(_, gateway)| gateway))
        .collect();
    let load = Load {
        kind: Kind::Decision,
        connections: CONNECTIONS,
        seconds: plan.seconds,
        pause_ms: 0,
    };
    let rows = by_turns(wrk, &servers, &load, plan.rounds);
    report.say(format!(
        "`POST /v1/risk/decisions`, {CONNECTIONS} connections. 1 policy is amount-ceiling, 3 are velocity-limit and geo-mismatch beside it, 10 are these, list-guard and fraud-score, each under two names; their limits are so high that every payment is approved. Of the decisions up to 1,000 a second are written to SQLite, as by default."
    ));
    report.table(&table(&rows));
    for failures in rows.iter().filter_map(super::rounds::Row::failures) {
        report.say(failures);
    }
    let (floor, ours) = rows.split_first().expect("rows");
    for ((count, least, stretch), row) in ROWS.iter().zip(ours) {
        let what = format!("decisions/s by {} / echo", policies_in_words(*count));
        report.bar(Bar::at_least(what, row.over(floor), *least).stretch(*stretch));
    }
}

fn gateway(policies: &Policies, plan: &Plan) -> Server {
    let launch = Launch {
        store: policies.store(),
        settings: plan.settings.clone(),
        through: on_its_core(DESCRIPTORS),
        ..Launch::default()
    };
    let count = policies.names().len();
    Server::gateway(
        &format!("decisions, {}", policies_in_words(count)),
        launch,
        policies.names(),
    )
}

fn policies_in_words(count: usize) -> String {
    match count {
        1 => "1 policy".to_owned(),
        _ => format!("{count} policies"),
    }
}

/// A decision is made by all of its policies, and approves.
pub(crate) fn check(wrk: &Wrk, gateway: &Server, count: usize) {
    let answer = gateway.post(Kind::Decision, &wrk.sample(Kind::Decision));
    assert_eq!(answer.status, Kind::Decision.status(), "{}", answer.text);
    let risk = &answer.body["risk"];
    assert_eq!(risk["outcome"], "approve", "{}", answer.text);
    assert_eq!(
        risk["policies"].as_array().map(Vec::len),
        Some(count),
        "{}",
        answer.text
    );
}

/// What comes back is what was sent.
pub(crate) fn check_echo(wrk: &Wrk, echo: &Server, kind: Kind) {
    let sent = wrk.sample(kind);
    let answer = echo.post(kind, &sent);
    assert_eq!(answer.text, sent);
}
