//! `make bench`: from the store's acknowledgement of a release to the first decision by it.
//!
//! A real etcd, the real binary, policies from their real toolchain and of generated code. A release is put by etcd's own HTTP
//! gateway, so the moment of the acknowledgement is seen here; from then on decisions are asked for one after the other until one of them
//! was made by the new release. The times are this machine's; what compiling takes, and the floor (a put, and a decision), are
//! measured in the same run.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark ends where something is missing"
)]

mod guest;
mod node;
mod under_load;

use std::time::Duration;

use testkit::benchmark::{Bar, Report, Samples, Table, number};

use guest::{Artifact, Guest, OF_THE_BAR};
use node::Node;

/// Releases before the first one counts.
const WARM_UP: usize = 2;

/// Measurements of what is no release.
const SAMPLES: usize = 40;

/// What a release may take beyond compiling its artifact, in milliseconds.
const MAX_BEYOND_COMPILING_MS: f64 = 20.0;

/// What a release may take whose artifact the node has compiled before, in milliseconds.
const MAX_FROM_THE_CACHE_MS: f64 = 5.0;

/// Rounds of each kind under load.
const ROUNDS: usize = 5;

/// `bench hot-reload`, with `quick` for a few releases and without the largest policies, to see that all runs.
pub(crate) fn run() {
    let is_quick = std::env::args()
        .nth(2)
        .is_some_and(|argument| argument == "quick");
    let mut report = Report::new(
        "30-hot-reload",
        "From acknowledgement to the first decision by the new release",
    );
    report.say("`beyond compiling` is the median of what a release took more than a process of the compiler took for the very same artifact just before, while decisions were asked for just so.");
    let small = Guest::small();
    let floor = floor(&small, &mut report);
    let mut guests = vec![small];
    guests.extend(Guest::generated());
    if is_quick {
        guests = guests.into_iter().map(Guest::quickly).collect();
    } else if let Some(javascript) = Guest::in_javascript() {
        guests.push(javascript);
    } else {
        report.say("A policy in JavaScript: not measured, for its toolchain is not there. `make setup-languages` brings it.");
    }
    let times: Vec<Times> = guests.iter().map(|guest| measure(guest, floor)).collect();
    report.table(&table(&guests, &times));
    let of_the_bar = guests
        .iter()
        .zip(&times)
        .filter(|(guest, _)| guest.name == OF_THE_BAR);
    for (guest, times) in of_the_bar {
        report.bar(Bar::at_most(
            format!("{}, enforced beyond compiling, ms", guest.name),
            times.beyond_compiling.median_ms(),
            MAX_BEYOND_COMPILING_MS,
        ));
        report.bar(Bar::at_most(
            format!("{}, enforced from the compile cache, ms", guest.name),
            times.kept.median_ms(),
            MAX_FROM_THE_CACHE_MS,
        ));
    }
    under_load::run(if is_quick { 1 } else { ROUNDS }, &mut report);
    report.finish();
}

/// Tells what a put and a decision take, and what they take together, in milliseconds.
fn floor(guest: &Guest, report: &mut Report) -> f64 {
    let node = Node::start();
    let artifact = guest.artifact(0);
    node.upload(&artifact);
    node.release(&artifact);
    let decision = samples(SAMPLES, || node.time_decision());
    let put = samples(SAMPLES, || node.time_put());
    report.table(
        &Table::new(["", "p50 ms", "p99 ms", "max ms"])
            .row(row("floor: one decision over HTTP", &decision))
            .row(row("floor: one put of a document to etcd", &put))
            .row(row(
                "new document, same artifact",
                &samples(SAMPLES, || node.release(&artifact)),
            )),
    );
    decision.median_ms() + put.median_ms()
}

fn row(what: &str, samples: &Samples) -> Vec<String> {
    let times = [0.5, 0.99, 1.0].map(|part| number(samples.quantile_ms(part)));
    std::iter::once(what.to_owned()).chain(times).collect()
}

/// What was measured of a policy.
struct Times {
    compiling: Samples,
    new: Samples,
    beyond_compiling: Samples,
    kept: Samples,
    /// The floor, in milliseconds.
    floor: f64,
}

fn measure(guest: &Guest, floor: f64) -> Times {
    eprintln!("{} ({} bytes)", guest.name, guest.bytes());
    let node = Node::start();
    let first = guest.artifact(0);
    node.upload(&first);
    node.release(&first);
    let mut artifacts: Vec<Artifact> = vec![first];
    let (mut compiling, mut new, mut beyond) = (Vec::new(), Vec::new(), Vec::new());
    for number in 1..=guest.releases {
        let artifact = guest.artifact(u32::try_from(number).unwrap_or_default());
        node.upload(&artifact);
        let compiler = node.time_compiler(&artifact);
        let release = node.release(&artifact);
        compiling.push(compiler);
        new.push(release);
        beyond.push(release.saturating_sub(compiler));
        artifacts.push(artifact);
    }
    node.wait_until_kept(guest.releases + 1);
    let mut again = artifacts.iter().cycle();
    let kept = samples(guest.releases.max(10), || {
        let artifact = again.next().expect("there is always another one");
        node.release(artifact)
    });
    Times {
        compiling: Samples::new(compiling),
        new: Samples::new(new),
        beyond_compiling: Samples::new(beyond),
        kept,
        floor,
    }
}

fn table(guests: &[Guest], times: &[Times]) -> Table {
    let head = [
        "artifact",
        "bytes",
        "releases",
        "compiling, p50 ms",
        "compiled anew, p50 ms",
        "max ms",
        "beyond compiling, p50 ms",
        "from the compile cache, p50 ms",
        "max ms",
        "/ floor",
    ];
    guests
        .iter()
        .zip(times)
        .fold(Table::new(head), |table, (guest, times)| {
            table.row([
                guest.name.to_owned(),
                guest.bytes().to_string(),
                guest.releases.to_string(),
                number(times.compiling.median_ms()),
                number(times.new.median_ms()),
                number(times.new.quantile_ms(1.0)),
                number(times.beyond_compiling.median_ms()),
                number(times.kept.median_ms()),
                number(times.kept.quantile_ms(1.0)),
                number(times.kept.median_ms() / times.floor),
            ])
        })
}

fn samples(count: usize, mut measure: impl FnMut() -> Duration) -> Samples {
    for _ in 0..WARM_UP {
        measure();
    }
    (0..count).map(|_| measure()).collect()
}
