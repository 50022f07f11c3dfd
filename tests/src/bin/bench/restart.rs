//! `make bench`: from the start of the process to the first answer that it is ready, with many policies that are on its disk.
//!
//! The real binary and policies from their real toolchain, each of which is another artifact with its golden cases. A start is
//! measured from before the process is made until `/readyz` says 200. The times are this machine's; the ratio to the floor (the same start
//! without any policy, in the same run) is what can be compared.

#![expect(clippy::expect_used, reason = "a benchmark ends where something is missing")]

use std::time::Duration;

use portcullis_tests::policies::push;
use portcullis_tests::{Gateway, Policy, eventually_within};
use testkit::benchmark::{Report, Samples, Table, number};

/// Policies of the store.
const POLICIES: usize = 50;

/// Starts that are measured of each kind.
const STARTS: usize = 15;

/// Starts before the first that counts.
const WARM_UP: usize = 2;

/// A store where nobody answers.
const NOWHERE: &str = "etcd://127.0.0.1:1";

/// How long all of them may take to compile at first.
const LONGEST_COMPILE: Duration = Duration::from_secs(600);

pub(crate) fn run() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = |name: &str| format!("dir:{}", folder.path().join(name).display());
    let (none, many) = (store("none"), store("many"));
    let size = publish(&many);

    let mut empty = Gateway::start(&none);
    let mut full = Gateway::start_with(&many, &[]);
    eventually_within(LONGEST_COMPILE, "every policy to be compiled and kept", || {
        let kept = full.metric("portcullis_policy_compile_cache_total{result=\"written\"}")?;
        (kept == POLICIES as u64 && full.metric("portcullis_policy_state_saved_revision")? > 0).then_some(())
    });
    let of_code = full.metric("portcullis_policy_compile_cache_bytes").unwrap_or(0);

    let mut report = Report::new("40-restart", "From the start of the process to ready");
    report.say(format!(
        "{STARTS} starts a row; {POLICIES} policies of {size} bytes, {of_code} bytes of machine code."
    ));
    assert!(empty.terminate().success());
    let floor = samples(&mut empty, None);
    assert!(full.terminate().success());
    let all = samples(&mut full, None);
    let away = samples(&mut full, Some(NOWHERE));
    let row = |what: &str, samples: &Samples| {
        let ratio = samples.quantile(0.5) / floor.quantile(0.5);
        [
            what.to_owned(),
            number(samples.median_ms()),
            number(samples.quantile_ms(1.0)),
            number(ratio),
        ]
    };
    report.table(
        &Table::new(["", "p50 ms", "max ms", "p50 / floor"])
            .row(row("floor: no policy", &floor))
            .row(row("all cached, the store answers", &all))
            .row(row("all cached, the store is away", &away)),
    );
    report.finish();
}

/// Publishes the policies, and says how large one is.
fn publish(store: &str) -> u64 {
    /// Policies of one transaction: each takes its place in the command line.
    const TOGETHER: usize = 10;
    let policies: Vec<Policy> = (0..POLICIES)
        .map(|number| {
            let padding = u32::try_from(number).unwrap_or(0) + 1;
            Policy::built("amount-ceiling").padded(padding).with(
                "name = \"amount-ceiling\"",
                &format!("name = \"amount-ceiling-{number}\""),
            )
        })
        .collect();
    for some in policies.chunks(TOGETHER) {
        let some: Vec<&Policy> = some.iter().collect();
        let pushed = push(store, &some);
        assert!(
            pushed.status.success(),
            "{}",
            String::from_utf8_lossy(&pushed.stderr)
        );
    }
    let first = policies.first().expect("a policy");
    std::fs::metadata(first.wasm()).map_or(0, |file| file.len())
}

/// Starts a gateway that has ended, again and again.
fn samples(gateway: &mut Gateway, store: Option<&str>) -> Samples {
    (0..WARM_UP + STARTS)
        .map(|_| {
            let elapsed = gateway.time_to_ready_on(store);
            assert!(gateway.terminate().success());
            elapsed
        })
        .skip(WARM_UP)
        .collect()
}
