//! What is an envelope and what is none.

use super::*;
use crate::document::MAX_DOCUMENT_BYTES;
use crate::document::tests::document;

fn wire(payload_type: &str, payload: &str, signatures: &serde_json::Value) -> Vec<u8> {
    serde_json::json!({"payloadType": payload_type, "payload": payload, "signatures": signatures})
        .to_string()
        .into_bytes()
}

#[test]
fn an_envelope_is_read_as_it_was_written() {
    let envelope = Envelope::unsigned(&document());
    let read = Envelope::parse(&envelope.to_json()).unwrap();
    assert_eq!(read, envelope);
    assert_eq!(read.document(), Ok(document()));
}

#[test]
fn base64_of_either_alphabet_is_taken_with_or_without_padding() {
    // Bytes whose encoding shows the alphabet and needs padding.
    for payload in ["-__-", "+//+", "+//+AA==", "+//+AA", "-__-AA=="] {
        let envelope = Envelope::parse(&wire(PAYLOAD_TYPE, payload, &serde_json::json!([]))).unwrap();
        assert!(envelope.payload().starts_with(&[0xfb, 0xff, 0xfe]), "{payload}");
    }
    for payload in ["+/_-", "=", "a", "a b=", "é"] {
        let error = Envelope::parse(&wire(PAYLOAD_TYPE, payload, &serde_json::json!([]))).unwrap_err();
        assert!(
            error.to_string().starts_with("payload: expected base64"),
            "{error}"
        );
    }
}

#[test]
fn signatures_are_kept_and_bounded() {
    let two = serde_json::json!([{"keyid": "k1", "sig": "AAAA"}, {"sig": "-_-_"}]);
    let envelope = Envelope::parse(&wire(PAYLOAD_TYPE, "e30=", &two)).unwrap();
    assert_eq!(envelope.signatures().len(), 2);
    assert_eq!(envelope.signatures()[0].keyid, "k1");
    assert_eq!(envelope.signatures()[1].sig, [0xfb, 0xff, 0xbf]);
    assert_eq!(Envelope::parse(&envelope.to_json()), Ok(envelope));
    let many = serde_json::json!(vec![serde_json::json!({"sig": "AAAA"}); MAX_SIGNATURES + 1]);
    let long_key = serde_json::json!([{"keyid": "k".repeat(MAX_KEYID_BYTES + 1), "sig": "AAAA"}]);
    let long_sig = serde_json::json!([{"sig": "AAAA".repeat(MAX_SIGNATURE_BYTES / 3 + 1)}]);
    let empty = serde_json::json!([{"sig": ""}]);
    for (signatures, path) in [
        (many, "signatures: found 17"),
        (long_key, "signatures[0].keyid: found 129 bytes"),
        (long_sig, "signatures[0].sig: found"),
        (empty, "signatures[0].sig: found 0 bytes"),
    ] {
        let error = Envelope::parse(&wire(PAYLOAD_TYPE, "e30=", &signatures)).unwrap_err();
        assert!(error.to_string().starts_with(path), "{error}");
    }
}

#[test]
fn what_is_no_envelope_is_refused_by_kind() {
    let unsigned = serde_json::json!([]);
    let large = vec![b' '; MAX_ENVELOPE_BYTES + 1];
    for (bytes, code, text) in [
        (large, "envelope_too_large", "expected at most"),
        (b"{}".to_vec(), "envelope_invalid", "missing field `payloadType`"),
        (
            wire("text/plain", "", &unsigned),
            "payload_type",
            "found `text/plain`",
        ),
        (
            br#"{"payloadType": "x", "payload": "", "signature": []}"#.to_vec(),
            "envelope_invalid",
            "did you mean `signatures`?",
        ),
    ] {
        let error = Envelope::parse(&bytes).unwrap_err();
        assert_eq!(error.code(), code);
        assert!(error.to_string().contains(text), "{error}");
    }
}

#[test]
fn the_encoding_before_signing_is_that_of_dsse() {
    let envelope = Envelope::parse(&wire(PAYLOAD_TYPE, "e30=", &serde_json::json!([]))).unwrap();
    let expected = b"DSSEv1 38 application/vnd.portcullis.policy+json 2 {}";
    assert_eq!(PAYLOAD_TYPE.len(), 38);
    assert_eq!(envelope.pre_authentication_encoding(), expected);
}

#[test]
fn the_largest_document_fits_an_envelope_with_every_signature() {
    let payload = MAX_DOCUMENT_BYTES.div_ceil(3) * 4;
    let signature = MAX_KEYID_BYTES + MAX_SIGNATURE_BYTES.div_ceil(3) * 4 + 32;
    assert!(payload + MAX_SIGNATURES * signature + 256 < MAX_ENVELOPE_BYTES);
}
