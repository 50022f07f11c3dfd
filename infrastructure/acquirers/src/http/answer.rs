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
    let body: AnswerBody<'_> = serde_json::from_slice(&answer.body).map_err(|error| {
        format!(
            "{code} with a body of another form: {}",
            shown(&error.to_string())
        )
    })?;
    if body.id != name {
        return Err(format!("{code} about `{}`, asked was `{name}`", shown(&body.id)));
    }
    Ok(body)
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
