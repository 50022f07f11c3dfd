//! `make bench-fleet`: release after release under load, and how soon each is enforced on every gateway of a fleet.
//!
//! A real etcd, three real gateways, payers on each that never pause. The times are this machine's, which runs all of it; the ratio
//! to the floor (the event of a watch, in the same run) is what can be compared.

#![expect(
    clippy::indexing_slicing,
    reason = "a benchmark ends where something is missing"
)]

use std::time::{Duration, Instant};

use portcullis_tests::publishes::Fleet;

/// Gateways of the fleet.
const GATEWAYS: usize = 3;

/// Releases, where the first argument is no number.
const RELEASES: u64 = 1_000;

/// Payers on each gateway.
const PAYERS: usize = 1;

fn main() {
    let releases = std::env::args().nth(1).and_then(|argument| argument.parse().ok());
    let releases = releases.unwrap_or(RELEASES);
    let fleet = Fleet::start(GATEWAYS);
    let began = Instant::now();
    let mut published = fleet.publish(releases, PAYERS);
    let seconds = began.elapsed().as_secs_f64();
    published.enforced.sort_unstable();
    published.put.sort_unstable();
    published.floor.sort_unstable();

    println!("{releases} releases on {GATEWAYS} gateways, {PAYERS} payers on each, in {seconds:.0} s");
    println!(
        "{} payments meanwhile, none failed, none decided by a release that was replaced",
        published.payments
    );
    println!();
    println!("{:<58}  {:>9}  {:>9}  {:>9}", "", "p50 ms", "p99 ms", "max ms");
    row("floor: from the put to its acknowledgement", &published.put);
    row("floor: from the put to the event of a watch", &published.floor);
    let what = format!("from the acknowledgement to a decision by it on all {GATEWAYS}");
    row(&what, &published.enforced);
}

/// A quantile of sorted samples, in milliseconds: the smallest that at least this part of them does not exceed.
fn quantile(samples: &[Duration], percent: usize) -> f64 {
    let index = (samples.len() * percent).div_ceil(100).max(1) - 1;
    samples[index].as_secs_f64() * 1_000.0
}

fn row(what: &str, samples: &[Duration]) {
    let [p50, p99, max] = [50, 99, 100].map(|percent| quantile(samples, percent));
    println!("{what:<58}  {p50:>9.2}  {p99:>9.2}  {max:>9.2}");
}
