//! Whatever bytes a store holds: the parsers answer, and what was written is read back as it was.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::risk::{ApproveUpTo, FailureMode, FaultKind, Outcome, StandIn};
use portcullis_plugin_host::artifact::{ArtifactRef, MAX_ARTIFACT_BYTES};
use portcullis_plugin_host::digest::Digest;
use portcullis_plugin_host::document::{
    FailureOutcomes, Grants, Limits, ParameterName, ParameterValue, Parameters, PaymentPart, PolicyDocument,
    PolicyName, PolicyVersion, Publisher, Scope, Validity,
};
use portcullis_plugin_host::envelope::Envelope;
use portcullis_plugin_host::manifest::Manifest;
use portcullis_plugin_host::node_status::NodeStatus;
use portcullis_plugin_host::store::StoreLocation;
use proptest::prelude::*;

use crate::fixtures::{contract, document, envelope};

fn outcome() -> impl Strategy<Value = Outcome> {
    prop::sample::select(Outcome::ALL.as_slice())
}

fn stand_in() -> impl Strategy<Value = StandIn> {
    let amounts = prop::collection::vec(testkit::strategies::money(), 1..5);
    let up_to = (amounts, outcome()).prop_filter_map("an amount that is none", |(amounts, above)| {
        ApproveUpTo::new(amounts, above).ok().map(StandIn::from)
    });
    prop_oneof![outcome().prop_map(StandIn::from), up_to]
}

fn failure_outcomes() -> impl Strategy<Value = FailureOutcomes> {
    let chosen = prop::collection::vec(
        (prop::sample::select(FaultKind::ALL.as_slice()), stand_in()),
        0..12,
    );
    (stand_in(), chosen).prop_map(|(default, chosen)| {
        chosen
            .into_iter()
            .fold(FailureMode::new(default), |mode, (kind, stand_in)| {
                mode.with(kind, stand_in)
            })
            .into()
    })
}

fn scope() -> impl Strategy<Value = Scope> {
    let merchants = prop::collection::btree_set("[A-Za-z0-9_.-]{1,64}", 1..20);
    let scope =
        (merchants, any::<bool>(), 1_i64..=1_000_000_000_000_000).prop_map(|(merchants, all, minimum)| {
            let currencies = if all { vec!["*"] } else { vec!["CNY", "EUR"] };
            let scope = serde_json::json!({
                "merchants": merchants, "currencies": currencies, "minimum_amount": {"CNY": minimum},
            });
            serde_json::from_value(scope).unwrap()
        });
    prop_oneof![Just(Scope::default()), scope]
}

fn parameters() -> impl Strategy<Value = Parameters> {
    let value = prop_oneof![
        any::<i64>().prop_map(ParameterValue::Integer),
        ".{0,200}".prop_map(ParameterValue::Text),
        any::<bool>().prop_map(ParameterValue::Flag),
        prop::collection::vec(".{0,20}", 0..20).prop_map(ParameterValue::Texts),
    ];
    prop::collection::btree_map("[A-Za-z0-9_.-]{1,64}", value, 0..20).prop_map(|map| {
        let named = map
            .into_iter()
            .map(|(name, value)| (ParameterName::parse(&name).unwrap(), value));
        Parameters::new(named.collect::<BTreeMap<_, _>>()).unwrap()
    })
}

fn limits() -> impl Strategy<Value = Limits> {
    (1_u64..=1_000_000_000, 1_u32..=1_000, 65_536_u64..=268_435_456)
        .prop_map(|(fuel, deadline_ms, memory_bytes)| Limits::new(fuel, deadline_ms, memory_bytes).unwrap())
}

fn validity() -> impl Strategy<Value = Validity> {
    let moment = || 0_u64..=253_402_207_200_000;
    (prop::option::of(moment()), prop::option::of(moment())).prop_map(|(one, other)| {
        let moment = |millis: Option<u64>| millis.map(Timestamp::from_unix_millis);
        match (one, other) {
            (Some(one), Some(other)) if one == other => Validity::default(),
            (Some(one), Some(other)) => {
                Validity::new(moment(Some(one.min(other))), moment(Some(one.max(other)))).unwrap()
            }
            _ => Validity::new(moment(one), moment(other)).unwrap(),
        }
    })
}

fn documents() -> impl Strategy<Value = PolicyDocument> {
    let said = (failure_outcomes(), scope(), parameters(), limits(), validity());
    let named = (
        "[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?",
        "[^\\p{Cc}]{1,16}",
        1_u64..(1 << 53),
    );
    let rest = (
        any::<[u8; 32]>(),
        1..=MAX_ARTIFACT_BYTES,
        0_u32..=1_000_000,
        0_usize..16,
    );
    (said, named, rest).prop_map(|(said, named, rest)| {
        let (failure_outcomes, scope, parameters, limits, validity) = said;
        let (name, version, sequence) = named;
        let (digest, size, priority, grants) = rest;
        let granted = PaymentPart::ALL
            .into_iter()
            .filter(|part| grants & (1 << *part as usize) != 0);
        PolicyDocument {
            name: PolicyName::parse(&name).unwrap(),
            sequence,
            version: PolicyVersion::parse(&version).unwrap(),
            contract: contract(),
            artifact: ArtifactRef::new(Digest::from_bytes(digest), size).unwrap(),
            limits,
            failure_outcomes,
            priority,
            scope,
            parameters,
            grants: granted.collect::<Grants>(),
            candidate: None,
            validity,
            published_at: Timestamp::from_unix_millis(sequence % 253_402_207_200_000),
            publisher: Publisher::parse("risk-team").unwrap(),
        }
    })
}

proptest! {
    #[test]
    fn a_document_is_read_as_it_was_written(document in documents()) {
        let json = document.to_json();
        let read = PolicyDocument::parse(&json).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(&read, &document);
        prop_assert_eq!(read.to_json(), json);
        let envelope = Envelope::unsigned(&document);
        let stored = Envelope::parse(&envelope.to_json()).unwrap();
        prop_assert_eq!(&stored, &envelope);
        prop_assert_eq!(stored.document().unwrap(), document);
    }

    #[test]
    fn random_bytes_are_refused_and_never_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..512)) {
        prop_assert!(Envelope::parse(&bytes).is_err());
        prop_assert!(PolicyDocument::parse(&bytes).is_err());
        prop_assert!(NodeStatus::parse(&bytes).is_err());
    }

    #[test]
    fn random_texts_are_answered_by_every_parser(text in ".{0,300}") {
        prop_assert!(Manifest::parse("policy.toml", &text).is_err());
        prop_assert!(Digest::parse(&text).is_err());
        drop(text.parse::<StoreLocation>());
        drop(PolicyName::parse(&text));
    }

    #[test]
    fn an_altered_byte_is_an_error_or_another_document(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let original = document("velocity-limit", 7);
        let mut json = original.to_json();
        let at = at.index(json.len());
        json[at] = byte;
        if let Ok(read) = PolicyDocument::parse(&json) {
            prop_assert_eq!(read == original, json == original.to_json());
        }
        let mut stored = envelope("velocity-limit", 7).to_vec();
        let at = at % stored.len();
        stored[at] = byte;
        if let Ok(read) = Envelope::parse(&stored) {
            drop(read.document());
        }
    }
}
