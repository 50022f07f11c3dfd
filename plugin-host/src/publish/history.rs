//! What ran under a policy's name before.

use domain::Timestamp;

use crate::document::{PolicyName, Statement};
use crate::envelope::Envelope;
use crate::signing::{SignatureRefusal, TrustedKeys};
use crate::store::{HistoryEntry, PolicyArchive, StoreError};

/// A document of a policy's history.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its sequence, as the history has it.
    pub sequence: u64,
    /// What it says, or why it cannot be read.
    pub statement: Result<Statement, String>,
    /// The ids that its signatures give.
    pub keyids: Vec<String>,
    /// Why a node would not take it now for its signatures, where it is known whom nodes trust.
    pub refusal: Option<SignatureRefusal>,
}

/// The newest documents of a policy's history, the newest first, and how many there are in all.
///
/// # Errors
/// When the store cannot be read.
pub async fn records(
    store: &dyn PolicyArchive,
    name: &PolicyName,
    limit: usize,
    trusted: &TrustedKeys,
    now: Timestamp,
) -> Result<(Vec<Record>, usize), StoreError> {
    let entries = store.history(Some(name)).await?;
    let all = entries.len();
    let mut records = Vec::with_capacity(all.min(limit));
    for entry in entries.into_iter().take(limit) {
        // Trimmed since it was listed.
        let Some(value) = store.past(&entry).await? else {
            continue;
        };
        records.push(record(&entry, &value, trusted, now));
    }
    Ok((records, all))
}

fn record(entry: &HistoryEntry, value: &[u8], trusted: &TrustedKeys, now: Timestamp) -> Record {
    let envelope = match Envelope::parse(value) {
        Ok(envelope) => envelope,
        Err(error) => {
            return Record {
                sequence: entry.sequence,
                statement: Err(error.to_string()),
                keyids: Vec::new(),
                refusal: None,
            };
        }
    };
    Record {
        sequence: entry.sequence,
        statement: statement_in(entry, &envelope),
        keyids: super::signatures::signed_by(&envelope),
        refusal: trusted.verify(&envelope, &entry.name, now).err(),
    }
}

/// What a document of the history says; none where there is none of this sequence.
///
/// # Errors
/// When the store cannot be read.
pub async fn statement_of(
    store: &dyn PolicyArchive,
    entry: &HistoryEntry,
) -> Result<Option<Result<Statement, String>>, StoreError> {
    let value = store.past(entry).await?;
    Ok(value.map(|value| {
        let envelope = Envelope::parse(&value).map_err(|error| error.to_string())?;
        statement_in(entry, &envelope)
    }))
}

fn statement_in(entry: &HistoryEntry, envelope: &Envelope) -> Result<Statement, String> {
    let statement = envelope.statement().map_err(|error| error.to_string())?;
    if *statement.name() != entry.name || statement.sequence() != entry.sequence {
        return Err(format!(
            "it holds sequence {} of `{}`",
            statement.sequence(),
            statement.name()
        ));
    }
    Ok(statement)
}
