//! What a node says of itself: which policies it runs, and which documents it refused.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::digest::Digest;
use crate::document::strict::{from_json, shorten};
use crate::document::{FieldError, Moment, PolicyVersion, TextError};

/// The largest status, in bytes of JSON.
pub const MAX_STATUS_BYTES: usize = 1024 * 1024;

/// The most policies of a status; one for every document that a store may hold.
pub const MAX_STATUS_POLICIES: usize = 4_096;

/// The longest message of an error in a status, in bytes: the whole text is in the node's log.
pub const MAX_ERROR_MESSAGE_BYTES: usize = 1_024;

/// The name of a gateway process among its like: 1 to 64 of `A-Z a-z 0-9 _ - .`, not beginning with a dot. It is a key of
/// etcd and a name of a file as it stands.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(Box<str>);

impl NodeId {
    /// The longest id, in bytes.
    pub const MAX_BYTES: usize = 64;

    /// Takes an id.
    ///
    /// # Errors
    /// When the length or a character is off.
    pub fn parse(text: &str) -> Result<Self, TextError> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
        let fits = !text.is_empty()
            && text.len() <= Self::MAX_BYTES
            && text.bytes().all(plain)
            && !text.starts_with('.');
        if fits {
            Ok(Self(text.into()))
        } else {
            Err(TextError::new(
                text,
                format!(
                    "1 to {} of `A-Z a-z 0-9 _ - .`, not beginning with a dot",
                    Self::MAX_BYTES
                ),
            ))
        }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for NodeId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for NodeId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

/// What one node runs. It holds no moment that moves by itself, so that a status is written anew only when it changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeStatus {
    /// Which node.
    pub node: NodeId,
    /// When it started.
    pub started_at: Moment,
    /// The revision of the store up to which it has taken documents in.
    pub revision: u64,
    /// Every policy of the store, by name.
    pub policies: Vec<NodePolicy>,
    /// How many of them were left out, because the status would be too large: those that are in force as they should be.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: usize,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// How one policy stands on a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodePolicy {
    /// The key under which the document is stored; a name, unless somebody stored it by hand under something else.
    pub name: String,
    /// How it stands.
    pub state: NodePolicyState,
    /// The sequence of the release in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
    /// The artifact of the release in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// The version of the release in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<PolicyVersion>,
    /// Why the newest document was not taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<NodePolicyError>,
    /// Why the release in force is not run, and what decides instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quarantine: Option<NodeQuarantine>,
    /// The document that took it out of force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retired: Option<NodeRetirement>,
    /// The highest sequence of its documents that this node has taken: it takes none below.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub highest_sequence: Option<u64>,
    /// Since when it stands so.
    pub since: Moment,
}

/// How a policy stands. What was in force stays so while the newest document is loading and when it was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodePolicyState {
    /// The newest document is in force.
    InForce,
    /// The newest document was refused.
    Refused,
    /// The newest document is being loaded.
    Loading,
    /// The release in force faulted too often and is not run; `error` says whether a newer document was refused.
    Quarantined,
    /// The newest document says that nothing is to run.
    Retired,
}

/// A release in force that faulted too often: it is not run but for probes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeQuarantine {
    /// Since when.
    pub since: Moment,
    /// Evaluations that were counted when it began.
    pub evaluations: u32,
    /// Those of them that were faults.
    pub faults: u32,
    /// What kind the last of these was.
    pub last_fault: String,
    /// The release before it, where that decides instead. Without one the failure mode does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead: Option<NodeRelease>,
}

/// A policy that a document took out of force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeRetirement {
    /// The sequence of the document.
    pub sequence: u64,
    /// Why, in the words of whoever retired it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A release by its document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeRelease {
    /// The sequence of the document.
    pub sequence: u64,
    /// The artifact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// The author's version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<PolicyVersion>,
}

/// Why a document was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodePolicyError {
    /// The stable name of the check that failed.
    pub code: String,
    /// For people; at most [`MAX_ERROR_MESSAGE_BYTES`].
    pub message: String,
    /// The sequence of the document, where it could be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
}

impl NodePolicyError {
    /// An error whose message is cut to its bound.
    #[must_use]
    pub fn new(code: &str, message: &str, sequence: Option<u64>) -> Self {
        Self {
            code: shorten(code, 64),
            message: shorten(message, MAX_ERROR_MESSAGE_BYTES),
            sequence,
        }
    }
}

/// Why a status is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NodeStatusError {
    /// More bytes than [`MAX_STATUS_BYTES`].
    #[error("the status has {found} bytes, expected at most {MAX_STATUS_BYTES}")]
    TooLarge {
        /// How many it has.
        found: usize,
    },
    /// More policies than [`MAX_STATUS_POLICIES`].
    #[error("policies: found {found}, expected at most {MAX_STATUS_POLICIES}")]
    TooMany {
        /// How many it has.
        found: usize,
    },
    /// Not JSON, or not the fields of a status.
    #[error("{0}")]
    Field(FieldError),
}

impl NodeStatus {
    /// Reads a status.
    ///
    /// # Errors
    /// When it is too large or not a status.
    pub fn parse(bytes: &[u8]) -> Result<Self, NodeStatusError> {
        check_size(bytes.len())?;
        let status: Self = from_json(bytes).map_err(NodeStatusError::Field)?;
        check_count(status.policies.len())?;
        Ok(status)
    }

    /// The status as JSON; the same checks as when it is read.
    ///
    /// # Errors
    /// When it is too large.
    pub fn to_json(&self) -> Result<Vec<u8>, NodeStatusError> {
        check_count(self.policies.len())?;
        // Cannot fail: texts and numbers only.
        let json = serde_json::to_vec(self).unwrap_or_default();
        check_size(json.len())?;
        Ok(json)
    }
}

const fn check_size(found: usize) -> Result<(), NodeStatusError> {
    if found > MAX_STATUS_BYTES {
        return Err(NodeStatusError::TooLarge { found });
    }
    Ok(())
}

const fn check_count(found: usize) -> Result<(), NodeStatusError> {
    if found > MAX_STATUS_POLICIES {
        return Err(NodeStatusError::TooMany { found });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;

    use super::*;

    fn status() -> NodeStatus {
        let since = Moment(Timestamp::from_unix_millis(1_767_225_600_500));
        NodeStatus {
            node: NodeId::parse("gateway-1").unwrap(),
            started_at: since,
            revision: 7,
            policies: vec![NodePolicy {
                name: "velocity-limit".to_owned(),
                state: NodePolicyState::Refused,
                sequence: Some(6),
                digest: Some(Digest::of(b"component")),
                version: Some(PolicyVersion::parse("1.4.0").unwrap()),
                error: Some(NodePolicyError::new(
                    "digest_mismatch",
                    "the stored bytes differ",
                    Some(7),
                )),
                quarantine: Some(NodeQuarantine {
                    since,
                    evaluations: 20,
                    faults: 19,
                    last_fault: "trap".to_owned(),
                    instead: Some(NodeRelease {
                        sequence: 5,
                        digest: Some(Digest::of(b"before")),
                        version: None,
                    }),
                }),
                retired: Some(NodeRetirement {
                    sequence: 8,
                    reason: Some("replaced by another".to_owned()),
                }),
                highest_sequence: Some(8),
                since,
            }],
            left_out: 3,
        }
    }

    #[test]
    fn a_status_is_read_as_it_was_written() {
        let json = status().to_json().unwrap();
        assert_eq!(NodeStatus::parse(&json), Ok(status()));
        let text = String::from_utf8(json).unwrap();
        assert!(text.contains(r#""state":"refused""#), "{text}");
        assert!(
            text.contains(r#""evaluations":20,"faults":19,"last_fault":"trap","instead":{"sequence":5,"#),
            "{text}"
        );
        assert!(text.contains("2026-01-01T00:00:00.5Z"), "{text}");
    }

    #[test]
    fn an_unknown_field_of_a_status_is_named_with_its_path() {
        let text = String::from_utf8(status().to_json().unwrap()).unwrap();
        let error = NodeStatus::parse(text.replace("\"code\"", "\"kode\"").as_bytes()).unwrap_err();
        let message = error.to_string();
        assert!(message.contains("policies[0].error"), "{message}");
        assert!(message.contains("did you mean `code`?"), "{message}");
    }

    #[test]
    fn a_status_is_bounded_on_both_sides() {
        let mut large = status();
        large.policies = vec![large.policies[0].clone(); MAX_STATUS_POLICIES + 1];
        assert!(matches!(large.to_json(), Err(NodeStatusError::TooMany { .. })));
        let blank = vec![b' '; MAX_STATUS_BYTES + 1];
        assert!(matches!(
            NodeStatus::parse(&blank),
            Err(NodeStatusError::TooLarge { .. })
        ));
        let error = NodePolicyError::new("trap", &"é".repeat(MAX_ERROR_MESSAGE_BYTES), None);
        assert!(error.message.len() <= MAX_ERROR_MESSAGE_BYTES + "…".len());
    }

    #[test]
    fn a_node_id_is_a_plain_file_name() {
        assert!(NodeId::parse("gateway-1.eu_west").is_ok());
        for bad in ["", ".", "..", ".hidden", "a/b", "a b", "é", &"x".repeat(65)] {
            assert!(NodeId::parse(bad).is_err(), "{bad:?}");
        }
    }
}
