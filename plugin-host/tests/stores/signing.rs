//! Publishing with signatures, and adding one to what is published.

use portcullis_plugin_host::digest::Digest;
use portcullis_plugin_host::envelope::{Envelope, MAX_SIGNATURES, Signature};
use portcullis_plugin_host::publish::{Change, Countersigned, Plan, Proposal, PublishError, countersign};
use portcullis_plugin_host::signing::{
    Algorithm, SignaturesConfig, SigningKey, TrustedKeyConfig, TrustedKeys,
};
use portcullis_plugin_host::store::{HistoryWrite, PolicyStore, Transaction};

use crate::backend;
use crate::fixtures::*;

fn key(number: u8) -> SigningKey {
    let algorithm = if number.is_multiple_of(2) {
        Algorithm::Sm2
    } else {
        Algorithm::Ed25519
    };
    SigningKey::from_secret(algorithm, &[number; 32]).unwrap()
}

/// Nodes that ask for the signatures of so many of these.
fn trusting(threshold: u32, keys: &[SigningKey]) -> TrustedKeys {
    let entry = |key: &SigningKey| TrustedKeyConfig {
        name: key.id().as_str()[..20].to_owned(),
        public_key: Some(key.public().to_pem()),
        ..TrustedKeyConfig::default()
    };
    let keys = keys.iter().map(entry).collect();
    SignaturesConfig { threshold, keys }.trusted_keys().unwrap()
}

async fn stored(store: &dyn PolicyStore) -> Envelope {
    let stored = store.get(&name("a")).await.unwrap().unwrap();
    Envelope::parse(&stored.value).unwrap()
}

fn keyids(envelope: &Envelope) -> Vec<&str> {
    envelope.signatures().iter().map(|s| s.keyid.as_str()).collect()
}

async fn prepare(
    store: &dyn PolicyStore,
    digest: Option<&Digest>,
    signers: &[SigningKey],
    trusted: &TrustedKeys,
) -> Result<Countersigned, PublishError> {
    Countersigned::prepare(store, &name("a"), digest, signers, trusted, now()).await
}

#[tokio::test]
async fn what_is_published_with_keys_holds_for_nodes_that_trust_them() {
    let backend = backend::directory();
    let store = backend.store.as_ref();
    let keys = [key(1), key(2)];
    let trusted = trusting(2, &keys);
    let publications = [publication("a", "1.0.0", b"one")];
    let outcome = push(store, &publications, &terms_of(&keys, &trusted))
        .await
        .unwrap();
    assert_eq!(outcome.policies[0].change, Change::Published);
    let ids = [keys[0].id().as_str(), keys[1].id().as_str()];
    assert_eq!(outcome.policies[0].signed_by, ids);
    let envelope = stored(store).await;
    assert_eq!(keyids(&envelope), ids);
    assert_eq!(trusted.verify(&envelope, &name("a"), now()).unwrap().by.len(), 2);
    // Again, with the same keys or with fewer: nothing changes.
    for signers in [&keys[..], &keys[1..], &[]] {
        let again = push(store, &publications, &terms_of(signers, &trusted))
            .await
            .unwrap();
        assert_eq!(again.revision, None);
        assert_eq!(again.policies[0].signed_by, ids);
    }
}

#[tokio::test]
async fn what_nodes_would_not_take_is_not_published() {
    let backend = backend::directory();
    let store = backend.store.as_ref();
    let keys = [key(1), key(2), key(3)];
    let publications = [publication("a", "1.0.0", b"one")];
    let proposals = [Proposal::Release(Box::new(publications[0].clone()))];
    for (threshold, signers, code) in [
        (1, &[][..], "signature_missing"),
        (1, &keys[2..], "signature_untrusted"),
        (2, &keys[..1], "signatures_too_few"),
    ] {
        let trusted = trusting(threshold, &keys[..2]);
        let terms = terms_of(signers, &trusted);
        for error in [
            push(store, &publications, &terms).await.unwrap_err(),
            Plan::make(store, &proposals, &terms, &mut AnyComponent)
                .await
                .unwrap_err(),
        ] {
            let PublishError::Refused { code: found, .. } = &error else {
                panic!("{error}");
            };
            assert_eq!(*found, code);
        }
        let listing = store.list().await.unwrap();
        assert!(listing.documents.is_empty(), "nothing was written");
    }
}

#[tokio::test]
async fn the_same_document_gets_the_signatures_that_it_lacks() {
    let backend = backend::directory();
    let store = backend.store.as_ref();
    let (one, two) = ([key(1)], [key(2)]);
    let nobody = TrustedKeys::default();
    let publications = [publication("a", "1.0.0", b"one")];
    for (signers, change, signatures) in [
        (&[][..], Change::Published, 0),
        (&one, Change::Signed, 1),
        (&one, Change::Nothing, 1),
        (&two, Change::Signed, 2),
    ] {
        let outcome = push(store, &publications, &terms_of(signers, &nobody))
            .await
            .unwrap();
        let policy = &outcome.policies[0];
        assert_eq!((policy.change, policy.sequence), (change, 1));
        assert_eq!(outcome.revision.is_some(), change != Change::Nothing);
        assert_eq!(stored(store).await.signatures().len(), signatures);
    }
    // A signature under a key's id that does not verify is replaced by one that does.
    let mut envelope = stored(store).await;
    let forged = Signature {
        keyid: one[0].id().as_str().to_owned(),
        sig: vec![7; 64],
    };
    envelope = envelope.with_signature(forged).unwrap();
    backend.put_by_hand("policies/a", &envelope.to_json());
    let outcome = push(store, &publications, &terms_of(&one, &nobody)).await;
    assert_eq!(outcome.unwrap().policies[0].change, Change::Signed);
    let trusted = trusting(2, &[key(1), key(2)]);
    assert!(trusted.verify(&stored(store).await, &name("a"), now()).is_ok());
}

#[tokio::test]
async fn a_document_without_room_for_a_signature_is_published_anew() {
    let backend = backend::directory();
    let store = backend.store.as_ref();
    let nobody = TrustedKeys::default();
    let publications = [publication("a", "1.0.0", b"one")];
    push(store, &publications, &terms()).await.unwrap();
    let mut envelope = stored(store).await;
    for number in 0..MAX_SIGNATURES {
        let keyid = format!("noise-{number}");
        envelope = envelope
            .with_signature(Signature { keyid, sig: vec![1] })
            .unwrap();
    }
    backend.put_by_hand("policies/a", &envelope.to_json());
    let error = prepare(store, None, &[key(1)], &nobody).await.unwrap_err();
    assert!(error.to_string().contains("publish it anew"), "{error}");
    let outcome = push(store, &publications, &terms_of(&[key(1)], &nobody))
        .await
        .unwrap();
    let policy = &outcome.policies[0];
    assert_eq!((policy.change, policy.sequence), (Change::Published, 2));
    assert_eq!(stored(store).await.signatures().len(), 1);
}

#[tokio::test]
async fn a_document_that_was_put_back_is_published_under_a_new_sequence() {
    let backend = backend::directory();
    let store = backend.store.as_ref();
    let first = [publication("a", "1.0.0", b"one")];
    push(store, &first, &terms()).await.unwrap();
    let old = stored(store).await;
    let second = [publication("a", "1.1.0", b"one")];
    push(store, &second, &terms()).await.unwrap();
    // Nodes refuse it there as a replay, so that it says the same is no reason to leave it.
    backend.put_by_hand("policies/a", &old.to_json());
    let outcome = push(store, &first, &terms()).await.unwrap();
    let policy = &outcome.policies[0];
    assert_eq!((policy.change, policy.sequence), (Change::Published, 3));
}

#[tokio::test]
async fn a_second_signer_signs_what_is_stored_as_it_is() {
    let backend = backend::directory();
    let store = backend.store.as_ref();
    let (one, two) = ([key(1)], [key(2)]);
    let trusted = trusting(2, &[key(1), key(2)]);
    let publications = [publication("a", "1.0.0", b"one")];
    push(store, &publications, &terms_of(&one, &TrustedKeys::default()))
        .await
        .unwrap();
    let before = stored(store).await;
    // The first signer again: nothing to do, and not enough.
    let signed = prepare(store, None, &one, &trusted).await.unwrap();
    assert_eq!(signed.added, 0);
    assert!(signed.still_missing.is_some());
    assert_eq!(countersign(store, &[signed]).await.unwrap(), None);
    let digest = *publications[0].artifact.reference().digest();
    let signed = prepare(store, Some(&digest), &two, &trusted).await.unwrap();
    assert_eq!((signed.added, signed.still_missing.is_none()), (1, true));
    assert_eq!(signed.statement.sequence(), 1);
    assert!(countersign(store, &[signed]).await.unwrap().is_some());
    let after = stored(store).await;
    assert_eq!(after.payload(), before.payload());
    assert!(trusted.verify(&after, &name("a"), now()).is_ok());
    assert_eq!(store.last_sequence(&name("a")).await, Ok(1));
}

#[tokio::test]
async fn nobody_signs_what_he_did_not_mean() {
    let backend = backend::directory();
    let store = backend.store.as_ref();
    let keys = [key(1)];
    let trusted = trusting(1, &keys);
    let refused = |result: Result<Countersigned, PublishError>| result.unwrap_err().to_string();
    let said = refused(prepare(store, None, &keys, &trusted).await);
    assert!(said.contains("the store holds no document of it"), "{said}");
    push(store, &[publication("a", "1.0.0", b"one")], &terms())
        .await
        .unwrap();
    let said = refused(prepare(store, Some(&Digest::of(b"another")), &keys, &trusted).await);
    assert!(said.contains("its artifact is sha256:"), "{said}");
    // A key that the nodes do not trust changes nothing, so that it need not be added.
    let result = prepare(store, None, &[key(3)], &trusted).await;
    assert!(matches!(result, Err(PublishError::Refused { .. })), "{result:?}");
    // Somebody publishes between the look and the signature.
    let signed = prepare(store, None, &keys, &trusted).await.unwrap();
    push(store, &[publication("a", "1.1.0", b"one")], &terms())
        .await
        .unwrap();
    let result = countersign(store, &[signed]).await;
    assert!(matches!(result, Err(PublishError::Store(_))), "{result:?}");
    // The document of another policy under this key.
    let moved = Transaction {
        artifacts: Vec::new(),
        documents: vec![portcullis_plugin_host::store::DocumentWrite {
            name: name("b"),
            history: HistoryWrite::Appended,
            ..write("a", 1, None)
        }],
    };
    store.put(moved).await.unwrap();
    let moved = Countersigned::prepare(store, &name("b"), None, &keys, &trusted, now()).await;
    assert!(refused(moved).contains("the document is one of `a`"));
    backend.put_by_hand("policies/a", b"garbage");
    assert!(matches!(
        prepare(store, None, &keys, &trusted).await,
        Err(PublishError::NotPossible { .. })
    ));
}
