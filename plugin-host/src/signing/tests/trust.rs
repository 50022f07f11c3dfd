//! Which signatures are enough.

use domain::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::document::{Moment, PolicyName};
use crate::envelope::{MAX_SIGNATURES, Signature};

fn policy(text: &str) -> PolicyName {
    PolicyName::parse(text).unwrap()
}

fn at(text: &str) -> Timestamp {
    Moment::parse(text).unwrap().0
}

fn now() -> Timestamp {
    at("2026-06-01T00:00:00Z")
}

/// A node that asks for so many of these.
fn trusting(threshold: u32, keys: Vec<TrustedKeyConfig>) -> TrustedKeys {
    asking(threshold, keys).trusted_keys().unwrap()
}

fn verified(trusted: &TrustedKeys, envelope: &Envelope) -> Result<Vec<String>, SignatureRefusal> {
    let signed = trusted.verify(envelope, &policy("velocity-limit"), now())?;
    Ok(signed.by.iter().map(ToString::to_string).collect())
}

#[track_caller]
fn refused(trusted: &TrustedKeys, envelope: &Envelope, code: &str) -> String {
    let refusal = verified(trusted, envelope).unwrap_err();
    assert_eq!(refusal.code(), code, "{refusal}");
    refusal.to_string()
}

fn signature(keyid: &str, sig: Vec<u8>) -> Signature {
    Signature {
        keyid: keyid.to_owned(),
        sig,
    }
}

/// The envelope's signatures under another id.
fn renamed(envelope: &Envelope, keyid: &str) -> Envelope {
    let bare = around(std::str::from_utf8(envelope.payload()).unwrap());
    envelope.signatures().iter().fold(bare, |bare, made| {
        bare.with_signature(signature(keyid, made.sig.clone())).unwrap()
    })
}

#[test]
fn without_trusted_keys_every_document_is_taken() {
    let trusted = TrustedKeys::default();
    assert_eq!(verified(&trusted, &around("{}")), Ok(Vec::new()));
    assert_eq!(
        verified(&trusted, &signed(around("{}"), &[&ed25519(1)])),
        Ok(Vec::new())
    );
}

#[test]
fn a_document_without_signatures_is_not_taken_once_a_key_is_trusted() {
    let trusted = trusting(1, vec![entry("team", &ed25519(1))]);
    let said = refused(&trusted, &around("{}"), "signature_missing");
    assert!(said.contains("expected 1 by trusted keys"), "{said}");
}

#[test]
fn a_trusted_signature_of_either_algorithm_is_enough() {
    for algorithm in BOTH {
        let team = key(algorithm, 1);
        let trusted = trusting(1, vec![entry("other", &ed25519(9)), entry("team", &team)]);
        assert_eq!(
            verified(&trusted, &signed(around("{}"), &[&team])),
            Ok(vec!["team".to_owned()])
        );
    }
}

#[test]
fn a_signature_by_a_stranger_is_refused_with_his_id() {
    let trusted = trusting(1, vec![entry("team", &ed25519(1))]);
    let stranger = ed25519(2);
    let said = refused(
        &trusted,
        &signed(around("{}"), &[&stranger]),
        "signature_untrusted",
    );
    assert!(said.contains(stranger.id().as_str()), "{said}");
    // Also where he names nobody, and where what he names himself is meant for a terminal.
    let unnamed = renamed(&signed(around("{}"), &[&stranger]), "");
    let said = refused(&trusted, &unnamed, "signature_untrusted");
    assert!(said.contains("names no key"), "{said}");
    let odd = renamed(&unnamed, "\u{1b}[2J");
    assert!(!refused(&trusted, &odd, "signature_untrusted").contains('\u{1b}'));
}

#[test]
fn a_signature_of_another_document_is_invalid() {
    let team = ed25519(1);
    let trusted = trusting(1, vec![entry("team", &team)]);
    let other = signed(around(r#"{"sequence": 1}"#), &[&team]);
    let moved = around(r#"{"sequence": 2}"#)
        .with_signature(other.signatures()[0].clone())
        .unwrap();
    let said = refused(&trusted, &moved, "signature_invalid");
    assert!(said.contains("`team`"), "{said}");
    // Without the hint whose it is, it is nobody's.
    refused(&trusted, &renamed(&moved, ""), "signature_untrusted");
}

#[test]
fn a_signature_over_another_type_of_payload_is_invalid() {
    let team = ed25519(1);
    let trusted = trusting(1, vec![entry("team", &team)]);
    let envelope = around("{}");
    let (head, tail) = ("DSSEv1 38 ", " 2 {}");
    let encoded = String::from_utf8(envelope.pre_authentication_encoding()).unwrap();
    assert_eq!(encoded, format!("{head}{PAYLOAD_TYPE}{tail}"));
    for message in [
        // The same length, another type.
        format!("{head}application/vnd.portcullis.payout+json{tail}"),
        // The payload alone, as naive tools sign it.
        "{}".to_owned(),
    ] {
        let sig = team.sign_message(message.as_bytes()).unwrap();
        let swapped = envelope
            .clone()
            .with_signature(signature(team.id().as_str(), sig))
            .unwrap();
        refused(&trusted, &swapped, "signature_invalid");
    }
}

#[test]
fn a_hint_is_no_more_than_a_hint() {
    let (one, two) = (ed25519(1), key(Algorithm::Sm2, 2));
    let trusted = trusting(1, vec![entry("one", &one), entry("two", &two)]);
    let by_two = signed(around("{}"), &[&two]);
    // None is held against every key.
    assert_eq!(
        verified(&trusted, &renamed(&by_two, "")),
        Ok(vec!["two".to_owned()])
    );
    // A wrong one makes nobody the signer.
    refused(
        &trusted,
        &renamed(&by_two, one.id().as_str()),
        "signature_invalid",
    );
    // An unknown one is passed over, and does no harm to the others.
    let with_noise = signed(
        around("{}").with_signature(signature("k1", vec![1])).unwrap(),
        &[&ed25519(7), &one],
    );
    assert_eq!(verified(&trusted, &with_noise), Ok(vec!["one".to_owned()]));
}

#[test]
fn as_many_keys_as_asked_for_must_sign_and_each_counts_once() {
    let keys = [ed25519(1), key(Algorithm::Sm2, 2), ed25519(3)];
    let [one, two, three] = &keys;
    let trusted = trusting(
        2,
        vec![entry("one", one), entry("two", two), entry("three", three)],
    );
    let both = ["one".to_owned(), "two".to_owned()];
    assert_eq!(
        verified(&trusted, &signed(around("{}"), &[one, two])),
        Ok(both.to_vec())
    );
    assert_eq!(
        verified(&trusted, &signed(around("{}"), &[three, two, one]))
            .unwrap()
            .len(),
        3
    );
    let said = refused(&trusted, &signed(around("{}"), &[one]), "signatures_too_few");
    assert!(
        said.starts_with("found 1 of 2 signatures by trusted keys (`one`"),
        "{said}"
    );
    // The same key again, under its name and without one.
    let once = signed(around("{}"), &[one]);
    let again = once
        .clone()
        .with_signature(signature("", once.signatures()[0].sig.clone()))
        .unwrap();
    assert_eq!(again.signatures().len(), 2);
    refused(&trusted, &again, "signatures_too_few");
    let said = refused(
        &trusted,
        &signed(around("{}"), &[one, &ed25519(9)]),
        "signatures_too_few",
    );
    assert!(said.contains("of the others: the key `ed25519:"), "{said}");
}

#[test]
fn a_key_counts_within_its_time_alone() {
    let team = ed25519(1);
    let with = |from: Option<&str>, until: Option<&str>| {
        let moment = |text: &str| Moment::parse(text).unwrap();
        let key = TrustedKeyConfig {
            not_before: from.map(moment),
            not_after: until.map(moment),
            ..entry("team", &team)
        };
        trusting(1, vec![key])
    };
    let envelope = signed(around("{}"), &[&team]);
    // Both ends belong to it.
    for (from, until) in [
        (Some("2026-06-01T00:00:00Z"), None),
        (None, Some("2026-06-01T00:00:00Z")),
        (Some("2026-01-01T00:00:00Z"), Some("2027-01-01T00:00:00Z")),
    ] {
        assert!(verified(&with(from, until), &envelope).is_ok());
    }
    let early = with(Some("2026-06-01T00:00:00.001Z"), None);
    let said = refused(&early, &envelope, "signature_key_not_yet_valid");
    assert!(
        said.contains("trusted from 2026-06-01T00:00:00.001Z on"),
        "{said}"
    );
    let late = with(None, Some("2026-05-31T23:59:59.999Z"));
    let said = refused(&late, &envelope, "signature_key_expired");
    assert!(said.contains("sign it with a key that is trusted now"), "{said}");
    for trusted in [early, late] {
        assert!(verified(&trusted, &envelope).unwrap_err().depends_on_the_time());
    }
    // A signature that does not verify is not one of a lapsed key.
    let forged = around("{}")
        .with_signature(signature(team.id().as_str(), vec![0; SIGNATURE_BYTES]))
        .unwrap();
    refused(
        &with(None, Some("2026-01-01T00:00:00Z")),
        &forged,
        "signature_invalid",
    );
}

#[test]
fn enough_is_until_too_few_of_the_keys_are_trusted() {
    let keys = [ed25519(1), ed25519(2), ed25519(3)];
    let ends = [Some("2027-03-01T00:00:00Z"), Some("2027-01-01T00:00:00Z"), None];
    let entries = keys
        .iter()
        .zip(ends)
        .enumerate()
        .map(|(index, (key, end))| TrustedKeyConfig {
            not_after: end.map(|end| Moment::parse(end).unwrap()),
            ..entry(&format!("key-{index}"), key)
        });
    let entries: Vec<_> = entries.collect();
    let envelope = signed(around("{}"), &keys.each_ref());
    for (threshold, until) in [
        (1, None),
        (2, Some("2027-03-01T00:00:00Z")),
        (3, Some("2027-01-01T00:00:00Z")),
    ] {
        let trusted = trusting(threshold, entries.clone());
        let signed = trusted
            .verify(&envelope, &policy("velocity-limit"), now())
            .unwrap();
        assert_eq!(
            signed.holds_until.map(|moment| moment.to_string()).as_deref(),
            until
        );
    }
}

#[test]
fn a_key_signs_the_policies_it_may_and_no_others() {
    let (team, chief) = (ed25519(1), ed25519(2));
    let key = TrustedKeyConfig {
        policies: vec!["velocity-*".to_owned(), "amount-ceiling".to_owned()],
        ..entry("team", &team)
    };
    let trusted = trusting(1, vec![key, entry("chief", &chief)]);
    let verify =
        |name: &str, by: &SigningKey| trusted.verify(&signed(around("{}"), &[by]), &policy(name), now());
    assert!(verify("velocity-limit", &team).is_ok());
    assert!(verify("amount-ceiling", &team).is_ok());
    assert!(verify("list-guard", &chief).is_ok());
    let refusal = verify("list-guard", &team).unwrap_err();
    assert_eq!(refusal.code(), "signature_key_not_allowed");
    assert!(!refusal.depends_on_the_time());
    let said = refusal.to_string();
    assert!(
        said.contains("may not sign `list-guard`, only `velocity-*`, `amount-ceiling`"),
        "{said}"
    );
}

#[test]
fn an_old_key_and_its_successor_are_trusted_side_by_side() {
    let (old, new) = (ed25519(1), ed25519(2));
    let lapsed = TrustedKeyConfig {
        not_after: Some(Moment::parse("2026-05-01T00:00:00Z").unwrap()),
        ..entry("2025", &old)
    };
    let during = trusting(1, vec![entry("2025", &old), entry("2026", &new)]);
    let after = trusting(1, vec![lapsed, entry("2026", &new)]);
    let (by_old, by_both) = (signed(around("{}"), &[&old]), signed(around("{}"), &[&old, &new]));
    assert_eq!(verified(&during, &by_old), Ok(vec!["2025".to_owned()]));
    assert_eq!(verified(&during, &by_both).unwrap().len(), 2);
    refused(&after, &by_old, "signature_key_expired");
    assert_eq!(verified(&after, &by_both), Ok(vec!["2026".to_owned()]));
}

#[test]
fn what_is_verified_of_an_envelope_is_bounded() {
    // As many keys as may be trusted, and as many signatures without a name as fit: 256 verifications, were there no bound.
    let keys: Vec<SigningKey> = (1..=16).map(ed25519).collect();
    let entries = keys.iter().enumerate();
    let entries = entries
        .map(|(index, key)| entry(&format!("key-{index}"), key))
        .collect();
    let trusted = trusting(1, entries);
    let noise = serde_json::json!(vec![serde_json::json!({"sig": "AAAA"}); MAX_SIGNATURES - 1]);
    let mut wire: serde_json::Value = serde_json::from_slice(&around("{}").to_json()).unwrap();
    wire["signatures"] = noise;
    let read = |wire: &serde_json::Value| Envelope::parse(wire.to_string().as_bytes()).unwrap();
    // The last key's signature behind all that is not looked at any more.
    let behind = signed(read(&wire), &[&keys[15]]);
    assert_eq!(behind.signatures().len(), MAX_SIGNATURES);
    refused(&trusted, &behind, "signature_invalid");
    // Before it, it is.
    let mut first: serde_json::Value = serde_json::from_slice(&behind.to_json()).unwrap();
    first["signatures"].as_array_mut().unwrap().rotate_right(1);
    assert_eq!(verified(&trusted, &read(&first)), Ok(vec!["key-15".to_owned()]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever byte of a signed message or of its signature is altered, and however: it does not verify.
    #[test]
    fn an_altered_byte_never_verifies(
        payload in proptest::collection::vec(any::<u8>(), 1..200),
        number in 1_u8..=250,
        sm2 in any::<bool>(),
        place in any::<prop::sample::Index>(),
        change in 1_u8..=255,
    ) {
        let key = key(if sm2 { Algorithm::Sm2 } else { Algorithm::Ed25519 }, number);
        let mut message = format!("DSSEv1 {} {PAYLOAD_TYPE} {} ", PAYLOAD_TYPE.len(), payload.len()).into_bytes();
        message.extend_from_slice(&payload);
        let mut signature = key.sign_message(&message).unwrap();
        prop_assert!(key.public().verifies(&message, &signature));
        // Type, lengths and payload are all in the message.
        let place_in_message = place.index(message.len());
        message[place_in_message] ^= change;
        prop_assert!(!key.public().verifies(&message, &signature));
        message[place_in_message] ^= change;
        signature[place.index(SIGNATURE_BYTES)] ^= change;
        prop_assert!(!key.public().verifies(&message, &signature));
    }

    /// The same of a stored envelope, byte by byte of its JSON: it is none any more, it is not taken, or it says the same.
    #[test]
    fn an_altered_envelope_is_not_taken_or_says_the_same(
        place in any::<prop::sample::Index>(),
        change in 1_u8..=255,
    ) {
        let team = ed25519(1);
        let trusted = trusting(1, vec![entry("team", &team)]);
        let envelope = signed(around(r#"{"name": "velocity-limit", "sequence": 7}"#), &[&team]);
        let mut bytes = envelope.to_json();
        let place = place.index(bytes.len());
        bytes[place] ^= change;
        if let Ok(read) = Envelope::parse(&bytes)
            && verified(&trusted, &read).is_ok()
        {
            // The padding of base64, the name of a field that may be absent: what was signed is what is read.
            prop_assert_eq!(read.payload(), envelope.payload());
        }
    }
}
