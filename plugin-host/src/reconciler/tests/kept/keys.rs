//! What was kept, by the keys and the clock of another day.

use super::*;
use crate::signing::SigningKey;
use crate::signing::tests::{asking, ed25519, entry, signed};

/// Publishes a document that this key signed.
fn publish_signed(node: &Node, key: &SigningKey, sequence: u64, score: u16, otherwise: &Value) {
    let component = scoring(score);
    node.store.put_artifact(&component);
    let mut fields = json!({"sequence": sequence});
    fields
        .as_object_mut()
        .unwrap()
        .extend(otherwise.as_object().unwrap().clone());
    let envelope = signed(
        Envelope::unsigned(&document("alpha", &component, &fields)),
        &[key],
    );
    node.store.commit(vec![("alpha", Some(envelope.to_json()))]);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_not_trusted_any_more_signed_nothing_that_decides() {
    let (team, successor) = (ed25519(1), ed25519(2));
    let trusting = |key: &SigningKey| Config {
        signatures: asking(1, vec![entry("key", key)]),
        ..small_config(1)
    };
    let mut node = Node::with(trusting(&team));
    publish_signed(&node, &team, 4, 1, &json!({}));
    let scene = node.start();
    scene.in_force("alpha", 4).await;
    scene.end().await;
    node.store.go_away();
    let scene = node.start();
    scene.in_force("alpha", 4).await;
    scene.end().await;
    node.config.signatures = trusting(&successor).signatures;
    let before = node.store.listed_at().len();
    let scene = node.start();
    scene.refused("alpha", "signature_untrusted").await;
    let tried = |store: &InMemoryPolicyStore| store.listed_at().len() > before + 3;
    tokio::time::timeout(GIVE_UP, node.store.until(tried))
        .await
        .unwrap();
    assert!(scene.engine.snapshot().is_none());
    // Its sequence counts all the same: an older document, well signed, does not come after it.
    node.store.come_back();
    publish_signed(&node, &successor, 3, 2, &json!({}));
    scene.refused("alpha", "sequence_replayed").await;
    publish_signed(&node, &successor, 5, 3, &json!({}));
    scene.in_force("alpha", 5).await;
    scene.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_has_lapsed_while_the_node_was_down_decides_and_is_told() {
    let team = ed25519(1);
    let until_then = crate::document::Moment(after(60));
    let key = crate::signing::TrustedKeyConfig {
        not_after: Some(until_then),
        ..entry("team", &team)
    };
    let next = || entry("next", &ed25519(2));
    let signatures = asking(1, vec![key, next()]);
    let cases = [
        ("signature_key_expired", signatures, json!({})),
        (
            "expired",
            asking(1, vec![entry("team", &team), next()]),
            json!({"not_after": until_then.to_string()}),
        ),
    ];
    for (code, signatures, otherwise) in cases {
        let mut node = Node::with(Config {
            signatures,
            ..small_config(1)
        });
        publish_signed(&node, &team, 1, 1, &otherwise);
        let scene = node.start();
        scene.in_force("alpha", 1).await;
        scene.end().await;
        node.store.go_away();
        node.now = after(3_600);
        let scene = node.start();
        let refused = scene.refused("alpha", code).await;
        assert_eq!(refused.sequence, Some(1), "{code}");
        assert_eq!(scene.scores().await, [scored("alpha", 1)], "{code}");
        // And so it stays when the store says the same.
        node.store.come_back();
        publish_next_to(&scene);
        scene.in_force("bravo", 1).await;
        scene.refused("alpha", code).await;
        assert!(scene.scores().await.contains(&scored("alpha", 1)), "{code}");
        scene.end().await;
    }
}

/// Another policy, to see that what was published before it was taken in.
fn publish_next_to(scene: &Scene) {
    let component = scoring(8);
    scene.store.put_artifact(&component);
    let envelope = signed(
        Envelope::unsigned(&document("bravo", &component, &json!({}))),
        &[&ed25519(2)],
    );
    scene.store.commit(vec![("bravo", Some(envelope.to_json()))]);
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_was_set_back_takes_nothing_out_of_force() {
    let team = ed25519(1);
    let from = crate::document::Moment(NOW);
    let key = crate::signing::TrustedKeyConfig {
        not_before: Some(from),
        ..entry("team", &team)
    };
    let mut node = Node::with(Config {
        signatures: asking(1, vec![key]),
        ..small_config(1)
    });
    publish_signed(&node, &team, 1, 1, &json!({"not_before": from.to_string()}));
    let scene = node.start();
    scene.in_force("alpha", 1).await;
    scene.end().await;
    node.now = Timestamp::from_unix_millis(1_000);
    for is_away in [true, false] {
        if is_away {
            node.store.go_away();
        } else {
            node.store.come_back();
        }
        let scene = node.start();
        scene
            .until(|status| of(status, "alpha").is_some_and(|alpha| alpha.sequence == Some(1)))
            .await;
        assert_eq!(scene.scores().await, [scored("alpha", 1)]);
        scene.end().await;
    }
}
