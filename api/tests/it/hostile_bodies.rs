//! Whatever is sent: no 5xx, no panic, no secret in the answer.

use portcullis_api::Api;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use serde_json::{Map, Value};

use crate::caller::{CARD_NUMBER, full_payment, post_text};
use crate::fakes::World;

const PATHS: [&str; 2] = ["/v1/payments", "/v1/risk/decisions"];

/// Field names that exist, so that random objects get past the first check.
const NAMES: [&str; 12] = [
    "merchant_id",
    "amount",
    "card",
    "minor_units",
    "decimal",
    "currency",
    "number",
    "expiry_year",
    "metadata",
    "device",
    "ip",
    CARD_NUMBER,
];

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        Just(Value::from(CARD_NUMBER)),
        Just(Value::from("CNY")),
    ];
    leaf.prop_recursive(4, 48, 8, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((any_name(), inner), 0..8)
                .prop_map(|fields| Value::from(fields.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn any_name() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(&NAMES[..]).prop_map(str::to_owned),
        ".{0,20}",
    ]
}

/// The places of a document, as ways of names.
fn places(value: &Value, way: &mut Vec<String>, found: &mut Vec<Vec<String>>) {
    found.push(way.clone());
    for (name, inner) in value.as_object().into_iter().flatten() {
        way.push(name.clone());
        places(inner, way, found);
        way.pop();
    }
}

fn replaced(place: &prop::sample::Index, value: Value) -> Value {
    let mut body = full_payment();
    let mut found = Vec::new();
    places(&body, &mut Vec::new(), &mut found);
    let mut target = &mut body;
    for name in &found[place.index(found.len())] {
        target = &mut target[name.as_str()];
    }
    *target = value;
    body
}

fn check(runtime: &tokio::runtime::Runtime, api: &Api, body: &[u8]) -> Result<(), TestCaseError> {
    for path in PATHS {
        let answer = runtime.block_on(post_text(api, path, body.to_vec()));
        prop_assert!(!answer.status.is_server_error(), "{path}: {answer:?}");
        prop_assert!(!answer.text.contains(CARD_NUMBER), "{path}: {answer:?}");
        let is_json = serde_json::from_str::<Value>(&answer.text).is_ok();
        prop_assert!(is_json, "{path}: {answer:?}");
    }
    Ok(())
}

fn run<S: Strategy>(strategy: &S, body_of: impl Fn(S::Value) -> Vec<u8>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let api = World::new().api();
    let mut runner = TestRunner::new(Config {
        cases: 400,
        failure_persistence: None,
        ..Config::default()
    });
    runner
        .run(strategy, |value| check(&runtime, &api, &body_of(value)))
        .unwrap();
}

#[test]
fn random_json_is_refused_politely() {
    run(&any_json(), |value| value.to_string().into_bytes());
}

#[test]
fn a_payment_with_any_part_replaced_is_taken_or_refused_politely() {
    run(&(any::<prop::sample::Index>(), any_json()), |(place, value)| {
        replaced(&place, value).to_string().into_bytes()
    });
}

#[test]
fn a_payment_with_any_byte_changed_is_taken_or_refused_politely() {
    let text = full_payment().to_string().into_bytes();
    run(&(any::<prop::sample::Index>(), any::<u8>()), |(place, byte)| {
        let mut changed = text.clone();
        let position = place.index(changed.len());
        changed[position] = byte;
        changed
    });
}

#[test]
fn a_payment_cut_short_is_refused_politely() {
    let text = full_payment().to_string().into_bytes();
    run(&any::<prop::sample::Index>(), |place| {
        text[..place.index(text.len())].to_vec()
    });
}
