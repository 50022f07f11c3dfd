//! Reading a body: JSON, within its bound, in time, without copying where it comes in one piece.

use std::ops::Deref;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;

use crate::admission::ConnectionBodies;
use crate::card_shape::wipe;
use crate::problem::{Problem, ProblemCode};
use crate::state::Shared;

/// A body, in the one piece that it came in or put together. Wiped when it is dropped: it has a card number in it.
#[derive(Default)]
pub(crate) struct JsonBody {
    whole: Bytes,
    pieces: BytesMut,
}

impl JsonBody {
    /// `capacity` is for the whole body, so that no growth leaves a copy behind.
    fn push(&mut self, piece: Bytes, capacity: usize) {
        if self.is_empty() {
            self.whole = piece;
            return;
        }
        if self.pieces.is_empty() {
            self.pieces.reserve(capacity);
            self.pieces.extend_from_slice(&self.whole);
            wipe_bytes(std::mem::take(&mut self.whole));
        }
        self.pieces.extend_from_slice(&piece);
        wipe_bytes(piece);
    }
}

impl Deref for JsonBody {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        if self.pieces.is_empty() {
            &self.whole
        } else {
            &self.pieces
        }
    }
}

impl Drop for JsonBody {
    fn drop(&mut self) {
        wipe(&mut self.pieces);
        wipe_bytes(std::mem::take(&mut self.whole));
    }
}

/// Overwrites what nobody else holds. A piece that shares its memory with the connection's buffer stays until that is
/// used again.
fn wipe_bytes(bytes: Bytes) {
    if let Ok(mut bytes) = bytes.try_into_mut() {
        wipe(&mut bytes);
    }
}

/// The same where a body may be left out; nothing stands for it then.
pub(crate) async fn read_optional_json(shared: &Shared, request: Request) -> Result<JsonBody, Problem> {
    if request.body().size_hint().exact() == Some(0) {
        return Ok(JsonBody::default());
    }
    read_json(shared, request).await
}

/// The whole body of a request that says it is JSON.
pub(crate) async fn read_json(shared: &Shared, request: Request) -> Result<JsonBody, Problem> {
    check_media_type(request.headers())?;
    let max_bytes = shared.max_body_bytes;
    let announced = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok())
        .and_then(|length| length.parse::<usize>().ok());
    let connection = request.extensions().get::<ConnectionBodies>().cloned();
    let reading = async {
        let _reading = shared.admission.read_body(connection.as_ref()).await?;
        read(request.into_body(), announced, max_bytes).await
    };
    tokio::time::timeout(shared.body_read_timeout, reading)
        .await
        .unwrap_or_else(|_| Err(incomplete("The body did not arrive in time.")))
}

async fn read(mut body: Body, announced: Option<usize>, max_bytes: usize) -> Result<JsonBody, Problem> {
    if announced.is_some_and(|length| length > max_bytes) {
        discard(&mut body).await;
        return Err(too_large(max_bytes));
    }
    let mut whole = JsonBody::default();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| incomplete("The body broke off."))?;
        let Ok(piece) = frame.into_data() else {
            continue; // Trailers.
        };
        if whole.len() + piece.len() > max_bytes {
            discard(&mut body).await;
            return Err(too_large(max_bytes));
        }
        whole.push(piece, announced.unwrap_or(max_bytes));
    }
    Ok(whole)
}

/// Takes the rest of a body that is too large and throws it away, as much of it as an honest client sends by mistake. One that
/// is still sending when the connection closes often never sees the answer.
async fn discard(body: &mut Body) {
    /// Sixteen times what is read by default.
    const MAX_DISCARDED_BYTES: usize = 1024 * 1024;
    /// What a client that sends at once needs by far.
    const MAX_DISCARDING: Duration = Duration::from_secs(1);
    let discarding = async {
        let mut left = MAX_DISCARDED_BYTES;
        while let Some(Ok(frame)) = body.frame().await {
            let Some(rest) = left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) else {
                return;
            };
            left = rest;
        }
    };
    // What has not come by then is left to the connection's end.
    let _discarded = tokio::time::timeout(MAX_DISCARDING, discarding).await;
}

fn check_media_type(headers: &HeaderMap) -> Result<(), Problem> {
    let is_json = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(is_json);
    let is_plain = headers
        .get(CONTENT_ENCODING)
        .is_none_or(|encoding| encoding.as_bytes().eq_ignore_ascii_case(b"identity"));
    if is_json && is_plain {
        Ok(())
    } else {
        Err(Problem::new(
            ProblemCode::UnsupportedMediaType,
            "Expected a body with `Content-Type: application/json`, in UTF-8 and not compressed.",
        ))
    }
}

fn is_json(content_type: &str) -> bool {
    let mut parts = content_type.split(';').map(str::trim);
    parts
        .next()
        .is_some_and(|essence| essence.eq_ignore_ascii_case("application/json"))
        && parts.all(|parameter| match parameter.split_once('=') {
            Some((name, value)) if name.eq_ignore_ascii_case("charset") => {
                value.trim_matches('"').eq_ignore_ascii_case("utf-8")
            }
            _ => true,
        })
}

fn too_large(max_bytes: usize) -> Problem {
    Problem::new(
        ProblemCode::BodyTooLarge,
        format!("The body is larger than the {max_bytes} bytes that are read."),
    )
}

fn incomplete(detail: &'static str) -> Problem {
    Problem::new(ProblemCode::BodyIncomplete, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_json_in_utf_8_is_taken() {
        for taken in [
            "application/json",
            "Application/JSON; charset=UTF-8",
            "application/json;charset=\"utf-8\"",
        ] {
            assert!(is_json(taken), "{taken}");
        }
        for refused in [
            "",
            "text/json",
            "application/jsonp",
            "application/json; charset=gb18030",
            "application/problem+json",
        ] {
            assert!(!is_json(refused), "{refused}");
        }
    }

    #[test]
    fn a_body_is_the_same_in_one_piece_and_in_many() {
        for pieces in [&["{\"a\": 1}"][..], &["{\"a\"", ": ", "1}"]] {
            let mut body = JsonBody::default();
            for piece in pieces {
                body.push(Bytes::copy_from_slice(piece.as_bytes()), 8);
            }
            assert_eq!(&*body, b"{\"a\": 1}");
        }
    }
}
