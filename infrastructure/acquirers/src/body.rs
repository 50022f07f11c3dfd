//! Bodies: read within a bound, and wiped where they may hold a card number.

use bytes::{Buf, Bytes};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use serde::Serialize;
use thiserror::Error;
use zeroize::Zeroizing;

/// Why a body was not read to its end.
#[derive(Debug, Error)]
pub(crate) enum BodyError {
    #[error("the body has more than {0} bytes")]
    TooLarge(usize),
    #[error("the body broke off: {0}")]
    Broken(#[from] hyper::Error),
}

/// Reads a body of at most so many bytes.
pub(crate) async fn read(mut body: Incoming, max_bytes: usize) -> Result<Zeroizing<Vec<u8>>, BodyError> {
    // Made in a size that most have, so that few copies are left behind where it grew.
    let mut read = Zeroizing::new(Vec::with_capacity(max_bytes.min(4 * 1024)));
    while let Some(frame) = body.frame().await {
        let Ok(mut data) = frame?.into_data() else {
            continue;
        };
        if read.len() + data.remaining() > max_bytes {
            return Err(BodyError::TooLarge(max_bytes));
        }
        while data.has_remaining() {
            read.extend_from_slice(data.chunk());
            data.advance(data.chunk().len());
        }
    }
    Ok(read)
}

/// A value as JSON, in memory that is wiped when the last of its readers is done with it.
pub(crate) fn wiped_json(value: &impl Serialize, max_bytes: usize) -> serde_json::Result<Bytes> {
    // It never grows past its bound, and so leaves no copy behind.
    let mut json = Zeroizing::new(vec![0; max_bytes]);
    let mut rest: &mut [u8] = &mut json;
    serde_json::to_writer(&mut rest, value)?;
    let length = max_bytes - rest.len();
    json.truncate(length);
    Ok(Bytes::from_owner(Wiped(json)))
}

struct Wiped(Zeroizing<Vec<u8>>);

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// A whole body.
pub(crate) fn full(bytes: impl Into<Bytes>) -> Full<Bytes> {
    Full::new(bytes.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_its_own_length_and_a_bound() {
        assert_eq!(wiped_json(&["a"], 16).unwrap().as_ref(), b"[\"a\"]");
        assert!(wiped_json(&["a"], 4).is_err());
    }
}
