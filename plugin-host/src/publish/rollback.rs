//! The way back: which release ran before.

use crate::artifact::{self, Artifact};
use crate::document::{PolicyDocument, Statement};
use crate::envelope::Envelope;
use crate::store::{HistoryEntry, PolicyArchive};

use super::present::Present;
use super::{PublishError, Terms, signatures};

/// Documents of the history that are looked at for one that says something else than the present one.
const MAX_LOOKED_AT: usize = 256;

/// What is gone back to.
pub(super) struct Older {
    pub(super) document: PolicyDocument,
    /// Its artifact, which may be collected before the document is written that names it; none where the present document has it.
    pub(super) artifact: Option<Artifact>,
}

/// The present document without its candidate; or, where it has none or a sequence is named, an older release of the history.
pub(super) async fn older(
    store: &dyn PolicyArchive,
    present: &Present,
    to: Option<u64>,
    terms: &Terms<'_>,
) -> Result<Older, PublishError> {
    let name = &present.name;
    if to.is_none()
        && let Some(Statement::Release(document)) = present.statement()
        && document.candidate.is_some()
    {
        return Ok(Older {
            document: present.release(terms)?.without_candidate(),
            artifact: None,
        });
    }
    let (envelope, document) = match to {
        Some(sequence) => named(store, present, sequence).await?,
        None => last_other(store, present).await?,
    };
    // It is signed anew by whoever goes back to it, who must not vouch for what somebody else slipped into the store.
    signatures::check(&envelope, name, terms)?;
    let bytes = artifact::fetch(store, &document.artifact).await;
    let bytes = bytes.map_err(|error| PublishError::artifact(name, error))?;
    let artifact =
        Artifact::new(bytes).map_err(|error| PublishError::not_possible(name, error.to_string()))?;
    Ok(Older {
        document: document.without_candidate(),
        artifact: Some(artifact),
    })
}

/// The release of this sequence.
async fn named(
    store: &dyn PolicyArchive,
    present: &Present,
    sequence: u64,
) -> Result<(Envelope, PolicyDocument), PublishError> {
    let name = &present.name;
    let entry = HistoryEntry {
        name: name.clone(),
        sequence,
    };
    let not_possible = |reason: String| PublishError::not_possible(name, reason);
    let Some(value) = store.past(&entry).await? else {
        return Err(not_possible(format!(
            "its history has no sequence {sequence}; `portcullis policy history {name}` shows those that it has"
        )));
    };
    let unreadable = |error: String| not_possible(format!("sequence {sequence} cannot be read: {error}"));
    let envelope = Envelope::parse(&value).map_err(|error| unreadable(error.to_string()))?;
    let statement = envelope
        .statement()
        .map_err(|error| unreadable(error.to_string()))?;
    if statement.name() != name || statement.sequence() != sequence {
        return Err(unreadable(format!(
            "it holds sequence {} of `{}`",
            statement.sequence(),
            statement.name()
        )));
    }
    match statement {
        Statement::Release(document) => Ok((envelope, *document)),
        Statement::Retirement(_) => Err(not_possible(format!(
            "sequence {sequence} is a retirement; use `portcullis policy retire`"
        ))),
    }
}

/// The newest release before the present document that says something else.
async fn last_other(
    store: &dyn PolicyArchive,
    present: &Present,
) -> Result<(Envelope, PolicyDocument), PublishError> {
    let name = &present.name;
    let current = present.statement();
    let before = current.map_or(u64::MAX, Statement::sequence);
    let entries = store.history(Some(name)).await?;
    let older = entries.into_iter().filter(|entry| entry.sequence < before);
    for entry in older.take(MAX_LOOKED_AT) {
        let Some(value) = store.past(&entry).await? else {
            continue;
        };
        // What cannot be read was never in force.
        let Ok(envelope) = Envelope::parse(&value) else {
            continue;
        };
        let Ok(Statement::Release(document)) = envelope.statement() else {
            continue;
        };
        let is_same = match current {
            Some(Statement::Release(current)) => current.says_the_same_as(&document.without_candidate()),
            _ => false,
        };
        if document.name == *name && document.sequence == entry.sequence && !is_same {
            return Ok((envelope, *document));
        }
    }
    Err(PublishError::not_possible(
        name,
        "its history has no older release that says something else",
    ))
}
