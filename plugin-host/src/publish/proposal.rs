//! What somebody wants to be so, and the document that says it.

use crate::artifact::Artifact;
use crate::document::{
    Candidate, Gates, Percent, PolicyDocument, PolicyName, Retirement, RetirementReason, Stage, Statement,
};
use crate::store::PolicyArchive;

use super::present::Present;
use super::{Publication, PublishError, Terms, rollback};

/// A change of what should run under a policy's name.
#[derive(Clone, Debug)]
pub enum Proposal {
    /// This release is to run, whatever ran before.
    Release(Box<Publication>),
    /// This release is to be on trial beside the one that runs.
    Candidate {
        /// The release.
        publication: Box<Publication>,
        /// On which payments.
        stage: Stage,
        /// What ends the trial.
        gates: Gates,
    },
    /// The trial goes on at another stage, or on more payments.
    Stage {
        /// Of which policy.
        name: PolicyName,
        /// The stage; none stays at the present one.
        stage: Option<StageName>,
        /// The share of payments or cards; none is all of a shadow, and is asked for of a canary.
        percent: Option<Percent>,
    },
    /// The candidate is to run.
    Promotion {
        /// Of which policy.
        name: PolicyName,
    },
    /// The candidate is dropped; or, where there is none or a sequence is named, an older release is to run again.
    Rollback {
        /// Of which policy.
        name: PolicyName,
        /// Which of its documents; none is the last one that says something else than the present one.
        to: Option<u64>,
    },
    /// Nothing is to run under the name.
    Retirement {
        /// Which policy.
        name: PolicyName,
        /// Why.
        reason: Option<RetirementReason>,
    },
}

/// A stage without its share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StageName {
    /// Run beside payments, and only compared.
    Shadow,
    /// Decides about some of them.
    Canary,
}

/// A document that is to be written, and what it needs in the store.
pub(super) struct Draft {
    pub(super) statement: Statement,
    pub(super) artifacts: Vec<Artifact>,
}

impl Proposal {
    /// Which policy it is about.
    #[must_use]
    pub const fn name(&self) -> &PolicyName {
        match self {
            Self::Release(publication) | Self::Candidate { publication, .. } => &publication.manifest.name,
            Self::Stage { name, .. }
            | Self::Promotion { name }
            | Self::Rollback { name, .. }
            | Self::Retirement { name, .. } => name,
        }
    }

    /// The document that says it, under the next sequence.
    pub(super) async fn draft(
        &self,
        store: &dyn PolicyArchive,
        present: &Present,
        terms: &Terms<'_>,
    ) -> Result<Draft, PublishError> {
        let mut artifacts = Vec::new();
        let document = match self {
            Self::Release(publication) => {
                artifacts.push(publication.artifact.clone());
                publication.document(present.next(), terms)
            }
            Self::Candidate {
                publication,
                stage,
                gates,
            } => {
                let release = present.release(terms)?;
                artifacts.push(publication.artifact.clone());
                PolicyDocument {
                    candidate: Some(publication.candidate(release, *stage, *gates, terms)?),
                    ..release.clone()
                }
            }
            Self::Stage { stage, percent, .. } => next_stage(present.release(terms)?, *stage, *percent)?,
            Self::Promotion { name } => present
                .release(terms)?
                .promoted()
                .ok_or_else(|| PublishError::not_possible(name, "it has no candidate to promote"))?,
            Self::Rollback { to, .. } => {
                let older = rollback::older(store, present, *to, terms).await?;
                artifacts.extend(older.artifact);
                older.document
            }
            Self::Retirement { name, reason } => {
                return retirement(name, reason.clone(), present, terms);
            }
        };
        let document = PolicyDocument {
            sequence: present.next(),
            published_at: terms.now,
            publisher: terms.publisher.clone(),
            ..document
        };
        Ok(Draft {
            statement: Statement::Release(Box::new(document)),
            artifacts,
        })
    }
}

impl Publication {
    /// The document of this release.
    pub(super) fn document(&self, sequence: u64, terms: &Terms<'_>) -> PolicyDocument {
        self.manifest.document(
            self.component.contract.clone(),
            *self.artifact.reference(),
            sequence,
            terms.now,
            terms.publisher.clone(),
        )
    }

    /// This release as the candidate of another: what differs, as far as a candidate may differ.
    fn candidate(
        &self,
        release: &PolicyDocument,
        stage: Stage,
        gates: Gates,
        terms: &Terms<'_>,
    ) -> Result<Candidate, PublishError> {
        let new = self.document(release.sequence, terms);
        let fixed = [
            ("priority", new.priority != release.priority),
            ("failure_mode", new.failure_outcomes != release.failure_outcomes),
            ("scope", new.scope != release.scope),
            ("validity", new.validity != release.validity),
        ];
        let differing: Vec<&str> = fixed
            .into_iter()
            .filter_map(|(field, differs)| differs.then_some(field))
            .collect();
        if !differing.is_empty() {
            let reason = format!(
                "the manifest differs from the release in force in {}, which a candidate shares with it; publish that change by itself first",
                differing.join(", ")
            );
            return Err(PublishError::not_possible(&release.name, reason));
        }
        Ok(Candidate {
            artifact: new.artifact,
            version: new.version,
            contract: Some(new.contract).filter(|contract| *contract != release.contract),
            limits: Some(new.limits).filter(|limits| *limits != release.limits),
            parameters: Some(new.parameters).filter(|parameters| *parameters != release.parameters),
            grants: Some(new.grants).filter(|grants| *grants != release.grants),
            stage,
            gates,
        })
    }
}

fn next_stage(
    release: &PolicyDocument,
    stage: Option<StageName>,
    percent: Option<Percent>,
) -> Result<PolicyDocument, PublishError> {
    let not_possible = |reason: &str| PublishError::not_possible(&release.name, reason);
    let candidate = release.candidate.as_ref();
    let candidate = candidate.ok_or_else(|| not_possible("it has no candidate whose stage could change"))?;
    let stage = match (stage, percent, candidate.stage) {
        (Some(StageName::Shadow), percent, _) => Stage::Shadow(percent.unwrap_or(Percent::ALL)),
        (Some(StageName::Canary), Some(percent), _) => Stage::Canary(percent),
        (Some(StageName::Canary), None, Stage::Canary(percent)) => Stage::Canary(percent),
        (Some(StageName::Canary), None, Stage::Shadow(_)) => {
            return Err(not_possible(
                "a canary needs the share of cards that it decides about, such as `--percent 5`",
            ));
        }
        (None, Some(percent), Stage::Shadow(_)) => Stage::Shadow(percent),
        (None, Some(percent), Stage::Canary(_)) => Stage::Canary(percent),
        (None, None, stage) => stage,
    };
    Ok(PolicyDocument {
        candidate: Some(Candidate {
            stage,
            ..candidate.clone()
        }),
        ..release.clone()
    })
}

fn retirement(
    name: &PolicyName,
    reason: Option<RetirementReason>,
    present: &Present,
    terms: &Terms<'_>,
) -> Result<Draft, PublishError> {
    // Also one of which only the history is left, or what cannot be read: that is how it is got rid of.
    if present.stored.is_none() && present.last == 0 {
        return Err(PublishError::NotStored { name: name.clone() });
    }
    if terms.required.iter().any(|required| required == name.as_str()) {
        return Err(PublishError::Refused {
            name: name.clone(),
            code: "required_policy_retired",
            message: "`policies.required` of the configuration names it: take it from there first".to_owned(),
        });
    }
    let retirement = Retirement {
        name: name.clone(),
        sequence: present.next(),
        reason,
        published_at: terms.now,
        publisher: terms.publisher.clone(),
    };
    Ok(Draft {
        statement: Statement::Retirement(retirement),
        artifacts: Vec::new(),
    })
}
