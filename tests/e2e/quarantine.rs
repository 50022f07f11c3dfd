//! A release that faults too often: the one before it decides, or the failure mode; a mended one, or probes, bring the
//! policy back.

use portcullis_tests::policies::publish;
use portcullis_tests::raw::run;
use portcullis_tests::{Etcd, Gateway, Payment, Policy, eventually};
use serde_json::Value;

/// Quarantines after few payments, however long these take, and probes as quick as they can be set.
const QUICK: [&str; 4] = [
    "policies.quarantine.window_ms=3600000",
    "policies.quarantine.minimum_evaluations=5",
    "policies.quarantine.probe_interval_ms=10",
    "policies.quarantine.probes_to_recover=3",
];

fn start(etcd: &Etcd) -> Gateway {
    let gateway = Gateway::start_with(&etcd.location(), &QUICK);
    gateway.wait_until_ready();
    gateway
}

/// What the one policy said about a payment.
fn decided(gateway: &Gateway, payment: &Payment) -> Value {
    let answer = gateway.pay(payment);
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.body["risk"]["policies"][0].clone()
}

/// How a policy stands once it stands so.
fn wait_for_state(gateway: &Gateway, name: &str, state: &str) -> Value {
    eventually(&format!("{name} to be {state}"), || {
        gateway.policy(name).filter(|policy| policy["state"] == state)
    })
}

fn wait_for_metric(gateway: &Gateway, line: &str) {
    eventually(&format!("the metric `{line}`"), || {
        let metrics = gateway.get("/metrics").text;
        metrics.lines().any(|found| found == line).then_some(())
    });
}

/// The lines of the log that say so.
fn logged(gateway: &Gateway, message: &str) -> Vec<Value> {
    gateway
        .log()
        .iter()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|line| {
            line["message"]
                .as_str()
                .is_some_and(|found| found.contains(message))
        })
        .collect()
}

#[test]
fn the_release_before_decides_until_a_mended_one_comes() {
    let name = "amount-ceiling";
    let etcd = Etcd::start();
    let good = Policy::built(name);
    publish(&etcd.location(), &[&good]);
    let gateway = start(&etcd);
    gateway.wait_for(name, 1);
    let bad = Policy::built("misbehaving/traps").with("name = \"traps\"", &format!("name = \"{name}\""));
    publish(&etcd.location(), &[&bad]);
    gateway.wait_for(name, 2);

    for _ in 0..5 {
        let policy = decided(&gateway, &Payment::ordinary());
        assert_eq!(
            (&policy["sequence"], &policy["fault"]["kind"]),
            (&2.into(), &"trap".into())
        );
    }
    for _ in 0..5 {
        let policy = decided(&gateway, &Payment::ordinary());
        assert_eq!(
            (&policy["sequence"], &policy["outcome"]),
            (&1.into(), &"approve".into())
        );
    }
    let stands = wait_for_state(&gateway, name, "quarantined");
    assert_eq!(stands["in_force"]["sequence"], 2);
    assert_eq!(stands["quarantine"]["fault_ratio"], 1.0);
    assert_eq!(stands["quarantine"]["last_fault"], "trap");
    assert_eq!(stands["quarantine"]["instead"]["sequence"], 1);
    wait_for_metric(
        &gateway,
        "portcullis_policy_quarantined{policy=\"amount-ceiling\"} 1",
    );
    wait_for_metric(
        &gateway,
        "portcullis_policy_quarantines_total{policy=\"amount-ceiling\"} 1",
    );
    let told = eventually("the node to tell the store", || {
        let output = run(&["policy", "status", "--store", &etcd.location()]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.contains("quarantined amount-ceiling").then_some(text)
    });
    assert!(
        told.contains("5 of 5 evaluations faulted, the last by trap; sequence 1 (1.0.0) decides instead"),
        "{told}"
    );
    let begun = logged(&gateway, "is quarantined");
    assert_eq!(begun.len(), 1, "{begun:?}");
    assert_eq!(
        (
            &begun[0]["level"],
            &begun[0]["policy.name"],
            &begun[0]["instead.sequence"]
        ),
        (&"WARN".into(), &name.into(), &1.into())
    );

    publish(&etcd.location(), &[&good.with("1.0.0", "1.1.0")]);
    gateway.wait_for(name, 3);
    wait_for_state(&gateway, name, "in_force");
    let policy = decided(&gateway, &Payment::ordinary());
    assert_eq!(
        (&policy["sequence"], &policy["outcome"]),
        (&3.into(), &"approve".into())
    );
    wait_for_metric(
        &gateway,
        "portcullis_policy_quarantined{policy=\"amount-ceiling\"} 0",
    );
}

#[test]
fn without_a_release_before_the_failure_mode_decides_until_probes_answer() {
    let etcd = Etcd::start();
    // Panics above CNY 100.00, and its failure mode lets small amounts pass.
    let policy = Policy::built("misbehaving/traps").with(
        "[failure_mode]",
        "[parameters]\nabove = 10000\n\n[failure_mode]\nquarantined = { outcome = \"approve\", up_to = { CNY = 5000 }, above = \"decline\" }",
    );
    publish(&etcd.location(), &[&policy]);
    let gateway = start(&etcd);
    gateway.wait_for("traps", 1);
    let (large, small) = (Payment::of(12_900, "CNY"), Payment::of(4_000, "CNY"));
    for _ in 0..5 {
        assert_eq!(decided(&gateway, &large)["fault"]["kind"], "trap");
    }
    let policy = decided(&gateway, &large);
    assert_eq!(
        (&policy["fault"]["kind"], &policy["outcome"]),
        (&"quarantined".into(), &"decline".into())
    );
    let stands = wait_for_state(&gateway, "traps", "quarantined");
    assert_eq!(stands["quarantine"]["instead"], Value::Null);

    // Probes of payments that it cannot take do not bring it back.
    eventually("probes to fault", || {
        assert_eq!(decided(&gateway, &large)["fault"]["kind"], "quarantined");
        let metrics = gateway.get("/metrics").text;
        let counted =
            |line: &str| line.starts_with("portcullis_policy_probes_total") && line.contains("\"faulted\"");
        let probes = metrics.lines().find(|line| counted(line))?;
        (!probes.ends_with(" 0")).then_some(())
    });
    // Those of payments that it can do. Until then a small amount passes by the failure mode.
    eventually("the policy to decide again", || {
        let policy = decided(&gateway, &small);
        assert_eq!(policy["outcome"], "approve");
        if policy["fault"].is_null() {
            return Some(());
        }
        assert_eq!(policy["fault"]["kind"], "quarantined");
        None
    });
    wait_for_state(&gateway, "traps", "in_force");
    wait_for_metric(&gateway, "portcullis_policy_quarantined{policy=\"traps\"} 0");
    wait_for_metric(
        &gateway,
        "portcullis_policy_probes_total{policy=\"traps\",result=\"answered\"} 3",
    );
    let ended = eventually("the end to be logged", || {
        Some(logged(&gateway, "the quarantine of the policy is over")).filter(|lines| !lines.is_empty())
    });
    assert_eq!((ended.len(), &ended[0]["level"]), (1, &"INFO".into()));
}
