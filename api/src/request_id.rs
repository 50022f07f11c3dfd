//! The name of a request: in the answer's `x-request-id`, in every problem, in the log.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::card_shape::{holds_card_number, holds_card_number_in_a_row};
use crate::digits::write_digits;

/// Where a request id travels, both ways.
pub(crate) const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest request id taken over from a caller, in bytes: roomy for a UUID with a prefix, and a bound for log lines.
const MAX_REQUEST_ID_BYTES: usize = 64;

/// Makes request ids: a random part per process and a count.
pub(crate) struct RequestIds {
    process: u64,
    next: AtomicU64,
}

impl RequestIds {
    pub(crate) fn new() -> Self {
        Self {
            // The standard library seeds its hash maps from the system's random source.
            process: RandomState::new().build_hasher().finish(),
            next: AtomicU64::new(1),
        }
    }

    /// Leaves a request id in the headers: the caller's where it is sane, else a new one.
    pub(crate) fn ensure(&self, headers: &mut HeaderMap) -> HeaderValue {
        if let Some(given) = headers.get(X_REQUEST_ID).filter(|value| is_sane(value)) {
            return given.clone();
        }
        let count = self.next.fetch_add(1, Ordering::Relaxed);
        let mut made = *b"req_0000000000000000000000000000";
        for (from, digits, value) in [(4, 16, self.process), (20, 12, count)] {
            write_digits::<16>(made.iter_mut().skip(from).take(digits), value);
        }
        let made = HeaderValue::from_bytes(&made).unwrap_or(HeaderValue::from_static("req_none"));
        headers.insert(X_REQUEST_ID, made.clone());
        made
    }
}

/// The id as text; it is plain ASCII once [`RequestIds::ensure`] has seen it.
pub(crate) fn text(id: &HeaderValue) -> &str {
    id.to_str().unwrap_or("")
}

fn is_sane(value: &HeaderValue) -> bool {
    let bytes = value.as_bytes();
    (1..=MAX_REQUEST_ID_BYTES).contains(&bytes.len())
        && bytes
            .iter()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
        // It goes to the log and into answers.
        && value
            .to_str()
            .is_ok_and(|text| !holds_card_number(text) && !holds_card_number_in_a_row(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ensured(given: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(X_REQUEST_ID, HeaderValue::from_str(given).unwrap());
        text(&RequestIds::new().ensure(&mut headers)).to_owned()
    }

    #[test]
    fn a_sane_id_is_taken_over() {
        assert_eq!(ensured("order-17.retry_2"), "order-17.retry_2");
    }

    #[test]
    fn what_could_forge_a_log_line_or_fill_it_is_replaced() {
        for odd in ["", "a b", "a\tb", "{}", &"x".repeat(65)] {
            assert!(ensured(odd).starts_with("req_"), "{odd:?}");
        }
    }

    #[test]
    fn a_card_number_is_not_taken_for_an_id() {
        for card in [
            "4242424242424242",
            "4242-4242-4242-4242",
            "pay_4242424242424242",
            "CCCCCCCCCCCCCCCC4242424242424242",
        ] {
            assert!(ensured(card).starts_with("req_"), "{card}");
        }
        let uuid = "a4242424-2424-4242-8242-42424242424a";
        assert_eq!(ensured(uuid), uuid);
    }

    #[test]
    fn ids_of_one_process_differ() {
        let ids = RequestIds::new();
        let first = ids.ensure(&mut HeaderMap::new());
        assert_ne!(first, ids.ensure(&mut HeaderMap::new()));
    }
}
