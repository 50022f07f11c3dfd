//! Problems by RFC 9457: what a caller is told when a request is not served, apart from what an operator is told.

mod code;
mod from_lists;
mod from_use_cases;
mod from_webhooks;

use std::borrow::Cow;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Response};
use domain::PaymentId;
use serde::Serialize;

pub use code::ProblemCode;
pub(crate) use from_lists::list_not_found;
pub(crate) use from_use_cases::{payment_not_found, payment_outcome_unknown};
pub(crate) use from_webhooks::{webhook_delivery_not_found, webhook_endpoint_not_found};

/// How many errors of one body are told: all that a person reads, and a bound for the answer to a hostile body.
pub(crate) const MAX_FIELD_ERRORS: usize = 32;

/// One thing that is wrong with one field of a body. Never holds a value that the caller sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct FieldError {
    /// Where, dotted: `amount.minor_units`.
    pub(crate) path: String,
    /// What kind of error.
    pub(crate) code: &'static str,
    /// What was found, and what was expected.
    pub(crate) message: String,
}

/// A request that was not served. Boxed where it travels in a `Result`, since success is the common case.
#[derive(Debug)]
pub(crate) struct Problem(Box<Content>);

#[derive(Debug)]
struct Content {
    code: ProblemCode,
    detail: Cow<'static, str>,
    errors: Vec<FieldError>,
    operator: Option<String>,
    payment_id: Option<PaymentId>,
}

/// What is sent.
#[derive(Serialize)]
struct Rendered<'a> {
    r#type: TypeReference,
    title: &'static str,
    status: u16,
    detail: &'a str,
    instance: &'a str,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_id: Option<&'a str>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [FieldError],
}

/// The page of a code, relative to wherever the documentation is served.
struct TypeReference(ProblemCode);

impl Serialize for TypeReference {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("/docs/errors/{}", self.0.as_str()))
    }
}

impl Problem {
    /// A problem, and a sentence for the caller about this occurrence of it.
    pub(crate) fn new(code: ProblemCode, detail: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new(Content {
            code,
            detail: detail.into(),
            errors: Vec::new(),
            operator: None,
            payment_id: None,
        }))
    }

    /// A defect of the gateway. The caller learns no more than that.
    pub(crate) fn internal(operator: impl Into<String>) -> Self {
        Self::new(
            ProblemCode::Internal,
            "The gateway could not serve the request. The request id leads its operator to the reason.",
        )
        .for_operator(operator)
    }

    /// What is logged, and never sent.
    pub(crate) fn for_operator(mut self, text: impl Into<String>) -> Self {
        self.0.operator = Some(text.into());
        self
    }

    /// The payment it is about, for the log and for the caller, who can ask for it.
    pub(crate) fn about(mut self, id: PaymentId) -> Self {
        self.0.payment_id = Some(id);
        self
    }

    /// Everything that is wrong with a body. The code is that of the errors where they share one.
    pub(crate) fn of_fields(first: ProblemCode, errors: Vec<FieldError>) -> Self {
        let shared = errors.iter().all(|error| error.code == first.as_str());
        let code = if shared { first } else { ProblemCode::InvalidBody };
        let detail = match errors.as_slice() {
            [FieldError { path, message, .. }] if path.is_empty() => format!("The body: {message}."),
            [FieldError { path, message, .. }] => format!("`{path}`: {message}."),
            several => format!(
                "The body has {} errors; each is told under `errors`.",
                several.len()
            ),
        };
        let mut problem = Self::new(code, detail);
        problem.0.errors = errors;
        problem
    }

    /// Logs what is the gateway's own fault, once, and renders the rest for the caller.
    pub(crate) fn into_response(self, request_id: &str) -> Response<Body> {
        let Content {
            code,
            detail,
            errors,
            operator,
            payment_id,
        } = *self.0;
        if code.status().is_server_error() {
            tracing::error!(
                http.request.id = request_id,
                problem.code = code.as_str(),
                payment.id = payment_id.as_ref().map(PaymentId::as_str),
                error = operator.as_deref(),
                "request not served"
            );
        }
        let rendered = Rendered {
            r#type: TypeReference(code),
            title: code.title(),
            status: code.status().as_u16(),
            detail: &detail,
            instance: request_id,
            code: code.as_str(),
            payment_id: payment_id.as_ref().map(PaymentId::as_str),
            errors: &errors,
        };
        let body = serde_json::to_vec(&rendered).unwrap_or_default();
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = code.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if code == ProblemCode::Unauthenticated {
            headers.insert(
                WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"portcullis\""),
            );
        }
        if let Some(seconds) = code.retry_after_seconds() {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
