//! What an answer of the acquirer means. An answer is believed where it is of the protocol in every part: status, type, form, and
//! the name that was asked for; in every other case it says nothing about the operation.

use std::borrow::Cow;

use application::ports::{AcquirerAnswer, CardKept, InquiryAnswer};
use domain::payment::{AcquirerReference, CardToken, DeclineCode};
use hyper::StatusCode;

use super::call::{Answer, Reading};
use crate::protocol::{AnswerBody, shown, status};

/// Of an operation that was asked for.
pub(super) fn of_operation(name: &str, answer: &Answer) -> Reading<AcquirerAnswer> {
    let body = match body_of(name, answer) {
        Ok(body) => body,
        Err(reason) => return Reading::Nothing(reason),
    };
    match (answer.status, &*body.status) {
        (StatusCode::OK, status::APPROVED | status::DECLINED) => match outcome(name, &body) {
            Ok(outcome) => Reading::Said(outcome),
            Err(reason) => Reading::Nothing(reason),
        },
        (StatusCode::ACCEPTED, status::UNDER_WAY) => Reading::Nothing("it is under way".to_owned()),
        (code, status::REFUSED) if code.is_client_error() => {
            tracing::warn!(
                operation.id = name,
                acquirer.message = message(&body),
                "the acquirer refused an operation"
            );
            let code = DeclineCode::NotPermitted;
            Reading::Refused(AcquirerAnswer::Declined { code })
        }
        _ => otherwise(answer.status, &body),
    }
}

/// Of an inquiry.
pub(super) fn of_inquiry(name: &str, answer: &Answer) -> Reading<InquiryAnswer> {
    let body = match body_of(name, answer) {
        Ok(body) => body,
        Err(reason) => return Reading::Nothing(reason),
    };
    match (answer.status, &*body.status) {
        (StatusCode::OK, status::APPROVED | status::DECLINED) => match outcome(name, &body) {
            Ok(outcome) => Reading::Said(InquiryAnswer::Answered(outcome)),
            Err(reason) => Reading::Nothing(reason),
        },
        (StatusCode::OK | StatusCode::ACCEPTED, status::UNDER_WAY) => Reading::Said(InquiryAnswer::UnderWay),
        (StatusCode::OK, status::NEVER_RECEIVED) => Reading::Said(InquiryAnswer::NeverReceived),
        _ => otherwise(answer.status, &body),
    }
}

/// Of a card that was to be kept.
pub(super) fn of_card(name: &str, answer: &Answer) -> Reading<CardKept> {
    let body = match body_of(name, answer) {
        Ok(body) => body,
        Err(reason) => return Reading::Nothing(reason),
    };
    match (answer.status, &*body.status) {
        (StatusCode::OK, status::KEPT) => match CardToken::parse(body.token.as_deref().unwrap_or_default()) {
            Ok(token) => Reading::Said(CardKept::As(token)),
            Err(error) => Reading::Nothing(format!("the card is kept, but its token {error}")),
        },
        (StatusCode::OK, status::DECLINED) => Reading::Said(CardKept::Declined {
            code: decline_code(name, &body),
        }),
        (code, status::REFUSED) if code.is_client_error() => Reading::Refused(CardKept::Declined {
            code: DeclineCode::NotPermitted,
        }),
        _ => otherwise(answer.status, &body),
    }
}

/// The body, where it is one of ours and about what was asked.
fn body_of<'a>(name: &str, answer: &'a Answer) -> Result<AnswerBody<'a>, String> {
    let code = answer.status;
    if !answer.is_json {
        return Err(format!("{code} without JSON"));
    }
    let body =
        object(&answer.body).map_err(|error| format!("{code} with a body of another form: {error}"))?;
    if body.id != name {
        return Err(format!("{code} about `{}`, asked was `{name}`", shown(&body.id)));
    }
    Ok(body)
}

/// Members that are none of the protocol's are passed over, in an object of JSON in UTF-8: unlike the parser, which does not look at the
/// texts that it passes over, and takes a list of the members' values for the object.
fn object(body: &[u8]) -> Result<AnswerBody<'_>, String> {
    let text = std::str::from_utf8(body).map_err(|error| error.to_string())?;
    if !text.trim_ascii_start().starts_with('{') {
        return Err("expected an object".to_owned());
    }
    serde_json::from_str(text).map_err(|error| shown(&error.to_string()))
}

/// What no kind of request takes for an answer.
fn otherwise<T>(code: StatusCode, body: &AnswerBody<'_>) -> Reading<T> {
    let told = format!("{code} `{}` {}", shown(&body.status), message(body));
    let is_busy = matches!(
        code,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
    );
    if is_busy && body.status == status::NOT_PROCESSED {
        Reading::NotProcessed(told)
    } else {
        Reading::Nothing(told)
    }
}

fn outcome(name: &str, body: &AnswerBody<'_>) -> Result<AcquirerAnswer, String> {
    if body.status == status::DECLINED {
        let code = decline_code(name, body);
        return Ok(AcquirerAnswer::Declined { code });
    }
    AcquirerReference::parse(body.reference.as_deref().unwrap_or_default())
        .map(|reference| AcquirerAnswer::Approved { reference })
        .map_err(|error| format!("it is approved, but its reference {error}"))
}

/// A code that the acquirer has no right to, or that nobody here knows, is still a decline.
fn decline_code(name: &str, body: &AnswerBody<'_>) -> DeclineCode {
    let said = body.code.as_deref().unwrap_or_default();
    let known = DeclineCode::parse(said).filter(|code| code.is_acquirers());
    known.unwrap_or_else(|| {
        tracing::warn!(
            operation.id = name,
            acquirer.code = shown(said),
            "the acquirer declined with a code that is none of the protocol; taken for `card_declined`"
        );
        DeclineCode::CardDeclined
    })
}

fn message(body: &AnswerBody<'_>) -> String {
    shown(body.message.as_ref().map_or("", Cow::as_ref))
}

/// Whether an answer is believed, by each kind of request, or why it is not.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn readings(name: &str, status: u16, is_json: bool, body: &[u8]) -> [Result<(), String>; 3] {
    fn believed<T>(reading: Reading<T>) -> Result<(), String> {
        match reading {
            Reading::Nothing(reason) | Reading::NotProcessed(reason) => Err(reason),
            Reading::Said(_) | Reading::Refused(_) => Ok(()),
        }
    }
    let answer = Answer {
        status: StatusCode::from_u16(status).unwrap_or(StatusCode::OK),
        is_json,
        body: zeroize::Zeroizing::new(body.to_vec()),
    };
    [
        believed(of_operation(name, &answer)),
        believed(of_inquiry(name, &answer)),
        believed(of_card(name, &answer)),
    ]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use zeroize::Zeroizing;

    use super::*;

    fn answer(status: u16, is_json: bool, body: Vec<u8>) -> Answer {
        Answer {
            status: StatusCode::from_u16(status).unwrap(),
            is_json,
            body: Zeroizing::new(body),
        }
    }

    #[test]
    fn an_answer_that_is_right_but_for_its_form_is_not_believed() {
        let right: &[u8] = br#" {"id":"op_1","status":"refused","more":[1e999,"\ud800"]}"#;
        assert_eq!(readings("op_1", 422, true, right)[0], Ok(()));
        for (body, told) in [
            (
                &b"{\"id\":\"op_1\",\"status\":\"refused\",\"more\":\"am\xb1unt\"}"[..],
                "invalid utf-8",
            ),
            (br#"["op_1","refused"]"#, "expected an object"),
            (
                br#"{"id":"op_1","status":"refused","id":"op_1"}"#,
                "duplicate field",
            ),
        ] {
            let reason = readings("op_1", 422, true, body)[0].clone().unwrap_err();
            assert!(reason.contains(told), "{reason}");
        }
    }

    const WORDS: &[&str] = &[
        "op_1",
        "op_2",
        "approved",
        "declined",
        "under_way",
        "never_received",
        "kept",
        "refused",
        "not_processed",
        "card_declined",
        "risk_policy",
        "",
    ];

    fn word() -> impl Strategy<Value = String> {
        prop_oneof![
            6 => prop::sample::select(WORDS).prop_map(str::to_owned),
            1 => "\\PC{0,200}",
            1 => "[\\x00-\\x7f]{0,20}",
        ]
    }

    proptest! {
        #[test]
        fn no_bytes_at_all_are_an_answer_or_harm_anybody(
            status in 100_u16..600,
            body in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            for believed in readings("op_1", status, true, &body) {
                let reason = believed.expect_err("random bytes say nothing");
                prop_assert!(reason.chars().count() < 500 && !reason.contains(char::is_control), "{}", reason);
            }
        }

        #[test]
        fn an_answer_is_believed_where_every_part_of_it_is_right(
            code in prop::sample::select(vec![200_u16, 201, 202, 204, 400, 404, 409, 422, 429, 500, 503]),
            is_json in prop::bool::weighted(0.9),
            id in word(),
            said in word(),
            reference in word(),
        ) {
            let body = serde_json::json!({ "id": id, "status": said, "reference": reference, "code": reference });
            let answer = answer(code, is_json, serde_json::to_vec(&body).unwrap());
            let is_ours = is_json && id == "op_1";
            let is_reference = AcquirerReference::parse(&reference).is_ok();
            match of_operation("op_1", &answer) {
                Reading::Said(AcquirerAnswer::Approved { .. }) => {
                    prop_assert!(is_ours && code == 200 && said == "approved" && is_reference);
                }
                Reading::Said(AcquirerAnswer::Declined { code: declined }) => {
                    prop_assert!(is_ours && code == 200 && said == "declined" && declined.is_acquirers());
                }
                Reading::Refused(_) => {
                    prop_assert!(is_ours && (400..500).contains(&code) && said == "refused");
                }
                Reading::NotProcessed(_) => {
                    prop_assert!(is_ours && (code == 429 || code == 503) && said == "not_processed");
                }
                Reading::Nothing(_) => {}
            }
            if of_inquiry("op_1", &answer) == Reading::Said(InquiryAnswer::NeverReceived) {
                prop_assert!(is_ours && code == 200 && said == "never_received");
            }
        }
    }
}
