//! The DSSE envelope around a policy document: the exact bytes that were signed, their type, and the signatures.

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::{Deserialize, Serialize};

use crate::document::strict::{from_json, shorten};
use crate::document::{DocumentError, FieldError, PolicyDocument, Retirement, Statement};

/// What the payload of an envelope is; nothing else is taken.
pub const PAYLOAD_TYPE: &str = "application/vnd.portcullis.policy+json";

/// The largest envelope, in bytes: the largest document in base64, and room for every signature.
pub const MAX_ENVELOPE_BYTES: usize = 384 * 1024;

/// The most signatures of an envelope: a quorum is two or three keys, and a rollover doubles it.
pub const MAX_SIGNATURES: usize = 16;

/// The longest name of a key, in bytes.
pub const MAX_KEYID_BYTES: usize = 128;

/// The longest signature, in bytes: RSA with 4096 bits has 512.
pub const MAX_SIGNATURE_BYTES: usize = 1_024;

/// Padding is written, and not asked for.
const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);

/// A document as it is stored. The payload is kept as it came: a signature is over these bytes and not over what they mean.
///
/// Signatures are read, bounded and kept here; [`crate::signing::TrustedKeys`] verifies them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    payload: Vec<u8>,
    signatures: Vec<Signature>,
}

/// One signature of an envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// A hint which key it was made with; empty where there is none.
    pub keyid: String,
    /// The signature's bytes.
    pub sig: Vec<u8>,
}

/// Why bytes are no envelope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// More bytes than [`MAX_ENVELOPE_BYTES`].
    #[error("the envelope has {found} bytes, expected at most {MAX_ENVELOPE_BYTES}")]
    TooLarge {
        /// How many it has.
        found: usize,
    },
    /// Not JSON, or not the fields of an envelope.
    #[error("{0}")]
    Field(FieldError),
    /// Some other payload.
    #[error("payloadType: found `{found}`, expected `{PAYLOAD_TYPE}`")]
    PayloadType {
        /// What it says it is.
        found: String,
    },
    /// Not base64, standard or URL-safe.
    #[error("{path}: expected base64, standard or URL-safe: {message}")]
    Base64 {
        /// Which field.
        path: String,
        /// What is wrong with it.
        message: String,
    },
}

impl EnvelopeError {
    /// The stable name of what is wrong.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "envelope_too_large",
            Self::Field(_) | Self::Base64 { .. } => "envelope_invalid",
            Self::PayloadType { .. } => "payload_type",
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct EnvelopeWire {
    payload_type: String,
    payload: String,
    signatures: Vec<SignatureWire>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SignatureWire {
    #[serde(default, skip_serializing_if = "String::is_empty")]
    keyid: String,
    sig: String,
}

impl Envelope {
    /// An envelope without any signature.
    #[must_use]
    pub fn unsigned(document: &PolicyDocument) -> Self {
        Self {
            payload: document.to_json(),
            signatures: Vec::new(),
        }
    }

    /// The same around a retirement.
    #[must_use]
    pub fn unsigned_retirement(retirement: &Retirement) -> Self {
        Self {
            payload: retirement.to_json(),
            signatures: Vec::new(),
        }
    }

    /// Reads an envelope.
    ///
    /// # Errors
    /// When it is too large, not JSON, has an unknown or no field, the wrong type of payload, or no base64.
    pub fn parse(bytes: &[u8]) -> Result<Self, EnvelopeError> {
        if bytes.len() > MAX_ENVELOPE_BYTES {
            return Err(EnvelopeError::TooLarge { found: bytes.len() });
        }
        let wire: EnvelopeWire = from_json(bytes).map_err(EnvelopeError::Field)?;
        if wire.payload_type != PAYLOAD_TYPE {
            return Err(EnvelopeError::PayloadType {
                found: shorten(&wire.payload_type, 80),
            });
        }
        if wire.signatures.len() > MAX_SIGNATURES {
            return Err(EnvelopeError::Field(FieldError::at(
                "signatures",
                format!(
                    "found {}, expected at most {MAX_SIGNATURES}",
                    wire.signatures.len()
                ),
            )));
        }
        let payload = decode("payload", &wire.payload)?;
        let signatures = wire
            .signatures
            .into_iter()
            .enumerate()
            .map(|(index, wire)| signature(index, wire))
            .collect::<Result<_, _>>()?;
        Ok(Self { payload, signatures })
    }

    /// The document in it.
    ///
    /// # Errors
    /// When the payload is no document that this gateway takes.
    pub fn document(&self) -> Result<PolicyDocument, DocumentError> {
        PolicyDocument::parse(&self.payload)
    }

    /// What the document in it says.
    ///
    /// # Errors
    /// When the payload is no document that this gateway takes.
    pub fn statement(&self) -> Result<Statement, DocumentError> {
        Statement::parse(&self.payload)
    }

    /// The bytes that signatures are over, before their encoding.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// The signatures, not verified.
    #[must_use]
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// The same with one more signature, in place of the one that names the same key. None where there is no room for it.
    #[must_use]
    pub fn with_signature(mut self, signature: Signature) -> Option<Self> {
        self.signatures.retain(|other| other.keyid != signature.keyid);
        if self.signatures.len() >= MAX_SIGNATURES {
            return None;
        }
        self.signatures.push(signature);
        Some(self)
    }

    /// The envelope as it is stored. Equal envelopes give equal bytes.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let wire = EnvelopeWire {
            payload_type: PAYLOAD_TYPE.to_owned(),
            payload: BASE64.encode(&self.payload),
            signatures: self
                .signatures
                .iter()
                .map(|signature| SignatureWire {
                    keyid: signature.keyid.clone(),
                    sig: BASE64.encode(&signature.sig),
                })
                .collect(),
        };
        // Cannot fail: texts only.
        serde_json::to_vec(&wire).unwrap_or_default()
    }

    /// What a signature is made over: DSSE's pre-authentication encoding of type and payload (DSSE protocol 1.0.2).
    #[must_use]
    pub fn pre_authentication_encoding(&self) -> Vec<u8> {
        let head = format!(
            "DSSEv1 {} {PAYLOAD_TYPE} {} ",
            PAYLOAD_TYPE.len(),
            self.payload.len()
        );
        let mut encoded = head.into_bytes();
        encoded.extend_from_slice(&self.payload);
        encoded
    }
}

fn signature(index: usize, wire: SignatureWire) -> Result<Signature, EnvelopeError> {
    let path = format!("signatures[{index}].sig");
    if wire.keyid.len() > MAX_KEYID_BYTES {
        return Err(EnvelopeError::Field(FieldError::at(
            &format!("signatures[{index}].keyid"),
            format!(
                "found {} bytes, expected at most {MAX_KEYID_BYTES}",
                wire.keyid.len()
            ),
        )));
    }
    let sig = decode(&path, &wire.sig)?;
    if sig.is_empty() || sig.len() > MAX_SIGNATURE_BYTES {
        return Err(EnvelopeError::Field(FieldError::at(
            &path,
            format!("found {} bytes, expected 1 to {MAX_SIGNATURE_BYTES}", sig.len()),
        )));
    }
    Ok(Signature {
        keyid: wire.keyid,
        sig,
    })
}

/// Either alphabet: writers of DSSE may use either, and a text cannot mix them.
fn decode(path: &str, text: &str) -> Result<Vec<u8>, EnvelopeError> {
    let engine = if text.contains(['-', '_']) {
        &BASE64_URL
    } else {
        &BASE64
    };
    engine.decode(text).map_err(|error| EnvelopeError::Base64 {
        path: path.to_owned(),
        message: error.to_string(),
    })
}

#[cfg(test)]
mod tests;
