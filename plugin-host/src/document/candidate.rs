//! A candidate: the release that is to be next, on trial beside the one in force.

use serde::{Deserialize, Serialize};

use crate::artifact::ArtifactRef;

use super::gates::Gates;
use super::grants::Grants;
use super::limits::Limits;
use super::parameters::Parameters;
use super::percent::Percent;
use super::text::{ContractName, PolicyVersion};
use super::{FieldError, PolicyDocument};

/// What is on trial, on which payments, and what ends the trial. What it leaves out is as the document has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The component.
    pub artifact: ArtifactRef,
    /// The author's version.
    pub version: PolicyVersion,
    /// The contract that the component was built for.
    pub contract: Option<ContractName>,
    /// What one evaluation may use.
    pub limits: Option<Limits>,
    /// Its knobs, all of them.
    pub parameters: Option<Parameters>,
    /// What it may be shown.
    pub grants: Option<Grants>,
    /// How far the trial has come.
    pub stage: Stage,
    /// What sends it back.
    pub gates: Gates,
}

/// How far a trial has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It is run beside payments that do not wait for it, and only compared: this share of them.
    Shadow(Percent),
    /// It decides about the payments of this share of all cards.
    Canary(Percent),
}

impl Stage {
    /// The stage's name in a document.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shadow(_) => "shadow",
            Self::Canary(_) => "canary",
        }
    }

    /// The share of payments or cards.
    #[must_use]
    pub const fn percent(self) -> Percent {
        match self {
            Self::Shadow(percent) | Self::Canary(percent) => percent,
        }
    }
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StageName {
    Shadow,
    Canary,
}

/// A candidate as it is written. The order of the fields is the order of the bytes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CandidateRead {
    artifact: ArtifactRef,
    version: PolicyVersion,
    #[serde(default)]
    contract: Option<ContractName>,
    #[serde(default)]
    limits: Option<Limits>,
    #[serde(default)]
    parameters: Option<Parameters>,
    #[serde(default)]
    grants: Option<Grants>,
    stage: StageName,
    #[serde(default)]
    percent: Option<Percent>,
    #[serde(default)]
    gates: Gates,
}

#[derive(Serialize)]
pub(super) struct CandidateWritten<'a> {
    artifact: &'a ArtifactRef,
    version: &'a PolicyVersion,
    #[serde(skip_serializing_if = "Option::is_none")]
    contract: Option<&'a ContractName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limits: Option<Limits>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<&'a Parameters>,
    #[serde(skip_serializing_if = "Option::is_none")]
    grants: Option<Grants>,
    stage: StageName,
    percent: Percent,
    gates: Gates,
}

/// A share that a stage cannot do without.
fn stage(name: StageName, percent: Option<Percent>) -> Result<Stage, FieldError> {
    match (name, percent) {
        (StageName::Shadow, percent) => Ok(Stage::Shadow(percent.unwrap_or(Percent::ALL))),
        (StageName::Canary, Some(percent)) => Ok(Stage::Canary(percent)),
        (StageName::Canary, None) => Err(FieldError::at(
            "candidate.percent",
            "missing; a canary needs the share of cards that it decides about, such as `5`",
        )),
    }
}

/// How a trial is to be run, as an author writes it into his manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trial {
    /// On which payments.
    pub stage: Stage,
    /// What ends it.
    pub gates: Gates,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct TrialRead {
    stage: StageName,
    #[serde(default)]
    percent: Option<Percent>,
    #[serde(default)]
    gates: Gates,
}

impl TrialRead {
    pub(crate) fn check(self) -> Result<Trial, FieldError> {
        Ok(Trial {
            stage: stage(self.stage, self.percent)?,
            gates: self.gates,
        })
    }
}

impl CandidateRead {
    /// The rules that span several fields.
    pub(super) fn check(self) -> Result<Candidate, FieldError> {
        let stage = stage(self.stage, self.percent)?;
        Ok(Candidate {
            artifact: self.artifact,
            version: self.version,
            contract: self.contract,
            limits: self.limits,
            parameters: self.parameters,
            grants: self.grants,
            stage,
            gates: self.gates,
        })
    }
}

impl<'a> From<&'a Candidate> for CandidateWritten<'a> {
    fn from(candidate: &'a Candidate) -> Self {
        Self {
            artifact: &candidate.artifact,
            version: &candidate.version,
            contract: candidate.contract.as_ref(),
            limits: candidate.limits,
            parameters: candidate.parameters.as_ref(),
            grants: candidate.grants,
            stage: match candidate.stage {
                Stage::Shadow(_) => StageName::Shadow,
                Stage::Canary(_) => StageName::Canary,
            },
            percent: candidate.stage.percent(),
            gates: candidate.gates,
        }
    }
}

impl PolicyDocument {
    /// What the document would be with its candidate in force: the candidate's release takes the place of its own, and nothing is
    /// on trial. None where it has no candidate. The sequence stays.
    #[must_use]
    pub fn promoted(&self) -> Option<Self> {
        let candidate = self.candidate.as_ref()?;
        Some(Self {
            version: candidate.version.clone(),
            contract: candidate.contract.as_ref().unwrap_or(&self.contract).clone(),
            artifact: candidate.artifact,
            limits: candidate.limits.unwrap_or(self.limits),
            parameters: candidate.parameters.as_ref().unwrap_or(&self.parameters).clone(),
            grants: candidate.grants.unwrap_or(self.grants),
            candidate: None,
            ..self.clone()
        })
    }

    /// The artifacts that it names: its own, and its candidate's where there is one.
    pub fn artifacts(&self) -> impl Iterator<Item = &ArtifactRef> {
        let candidate = self.candidate.as_ref().map(|candidate| &candidate.artifact);
        std::iter::once(&self.artifact).chain(candidate)
    }

    /// The same without a candidate.
    #[must_use]
    pub fn without_candidate(&self) -> Self {
        Self {
            candidate: None,
            ..self.clone()
        }
    }
}
