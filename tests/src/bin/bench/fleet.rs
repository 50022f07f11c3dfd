//! `make bench-fleet`: release after release under load, and how soon each is enforced on every gateway of a fleet.
//!
//! A real etcd, three real gateways, payers on each that never pause. The times are this machine's, which runs all of it; the ratio
//! to the floor (the event of a watch, in the same run) is what can be compared.

use std::time::{Duration, Instant};

use portcullis_tests::publishes::Fleet;
use testkit::benchmark::{Report, Samples, Table, number};

/// Gateways of the fleet.
const GATEWAYS: usize = 3;

/// Releases, where the argument is no number.
const RELEASES: u64 = 1_000;

/// Payers on each gateway.
const PAYERS: usize = 1;

pub(crate) fn run() {
    let releases = std::env::args().nth(2).and_then(|argument| argument.parse().ok());
    let releases = releases.unwrap_or(RELEASES);
    let fleet = Fleet::start(GATEWAYS);
    let began = Instant::now();
    let published = fleet.publish(releases, PAYERS);
    let seconds = began.elapsed().as_secs_f64();
    let mut report = Report::new("70-fleet", "Releases in a fleet, under load");
    report.say(format!(
        "{releases} releases on {GATEWAYS} gateways, {PAYERS} payers on each, in {seconds:.0} s. {} payments meanwhile, none failed, none decided by a release that was replaced.",
        published.payments
    ));
    let enforced = format!("from the acknowledgement to a decision by it on all {GATEWAYS}");
    report.table(
        &Table::new(["", "p50 ms", "p99 ms", "max ms"])
            .row(row("floor: from the put to its acknowledgement", published.put))
            .row(row(
                "floor: from the put to the event of a watch",
                published.floor,
            ))
            .row(row(&enforced, published.enforced)),
    );
    report.finish();
}

fn row(what: &str, times: Vec<Duration>) -> Vec<String> {
    let samples = Samples::new(times);
    let times = [0.5, 0.99, 1.0].map(|part| number(samples.quantile_ms(part)));
    std::iter::once(what.to_owned()).chain(times).collect()
}
