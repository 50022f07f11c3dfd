//! The last good set on disk: what was in force, whole or not at all, and the highest sequence of every policy.
//!
//! One file names everything: of each policy its sequence and, where it is in force, the digests of its envelope and of its artifact. Both lie
//! beside it under their digests and are there before it is; so what comes into force by one swap is kept by one rename.

use std::collections::BTreeSet;
use std::io;

use bytes::Bytes;
use domain::Timestamp;
use serde::{Deserialize, Serialize};

use super::artifact_shelf::ArtifactShelf;
use super::files::{self, Durability};
use super::folder::{ARTIFACTS, DOCUMENTS, set_aside};
use super::writer::Place;
use crate::artifact::ArtifactRef;
use crate::digest::Digest;
use crate::document::strict::from_json;
use crate::document::{Moment, PolicyName};
use crate::envelope::MAX_ENVELOPE_BYTES;

/// The file's name, and its kind where it is sealed.
const FILE: &str = "last-good-set";

/// Its form. Another one is read by another version of this program.
const FORMAT: u32 = 1;

/// The largest such file, in bytes: four times what as many policies take as a store may hold.
const MAX_BYTES: u64 = 8 * 1024 * 1024;

/// The most policies that are kept, those that are gone included: four times what a store may hold.
const MAX_POLICIES: usize = 16_384;

/// What is in force on a node, and what was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GoodSet {
    /// The store's revision that it was built from.
    pub(crate) revision: u64,
    /// Since when it is so.
    pub(crate) since: Timestamp,
    /// By name.
    pub(crate) policies: Vec<KeptPolicy>,
    /// Artifacts beside those in force that a later set is likely to name. They are not cleared away, and not noted.
    pub(crate) spare: BTreeSet<Digest>,
}

/// One policy of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeptPolicy {
    pub(crate) name: PolicyName,
    /// The highest that this node has seen.
    pub(crate) sequence: u64,
    /// What is in force; nothing where the policy is gone.
    pub(crate) in_force: Option<KeptRelease>,
}

/// A release in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct KeptRelease {
    /// The document as it was stored.
    pub(crate) envelope: Bytes,
    /// What it names.
    pub(crate) artifacts: Vec<ArtifactRef>,
    /// When its signatures were found to be enough, by this node's clock.
    pub(crate) taken_at: Timestamp,
}

/// A set that was read.
#[derive(Debug)]
pub(crate) struct RestoredSet {
    pub(crate) set: GoodSet,
    /// Policies that were in force whose document is not there as it was kept, so that the set is not whole.
    pub(crate) damaged: Vec<PolicyName>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SetWire {
    format: u32,
    revision: u64,
    since: Moment,
    policies: Vec<PolicyWire>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyWire {
    name: PolicyName,
    sequence: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    in_force: Option<ReleaseWire>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReleaseWire {
    envelope: Digest,
    artifacts: Vec<ArtifactRef>,
    taken_at: Moment,
}

/// Why a set was not kept.
#[derive(Debug, thiserror::Error)]
pub(super) enum KeepError {
    /// The system does not allow it.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// Artifacts of it are not here.
    #[error("artifacts of the set are not on this disk; they are fetched again")]
    Missing(Vec<ArtifactRef>),
}

/// Writes a set in place of the one before. What it names is there before it is.
pub(super) fn write(place: &Place, set: &GoodSet) -> Result<(), KeepError> {
    let shelf = ArtifactShelf::new(place.shared());
    let in_force = || set.policies.iter().filter_map(|policy| policy.in_force.as_ref());
    let missing: BTreeSet<ArtifactKey> = in_force()
        .flat_map(|release| &release.artifacts)
        .filter(|artifact| !shelf.holds(artifact))
        .map(|artifact| ArtifactKey(*artifact))
        .collect();
    if !missing.is_empty() {
        return Err(KeepError::Missing(missing.into_iter().map(|key| key.0).collect()));
    }
    let folder = place.root.join(DOCUMENTS);
    files::create_folder(&folder)?;
    for release in in_force() {
        let path = folder.join(Digest::of(&release.envelope).hexadecimal());
        let there = std::fs::symlink_metadata(&path);
        if !there.is_ok_and(|there| there.is_file() && there.len() == release.envelope.len() as u64) {
            files::write(&path, &[&release.envelope], Durability::Durable)?;
        }
    }
    let content = to_json(set);
    let seal = place.key.seal(FILE, "", &[&content]);
    files::write(&place.root.join(FILE), &[&seal, &content], Durability::Durable)?;
    Ok(())
}

/// Artifacts in an order, by digest.
#[derive(PartialEq, Eq)]
struct ArtifactKey(ArtifactRef);

impl Ord for ArtifactKey {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.digest().cmp(other.0.digest())
    }
}

impl PartialOrd for ArtifactKey {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

fn to_json(set: &GoodSet) -> Vec<u8> {
    if set.policies.len() > MAX_POLICIES {
        tracing::error!(
            found = set.policies.len(),
            max = MAX_POLICIES,
            "more policies were seen than this node keeps the sequences of; of some that are gone it forgets them at its end"
        );
    }
    let written = |policy: &KeptPolicy| PolicyWire {
        name: policy.name.clone(),
        sequence: policy.sequence,
        in_force: policy.in_force.as_ref().map(|release| ReleaseWire {
            envelope: Digest::of(&release.envelope),
            artifacts: release.artifacts.clone(),
            taken_at: Moment(release.taken_at),
        }),
    };
    let (in_force, gone): (Vec<&KeptPolicy>, Vec<&KeptPolicy>) =
        set.policies.iter().partition(|policy| policy.in_force.is_some());
    let wire = SetWire {
        format: FORMAT,
        revision: set.revision,
        since: Moment(set.since),
        policies: in_force
            .into_iter()
            .chain(gone)
            .take(MAX_POLICIES)
            .map(written)
            .collect(),
    };
    // Cannot fail: texts and numbers only.
    serde_json::to_vec(&wire).unwrap_or_default()
}

/// Reads the set that was kept last, where there is one that this node wrote.
pub(super) fn read(place: &Place) -> Option<RestoredSet> {
    let path = place.root.join(FILE);
    let content = place.read(&path, FILE, "", MAX_BYTES)?;
    let wire = match from_json::<SetWire>(&content) {
        Ok(wire) if wire.format == FORMAT => wire,
        other => {
            let error = other
                .err()
                .map_or_else(|| "another format".to_owned(), |error| error.to_string());
            tracing::error!(path = %path.display(), error, "the last good set was written by another version of this program and is set aside");
            place.set_aside(&path);
            return None;
        }
    };
    let mut restored = RestoredSet {
        set: GoodSet {
            revision: wire.revision,
            since: wire.since.0,
            policies: Vec::with_capacity(wire.policies.len()),
            spare: BTreeSet::new(),
        },
        damaged: Vec::new(),
    };
    for policy in wire.policies {
        let in_force = policy.in_force.and_then(|release| {
            let envelope = envelope(place, &release.envelope);
            if envelope.is_none() {
                restored.damaged.push(policy.name.clone());
            }
            Some(KeptRelease {
                envelope: envelope?,
                artifacts: release.artifacts,
                taken_at: release.taken_at.0,
            })
        });
        restored.set.policies.push(KeptPolicy {
            name: policy.name,
            sequence: policy.sequence,
            in_force,
        });
    }
    restored
        .set
        .policies
        .sort_unstable_by(|left, right| left.name.cmp(&right.name));
    Some(restored)
}

fn envelope(place: &Place, digest: &Digest) -> Option<Bytes> {
    let path = place.root.join(DOCUMENTS).join(digest.hexadecimal());
    let problem = match files::read(&path, MAX_ENVELOPE_BYTES as u64) {
        Ok(Some(bytes)) if Digest::of(&bytes) == *digest => return Some(bytes.into()),
        Ok(Some(_)) => "its bytes are not those that its digest names".to_owned(),
        Ok(None) => "it is not there".to_owned(),
        Err(error) => error.to_string(),
    };
    tracing::error!(path = %path.display(), error = problem, "a document of the last good set cannot be used");
    if let Err(error) = set_aside(&place.root, &path) {
        tracing::error!(path = %path.display(), %error, "it cannot be set aside");
    }
    None
}

/// Deletes the files that the set on disk does not name, but for artifacts that a later set will.
pub(super) fn clear(place: &Place, set: &GoodSet, expected: &BTreeSet<Digest>) {
    let in_force = || set.policies.iter().filter_map(|policy| policy.in_force.as_ref());
    let artifacts = in_force()
        .flat_map(|release| &release.artifacts)
        .map(ArtifactRef::digest)
        .chain(expected)
        .chain(&set.spare);
    let artifacts: BTreeSet<String> = artifacts.map(Digest::hexadecimal).collect();
    let documents: BTreeSet<String> = in_force()
        .map(|release| Digest::of(&release.envelope).hexadecimal())
        .collect();
    for (folder, named) in [(ARTIFACTS, artifacts), (DOCUMENTS, documents)] {
        for (name, path, _) in files::listed(&place.root.join(folder)) {
            if !named.contains(&name)
                && let Err(error) = files::remove(&path)
            {
                tracing::warn!(path = %path.display(), %error, "a file of an earlier set cannot be deleted");
            }
        }
    }
}
