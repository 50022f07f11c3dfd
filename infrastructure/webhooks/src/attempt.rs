//! One attempt: a request, and what is learned from its answer. Nothing of an answer's body is kept.

use std::time::{Duration, UNIX_EPOCH};

use application::ports::{ClaimedDelivery, WebhookEndpoint};
use bytes::Bytes;
use domain::Timestamp;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT};
use hyper::{Request, Response};
use tokio::time::timeout;

use crate::config::Config;
use crate::connection::{ConnectError, Connector};
use crate::signature::sign;
use crate::url_rules::{Target, UrlRules};

/// The largest head of an answer, in bytes. An endpoint has nothing to say.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// How much of an answer's body is read, so that the endpoint is not cut off while it writes a few words.
const MAX_BODY_BYTES: usize = 16 * 1024;

/// The longest pause that an endpoint may ask for.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

const AGENT: &str = concat!("Portcullis/", env!("CARGO_PKG_VERSION"));

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) result: AttemptResult,
    pub(crate) status: Option<u16>,
    /// For the merchant's developer.
    pub(crate) error: Option<String>,
    /// After how long the endpoint wants to be asked again.
    pub(crate) retry_after: Option<Duration>,
}

/// What kind of end that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum AttemptResult {
    /// Answered with 2xx.
    Delivered,
    /// Answered with something else.
    Rejected,
    /// Not answered in time.
    TimedOut,
    /// Not connected, cut off, or answered with what is no HTTP.
    Broken,
    /// Not tried: the URL or its address is not allowed.
    Forbidden,
}

impl AttemptResult {
    pub(crate) const ALL: [Self; 5] = [
        Self::Delivered,
        Self::Rejected,
        Self::TimedOut,
        Self::Broken,
        Self::Forbidden,
    ];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Rejected => "rejected",
            Self::TimedOut => "timed_out",
            Self::Broken => "broken",
            Self::Forbidden => "forbidden",
        }
    }
}

impl Outcome {
    fn failed(result: AttemptResult, error: impl Into<String>) -> Self {
        Self {
            result,
            status: None,
            error: Some(error.into()),
            retry_after: None,
        }
    }
}

/// Makes attempts.
#[derive(Clone)]
pub(crate) struct Sender {
    urls: UrlRules,
    connector: Connector,
    connect_timeout: Duration,
    request_timeout: Duration,
}

impl Sender {
    pub(crate) fn new(config: &Config, urls: UrlRules, connector: Connector) -> Self {
        Self {
            urls,
            connector,
            connect_timeout: config.connect_timeout(),
            request_timeout: config.request_timeout(),
        }
    }

    /// Sends a delivery once. Ends within the bound of a whole attempt.
    pub(crate) async fn send(
        &self,
        endpoint: &WebhookEndpoint,
        delivery: &ClaimedDelivery,
        now: Timestamp,
    ) -> Outcome {
        // What was allowed when the URL was set may not be any more.
        let target = match self.urls.target(endpoint.url.as_str()) {
            Ok(target) => target,
            Err(refused) => return Outcome::failed(AttemptResult::Forbidden, refused.expected),
        };
        let unix_seconds = now.unix_millis() / 1_000;
        let signature = sign(
            endpoint.signing_secrets(now),
            &delivery.event_id,
            unix_seconds,
            &delivery.body,
        );
        let request = Request::post(&target.path_and_query)
            .header(HOST, &target.authority)
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, AGENT)
            .header("webhook-id", &delivery.event_id)
            .header("webhook-timestamp", unix_seconds)
            .header("webhook-signature", signature)
            .body(Full::new(Bytes::copy_from_slice(&delivery.body)));
        let request = match request {
            Ok(request) => request,
            Err(error) => return Outcome::failed(AttemptResult::Forbidden, error.to_string()),
        };
        let exchange = self.exchange(&target, request, now);
        timeout(self.request_timeout, exchange).await.unwrap_or_else(|_| {
            let milliseconds = self.request_timeout.as_millis();
            Outcome::failed(
                AttemptResult::TimedOut,
                format!("no answer within {milliseconds} ms"),
            )
        })
    }

    async fn exchange(&self, target: &Target, request: Request<Full<Bytes>>, now: Timestamp) -> Outcome {
        let stream = match timeout(self.connect_timeout, self.connector.connect(target)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                let result = match error {
                    ConnectError::NotAllowed => AttemptResult::Forbidden,
                    _ => AttemptResult::Broken,
                };
                return Outcome::failed(result, error.to_string());
            }
            Err(_elapsed) => {
                let milliseconds = self.connect_timeout.as_millis();
                let error = format!("no connection within {milliseconds} ms");
                return Outcome::failed(AttemptResult::TimedOut, error);
            }
        };
        let broken = |error: hyper::Error| Outcome::failed(AttemptResult::Broken, described(&error));
        let handshake = http1::Builder::new()
            .max_buf_size(MAX_HEAD_BYTES)
            .handshake(stream)
            .await;
        let (mut sender, connection) = match handshake {
            Ok(connected) => connected,
            Err(error) => return broken(error),
        };
        // The connection is driven here and not on a task of its own: it ends with the attempt, whatever the other end does.
        let asking = async {
            let response = sender.send_request(request).await?;
            let outcome = judge(&response, now);
            drain(response.into_body()).await;
            Ok(outcome)
        };
        tokio::pin!(asking);
        tokio::select! {
            biased;
            answered = &mut asking => answered.unwrap_or_else(broken),
            _ended = connection => asking.await.unwrap_or_else(broken),
        }
    }
}

/// Says what an answer means. A redirect is not followed: it could lead anywhere.
fn judge(response: &Response<Incoming>, now: Timestamp) -> Outcome {
    let status = response.status();
    if status.is_success() {
        return Outcome {
            result: AttemptResult::Delivered,
            status: Some(status.as_u16()),
            error: None,
            retry_after: None,
        };
    }
    let error = if status.is_redirection() {
        format!(
            "answered with {}, and redirects are not followed",
            status.as_u16()
        )
    } else {
        format!("answered with {}", status.as_u16())
    };
    let retry_after = response.headers().get(RETRY_AFTER);
    let retry_after = retry_after.and_then(|value| value.to_str().ok());
    Outcome {
        result: AttemptResult::Rejected,
        status: Some(status.as_u16()),
        error: Some(error),
        retry_after: retry_after.and_then(|value| pause_of(value, now)),
    }
}

/// `Retry-After`: seconds, or a date.
fn pause_of(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    let pause = match value.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let date = httpdate::parse_http_date(value).ok()?;
            let since_epoch = date.duration_since(UNIX_EPOCH).ok()?;
            since_epoch.saturating_sub(Duration::from_millis(now.unix_millis()))
        }
    };
    Some(pause.min(MAX_RETRY_AFTER))
}

/// Reads what an honest endpoint has to say. How it goes does not matter: the status has been told.
async fn drain(mut body: Incoming) {
    let mut left = MAX_BODY_BYTES;
    while let Some(Ok(frame)) = body.frame().await {
        match left.checked_sub(frame.data_ref().map_or(0, Bytes::len)) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}

fn described(error: &hyper::Error) -> &'static str {
    if error.is_parse() || error.is_parse_too_large() {
        "the answer is no HTTP, or its head is too large"
    } else {
        "the connection was closed before an answer came"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_seconds_or_a_date_and_never_longer_than_a_day() {
        let now = Timestamp::from_unix_millis(1_772_353_800_000); // Sun, 01 Mar 2026 08:30:00 GMT
        for (value, seconds) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Sun, 01 Mar 2026 08:31:00 GMT", Some(60)),
            ("Sun, 01 Mar 2026 08:29:00 GMT", Some(0)),
            ("999999999999", Some(86_400)),
            ("soon", None),
            ("-1", None),
        ] {
            assert_eq!(pause_of(value, now), seconds.map(Duration::from_secs), "{value}");
        }
    }
}
