//! Signed documents: what a node that trusts keys takes, and that whatever it refuses leaves what is in force in force.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::document::Moment;
use crate::envelope::PAYLOAD_TYPE;
use crate::signing::tests::{asking, ed25519, entry, key, signed};
use crate::signing::{Algorithm, SigningKey, TrustedKeyConfig};

/// Whom the node trusts: one key for everything, an SM2 key for some policies, one whose time is over, one whose time has not
/// come.
struct Keys {
    team: SigningKey,
    velocity: SigningKey,
    old: SigningKey,
    next: SigningKey,
    stranger: SigningKey,
}

fn moment(at: Timestamp) -> Option<Moment> {
    Some(Moment(at))
}

impl Keys {
    fn new() -> Self {
        Self {
            team: ed25519(1),
            velocity: key(Algorithm::Sm2, 2),
            old: ed25519(3),
            next: ed25519(4),
            stranger: ed25519(9),
        }
    }

    fn config(&self, threshold: u32) -> Config {
        let velocity = TrustedKeyConfig {
            policies: vec!["velocity-*".to_owned()],
            ..entry("velocity", &self.velocity)
        };
        let old = TrustedKeyConfig {
            not_after: moment(Timestamp::from_unix_millis(NOW.unix_millis() - 1)),
            ..entry("old", &self.old)
        };
        let next = TrustedKeyConfig {
            not_before: moment(after(600)),
            ..entry("next", &self.next)
        };
        let keys = vec![entry("team", &self.team), velocity, old, next];
        Config {
            signatures: asking(threshold, keys),
            ..small_config(1)
        }
    }
}

/// A document's envelope with the signatures of these keys.
fn envelope_by(keys: &[&SigningKey], name: &str, component: &[u8], otherwise: &Value) -> Envelope {
    signed(Envelope::unsigned(&document(name, component, otherwise)), keys)
}

/// Stores a component and its document.
fn publish_by(scene: &Scene, keys: &[&SigningKey], name: &str, component: &[u8], otherwise: &Value) {
    scene.store.put_artifact(component);
    let envelope = envelope_by(keys, name, component, otherwise);
    scene.store.commit(vec![(name, Some(envelope.to_json()))]);
}

/// The envelope with one of its fields altered.
fn altered(envelope: &Envelope, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut wire: Value = serde_json::from_slice(&envelope.to_json()).unwrap();
    change(&mut wire);
    wire.to_string().into_bytes()
}

/// The envelope with another payload under the same signatures.
fn with_payload(envelope: &Envelope, payload: &[u8]) -> Vec<u8> {
    altered(envelope, |wire| wire["payload"] = json!(STANDARD.encode(payload)))
}

/// What is wrong with a document, the code of its refusal, and its value under the key `alpha`.
type Bad = (&'static str, &'static str, Vec<u8>);

/// A document of `alpha`, on which sequence 5 is in force.
fn alpha(by: &[&SigningKey], otherwise: &Value) -> Envelope {
    let mut fields = json!({"sequence": 6});
    fields
        .as_object_mut()
        .unwrap()
        .extend(otherwise.as_object().unwrap().clone());
    envelope_by(by, "alpha", &scoring(1), &fields)
}

/// Documents whose signatures are not enough.
fn not_rightly_signed(keys: &Keys) -> Vec<Bad> {
    let by = |by: &[&SigningKey]| alpha(by, &json!({}));
    let other = alpha(&[&keys.team], &json!({"priority": 1}));
    let seven = document("alpha", &scoring(1), &json!({"sequence": 7}));
    vec![
        ("no signature", "signature_missing", by(&[]).to_json()),
        (
            "no signature, and no document either: nothing of it is read",
            "signature_missing",
            with_payload(&by(&[]), b"garbage"),
        ),
        (
            "the signatures taken off",
            "signature_missing",
            altered(&other, |wire| wire["signatures"] = json!([])),
        ),
        (
            "signed by somebody",
            "signature_untrusted",
            by(&[&keys.stranger]).to_json(),
        ),
        (
            "signed for another document of the same policy",
            "signature_invalid",
            with_payload(&other, &seven.to_json()),
        ),
        (
            "altered after it was signed",
            "signature_invalid",
            with_payload(&other, &[other.payload(), b" "].concat()),
        ),
        (
            "another type of payload",
            "payload_type",
            altered(&other, |wire| wire["payloadType"] = json!("application/json")),
        ),
        (
            "signed as another type of payload",
            "signature_invalid",
            swapped_type(&by(&[]), &keys.team),
        ),
        (
            "signed while its key was trusted",
            "signature_key_expired",
            by(&[&keys.old]).to_json(),
        ),
        (
            "signed before its key is trusted",
            "signature_key_not_yet_valid",
            by(&[&keys.next]).to_json(),
        ),
        (
            "signed with a key for other policies",
            "signature_key_not_allowed",
            by(&[&keys.velocity]).to_json(),
        ),
    ]
}

/// Documents that are signed as they should be, and refused by a later check.
fn rightly_signed(scene: &Scene, keys: &Keys) -> Vec<Bad> {
    let team: &[&SigningKey] = &[&keys.team];
    let six = json!({"sequence": 6});
    scene.store.put_chunk(Digest::of(b"names"), b"other");
    vec![
        (
            "signed for another name",
            "name_mismatch",
            envelope_by(team, "bravo", &scoring(1), &six).to_json(),
        ),
        (
            "signed long ago",
            "sequence_replayed",
            alpha(team, &json!({"sequence": 4})).to_json(),
        ),
        (
            "signed for later",
            "not_yet_valid",
            alpha(team, &json!({"not_before": "2030-01-01T00:00:00Z"})).to_json(),
        ),
        (
            "signed until earlier",
            "expired",
            alpha(team, &json!({"not_after": "2026-01-02T00:00:00Z"})).to_json(),
        ),
        (
            "a right signature over an artifact that is not there",
            "chunk_missing",
            envelope_by(team, "alpha", b"never stored", &six).to_json(),
        ),
        (
            "a right signature over other bytes than are there",
            "digest_mismatch",
            envelope_by(team, "alpha", b"names", &six).to_json(),
        ),
        (
            "a right signature over what the policy does not know",
            "unknown_parameter",
            alpha(team, &json!({"parameters": {"max": 1}})).to_json(),
        ),
    ]
}

/// A signature by a trusted key of the same payload as another type, under the right type.
fn swapped_type(envelope: &Envelope, key: &SigningKey) -> Vec<u8> {
    let type_of_same_length = PAYLOAD_TYPE.replace("policy+json", "report+json");
    let encoded = String::from_utf8(envelope.pre_authentication_encoding()).unwrap();
    let other = encoded.replacen(PAYLOAD_TYPE, &type_of_same_length, 1);
    assert_ne!(encoded, other);
    let sig = STANDARD.encode(key.sign_message(other.as_bytes()).unwrap());
    altered(envelope, |wire| {
        wire["signatures"] = json!([{"keyid": key.id().as_str(), "sig": sig}]);
    })
}

#[tokio::test(start_paused = true)]
async fn a_document_that_is_not_rightly_signed_leaves_what_is_in_force_in_force() {
    let keys = Keys::new();
    let scene = Scene::start_with(&keys.config(1), InMemoryPolicyStore::new());
    let team: &[&SigningKey] = &[&keys.team];
    publish_by(&scene, team, "alpha", &scoring(1), &json!({"sequence": 5}));
    scene.in_force("alpha", 5).await;
    let bad = [not_rightly_signed(&keys), rightly_signed(&scene, &keys)].concat();
    for (what, code, bad) in bad {
        scene.store.commit(vec![("alpha", Some(bad))]);
        let refused = scene.refused("alpha", code).await;
        assert_eq!(refused.sequence, Some(5), "{what}");
        assert_eq!(scene.scores().await, [scored("alpha", 1)], "{what}");
        // Back to what is in force, so that the next refusal is news.
        publish_by(&scene, team, "alpha", &scoring(1), &json!({"sequence": 5}));
        assert_eq!(scene.in_force("alpha", 5).await.error, None, "{what}");
    }
    // What was refused does not count as seen: the next sequence is taken.
    publish_by(&scene, team, "alpha", &scoring(2), &json!({"sequence": 6}));
    scene.in_force("alpha", 6).await;
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_key_signs_what_it_may() {
    let keys = Keys::new();
    let scene = Scene::start_with(&keys.config(1), InMemoryPolicyStore::new());
    publish_by(
        &scene,
        &[&keys.velocity],
        "velocity-limit",
        &scoring(2),
        &json!({}),
    );
    scene.in_force("velocity-limit", 1).await;
    // A document for one policy that its key may sign, put under another that it may not.
    let moved = envelope_by(
        &[&keys.velocity],
        "velocity-limit",
        &scoring(2),
        &json!({"sequence": 9}),
    );
    scene.store.commit(vec![("alpha", Some(moved.to_json()))]);
    scene.refused("alpha", "signature_key_not_allowed").await;
    // And under another that it may.
    scene
        .store
        .commit(vec![("velocity-other", Some(moved.to_json()))]);
    scene.refused("velocity-other", "name_mismatch").await;
    assert_eq!(scene.scores().await, [scored("velocity-limit", 2)]);
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_document_comes_into_force_with_its_last_missing_signature() {
    let keys = Keys::new();
    let scene = Scene::start_with(&keys.config(2), InMemoryPolicyStore::new());
    let component = scoring(3);
    publish_by(&scene, &[&keys.team], "velocity-limit", &component, &json!({}));
    let refused = scene.refused("velocity-limit", "signatures_too_few").await;
    let message = refused.error.unwrap().message;
    assert!(message.starts_with("found 1 of 2"), "{message}");
    // The same payload under the same sequence, with one signature more.
    let both: &[&SigningKey] = &[&keys.team, &keys.velocity];
    publish_by(&scene, both, "velocity-limit", &component, &json!({}));
    scene.in_force("velocity-limit", 1).await;
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_document_comes_into_force_when_the_time_of_its_key_has_come() {
    let keys = Keys::new();
    let scene = Scene::start_with(&keys.config(1), InMemoryPolicyStore::new());
    publish_by(&scene, &[&keys.next], "alpha", &scoring(1), &json!({}));
    scene.refused("alpha", "signature_key_not_yet_valid").await;
    scene.clock.set(after(600));
    scene.in_force("alpha", 1).await;
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_key_whose_time_ends_is_told_and_what_it_signed_decides_on_until_it_is_signed_again() {
    let keys = Keys::new();
    let ending = TrustedKeyConfig {
        not_after: moment(after(600)),
        ..entry("2025", &keys.team)
    };
    let config = Config {
        signatures: asking(1, vec![ending, entry("2026", &keys.next)]),
        ..small_config(1)
    };
    let scene = Scene::start_with(&config, InMemoryPolicyStore::new());
    let component = scoring(1);
    publish_by(&scene, &[&keys.team], "alpha", &component, &json!({}));
    publish_by(
        &scene,
        &[&keys.team, &keys.next],
        "bravo",
        &scoring(2),
        &json!({}),
    );
    scene.in_force("bravo", 1).await;
    scene.in_force("alpha", 1).await;
    scene.clock.set(after(601));
    let alpha = scene.refused("alpha", "signature_key_expired").await;
    assert_eq!(alpha.sequence, Some(1));
    let message = alpha.error.unwrap().message;
    assert!(message.contains("it stays in force here"), "{message}");
    assert_eq!(scene.scores().await, [scored("alpha", 1), scored("bravo", 2)]);
    // What the new key had signed as well is as it was.
    assert!(scene.status_of("bravo").refused.is_none());
    // The new key's signature is added: the same document, under the same sequence.
    publish_by(&scene, &[&keys.team, &keys.next], "alpha", &component, &json!({}));
    assert_eq!(scene.in_force("alpha", 1).await.error, None);
    let store = Arc::clone(&scene.store);
    scene.end().await;
    // A node that starts after that time takes what the new key has signed, and nothing else.
    let old = envelope_by(&[&keys.team], "alpha", &component, &json!({}));
    store.commit(vec![("alpha", Some(old.to_json()))]);
    let late = Scene::start_with(&config, store);
    late.clock.set(after(601));
    let alpha = late.refused("alpha", "signature_key_expired").await;
    assert_eq!(alpha.sequence, None);
    late.in_force("bravo", 1).await;
    assert_eq!(late.scores().await, [scored("bravo", 2)]);
    late.end().await;
}

#[tokio::test(start_paused = true)]
async fn an_artifact_that_is_altered_after_it_was_loaded_changes_nothing_and_loads_nowhere() {
    let keys = Keys::new();
    let store = InMemoryPolicyStore::new();
    let scene = Scene::start_with(&keys.config(1), Arc::clone(&store));
    let component = scoring(1);
    let team: &[&SigningKey] = &[&keys.team];
    publish_by(&scene, team, "alpha", &component, &json!({}));
    scene.in_force("alpha", 1).await;
    let mut other = component.clone();
    let last = other.len() - 1;
    other[last] ^= 1;
    store.put_chunk(Digest::of(&component), other.leak());
    // Also a document that is written again: the node has what it loaded, and asks for it no more.
    let again = envelope_by(team, "alpha", &component, &json!({"sequence": 2}));
    store.commit(vec![("alpha", Some(again.to_json()))]);
    scene.in_force("alpha", 2).await;
    assert_eq!(scene.scores().await, [scored("alpha", 1)]);
    scene.end().await;
    // A node that has loaded nothing yet sees what is there now.
    let late = Scene::start_with(&keys.config(1), store);
    late.refused("alpha", "digest_mismatch").await;
    assert!(late.scores().await.is_empty());
    late.end().await;
}
