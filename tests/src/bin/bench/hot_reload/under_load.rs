//! Decisions under a steady load while another artifact is released every second, beside the same while nothing is.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use testkit::benchmark::{Bar, Report, Table, median, number};

use super::guest::{Artifact, Guest};
use super::node::Node;
use crate::http::payload::Kind;
use crate::http::wrk::{Load, Outcome, Wrk};

/// How long a round is.
const SECONDS: u64 = 6;

/// How often a release comes, and how many come in a round.
const INTERVAL: Duration = Duration::from_secs(1);
const RELEASES: usize = 5;

/// Connections, and how long each rests before it asks again: some 3,000 decisions a second, a part of what a core can do.
const CONNECTIONS: u32 = 16;
const PAUSE_MS: u32 = 5;

/// How much longer the slowest hundredth may take while releases come.
const MAX_RATIO: f64 = 1.3;

/// What comes meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Releases {
    None,
    /// Artifacts that this node has compiled before.
    Kept,
    /// Artifacts that it has not seen.
    New,
}

const KINDS: [(Releases, &str); 3] = [
    (Releases::None, "quiet"),
    (Releases::Kept, "from the compile cache"),
    (Releases::New, "compiled anew"),
];

/// Artifacts that take turns where they are to come from the compile cache.
const KEPT: usize = 4;

pub(super) fn run(rounds: usize, report: &mut Report) {
    let node = Node::start();
    let guest = Guest::of_the_bar();
    let mut artifacts = (0..).map(|number| guest.artifact(number));
    let kept: Vec<Artifact> = artifacts.by_ref().take(KEPT).collect();
    for artifact in &kept {
        node.upload(artifact);
        node.release(artifact);
    }
    node.wait_until_kept(KEPT);
    let wrk = Wrk::new();
    measure(&wrk, &node, &[]);
    let mut outcomes: [Vec<Outcome>; 3] = Default::default();
    for _ in 0..rounds {
        for ((releases, _), outcomes) in KINDS.iter().zip(&mut outcomes) {
            let new: Vec<Artifact> = match releases {
                Releases::New => artifacts.by_ref().take(RELEASES).collect(),
                Releases::None | Releases::Kept => Vec::new(),
            };
            for artifact in &new {
                node.upload(artifact);
            }
            let released: Vec<&Artifact> = match releases {
                Releases::None => Vec::new(),
                Releases::Kept => kept.iter().cycle().take(RELEASES).collect(),
                Releases::New => new.iter().collect(),
            };
            outcomes.push(measure(&wrk, &node, &released));
        }
    }
    tell(&guest, &outcomes, report);
}

/// Asks for decisions, and meanwhile releases one artifact after the other.
fn measure(wrk: &Wrk, node: &Node, releases: &[&Artifact]) -> Outcome {
    let load = Load {
        kind: Kind::Decision,
        connections: CONNECTIONS,
        seconds: SECONDS,
        pause_ms: PAUSE_MS,
    };
    let (over, is_over) = mpsc::sync_channel::<()>(0);
    let outcome = thread::scope(|scope| {
        let url = node.gateway.address();
        let asked = scope.spawn(move || {
            let outcome = wrk.run(url, &load);
            drop(over);
            outcome
        });
        for artifact in releases {
            if is_over.recv_timeout(INTERVAL) != Err(RecvTimeoutError::Timeout) {
                break;
            }
            node.put_release(artifact);
        }
        asked.join().expect("the load generator ends")
    });
    assert!(
        outcome.refused + outcome.broken == 0.0,
        "no decision may fail meanwhile: {outcome:?}"
    );
    node.wait_for_the_newest();
    outcome
}

fn tell(guest: &Guest, outcomes: &[Vec<Outcome>; 3], report: &mut Report) {
    let [quiet, ..] = outcomes;
    report.say(format!(
        "Decisions while another artifact of {} is released every second: rounds of {SECONDS} s by turns, medians of {}, {CONNECTIONS} connections that rest {PAUSE_MS} ms between two requests.",
        guest.name,
        quiet.len()
    ));
    let of =
        |outcomes: &[Outcome], of: fn(&Outcome) -> f64| median(&outcomes.iter().map(of).collect::<Vec<_>>());
    let ratio = |outcomes: &[Outcome]| {
        let pairs = outcomes.iter().zip(quiet);
        median(
            &pairs
                .map(|(with, quiet)| with.p99_ms / quiet.p99_ms)
                .collect::<Vec<_>>(),
        )
    };
    let rows = KINDS.iter().zip(outcomes);
    let head = ["", "decisions/s", "p50 ms", "p99 ms", "p99.9 ms", "p99 / quiet"];
    report.table(
        &rows
            .clone()
            .fold(Table::new(head), |table, ((_, name), outcomes)| {
                table.row([
                    (*name).to_owned(),
                    number(of(outcomes, |outcome| outcome.per_second)),
                    number(of(outcomes, |outcome| outcome.p50_ms)),
                    number(of(outcomes, |outcome| outcome.p99_ms)),
                    number(of(outcomes, |outcome| outcome.p999_ms)),
                    number(ratio(outcomes)),
                ])
            }),
    );
    for ((_, name), outcomes) in rows.skip(1) {
        let what = format!("p99 while a release comes every second, {name} / quiet");
        report.bar(Bar::at_most(what, ratio(outcomes), MAX_RATIO));
    }
}
