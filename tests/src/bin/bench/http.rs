//! `make bench`: requests over HTTP, beside a server that does nothing but read and write the same JSON.
//!
//! The real binary on one core, and the load generator (`wrk`) and databases on another one. Servers are asked by turns within the run,
//! and those that are not asked are stopped by a signal. The times are this machine's; the ratios to the floor are what can be compared.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a benchmark ends where something is missing"
)]

mod connections;
mod decisions;
mod echo;
mod envoy;
pub(crate) mod payload;
mod payments;
mod policies;
mod rounds;
mod server;
pub(crate) mod wrk;

use testkit::benchmark::Report;

use payload::Kind;
use wrk::Wrk;

/// Connections, where a part says nothing else.
const CONNECTIONS: u32 = 64;

/// Descriptors of a server, where a part needs no more: those of its connections, of SQLite and of policies.
const DESCRIPTORS: u32 = 4_096;

/// Asks for one round of a second, to see that all runs.
const QUICK: &str = "quick";

/// The parts, by name.
const PARTS: [(&str, Part); 4] = [
    ("decisions", decisions::run),
    ("payments", payments::run),
    ("connections", connections::run),
    ("envoy", envoy::run),
];

type Part = fn(&Wrk, &Plan, &mut Report);

/// How long it is measured, and what is asked of the gateways.
pub(crate) struct Plan {
    /// Rounds of each server.
    rounds: usize,
    /// Seconds of load in a round.
    seconds: u64,
    /// Further settings of every gateway.
    settings: Vec<String>,
}

/// `bench http`, with any of: the names of parts, of which all are run otherwise; `quick` for one round of a second; settings of the
/// gateways such as `storage.decisions.keep_days=0`.
pub(crate) fn run() {
    let arguments: Vec<String> = std::env::args().skip(2).collect();
    if arguments.first().is_some_and(|argument| argument == "echo") {
        return echo::run();
    }
    let (settings, words): (Vec<String>, Vec<String>) =
        arguments.into_iter().partition(|argument| argument.contains('='));
    let is_quick = words.iter().any(|word| word == QUICK);
    let plan = Plan {
        rounds: if is_quick { 1 } else { 3 },
        seconds: if is_quick { 1 } else { 3 },
        settings,
    };
    let parts = parts(&words);

    // Before the core is left: what is missing is built on all of them.
    policies::build();
    envoy::build();
    server::leave_the_core_for_servers();
    let wrk = Wrk::new();
    let mut report = Report::new("20-http", "HTTP");
    report.say(format!(
        "Payments as a shop sends them, of {} bytes, by 4,096 payers; no request comes twice. API keys are off, as by default on an address of this machine, and so are the limits per merchant. Rounds of {} s, servers by turns, medians of {}. `core busy` is what a server had of its core: where it is less than 100 %, it waited for the disk, a database, the load generator or whatever else had the machine; `core µs each` is what a request took of it.",
        wrk.bytes_of_a_body(Kind::Payment),
        plan.seconds,
        plan.rounds
    ));
    for (_, part) in parts {
        part(&wrk, &plan, &mut report);
    }
    report.finish();
}

/// The parts of these names; all of them where none is named.
fn parts(words: &[String]) -> Vec<(&'static str, Part)> {
    let names: Vec<&str> = words
        .iter()
        .map(String::as_str)
        .filter(|word| *word != QUICK)
        .collect();
    for name in &names {
        assert!(
            PARTS.iter().any(|(known, _)| known == name),
            "there is no part {name:?}; there are: {}",
            PARTS.map(|(known, _)| known).join(", ")
        );
    }
    let is_asked_for = |(name, _): &(&str, Part)| names.is_empty() || names.contains(name);
    PARTS.into_iter().filter(is_asked_for).collect()
}
