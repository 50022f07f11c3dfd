//! Signing what is published, and seeing that the nodes would take it.

use crate::document::{PolicyName, Statement};
use crate::envelope::{Envelope, MAX_SIGNATURES};
use crate::signing::{SigningError, SigningKey};

use super::{PublishError, Terms};

/// An envelope without any signature.
fn unsigned(statement: &Statement) -> Envelope {
    match statement {
        Statement::Release(document) => Envelope::unsigned(document),
        Statement::Retirement(retirement) => Envelope::unsigned_retirement(retirement),
    }
}

/// A new document's envelope, which the nodes would take.
pub(super) fn fresh(statement: &Statement, terms: &Terms<'_>) -> Result<Envelope, PublishError> {
    let name = statement.name();
    let Some((envelope, _)) = sign(unsigned(statement), terms.signers)? else {
        let reason = format!("more than {MAX_SIGNATURES} keys are to sign it");
        return Err(PublishError::not_possible(name, reason));
    };
    check(&envelope, name, terms)?;
    Ok(envelope)
}

/// Whether the nodes would take an envelope for its signatures.
pub(super) fn check(envelope: &Envelope, name: &PolicyName, terms: &Terms<'_>) -> Result<(), PublishError> {
    let verified = terms.trusted.verify(envelope, name, terms.now);
    verified
        .map(drop)
        .map_err(|refusal| PublishError::unsigned(name, &refusal))
}

/// The envelope with a signature of each of these keys, and how many of those it did not have before; none where there is no
/// room for them.
pub(super) fn sign(
    envelope: Envelope,
    signers: &[SigningKey],
) -> Result<Option<(Envelope, usize)>, SigningError> {
    let message = envelope.pre_authentication_encoding();
    let mut envelope = envelope;
    let mut added = 0;
    for key in signers {
        // One under its id that does not verify is somebody's mistake, or worse, and is replaced.
        let is_there = envelope.signatures().iter().any(|signature| {
            signature.keyid == key.id().as_str() && key.public().verifies(&message, &signature.sig)
        });
        if is_there {
            continue;
        }
        let signature = key.sign(&envelope)?;
        match envelope.with_signature(signature) {
            Some(signed) => envelope = signed,
            None => return Ok(None),
        }
        added += 1;
    }
    Ok(Some((envelope, added)))
}

/// The ids that an envelope's signatures give.
pub(super) fn signed_by(envelope: &Envelope) -> Vec<String> {
    let signatures = envelope.signatures().iter();
    signatures.map(|signature| signature.keyid.clone()).collect()
}
