//! A candidate release beside the one in force. It is read, so that a document that holds one is understood, and refused:
//! this version of the gateway runs none, and to leave it out silently would not be what the document asks for.

use serde::Deserialize;

use crate::artifact::ArtifactRef;

use super::text::PolicyVersion;

/// A candidate, as far as its form goes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read for its form only, until candidates are supported")]
pub(crate) struct Candidate {
    artifact: ArtifactRef,
    version: PolicyVersion,
    stage: Stage,
    #[serde(default)]
    percent: Option<u8>,
    #[serde(default)]
    gates: Option<Gates>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Stage {
    Shadow,
    Canary,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "read for its form only, until candidates are supported")]
struct Gates {
    #[serde(default)]
    max_fault_ratio: Option<f64>,
    #[serde(default)]
    max_p99_us: Option<u64>,
    #[serde(default)]
    max_decision_drift: Option<f64>,
}
