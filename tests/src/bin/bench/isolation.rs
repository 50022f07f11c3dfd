//! `make bench`: what policies that never end cost the payments that are not in their scope.
//!
//! A real etcd, the real binary with its default worker threads, and as many spinning policies as the machine has cores, each
//! with a deadline of 10 ms and fuel that outlasts it. Two things are measured: how long a spinner runs before its deadline
//! stops it, as its decision reports it; and how long other payments take while that many spinners run all the time, held
//! against how long they take while none does. Quiet and hostile rounds alternate within the run, so that what else the machine
//! does falls on both. The times are this machine's; the ratio is what can be compared.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark ends where something is missing"
)]

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use portcullis_tests::policies::publish;
use portcullis_tests::{Etcd, Gateway, Payment, Policy, eventually};
use serde_json::json;
use testkit::benchmark::{Bar, Report, Samples, Table, number};

/// The deadline of a spinner, in milliseconds: the default of a document.
const DEADLINE_MS: u32 = 10;

/// A spinner is to be stopped within its deadline, a tick and the time that the system takes to wake the clock: 12 ms in 99 of a
/// hundred cases.
const MAX_STOPPED_MS: f64 = 12.0;

/// How much longer the slowest hundredth of other payments may take beside spinners.
const MAX_RATIO: f64 = 2.0;

/// Rounds of each kind.
const ROUNDS: usize = 16;

/// Payments that are timed in a round: 2,400 of each kind in all, so that 24 are slower than the 99th percentile.
const PAYMENTS: usize = 150;

/// Payments before the first round counts.
const WARM_UP: usize = 200;

/// Nobody is quarantined: a policy that always faults is soon not run any more, and then costs nothing.
const WITHOUT_QUARANTINE: &str = "policies.quarantine.enabled=false";

pub(crate) fn run() {
    let bench = Bench::start();
    for _ in 0..WARM_UP {
        bench.time_payment();
    }
    let (mut quiet, mut hostile, mut stopped) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        quiet.extend((0..PAYMENTS).map(|_| bench.time_payment()));
        let (times, stops) = bench.hostile_round();
        hostile.extend(times);
        stopped.extend(stops);
    }
    let [quiet, hostile, stopped] = [quiet, hostile, stopped].map(Samples::new);
    let mut report = Report::new("50-isolation", "Policies that never end");
    report.say(format!(
        "{} spinning policies in flight all the time, deadline {DEADLINE_MS} ms, {ROUNDS} rounds of {PAYMENTS} payments.",
        bench.spinners
    ));
    let row = |what: &str, samples: &Samples| {
        let times = [0.5, 0.99, 1.0].map(|part| number(samples.quantile_ms(part)));
        [what.to_owned(), samples.len().to_string()]
            .into_iter()
            .chain(times)
            .collect::<Vec<_>>()
    };
    report.table(
        &Table::new(["", "samples", "p50 ms", "p99 ms", "max ms"])
            .row(row("a spinner, until it was stopped", &stopped))
            .row(row("another payment, while all is quiet", &quiet))
            .row(row("another payment, beside the spinners", &hostile)),
    );
    let ratio = |part| hostile.quantile(part) / quiet.quantile(part);
    report.bar(Bar::at_most(
        "p99 of a spinner's time, in ms",
        stopped.quantile_ms(0.99),
        MAX_STOPPED_MS,
    ));
    report.bar(Bar::at_most(
        "p99 of other payments, beside spinners / quiet",
        ratio(0.99),
        MAX_RATIO,
    ));
    report.bar(Bar::at_most(
        "p50 of other payments, beside spinners / quiet",
        ratio(0.5),
        MAX_RATIO,
    ));
    report.finish();
}

struct Bench {
    gateway: Gateway,
    _etcd: Etcd,
    spinners: usize,
}

impl Bench {
    fn start() -> Self {
        let etcd = Etcd::start();
        let spinners = thread::available_parallelism().map_or(2, usize::from);
        let mut policies = vec![Policy::built("amount-ceiling")];
        for index in 0..spinners {
            let how = format!(
                "[limits]\nfuel = 1000000000\ndeadline_ms = {DEADLINE_MS}\n\n[scope]\nmerchants = [\"{}\"]\n\n[failure_mode]",
                merchant(index)
            );
            let spinner = Policy::built("misbehaving/spins")
                .with("name = \"spins\"", &format!("name = \"{}\"", spinner(index)))
                .with("[failure_mode]", &how);
            policies.push(spinner);
        }
        publish(&etcd.location(), &policies.iter().collect::<Vec<_>>());
        // On as many threads, so that all of them spin at the same time.
        let lane_threads = format!("policies.lane_threads={spinners}");
        let settings = [WITHOUT_QUARANTINE, &lane_threads];
        let gateway = Gateway::start_with(&etcd.location(), &settings);
        gateway.wait_until_ready();
        for index in 0..spinners {
            gateway.wait_for(&spinner(index), 1);
        }
        Self {
            gateway,
            _etcd: etcd,
            spinners,
        }
    }

    /// Times a payment that no spinner is asked about.
    fn time_payment(&self) -> Duration {
        let started = Instant::now();
        let answer = self.gateway.pay(&Payment::ordinary());
        let took = started.elapsed();
        assert_eq!(answer.status, 201, "{}", answer.text);
        took
    }

    /// Times payments while every spinner is asked about another payment all the time. Says how long those took, and how long
    /// each spinner ran before it was stopped.
    fn hostile_round(&self) -> (Vec<Duration>, Vec<Duration>) {
        let over = AtomicBool::new(false);
        let begun = AtomicUsize::new(0);
        thread::scope(|scope| {
            let hostile: Vec<_> = (0..self.spinners)
                .map(|index| {
                    let (over, begun) = (&over, &begun);
                    scope.spawn(move || {
                        let mut stops = Vec::new();
                        while !over.load(Ordering::Relaxed) {
                            let first = stops.is_empty();
                            stops.extend(self.time_to_stop(index));
                            if first && !stops.is_empty() {
                                begun.fetch_add(1, Ordering::Relaxed);
                            }
                        }
                        stops
                    })
                })
                .collect();
            eventually("every spinner to spin", || {
                (begun.load(Ordering::Relaxed) == self.spinners).then_some(())
            });
            let times = (0..PAYMENTS).map(|_| self.time_payment()).collect();
            over.store(true, Ordering::Relaxed);
            let stops = hostile
                .into_iter()
                .flat_map(|payer| payer.join().expect("the payer ends"))
                .collect();
            (times, stops)
        })
    }

    /// How long a spinner ran, by its own decision; nothing where the machine was too busy to run it at all.
    fn time_to_stop(&self, index: usize) -> Option<Duration> {
        let mut payment = Payment::ordinary().for_decision();
        payment["merchant_id"] = json!(merchant(index));
        let answer = self.gateway.post("/v1/risk/decisions", &payment);
        assert_eq!(answer.status, 200, "{}", answer.text);
        let policies = answer.body["risk"]["policies"].as_array().expect("policies");
        let spun = policies
            .iter()
            .find(|policy| policy["name"] == spinner(index))
            .expect("the spinner ran");
        let fault = &spun["fault"]["kind"];
        assert!(fault == "deadline" || fault == "unavailable", "{}", answer.text);
        let ran = Duration::from_micros(spun["elapsed_us"].as_u64().expect("a time"));
        (fault == "deadline").then_some(ran)
    }
}

fn spinner(index: usize) -> String {
    format!("spins-{index}")
}

fn merchant(index: usize) -> String {
    format!("m_hostile_{index}")
}
