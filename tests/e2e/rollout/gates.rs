//! What sends a candidate back, and what a restart leaves of that.

use super::*;

/// Pays with one card after the other until it is over. Says how often the candidate gave no answer.
fn pay_until(over: &AtomicBool, gateway: &Gateway, payer: u32) -> u32 {
    let mut faults = 0;
    for index in 0.. {
        if over.load(Ordering::Relaxed) {
            break;
        }
        let payment = Payment::ordinary().with_card(&card(10_000 * payer + index));
        let policy = paid(&gateway.pay(&payment));
        // The document's failure mode decides where the candidate gives no answer.
        let is_fault = policy["fault"]["kind"] == "trap";
        let expected = if is_fault { "review" } else { "approve" };
        assert_eq!(policy["outcome"], expected, "{policy}");
        faults += u32::from(is_fault);
    }
    faults
}

#[test]
fn a_candidate_that_faults_is_sent_back_while_payments_go_on() {
    let scene = Scene::new();
    let gateway = {
        scene.publish(1, &agreeing(), &json!({"stage": "shadow"}));
        scene.gateway()
    };
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let payers: Vec<_> = (0..2)
            .map(|payer: u32| {
                let (over, gateway) = (&over, &gateway);
                scope.spawn(move || pay_until(over, gateway, payer))
            })
            .collect();
        // Also where something is missed below: the payers would go on for ever.
        let ending = Ending(&over);
        let gates = json!({"max_fault_ratio": 0.1, "minimum_evaluations": 50});
        let traps = Policy::built("misbehaving/traps");
        scene.publish(
            2,
            &traps,
            &json!({"stage": "canary", "percent": 50, "gates": gates}),
        );
        let candidate = wait_for_sent_back(&gateway, "fault_ratio");
        drop(ending);
        let reason = candidate["sent_back"]["reason"].as_str().expect("a reason");
        assert!(
            reason.contains("expected at most 0.1 of the first 50"),
            "{reason}"
        );
        let faults: u32 = payers
            .into_iter()
            .map(|payer| payer.join().expect("a payer"))
            .sum();
        // The sixth was one too many; another may have been under way.
        assert!((6..=7).contains(&faults), "{faults}");
        assert_eq!(candidate["state"], "sent_back");
        let counted = candidate["faults"].as_u64();
        assert!(
            counted >= Some(6) && counted <= Some(u64::from(faults)),
            "{candidate}"
        );
    });
    for index in 0..40 {
        assert_eq!(decided_by(&gateway, &card(index)), "0.0.2");
    }
    let sent_back =
        format!("portcullis_policy_candidates_sent_back_total{{policy=\"{NAME}\",gate=\"fault_ratio\"}}");
    assert_eq!(metric(&gateway, &sent_back), Some(1.0));
    let percent = format!("portcullis_policy_candidate_percent{{policy=\"{NAME}\",stage=\"canary\"}}");
    assert_eq!(metric(&gateway, &percent), Some(0.0));
    let told = eventually("the node to tell the store", || {
        let output = run(&["policy", "status", "--store", &scene.etcd.location()]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.contains("sent back").then_some(text)
    });
    assert!(
        told.contains("candidate 2.0.0 of amount-ceiling in canary at 50 %, sent back at"),
        "{told}"
    );
    assert!(told.contains("by fault_ratio: fault ratio 1 of "), "{told}");
}

#[test]
fn a_slow_candidate_crosses_p99_and_a_drifting_one_its_drift() {
    let scene = Scene::new();
    scene.publish(1, &agreeing(), &json!({"stage": "shadow"}));
    let gateway = scene.gateway();
    let slow = json!({"stage": "shadow", "gates": {"max_p99_us": 1, "minimum_evaluations": 10}});
    scene.publish(2, &agreeing(), &slow);
    gateway.wait_for(NAME, 2);
    assert_eq!(decided_by(&gateway, &card(1)), "0.0.2");
    let candidate = wait_for_sent_back(&gateway, "p99");
    let reason = candidate["sent_back"]["reason"].as_str().expect("a reason");
    assert!(reason.contains("took longer than 1 µs"), "{reason}");
    assert!(candidate["p99_us"].as_u64() > Some(0), "{candidate}");

    // Declines what the one in force approves.
    let drifting = json!({
        "stage": "shadow", "parameters": {"ceilings": ["CNY=100"]},
        "gates": {"max_decision_drift": 0.2, "minimum_evaluations": 10},
    });
    scene.publish(3, &agreeing(), &drifting);
    gateway.wait_for(NAME, 3);
    for index in 0..3 {
        let policy = paid(&gateway.pay(&Payment::ordinary().with_card(&card(index))));
        assert_eq!(
            (&policy["outcome"], &policy["version"]),
            (&json!("approve"), &json!("0.0.3"))
        );
    }
    let candidate = wait_for_sent_back(&gateway, "decision_drift");
    assert_eq!(
        (&candidate["compared"], &candidate["differing"]),
        (&json!(3), &json!(3)),
        "{candidate}"
    );
}

#[test]
fn a_node_that_is_started_again_has_its_place_in_the_rollout_also_without_its_store() {
    let mut scene = Scene::new();
    let traps = Policy::built("misbehaving/traps");
    scene.publish(1, &traps, &json!({"stage": "canary", "percent": 99.99}));
    let state = format!(
        "policies.state_path={}",
        scene.shared.path().join("state").display()
    );
    let mut gateway = scene.gateway_with(&[&state]);
    let _faults: Vec<String> = (0..5).map(|index| decided_by(&gateway, &card(index))).collect();
    let before = wait_for_sent_back(&gateway, "fault_ratio");
    assert!(gateway.terminate().success());

    let mut gateway = scene.gateway_with(&[&state]);
    let after = wait_for_sent_back(&gateway, "fault_ratio");
    assert_eq!(after["sent_back"], before["sent_back"]);
    assert_eq!(
        (&after["faults"], &after["since"]),
        (&json!(2), &before["since"]),
        "{after}"
    );
    for index in 0..20 {
        assert_eq!(decided_by(&gateway, &card(index)), "0.0.1");
    }
    assert!(gateway.terminate().success());

    scene.etcd.stop();
    let gateway = scene.gateway_with(&[&state]);
    assert_eq!(
        wait_for_sent_back(&gateway, "fault_ratio")["sent_back"],
        before["sent_back"]
    );
    assert_eq!(decided_by(&gateway, &card(1)), "0.0.1");

    // Another document is another chance.
    scene.etcd.restart();
    scene.publish(2, &agreeing(), &json!({"stage": "canary", "percent": 99.99}));
    gateway.wait_for(NAME, 2);
    assert_eq!(decided_by(&gateway, &card(1)), "2.0.0");
    candidate_until(&gateway, "the candidate to run", |candidate| {
        candidate["state"] == "running"
    });
}
