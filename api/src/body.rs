//! Reading a body: JSON, within its bound, in time, without copying where it comes in one piece.

use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;

use crate::problem::{Problem, ProblemCode};
use crate::state::Shared;

/// The whole body of a request that says it is JSON.
pub(crate) async fn read_json(shared: &Shared, request: Request) -> Result<Bytes, Problem> {
    check_media_type(request.headers())?;
    let max_bytes = shared.max_body_bytes;
    let announced = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok())
        .and_then(|length| length.parse::<usize>().ok());
    if announced.is_some_and(|length| length > max_bytes) {
        return Err(too_large(max_bytes));
    }
    let _reading = shared.admission.read_body()?;
    tokio::time::timeout(shared.body_read_timeout, read(request.into_body(), max_bytes))
        .await
        .unwrap_or_else(|_| Err(incomplete("The body did not arrive in time.")))
}

async fn read(mut body: Body, max_bytes: usize) -> Result<Bytes, Problem> {
    let mut whole = Bytes::new();
    let mut pieces = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| incomplete("The body broke off."))?;
        let Ok(piece) = frame.into_data() else {
            continue; // Trailers.
        };
        if whole.len().max(pieces.len()) + piece.len() > max_bytes {
            return Err(too_large(max_bytes));
        }
        if whole.is_empty() && pieces.is_empty() {
            whole = piece;
            continue;
        }
        if pieces.is_empty() {
            pieces.extend_from_slice(&whole);
        }
        pieces.extend_from_slice(&piece);
    }
    Ok(if pieces.is_empty() { whole } else { pieces.freeze() })
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
}
