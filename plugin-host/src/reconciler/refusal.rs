//! Why a document was not taken, from any of the checks.

use crate::artifact::ArtifactError;
use crate::document::strict::shorten;
use crate::document::{
    DocumentError, Moment, PolicyDocument, Retirement, Statement, TextError, ValidityError,
};
use crate::envelope::EnvelopeError;
use crate::load_error::LoadError;
use crate::signing::SignatureRefusal;

/// The longest message of a refusal, in bytes: it is logged, kept and shown by the API, and an artifact has a say in it
/// (names of imports, of golden cases, a decision that was expected).
const MAX_MESSAGE_BYTES: usize = 4_096;

/// What a document of the last good set is refused as whose artifact is gone.
const ARTIFACT_NOT_KEPT: &str = "artifact_not_kept";

/// A refusal, ready to be shown.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    /// The stable name of the check that failed.
    pub(super) code: &'static str,
    /// What was wrong, where, and what would be right.
    pub(super) message: String,
    /// The document's sequence, where it could be read.
    pub(super) sequence: Option<u64>,
    /// Whether the same document may be taken later.
    pub(super) again: Again,
}

/// When a document that was refused is tried again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Again {
    /// Not before it is another document: nothing about it will change.
    #[default]
    Never,
    /// At every listing: its artifact arrives, its time comes, and to find that out costs little.
    EveryListing,
    /// At listings that are further and further apart: it may have been the moment, and each try costs as much as the first.
    Seldom,
}

impl Refusal {
    fn for_good(code: &'static str, message: &str) -> Self {
        Self {
            code,
            message: shorten(message, MAX_MESSAGE_BYTES),
            sequence: None,
            again: Again::Never,
        }
    }

    fn for_now(code: &'static str, message: &str) -> Self {
        Self {
            again: Again::EveryListing,
            ..Self::for_good(code, message)
        }
    }

    fn at_this_cost(code: &'static str, message: &str) -> Self {
        Self {
            again: Again::Seldom,
            ..Self::for_good(code, message)
        }
    }

    /// The same, of a document that could be read.
    pub(super) fn of(self, document: &PolicyDocument) -> Self {
        self.of_sequence(document.sequence)
    }

    fn of_sequence(self, sequence: u64) -> Self {
        Self {
            sequence: Some(sequence),
            ..self
        }
    }

    /// The same, of the document's candidate: everything else about the document may be right.
    pub(super) fn of_the_candidate(self) -> Self {
        Self {
            message: shorten(&format!("candidate: {}", self.message), MAX_MESSAGE_BYTES),
            ..self
        }
    }

    /// The key is no policy's name.
    pub(super) fn key(error: &TextError) -> Self {
        Self::for_good(
            "name_invalid",
            &format!("the key's last part is no policy's name: {error}"),
        )
    }

    /// The document speaks of another policy than its key.
    pub(super) fn name(key: &str, statement: &Statement) -> Self {
        let message = format!(
            "name: expected `{key}` as in the key, found `{}`",
            statement.name()
        );
        Self::for_good("name_mismatch", &message).of_sequence(statement.sequence())
    }

    /// The document is older than one that was seen.
    pub(super) fn replayed(sequence: u64, seen: u64) -> Self {
        let message = format!(
            "sequence: expected at least {seen}, which this node has seen, found {sequence}; publish the older artifact under a new sequence"
        );
        Self::for_good("sequence_replayed", &message).of_sequence(sequence)
    }

    /// The document retires a policy that this node may not be without.
    pub(super) fn required(retirement: &Retirement) -> Self {
        let message = format!(
            "the document retires `{}`, which `policies.required` of this node names: take it from there first",
            retirement.name
        );
        Self::for_good("required_policy_retired", &message).of_sequence(retirement.sequence)
    }

    /// The document took too long to load.
    pub(super) fn too_slow(timeout: std::time::Duration) -> Self {
        let message = format!(
            "fetching, compiling and trying the artifact took more than {} s",
            timeout.as_secs()
        );
        Self::at_this_cost("load_timeout", &message)
    }

    /// The keys that signed the document are not trusted any more, and it was taken while they were.
    pub(super) fn keys_lapsed(document: &PolicyDocument, held_until: Moment) -> Self {
        let message = format!(
            "enough of the keys that signed the document were trusted until {held_until}: it stays in force here, and no node takes it any more that has not had it in force; sign it again with a key that is trusted"
        );
        Self::for_now("signature_key_expired", &message).of(document)
    }

    /// The artifact of a document of the last good set is not on this node's disk as it was kept.
    pub(super) fn artifact_not_kept() -> Self {
        let message = "the artifact is not on this node's disk as it was kept when it was in force; it is loaded when the store answers";
        Self::for_now(ARTIFACT_NOT_KEPT, message)
    }

    /// The same, looked at again when the store is listed: it may be that its word is another.
    pub(super) fn until_the_store_answers(self) -> Self {
        Self {
            again: Again::EveryListing,
            ..self
        }
    }

    /// Whether what this node kept of it is not as it was.
    pub(super) fn is_of_the_disk(&self) -> bool {
        self.code == ARTIFACT_NOT_KEPT
    }

    /// The document is not valid now.
    pub(super) fn validity(document: &PolicyDocument, error: &ValidityError) -> Self {
        Self::for_now(error.code(), &error.to_string()).of(document)
    }
}

impl From<EnvelopeError> for Refusal {
    fn from(error: EnvelopeError) -> Self {
        Self::for_good(error.code(), &error.to_string())
    }
}

impl From<SignatureRefusal> for Refusal {
    fn from(refusal: SignatureRefusal) -> Self {
        if refusal.depends_on_the_time() {
            Self::for_now(refusal.code(), &refusal.to_string())
        } else {
            Self::for_good(refusal.code(), &refusal.to_string())
        }
    }
}

impl From<DocumentError> for Refusal {
    fn from(error: DocumentError) -> Self {
        Self::for_good(error.code(), &error.to_string())
    }
}

impl From<ArtifactError> for Refusal {
    fn from(error: ArtifactError) -> Self {
        Self::for_now(error.code(), &error.to_string())
    }
}

impl From<LoadError> for Refusal {
    fn from(error: LoadError) -> Self {
        if error.is_of_the_moment() {
            Self::at_this_cost(error.code(), &error.to_string())
        } else {
            Self::for_good(error.code(), &error.to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::mismatch::{ContractMismatch, Difference};

    #[test]
    fn a_message_that_an_artifact_has_a_say_in_is_bounded() {
        let import = "wasi:sockets/".repeat(10_000);
        let reason = "no policy may";
        let error = LoadError::from(ContractMismatch::from(Difference::ForbiddenImport {
            import,
            reason,
        }));
        let refusal = Refusal::from(error);
        assert!(refusal.message.len() <= MAX_MESSAGE_BYTES + "…".len());
        assert!(refusal.message.contains("wasi:sockets/"), "{}", refusal.message);
    }
}
