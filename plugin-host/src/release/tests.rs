//! What a document and its policy have to agree on.

mod instructions;

use domain::risk::Outcome;
use serde_json::{Value, json};
use testkit::builders::cny;

use super::*;
use crate::contract::version::ContractVersion;
use crate::testing::{Answer, Description, Guest, payment, release};

/// Reads the card and the device, and has a parameter of each kind.
fn guest() -> Guest {
    let description = Description::of("reads")
        .reading(Description::CARD | Description::DEVICE)
        .parameter("max_count", ParameterValue::Integer(5))
        .parameter("strict", ParameterValue::Flag(true))
        .parameter("list", ParameterValue::Text("stolen".to_owned()))
        .parameter(
            "countries",
            ParameterValue::Texts(vec!["DE".to_owned(), "CN".to_owned()]),
        );
    Guest::new().described(&description)
}

fn error(otherwise: &Value) -> LoadError {
    match release("reads", &guest(), otherwise) {
        Ok(_) => panic!("the document was taken"),
        Err(error) => error,
    }
}

#[test]
fn a_document_of_another_contract_is_refused() {
    let error = error(&json!({"contract": "portcullis:policy@0.2.0", "grants": ["card", "device"]}));
    assert_eq!(
        error.to_string(),
        "contract: expected `portcullis:policy@0.1.0`, which the artifact was built for, found `portcullis:policy@0.2.0`"
    );
    assert_eq!(error.code(), "other_contract");
}

#[test]
fn a_document_names_the_contract_that_its_artifact_was_built_for() {
    let newer = guest().built_for(ContractVersion::V0_2);
    let under = |contract: &str| {
        let otherwise = json!({"contract": contract, "grants": ["card", "device"]});
        release("reads", &newer, &otherwise)
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    assert_eq!(under("portcullis:policy@0.2.0"), Ok(()));
    assert_eq!(
        under("portcullis:policy@0.1.0").unwrap_err(),
        "contract: expected `portcullis:policy@0.2.0`, which the artifact was built for, found `portcullis:policy@0.1.0`"
    );
}

#[test]
fn a_part_that_is_read_and_not_granted_is_refused_by_name() {
    for (grants, part) in [
        (json!([]), "card"),
        (json!(["card"]), "device"),
        (json!(["customer", "device", "metadata"]), "card"),
    ] {
        assert_eq!(
            error(&json!({"grants": grants})),
            LoadError::PartNotGranted { part }
        );
    }
    for grants in [
        json!(["card", "device"]),
        json!(["metadata", "device", "customer", "card"]),
    ] {
        assert!(release("reads", &guest(), &json!({"grants": grants})).is_ok());
    }
}

#[test]
fn a_parameter_that_the_policy_does_not_have_is_refused_with_those_it_has() {
    let grants = ["card", "device"];
    assert_eq!(
        error(&json!({"grants": grants, "parameters": {"max": 7}})).to_string(),
        "parameters.max: the policy has no such parameter; it has max_count, strict, list, countries"
    );
    let Err(error) = release("plain", &Guest::new(), &json!({"parameters": {"max": 7}})) else {
        panic!("the document was taken")
    };
    assert!(error.to_string().ends_with("it has none"), "{error}");
}

#[test]
fn a_parameter_of_another_kind_is_refused() {
    for (parameters, message) in [
        (
            json!({"max_count": "7"}),
            "parameters.max_count: expected integer, found string",
        ),
        (
            json!({"strict": 1}),
            "parameters.strict: expected bool, found integer",
        ),
        (
            json!({"list": []}),
            "parameters.list: expected string, found list of strings",
        ),
        (
            json!({"countries": false}),
            "parameters.countries: expected list of strings, found bool",
        ),
    ] {
        let error = error(&json!({"grants": ["card", "device"], "parameters": parameters}));
        assert_eq!(error.to_string(), message);
        assert_eq!(error.code(), "parameter_kind");
    }
}

#[test]
fn a_release_is_named_by_its_document_and_its_artifact() {
    let otherwise = json!({"sequence": 7, "version": "1.4.0", "priority": 20, "grants": ["card", "device"]});
    let release = release("reads", &guest(), &otherwise).unwrap();
    let identity = release.identity();
    assert_eq!(
        (&*identity.name, &*identity.version, identity.sequence),
        ("reads", "1.4.0", 7)
    );
    assert_eq!(*identity.digest, release.policy().digest().to_string());
    assert_eq!(release.order(), (20, "reads"));
}

/// Fills so many bytes of its memory by one instruction, behind which no deadline is looked at, and answers.
fn filling(bytes: u32) -> Guest {
    let mut guest = Guest::new().memory("160");
    let answer = guest.lay_out(&Answer::of(Outcome::Approve, 3));
    guest.then_evaluating(&format!(
        "(memory.fill (i32.const 65536) (i32.const 1) (i32.const {bytes})) (i32.const {answer})"
    ))
}

#[test]
fn one_instruction_over_much_memory_is_not_begun_on_the_thread_of_a_payment() {
    let unhurried = json!({"limits": {"fuel": 100_000_000, "deadline_ms": 1_000}});
    let release = release("fills", &filling(8_000_000), &unhurried).unwrap();
    let payment = payment("pay_1");
    let at_once = release.evaluate_at_once(&payment, cny(12_900), &[], &[]);
    assert_eq!(at_once, None);
    assert!(release.pace.is_slow());
    let called = release.call_in_lane(&payment, &[], &[]);
    assert_eq!(called.result.unwrap().score.value(), 3);
    assert!(called.fuel_used > 8_000_000, "{}", called.fuel_used);
}

#[test]
fn fuel_that_the_document_does_not_give_is_a_fault_on_the_thread_of_a_payment() {
    let poor = json!({"limits": {"fuel": 100_000, "deadline_ms": 1_000}});
    let release = release("fills", &filling(1_000_000), &poor).unwrap();
    let evaluation = release
        .evaluate_at_once(&payment("pay_1"), cny(12_900), &[], &[])
        .unwrap();
    let EvaluationResult::Fault { fault, .. } = &evaluation.result else {
        panic!("it answered")
    };
    assert_eq!(fault.kind, FaultKind::OutOfFuel, "{}", fault.detail);
    assert!(!release.pace.is_slow());
}

#[test]
fn beside_a_payment_the_deadline_is_one_of_the_processor_s_time() {
    let limits = Limits::new(1_000, 10, 65_536).unwrap();
    let verdict = || Verdict {
        outcome: Outcome::Approve,
        score: domain::risk::Score::default(),
        reasons: Vec::new(),
    };
    let ended = |kind| {
        Err(Fault {
            kind,
            detail: "".into(),
        })
    };
    let judged = |took_ms: u64, result| {
        let took = Duration::from_millis(took_ms);
        judged_by(took, &limits, result)
            .map(|_| ())
            .map_err(|fault| fault.kind)
    };
    assert_eq!(judged(10, Ok(verdict())), Ok(()));
    assert_eq!(judged(11, Ok(verdict())), Err(FaultKind::Deadline));
    // It spun for 80 ms on the wall, and had the processor for nearly as long as it may, or for hardly any of it.
    assert_eq!(judged(9, ended(FaultKind::Deadline)), Err(FaultKind::Deadline));
    assert_eq!(judged(4, ended(FaultKind::Deadline)), Err(FaultKind::Unavailable));
    assert_eq!(judged(0, ended(FaultKind::Trap)), Err(FaultKind::Trap));
    assert_eq!(unhurried(&limits).deadline_ms(), 80);
    let longest = Limits::new(1_000, MAX_DEADLINE_MS, 65_536).unwrap();
    assert_eq!(unhurried(&longest).deadline_ms(), MAX_DEADLINE_MS);
}
