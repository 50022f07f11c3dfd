//! What comes of a payment: which policies run, in which order, and what each is given.

use domain::feature::{PaymentFilter, Subject, VelocityMeasure};
use domain::risk::{EvaluationResult, FaultKind, Outcome, Verdict};
use serde_json::{Value, json};
use testkit::builders::{money, payment_details, risk_request};

mod quarantine;
mod rollout;

use super::*;
use crate::contract::version::ContractVersion;
use crate::document::ParameterValue;
use crate::testing::{Answer, Description, Guest, release};

const HOST: &str = "portcullis:policy/host@0.1.0";

/// A set of policies: name, guest, and what its document says otherwise.
fn set(policies: &[(&str, Guest, Value)]) -> PolicySet {
    let releases = policies
        .iter()
        .map(|(name, guest, otherwise)| InForce {
            release: release(name, guest, otherwise).unwrap(),
            previous: None,
            candidate: None,
        })
        .collect();
    set_of(releases)
}

fn set_of(releases: Vec<InForce>) -> PolicySet {
    let lane = Arc::new(Lane::start(1).unwrap());
    PolicySet::new(7, releases, lane, Arc::new(Lane::start_beside(1).unwrap()))
}

async fn evaluate(set: &PolicySet, features: &[FeatureValue]) -> Vec<PolicyEvaluation> {
    set.evaluate(&risk_request("pay_1").build().borrow(), features)
        .await
}

fn names(evaluations: &[PolicyEvaluation]) -> Vec<&str> {
    evaluations
        .iter()
        .map(|evaluation| &*evaluation.policy.name)
        .collect()
}

fn verdict(evaluation: &PolicyEvaluation) -> &Verdict {
    match &evaluation.result {
        EvaluationResult::Verdict(verdict) => verdict,
        EvaluationResult::Fault { fault, .. } => panic!("{}: {}", fault.kind, fault.detail),
    }
}

fn score(evaluation: &PolicyEvaluation) -> u16 {
    verdict(evaluation).score.value()
}

fn velocity(subject: Subject) -> FeatureSpec {
    FeatureSpec::Velocity {
        subject,
        measure: VelocityMeasure::Distinct(Subject::Card),
        filter: PaymentFilter::Approved,
        window_seconds: 86_400,
    }
}

fn listed(list: &str) -> FeatureSpec {
    FeatureSpec::Listed {
        list: list.into(),
        subject: Subject::Ip,
    }
}

/// A guest that says the name of its first feature, and whose score is its features' values, a digit each.
fn echoing(features: &[(&str, FeatureSpec)]) -> Guest {
    let description = features
        .iter()
        .fold(Description::of("echoes"), |description, (name, spec)| {
            description.feature(name, spec)
        });
    Guest::evaluating(
        "(local $answer i32) (local $feature i32) (local $left i32) (local $score i32)
        (local.set $feature (i32.load offset=208 (call $past_amount (local.get $request))))
        (local.set $left (i32.load offset=212 (call $past_amount (local.get $request))))
        (local.set $answer (call $say (i32.load (local.get $feature)) (i32.load offset=4 (local.get $feature))))
        (loop $next
            (local.set $score (i32.add
                (i32.mul (local.get $score) (i32.const 10)) (i32.load offset=16 (local.get $feature))))
            (local.set $feature (i32.add (local.get $feature) (i32.const 24)))
            (br_if $next (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
        (i32.store16 offset=6 (local.get $answer) (local.get $score))
        (local.get $answer)",
    )
    .described(&description)
}

#[tokio::test]
async fn policies_run_by_priority_and_then_by_name() {
    let set = set(&[
        ("delta", Guest::new(), json!({"priority": 200})),
        ("charlie", Guest::new(), json!({})),
        ("alpha", Guest::new(), json!({})),
        ("bravo", Guest::new(), json!({"priority": 5})),
    ]);
    assert_eq!(set.revision(), 7);
    let evaluations = evaluate(&set, &[]).await;
    assert_eq!(names(&evaluations), ["bravo", "alpha", "charlie", "delta"]);
    assert!(set.features().is_empty());
}

#[tokio::test]
async fn a_set_of_no_policy_gives_no_evaluation() {
    assert!(evaluate(&set(&[]), &[]).await.is_empty());
}

#[tokio::test]
async fn a_feature_is_looked_up_once_and_reaches_each_policy_in_its_own_order() {
    for version in ContractVersion::ALL {
        let echoing = |features: &[(&str, FeatureSpec)]| echoing(features).built_for(version);
        let (ip, device) = (velocity(Subject::Ip), velocity(Subject::Device));
        let set = set(&[
            (
                "alpha",
                echoing(&[("by_ip", ip.clone()), ("by_device", device.clone())]),
                json!({}),
            ),
            (
                "bravo",
                echoing(&[
                    ("device", device.clone()),
                    ("merchant", velocity(Subject::Merchant)),
                    ("ip", ip.clone()),
                ]),
                json!({}),
            ),
            (
                "charlie",
                echoing(&[("again", ip.clone()), ("and_again", ip.clone())]),
                json!({}),
            ),
        ]);
        assert_eq!(set.features(), [ip, device, velocity(Subject::Merchant)]);
        let values = [3, 2, 0].map(FeatureValue::Count);
        let evaluations = evaluate(&set, &values).await;
        let said: Vec<(&str, u16)> = evaluations
            .iter()
            .map(|evaluation| (&*verdict(evaluation).reasons[0].message, score(evaluation)))
            .collect();
        assert_eq!(said, [("by_ip", 32), ("device", 203), ("again", 33)]);
    }
}

#[tokio::test]
async fn every_kind_of_value_reaches_a_guest_as_itself() {
    for version in ContractVersion::ALL {
        // The discriminant and the value of each feature, as bytes.
        let description = Description::of("observes")
            .feature("count", &velocity(Subject::Ip))
            .feature("amount", &velocity(Subject::Card))
            .feature("listed", &listed("stolen"))
            .feature("unavailable", &listed("lost"));
        let observing = Guest::evaluating(
            "(call $observe (i32.load offset=208 (call $past_amount (local.get $request))) (i32.const 96))",
        )
        .built_for(version)
        .described(&description);
        let set = set(&[("observes", observing, json!({}))]);
        let values = [
            FeatureValue::Count(0x0102),
            FeatureValue::Amount(-2),
            FeatureValue::Listed(true),
            FeatureValue::Unavailable,
        ];
        let evaluations = evaluate(&set, &values).await;
        let message = &verdict(&evaluations[0]).reasons[0].message;
        let found: Vec<(&str, &str)> = (0..4)
            .map(|index| {
                let feature = &message[index * 48..][..48];
                (&feature[16..18], &feature[32..48])
            })
            .collect();
        assert_eq!(
            (found[0], found[1], found[2].0, &found[2].1[..2], found[3].0),
            (
                ("00", "0201000000000000"),
                ("01", "feffffffffffffff"),
                "02",
                "01",
                "03"
            )
        );
    }
}

#[tokio::test]
async fn a_value_that_is_missing_is_unavailable() {
    let set = set(&[("alpha", echoing(&[("by_ip", velocity(Subject::Ip))]), json!({}))]);
    let evaluations = evaluate(&set, &[]).await;
    assert_eq!(score(&evaluations[0]), 0);
}

#[tokio::test]
async fn a_payment_out_of_a_policy_s_scope_is_not_shown_to_it() {
    let set = set(&[
        ("everyone", Guest::new(), json!({})),
        ("euros", Guest::new(), json!({"scope": {"currencies": ["EUR"]}})),
        ("others", Guest::new(), json!({"scope": {"merchants": ["m_9"]}})),
        (
            "large",
            Guest::new(),
            json!({"scope": {"minimum_amount": {"CNY": 12_901}}}),
        ),
    ]);
    assert_eq!(names(&evaluate(&set, &[]).await), ["everyone"]);
    let details = payment_details()
        .amount(money(12_901, "CNY"))
        .merchant("m_9")
        .build();
    let request = risk_request("pay_2").details(details).build();
    let evaluations = set.evaluate(&request.borrow(), &[]).await;
    assert_eq!(names(&evaluations), ["everyone", "large", "others"]);
}

#[tokio::test]
async fn a_policy_is_shown_the_parts_that_it_reads_and_no_others() {
    for version in ContractVersion::ALL {
        // One for the card, two for the customer, four for the device, and ten for each entry of the metadata.
        let telling = "(call $score (i32.add
        (i32.add (i32.load8_u offset=56 (call $past_amount (local.get $request)))
            (i32.mul (i32.load8_u offset=96 (call $past_amount (local.get $request))) (i32.const 2)))
        (i32.add (i32.mul (i32.load8_u offset=148 (call $past_amount (local.get $request))) (i32.const 4))
            (i32.mul (i32.load offset=204 (call $past_amount (local.get $request))) (i32.const 10)))))";
        let everything = json!({"grants": ["card", "customer", "device", "metadata"]});
        for (parts, expected) in [
            (0, 0),
            (Description::CARD, 1),
            (Description::CUSTOMER, 2),
            (Description::DEVICE, 4),
            (Description::METADATA, 30),
            (15, 37),
        ] {
            let guest = Guest::evaluating(telling)
                .built_for(version)
                .described(&Description::of("tells").reading(parts));
            let set = set(&[
                ("tells", guest, everything.clone()),
                (
                    "tells-nothing",
                    Guest::evaluating(telling).built_for(version),
                    everything.clone(),
                ),
            ]);
            let evaluations = evaluate(&set, &[]).await;
            assert_eq!(score(&evaluations[0]), expected, "{parts}");
            assert_eq!(score(&evaluations[1]), 0, "{parts}");
        }
    }
}

#[tokio::test]
async fn a_parameter_has_its_default_unless_the_document_sets_it() {
    for version in ContractVersion::ALL {
        let description = Description::of("says")
            .parameter("list", ParameterValue::Text("stolen".to_owned()))
            .parameter("max_count", ParameterValue::Integer(5))
            .parameter(
                "countries",
                ParameterValue::Texts(vec!["DE".to_owned(), "CN".to_owned()]),
            );
        // The text, the number, and as the outcome how many texts.
        let saying = Guest::evaluating(
            "(local $answer i32) (local $first i32)
        (local.set $first (i32.load offset=216 (call $past_amount (local.get $request))))
        (local.set $answer
            (call $say (i32.load offset=16 (local.get $first)) (i32.load offset=20 (local.get $first))))
        (i32.store16 offset=6 (local.get $answer) (i32.load offset=40 (local.get $first)))
        (i32.store8 offset=4 (local.get $answer) (i32.load offset=68 (local.get $first)))
        (local.get $answer)",
        )
        .built_for(version)
        .described(&description);
        for (parameters, expected) in [
            (json!({}), ("stolen", 5, Outcome::Review)),
            (json!({"max_count": 9}), ("stolen", 9, Outcome::Review)),
            (
                json!({"list": "verloren", "countries": ["US", "FR", "IT"]}),
                ("verloren", 5, Outcome::Decline),
            ),
            (json!({"countries": []}), ("stolen", 5, Outcome::Approve)),
        ] {
            let set = set(&[("says", saying.clone(), json!({"parameters": parameters}))]);
            let evaluations = evaluate(&set, &[]).await;
            let verdict = verdict(&evaluations[0]);
            let said = (
                &*verdict.reasons[0].message,
                verdict.score.value(),
                verdict.outcome,
            );
            assert_eq!(said, expected);
        }
    }
}

#[tokio::test]
async fn policies_of_every_version_decide_side_by_side() {
    // What lies behind the currency: the exponent, and for the older one the time.
    let telling = |version| {
        Guest::evaluating("(call $score (i32.load8_u offset=48 (local.get $request)))").built_for(version)
    };
    let set = set(&[
        ("older", telling(ContractVersion::V0_1), json!({})),
        ("newer", telling(ContractVersion::V0_2), json!({})),
    ]);
    for (currency, exponent) in [("CNY", 2), ("JPY", 0), ("KWD", 3)] {
        let details = payment_details().amount(money(12_901, currency)).build();
        let request = risk_request("pay_2").details(details).build();
        let time = u16::from(request.borrow().created_at.unix_millis().to_le_bytes()[0]);
        let evaluations = set.evaluate(&request.borrow(), &[]).await;
        let scores = evaluations.iter().map(|e| (&*e.policy.name, score(e)));
        assert_eq!(scores.collect::<Vec<_>>(), [("newer", exponent), ("older", time)]);
    }
}

#[tokio::test]
async fn the_failure_mode_stands_in_for_a_fault_and_other_policies_decide_as_they_do() {
    let otherwise = json!({"failure_mode": {"default": "decline", "refused": "challenge"}});
    let set = set(&[
        ("alpha", Guest::evaluating("(unreachable)"), otherwise.clone()),
        ("bravo", Guest::refusing("no"), otherwise),
        (
            "charlie",
            Guest::answering(&Answer::of(Outcome::Review, 3)),
            json!({}),
        ),
    ]);
    let evaluations = evaluate(&set, &[]).await;
    let outcomes: Vec<Outcome> = evaluations.iter().map(PolicyEvaluation::outcome).collect();
    assert_eq!(outcomes, [Outcome::Decline, Outcome::Challenge, Outcome::Review]);
    assert_eq!(score(&evaluations[2]), 3);
}

/// Computes for so many rounds, far beyond a slice with a million, and says so once.
fn computing(rounds: u32) -> Guest {
    let mut guest = Guest::new();
    let text = guest.data(b"computed");
    guest
        .importing(HOST, "emit-signal", "$signal (param i32 i32 i32 i32)")
        .then_evaluating(&format!(
            "(local $left i32) (local.set $left (i32.const {rounds}))
            (call $signal (i32.const {text}) (i32.const 8) (i32.const {text}) (i32.const 8))
            (loop $again (br_if $again (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
            (call $score (i32.const 9))"
        ))
}

#[tokio::test]
async fn a_policy_that_takes_its_time_answers_once_and_as_it_would_have() {
    let unhurried = json!({"limits": {"fuel": 1_000_000_000, "deadline_ms": 1_000}});
    let set = set(&[
        ("alpha", computing(5_000_000), unhurried.clone()),
        ("bravo", computing(10), unhurried),
    ]);
    let mut fuel = Vec::new();
    for _ in 0..5 {
        let evaluations = evaluate(&set, &[]).await;
        assert_eq!(names(&evaluations), ["alpha", "bravo"]);
        for evaluation in &evaluations {
            assert_eq!(score(evaluation), 9);
            assert_eq!(evaluation.signals.len(), 1);
        }
        fuel.push(evaluations[0].fuel_used);
    }
    fuel.dedup();
    assert_eq!(fuel.len(), 1, "the fuel repeats, wherever the policy ran");
}

#[tokio::test]
async fn a_policy_that_never_ends_is_a_fault_and_the_others_answer() {
    let endless = Guest::evaluating("(loop $again (br $again)) (unreachable)");
    let limits = |deadline_ms: u32| json!({"limits": {"fuel": 1_000_000_000, "deadline_ms": deadline_ms}});
    let set = set(&[
        ("alpha", endless.clone(), limits(1)),
        ("bravo", endless, limits(20)),
        ("charlie", Guest::new(), json!({})),
    ]);
    for _ in 0..3 {
        let evaluations = evaluate(&set, &[]).await;
        for evaluation in &evaluations[..2] {
            let EvaluationResult::Fault { fault, .. } = &evaluation.result else {
                panic!("an endless policy answered")
            };
            assert_eq!(fault.kind, FaultKind::Deadline, "{}", fault.detail);
        }
        assert_eq!(score(&evaluations[2]), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_payments_at_once_are_all_answered() {
    let unhurried = json!({"limits": {"fuel": 1_000_000_000, "deadline_ms": 1_000}});
    let set = Arc::new(set(&[
        ("alpha", computing(10), unhurried.clone()),
        ("bravo", computing(1_000_000), unhurried),
    ]));
    // Few enough to be done in time by the one thread of the lane on a machine that is busy with other things.
    let payments: Vec<_> = (0..8)
        .map(|_| {
            let set = Arc::clone(&set);
            tokio::spawn(async move { evaluate(&set, &[]).await })
        })
        .collect();
    for payment in payments {
        let evaluations = payment.await.unwrap();
        assert_eq!(evaluations.iter().map(score).collect::<Vec<_>>(), [9, 9]);
    }
}
