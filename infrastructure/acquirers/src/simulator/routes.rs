//! Requests and answers of the simulator, with what goes wrong between them.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use serde::Serialize;
use thiserror::Error;
use tokio::time::{sleep, timeout};

use super::operations::{Asked, Refused};
use super::{Simulator, view};
use crate::behaviour::Fault;
use crate::body;
use crate::protocol::{AnswerBody, CARDS, IDEMPOTENCY_KEY, INQUIRIES, MAX_REQUEST_BYTES, OPERATIONS, status};

/// How long a body may take.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// The connection is closed without an answer.
#[derive(Debug, Error)]
#[error("the connection is closed on purpose")]
pub(super) struct Closed;

type Answer = Response<Full<Bytes>>;

/// Answers a request, or closes its connection.
pub(super) async fn answer(simulator: Arc<Simulator>, request: Request<Incoming>) -> Result<Answer, Closed> {
    let (head, incoming) = request.into_parts();
    let is_post = head.method == Method::POST;
    match head.uri.path() {
        view::PATH if head.method == Method::GET => Ok(view::answer(&simulator, head.uri.query())),
        path @ (OPERATIONS | INQUIRIES | CARDS) if is_post => {
            let key = head.headers.get(IDEMPOTENCY_KEY);
            let key = key.and_then(|key| key.to_str().ok()).unwrap_or_default();
            let Ok(read) = timeout(BODY_TIMEOUT, body::read(incoming, MAX_REQUEST_BYTES)).await else {
                return Err(Closed);
            };
            let Ok(body) = read else {
                let refused = said(key, status::REFUSED, "the body broke off or is too large");
                return Ok(json(StatusCode::PAYLOAD_TOO_LARGE, &refused));
            };
            let number = simulator.requests.fetch_add(1, Ordering::Relaxed);
            let chance = simulator.config.faults.draw(number);
            let asked = match path {
                OPERATIONS => simulator.operation(key, &body, chance).await,
                INQUIRIES => simulator.inquiry(&body, chance).await,
                _ => simulator.card(key, &body, chance).await,
            };
            drop(body);
            simulator.render(asked).await
        }
        _ => {
            let body = said("", "no_such_path", "see docs/acquirers.md, and GET /ledger");
            Ok(json(StatusCode::NOT_FOUND, &body))
        }
    }
}

impl Simulator {
    /// Gives an answer, late or lost where that is its fate.
    async fn render(&self, asked: Result<Asked, Refused>) -> Result<Answer, Closed> {
        let config = &self.config;
        let Asked { name, fault, answer } = match asked {
            Ok(asked) => asked,
            Err(refused) => return Ok(refused.answer()),
        };
        match fault {
            Some(Fault::NotReached | Fault::CloseAfter) => return Err(Closed),
            Some(Fault::ErrorBefore | Fault::ErrorAfter) => {
                let body = said(&name, "error", "the simulator was told to fail");
                return Ok(json(StatusCode::INTERNAL_SERVER_ERROR, &body));
            }
            Some(Fault::Conflict) => {
                let body = said(
                    &name,
                    status::UNDER_WAY,
                    "another request with this key is under way",
                );
                return Ok(json(StatusCode::CONFLICT, &body));
            }
            Some(Fault::Busy) => {
                let body = said(
                    &name,
                    status::NOT_PROCESSED,
                    "the simulator was told to be too busy",
                );
                return Ok(json(StatusCode::SERVICE_UNAVAILABLE, &body));
            }
            Some(Fault::UnderWay) => {
                let body = said(&name, status::UNDER_WAY, "");
                return Ok(json(StatusCode::ACCEPTED, &body));
            }
            Some(Fault::LoseAnswer) => {
                sleep(Duration::from_millis(config.lost_ms)).await;
                return Err(Closed);
            }
            Some(Fault::Slow) => sleep(Duration::from_millis(config.slow_ms)).await,
            None if config.answer_ms > 0 => sleep(Duration::from_millis(config.answer_ms)).await,
            None => {}
        }
        Ok(json(StatusCode::OK, &answer))
    }
}

impl Refused {
    fn answer(&self) -> Answer {
        let name = self.name();
        let (code, body) = match self {
            Self::Malformed { problem, .. } => (
                StatusCode::UNPROCESSABLE_ENTITY,
                said(name, status::REFUSED, problem),
            ),
            Self::AnotherRequest { .. } => (
                StatusCode::CONFLICT,
                said(name, "another_request", "the name stands for another request"),
            ),
            Self::Full { .. } => (
                StatusCode::SERVICE_UNAVAILABLE,
                said(name, status::NOT_PROCESSED, "the ledger is full"),
            ),
            Self::Lost { .. } => (
                StatusCode::INTERNAL_SERVER_ERROR,
                said(name, "error", "the ledger can no longer be written"),
            ),
        };
        json(code, &body)
    }
}

fn said<'a>(name: &'a str, status: &'a str, message: &'a str) -> AnswerBody<'a> {
    AnswerBody {
        id: name.into(),
        status: status.into(),
        message: (!message.is_empty()).then(|| message.into()),
        ..AnswerBody::default()
    }
}

/// An answer in JSON.
pub(super) fn json(code: StatusCode, value: &impl Serialize) -> Answer {
    // Strings and numbers alone: there is nothing in it that JSON has no form for.
    let mut answer = Response::new(body::full(serde_json::to_vec(value).unwrap_or_default()));
    *answer.status_mut() = code;
    answer
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}
