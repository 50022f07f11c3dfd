//! One exchange with the acquirer: attempts, retries, and what is known when none of them was answered.
//!
//! A request may have reached the acquirer from the moment on at which its connection stood. What fails before is *not sent*;
//! whatever fails later leaves the outcome unknown, and no attempt after it makes it known again, but for an answer.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use application::ports::AcquirerError;
use bytes::Bytes;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, StatusCode, Uri};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout_at};
use zeroize::Zeroizing;

use super::connection::Client;
use crate::body;
use crate::config::HttpConfig;
use crate::protocol::{IDEMPOTENCY_KEY, MAX_ANSWER_BYTES, shown};

/// How long is paused before each retry, in milliseconds, give or take a half. Two of them: a connection that the other end
/// had closed is met by the first, a restart of one of several servers by the second; whatever lasts longer is for those who
/// inquire later.
const PAUSES_MS: [u64; 2] = [50, 250];

/// A request.
pub(super) struct Call<'a> {
    pub(super) path: &'static str,
    /// The operation or payment that it is about, which its answer must name.
    pub(super) name: &'a str,
    pub(super) key: Option<HeaderValue>,
    pub(super) body: Bytes,
}

/// An answer that came whole.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) is_json: bool,
    pub(super) body: Zeroizing<Vec<u8>>,
}

/// What an answer means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reading<T> {
    /// It is what was asked for.
    Said(T),
    /// The acquirer does not do such a thing at all. Believed only where this was the first that it heard of it.
    Refused(T),
    /// The acquirer did nothing with this request.
    NotProcessed(String),
    /// It says nothing about the operation.
    Nothing(String),
}

/// Why an attempt has no answer.
enum Failure {
    /// It was not sent.
    NotSent(String),
    /// It may have been sent, and the connection ended before an answer began.
    Unanswered(String),
    /// What came is no answer.
    Broken(String),
}

/// Sends requests, a bounded number at a time.
pub(super) struct Caller {
    client: Client,
    base: String,
    token: Option<HeaderValue>,
    places: Semaphore,
    connect_timeout: Duration,
    answer_timeout: Duration,
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller")
            .field("base", &self.base)
            .field("has_token", &self.token.is_some())
            .finish_non_exhaustive()
    }
}

impl Caller {
    pub(super) fn new(config: &HttpConfig, url: &Uri, token: Option<HeaderValue>, client: Client) -> Self {
        Self {
            client,
            base: url.to_string().trim_end_matches('/').to_owned(),
            token,
            places: Semaphore::new(config.max_connections),
            connect_timeout: config.connect_timeout(),
            answer_timeout: config.answer_timeout(),
        }
    }

    /// Sends a request, again where that is safe and of use, and reads its answer. Ends within the answer timeout.
    pub(super) async fn exchange<T>(
        &self,
        call: &Call<'_>,
        read: impl Fn(&Answer) -> Reading<T> + Send,
    ) -> Result<T, AcquirerError> {
        let deadline = Instant::now() + self.answer_timeout;
        let wait_until = deadline.min(Instant::now() + self.connect_timeout);
        let Ok(Ok(_place)) = timeout_at(wait_until, self.places.acquire()).await else {
            return Err(AcquirerError::NotSent {
                reason: "all connections were in use".to_owned(),
            });
        };
        let mut pauses = PAUSES_MS.into_iter();
        // Whether some attempt may have reached the acquirer.
        let mut may_have_arrived = false;
        loop {
            let reason = match timeout_at(deadline, self.attempt(call)).await {
                Err(_) => {
                    let waited = self.answer_timeout.as_millis();
                    return Err(ended(true, format!("no answer within {waited} ms")));
                }
                Ok(Err(Failure::Broken(reason))) => return Err(ended(true, reason)),
                Ok(Err(Failure::NotSent(reason))) => reason,
                Ok(Err(Failure::Unanswered(reason))) => {
                    may_have_arrived = true;
                    reason
                }
                Ok(Ok(answer)) => match read(&answer) {
                    Reading::Said(said) => return Ok(said),
                    Reading::Refused(_) if may_have_arrived => {
                        let reason = "refused after an attempt that may have been taken".to_owned();
                        return Err(ended(true, reason));
                    }
                    Reading::Refused(said) => return Ok(said),
                    Reading::Nothing(reason) => return Err(ended(true, reason)),
                    Reading::NotProcessed(reason) => reason,
                },
            };
            let Some(pause) = pauses.next().map(jittered) else {
                return Err(ended(may_have_arrived, reason));
            };
            // With less time than a connection may take, an attempt that fails to connect would end as one that was sent.
            if Instant::now() + pause + self.connect_timeout >= deadline {
                return Err(ended(may_have_arrived, reason));
            }
            tracing::debug!(operation.id = call.name, %reason, "asked again");
            sleep(pause).await;
        }
    }

    async fn attempt(&self, call: &Call<'_>) -> Result<Answer, Failure> {
        let request = self.request(call)?;
        let response = self.client.request(request).await.map_err(|error| {
            let reason = told(&error);
            let answered_wrongly = error
                .source()
                .and_then(|cause| cause.downcast_ref::<hyper::Error>())
                .is_some_and(hyper::Error::is_parse);
            if error.is_connect() {
                Failure::NotSent(reason)
            } else if answered_wrongly {
                Failure::Broken(format!("no HTTP: {reason}"))
            } else {
                Failure::Unanswered(reason)
            }
        })?;
        let (head, incoming) = response.into_parts();
        let is_json = head
            .headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(is_json);
        let body = body::read(incoming, MAX_ANSWER_BYTES).await;
        Ok(Answer {
            status: head.status,
            is_json,
            body: body.map_err(|error| Failure::Broken(format!("{}: {}", head.status, told(&error))))?,
        })
    }

    fn request(&self, call: &Call<'_>) -> Result<Request<http_body_util::Full<Bytes>>, Failure> {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(format!("{}{}", self.base, call.path))
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header(ACCEPT, HeaderValue::from_static("application/json"));
        if let Some(key) = &call.key {
            request = request.header(IDEMPOTENCY_KEY, key);
        }
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, token);
        }
        request
            .body(body::full(call.body.clone()))
            .map_err(|error| Failure::NotSent(format!("no request can be made: {error}")))
    }
}

fn ended(may_have_arrived: bool, reason: String) -> AcquirerError {
    if may_have_arrived {
        AcquirerError::OutcomeUnknown { reason }
    } else {
        AcquirerError::NotSent { reason }
    }
}

/// Between a half and one and a half of a pause, so that those who failed together do not come back together.
fn jittered(pause_ms: u64) -> Duration {
    let share = getrandom::u32().map_or(500, |number| u64::from(number % 1_000));
    Duration::from_millis(pause_ms / 2 + pause_ms * share / 1_000)
}

fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// An error and what it comes from, in one bounded line.
fn told(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.ends_with(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    shown(&text)
}
