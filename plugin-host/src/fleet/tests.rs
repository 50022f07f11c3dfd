//! What a report says of a document.

use domain::Timestamp;

use super::*;
use crate::document::Moment;
use crate::node_status::{NodeId, NodePolicyError, NodeQuarantine, NodeRetirement};

const SINCE: Moment = Moment(Timestamp::from_unix_millis(0));

fn digest() -> Digest {
    Digest::of(b"component")
}

/// Sequence 7 of `alpha`, written at revision 40.
fn expected() -> Expected {
    Expected {
        name: "alpha".to_owned(),
        sequence: 7,
        digest: Some(digest()),
        revision: 40,
    }
}

fn retirement() -> Expected {
    Expected {
        digest: None,
        ..expected()
    }
}

fn policy(state: NodePolicyState, sequence: Option<u64>) -> NodePolicy {
    NodePolicy {
        name: "alpha".to_owned(),
        state,
        sequence,
        digest: sequence.map(|_| digest()),
        version: None,
        error: None,
        quarantine: None,
        candidate: None,
        retired: None,
        highest_sequence: sequence,
        since: SINCE,
    }
}

fn refusing(sequence: Option<u64>, code: &str) -> NodePolicy {
    NodePolicy {
        error: Some(NodePolicyError::new(code, "why", sequence)),
        ..policy(NodePolicyState::Refused, Some(6))
    }
}

fn retired(sequence: u64) -> NodePolicy {
    NodePolicy {
        retired: Some(NodeRetirement {
            sequence,
            reason: None,
        }),
        ..policy(NodePolicyState::Retired, None)
    }
}

fn at(revision: u64, policies: Vec<NodePolicy>) -> NodeStatus {
    NodeStatus {
        node: NodeId::parse("gateway-1").unwrap(),
        started_at: SINCE,
        revision,
        policies,
        left_out: 0,
    }
}

fn refused(code: &str) -> Standing {
    Standing::Refused {
        code: code.to_owned(),
        message: "why".to_owned(),
    }
}

#[test]
fn a_release_is_reached_by_sequence_and_digest() {
    let other = NodePolicy {
        digest: Some(Digest::of(b"other")),
        ..policy(NodePolicyState::InForce, Some(7))
    };
    let quarantined = NodePolicy {
        quarantine: Some(NodeQuarantine {
            since: SINCE,
            evaluations: 20,
            faults: 20,
            last_fault: "trap".to_owned(),
            instead: None,
        }),
        ..policy(NodePolicyState::Quarantined, Some(7))
    };
    let last_fault = "trap".to_owned();
    for (policy, standing) in [
        (policy(NodePolicyState::InForce, Some(7)), Standing::AsStored),
        // The same document is read again, with another signature.
        (policy(NodePolicyState::Loading, Some(7)), Standing::AsStored),
        (policy(NodePolicyState::InForce, Some(6)), Standing::Behind),
        (policy(NodePolicyState::Loading, Some(6)), Standing::Loading),
        (policy(NodePolicyState::InForce, Some(8)), Standing::Later(8)),
        (retired(8), Standing::Later(8)),
        (retired(7), Standing::Behind),
        (other, Standing::Behind),
        (quarantined, Standing::Quarantined { last_fault }),
    ] {
        assert_eq!(
            expected().held_against(&at(40, vec![policy.clone()])),
            standing,
            "{policy:?}"
        );
    }
}

#[test]
fn a_refusal_counts_where_it_is_of_this_document() {
    for (revision, policy, standing) in [
        (39, refusing(Some(7), "chunk_missing"), refused("chunk_missing")),
        (40, refusing(Some(6), "chunk_missing"), Standing::Behind),
        (
            40,
            refusing(None, "signature_missing"),
            refused("signature_missing"),
        ),
        // Of what was there before.
        (39, refusing(None, "signature_missing"), Standing::Behind),
        (39, refusing(None, DOCUMENT_GONE), Standing::Behind),
        (40, refusing(None, DOCUMENT_GONE), Standing::Gone),
    ] {
        let status = at(revision, vec![policy]);
        assert_eq!(expected().held_against(&status), standing, "{status:?}");
    }
}

#[test]
fn a_retirement_is_reached_by_its_sequence() {
    for (policy, standing) in [
        (retired(7), Standing::AsStored),
        (retired(6), Standing::Behind),
        (policy(NodePolicyState::InForce, Some(6)), Standing::Behind),
        (policy(NodePolicyState::InForce, Some(8)), Standing::Later(8)),
        (
            refusing(Some(7), "required_policy_retired"),
            refused("required_policy_retired"),
        ),
    ] {
        assert_eq!(
            retirement().held_against(&at(40, vec![policy.clone()])),
            standing,
            "{policy:?}"
        );
    }
}

#[test]
fn a_policy_that_is_not_named_is_as_it_should_be_only_in_a_report_that_is_cut() {
    assert_eq!(expected().held_against(&at(40, Vec::new())), Standing::Behind);
    let cut = NodeStatus {
        left_out: 3_000,
        ..at(40, Vec::new())
    };
    assert_eq!(expected().held_against(&cut), Standing::AsStored);
    let early = NodeStatus { revision: 39, ..cut };
    assert_eq!(expected().held_against(&early), Standing::Behind);
}
