//! Answers of an acquirer: what moves money is what they are taken for.
//!
//! The input is the status in three digits, a line feed and the body. An answer that is believed is JSON and names the operation
//! that was asked for; the reason why one is not believed is one short line without a card number.

use std::collections::BTreeMap;

use portcullis_acquirers::fuzzing::read_answer;
use serde::Deserialize;
use serde::de::IgnoredAny;

/// What is asked for.
const NAME: &str = "op_1";

/// The longest reason, in characters: three texts of the answer, of which each is cut off, and what stands between them.
const MAX_REASON_CHARS: usize = 700;

/// What an answer is about.
#[derive(Deserialize)]
struct Named {
    id: String,
}

/// Reads the input as an answer to each kind of request.
pub fn run(data: &[u8]) {
    let Some((status, body)) = data.split_at_checked(4) else {
        return;
    };
    let Some(status) = std::str::from_utf8(status)
        .ok()
        .and_then(|line| line.strip_suffix('\n'))
        .and_then(|digits| digits.parse::<u16>().ok())
    else {
        return;
    };
    for believed in read_answer(NAME, status, true, body) {
        match believed {
            Ok(()) => {
                let text = std::str::from_utf8(body).expect("what is believed is text");
                let members: BTreeMap<String, IgnoredAny> =
                    serde_json::from_str(text).expect("what is believed is an object of JSON");
                assert!(members.contains_key("status"), "it says nothing");
                let named: Named = serde_json::from_str(text).expect("what is believed has a name");
                assert_eq!(named.id, NAME, "it is about something else");
            }
            Err(reason) => {
                assert!(reason.chars().count() <= MAX_REASON_CHARS, "{reason}");
                assert!(!reason.contains(char::is_control), "{reason:?}");
                let digits = reason
                    .split(|c: char| !c.is_ascii_digit())
                    .map(str::len)
                    .max()
                    .unwrap_or_default();
                assert!(digits < 12, "a number as long as a card's: {reason}");
            }
        }
    }
    assert!(
        read_answer(NAME, status, false, body).iter().all(Result::is_err),
        "what is no JSON is believed"
    );
}
