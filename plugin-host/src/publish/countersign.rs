//! Signing what somebody else has published: a second pair of eyes, and a new key beside the old one.

use bytes::Bytes;
use domain::Timestamp;

use crate::digest::Digest;
use crate::document::{PolicyName, Statement};
use crate::envelope::{Envelope, MAX_SIGNATURES};
use crate::signing::{SignatureRefusal, SigningKey, TrustedKeys};
use crate::store::{DocumentWrite, HistoryWrite, PolicyStore, Transaction};

use super::PublishError;
use super::signatures::{sign, signed_by};

/// A document that was signed.
#[derive(Clone, Debug)]
pub struct Countersigned {
    /// What it says.
    pub statement: Statement,
    /// How many signatures were added; 0 where every key had signed it before.
    pub added: usize,
    /// The ids of the keys that have signed it by now.
    pub signed_by: Vec<String>,
    /// What is still missing before the nodes take it, as far as it is known whom they trust.
    pub still_missing: Option<SignatureRefusal>,
    write: DocumentWrite,
}

impl Countersigned {
    /// Reads the document that is stored under a name, and signs it: payload and sequence stay what they are. Nothing is
    /// written yet.
    ///
    /// # Errors
    /// When there is none, when it is not what its key says or has another artifact than the one that is asked for, and when
    /// the nodes would not count a signature of these keys.
    pub async fn prepare(
        store: &dyn PolicyStore,
        name: &PolicyName,
        artifact: Option<&Digest>,
        signers: &[SigningKey],
        trusted: &TrustedKeys,
        now: Timestamp,
    ) -> Result<Self, PublishError> {
        let not_signable = |reason: String| PublishError::not_possible(name, reason);
        let Some(stored) = store.get(name).await? else {
            return Err(PublishError::NotStored { name: name.clone() });
        };
        let envelope = Envelope::parse(&stored.value).map_err(|error| not_signable(error.to_string()))?;
        let statement = envelope
            .statement()
            .map_err(|error| not_signable(error.to_string()))?;
        if statement.name() != name {
            return Err(not_signable(format!(
                "the document is one of `{}`",
                statement.name()
            )));
        }
        match (&statement, artifact) {
            (Statement::Release(document), Some(expected)) if document.artifact.digest() != expected => {
                let found = document.artifact.digest();
                return Err(not_signable(format!("its artifact is {found}")));
            }
            (Statement::Retirement(_), Some(_)) => {
                return Err(not_signable(
                    "the document retires it, and names no artifact".to_owned(),
                ));
            }
            _ => {}
        }
        let Some((envelope, added)) = sign(envelope, signers)? else {
            return Err(not_signable(format!(
                "it has as many signatures as fit, which is {MAX_SIGNATURES}; publish it anew"
            )));
        };
        let still_missing = match trusted.verify(&envelope, name, now) {
            Ok(_) => None,
            // Others are to follow.
            Err(missing @ SignatureRefusal::TooFew { .. }) => Some(missing),
            Err(refusal) => {
                return Err(PublishError::unsigned(name, &refusal));
            }
        };
        let write = DocumentWrite {
            name: name.clone(),
            sequence: statement.sequence(),
            history: HistoryWrite::Signed,
            value: Bytes::from(envelope.to_json()),
            expected: Some(stored.mod_revision),
        };
        Ok(Self {
            statement,
            added,
            signed_by: signed_by(&envelope),
            still_missing,
            write,
        })
    }
}

/// Writes what was signed, all in one transaction, and tells the revision; none where there was nothing to write.
///
/// # Errors
/// When the store cannot be written, and when a document is not the one that was signed any more.
pub async fn countersign(
    store: &dyn PolicyStore,
    signed: &[Countersigned],
) -> Result<Option<u64>, PublishError> {
    let changed = signed.iter().filter(|signed| signed.added > 0);
    let transaction = Transaction {
        artifacts: Vec::new(),
        documents: changed.map(|signed| signed.write.clone()).collect(),
    };
    if transaction.documents.is_empty() {
        return Ok(None);
    }
    Ok(Some(store.put(transaction).await?))
}
