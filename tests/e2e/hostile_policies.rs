//! Policies that loop, hoard and trap: their failure mode applies, and the next payment is served.

use portcullis_tests::policies::publish;
use portcullis_tests::{Beside, Etcd, Gateway, Payment, Policy};

/// Publishes a misbehaving policy beside a good one, and sees what its fault does.
fn fault_of(name: &str, manifest_change: (&str, &str), fault: &str) -> String {
    let etcd = Etcd::start();
    // The good one too has time for a machine that is busy with other things.
    let good = Policy::built("amount-ceiling").with("deadline_ms = 5", "deadline_ms = 1000");
    let hostile = Policy::built(&format!("misbehaving/{name}")).with(manifest_change.0, manifest_change.1);
    publish(&etcd.location(), &[&good, &hostile]);
    let gateway = Gateway::start(&etcd.location());
    gateway.wait_for(name, 1);
    gateway.wait_for("amount-ceiling", 1);

    for _ in 0..3 {
        let answer = gateway.pay(&Payment::ordinary());
        assert_eq!(
            (answer.status, &answer.body["status"]),
            (201, &"in_review".into()),
            "{}",
            answer.text
        );
        let policies = answer.body["risk"]["policies"]
            .as_array()
            .expect("policies")
            .clone();
        let by_name = |wanted: &str| {
            policies
                .iter()
                .find(|policy| policy["name"] == wanted)
                .expect("it ran")
        };
        assert_eq!(by_name(name)["fault"]["kind"], fault, "{}", answer.text);
        assert_eq!(
            by_name("amount-ceiling")["outcome"],
            "approve",
            "the other policy is not touched"
        );
        let reasons = &answer.body["risk"]["reasons"];
        assert_eq!(reasons[0]["code"], format!("fault.{fault}"), "{reasons}");
    }
    // Out of its scope, the same gateway goes on as if nothing had been.
    let spared = gateway.pay(&Payment::of(1_000, "EUR"));
    assert_eq!(spared.body["status"], "authorized", "{}", spared.text);
    let metrics = gateway.get("/metrics").text;
    let counted = format!("portcullis_policy_faults_total{{policy=\"{name}\",fault=\"{fault}\"}} 3");
    assert!(metrics.contains(&counted), "{metrics}");
    gateway.log().join("\n")
}

const ONLY_CNY: &str = "[scope]\ncurrencies = [\"CNY\"]\n\n[failure_mode]";

/// The same with the longest deadline: a busy machine is no fault of a guest's.
fn patiently() -> String {
    format!("[limits]\ndeadline_ms = 1000\n\n{ONLY_CNY}")
}

#[test]
fn a_policy_that_loops_for_ever_runs_out_of_fuel() {
    fault_of("spins", ("[failure_mode]", &patiently()), "out_of_fuel");
}

#[test]
fn a_policy_that_loops_with_more_fuel_than_time_meets_its_deadline() {
    let limits = format!("[limits]\nfuel = 1000000000\ndeadline_ms = 20\n\n{ONLY_CNY}");
    fault_of("spins", ("[failure_mode]", &limits), "deadline");
}

#[test]
fn a_policy_that_allocates_for_ever_runs_out_of_memory() {
    fault_of("hoards", ("[failure_mode]", &patiently()), "out_of_memory");
}

#[test]
fn a_policy_that_panics_traps_and_its_message_is_logged() {
    let log = fault_of("traps", ("[failure_mode]", ONLY_CNY), "trap");
    assert!(log.contains("panicked at"), "{log}");
}

#[test]
fn a_failure_mode_can_fail_open_for_one_kind_of_fault() {
    let etcd = Etcd::start();
    let hostile = Policy::built("misbehaving/traps").with(
        "default = \"review\"",
        "default = \"decline\"\ntrap = \"approve\"",
    );
    publish(&etcd.location(), &[&hostile]);
    let gateway = Gateway::start(&etcd.location());
    gateway.wait_for("traps", 1);
    let answer = gateway.pay(&Payment::ordinary());
    assert_eq!(answer.body["status"], "authorized", "{}", answer.text);
}

/// How often it is tried to be served beside a guest that spins. An idle machine needs no second attempt; on a busy one every
/// payment may take as long as the guest.
const MAX_ATTEMPTS: usize = 30;

#[test]
fn a_policy_that_burns_its_whole_deadline_holds_up_nobody_on_the_one_worker_thread() {
    let etcd = Etcd::start();
    // A tenth of a second of spinning, and more on a busy machine.
    let limits = format!("[limits]\nfuel = 1000000000\ndeadline_ms = 1000\n\n{ONLY_CNY}");
    publish(
        &etcd.location(),
        &[&Policy::built("misbehaving/spins").with("[failure_mode]", &limits)],
    );
    // More attempts than a quarantine would let the guest have.
    let settings = ["policies.quarantine.enabled=false"];
    let gateway = Gateway::start_in(&etcd.location(), &settings, &[("TOKIO_WORKER_THREADS", "1")]);
    gateway.wait_until_ready();
    gateway.wait_for("spins", 1);
    let mut most = 0;
    for attempt in 0.. {
        let Beside { slow, served } = gateway.pay_beside(&Payment::ordinary(), 1, || {
            let quick = gateway.pay(&Payment::of(1_000, "EUR"));
            assert_eq!(quick.body["status"], "authorized", "{}", quick.text);
            assert_eq!(gateway.get("/healthz").status, 200);
        });
        let slow = &slow[0];
        let fault = &slow.body["risk"]["policies"][0]["fault"]["kind"];
        assert!(fault == "out_of_fuel" || fault == "deadline", "{}", slow.text);
        most = most.max(served);
        // Held up, the one worker would serve one at the most in every attempt: whichever came before the guest.
        if attempt >= 2 && most >= 3 {
            break;
        }
        assert!(
            attempt < MAX_ATTEMPTS,
            "no more than {most} were served while the guest was spinning"
        );
    }
    let metrics = gateway.get("/metrics").text;
    assert!(
        metrics.contains("portcullis_policy_interruptions_total{policy=\"spins\"} 1"),
        "{metrics}"
    );
}
