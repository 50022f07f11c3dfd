//! The header `Idempotency-Key`: a string of the structured field values of RFC 9651 (`"…"`), as the draft of the IETF's HTTPAPI
//! group has it; or the same without quotes, as most clients send it.

use application::ports::IdempotencyKey;
use axum::http::{HeaderMap, HeaderName};

use crate::card_shape::{holds_card_number, holds_card_number_in_a_row};
use crate::problem::{Problem, ProblemCode};

/// Where a key comes in.
pub(crate) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// On an answer that was given before.
pub(crate) const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// The key of a request, if it has one.
pub(crate) fn read(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Problem> {
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(invalid("is there more than once"));
    }
    let text = value
        .to_str()
        .map_err(|_| invalid("holds something else than printable ASCII"))?;
    let key = unquoted(text.trim_matches([' ', '\t']))?;
    if holds_card_number(&key) || holds_card_number_in_a_row(&key) {
        // It is kept.
        return Err(invalid("holds a card number"));
    }
    IdempotencyKey::parse(&key)
        .map(Some)
        .map_err(|error| invalid(&error.to_string()))
}

/// What stands between the quotes, where there are any.
fn unquoted(text: &str) -> Result<String, Problem> {
    let Some(rest) = text.strip_prefix('"') else {
        return if text.contains(['"', '\\']) {
            Err(invalid(
                "has a quote or a backslash, but does not begin with a quote",
            ))
        } else {
            Ok(text.to_owned())
        };
    };
    let mut key = String::with_capacity(rest.len());
    let mut characters = rest.chars();
    loop {
        match characters.next() {
            Some('"') if characters.as_str().is_empty() => return Ok(key),
            Some('"') => return Err(invalid("goes on behind its closing quote")),
            Some('\\') => match characters.next() {
                Some(escaped @ ('"' | '\\')) => key.push(escaped),
                _ => {
                    return Err(invalid(
                        "has a backslash before something else than a quote or a backslash",
                    ));
                }
            },
            Some(character) => key.push(character),
            None => return Err(invalid("has no closing quote")),
        }
    }
}

fn invalid(problem: &str) -> Problem {
    Problem::new(
        ProblemCode::InvalidIdempotencyKey,
        format!(
            "`Idempotency-Key` {problem}. Expected 1 to 255 printable characters, such as \"8e03978e-40d5-43dd-bc93-6894a57f9324\", \
             with or without the quotes. Nothing was done."
        ),
    )
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn of(values: &[&str]) -> Result<Option<String>, ()> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(IDEMPOTENCY_KEY, HeaderValue::from_str(value).unwrap());
        }
        let key = read(&headers).map_err(|_problem| ())?;
        Ok(key.map(|key| key.as_str().to_owned()))
    }

    #[test]
    fn a_key_comes_with_quotes_or_without() {
        assert_eq!(of(&[]), Ok(None));
        for (sent, key) in [
            ("abc-1", "abc-1"),
            ("\"abc-1\"", "abc-1"),
            (" \"a b\" ", "a b"),
            (r#""a\"b\\c""#, r#"a"b\c"#),
        ] {
            assert_eq!(of(&[sent]), Ok(Some(key.to_owned())), "{sent}");
        }
        assert_eq!(of(&[&"x".repeat(255)]), Ok(Some("x".repeat(255))));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        let long = "x".repeat(256);
        for sent in [
            "",
            "\"\"",
            "\"a",
            "a\"",
            "\"a\"b",
            r#""a\n""#,
            "\"a\\",
            &long,
            "4242424242424242",
        ] {
            assert_eq!(of(&[sent]), Err(()), "{sent}");
        }
        assert_eq!(of(&["a", "a"]), Err(()));
    }
}
