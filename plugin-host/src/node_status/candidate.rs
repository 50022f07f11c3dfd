//! What a node says of a release on trial.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::document::{Moment, PolicyVersion};

/// A release on trial beside the one in force. Its numbers are told every few seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeCandidate {
    /// The author's version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<PolicyVersion>,
    /// The artifact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<Digest>,
    /// How far the trial has come: `shadow` or `canary`.
    pub stage: String,
    /// The share of payments or cards, in percent.
    pub percent: f64,
    /// Whether it is run.
    pub state: NodeCandidateState,
    /// Since when: since when it was sent back, or else since when it is counted.
    pub since: Moment,
    /// Evaluations that say something about it.
    pub evaluations: u64,
    /// Those of them that were faults.
    pub faults: u64,
    /// The time within which 99 of 100 evaluations ended, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99_us: Option<u64>,
    /// Payments about which both releases gave an answer.
    pub compared: u64,
    /// Those of them with another outcome.
    pub differing: u64,
    /// The stable name of the gate that it crossed, where it was sent back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<String>,
    /// What was found there, and what was expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// Whether a candidate is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NodeCandidateState {
    /// It is.
    Running,
    /// It crossed a gate on this node; the release in force decides alone.
    SentBack,
}
