//! Work on a payment: begun once however often it is asked for, and ended whether or not its client waits.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use application::idempotency::{AnswerRenderer, KeyedRequest, Opened, RequestKey};
use application::ports::{IdempotencyKey, StoredAnswer};
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::Response;
use domain::{MerchantId, OperationId, Payment, PaymentId};
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tracing::Instrument;

use crate::access::Caller;
use crate::idempotency_key::{self, IDEMPOTENCY_REPLAYED};
use crate::problem::{Problem, ProblemCode, payment_outcome_unknown};
use crate::request_id::{self, X_REQUEST_ID};
use crate::response::payment_answer;
use crate::state::Shared;

/// A payment as the work left it, and the operation that it began.
pub(crate) struct Done {
    pub(crate) payment: Payment,
    pub(crate) operation: Option<OperationId>,
}

/// How the payment is answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rendering {
    /// 201: something is there that was not.
    Created,
    /// 200.
    Changed,
}

/// Either is 202 while it is not known how the operation ends.
impl AnswerRenderer for Rendering {
    fn render(&self, payment: &Payment, operation: Option<&OperationId>) -> StoredAnswer {
        let status = match (payment.open_operation(), self) {
            (Some(open), _) if Some(&open.id) == operation => StatusCode::ACCEPTED,
            (_, Self::Created) => StatusCode::CREATED,
            (_, Self::Changed) => StatusCode::OK,
        };
        StoredAnswer {
            status: status.as_u16(),
            body: payment_answer(payment, operation),
        }
    }
}

/// Renders, and keeps what it rendered last for whoever asked: he is answered with the very bytes that his key remembers.
struct Remembering {
    rendering: Rendering,
    last: Mutex<Option<Rendered>>,
}

/// An answer, and what it was made of.
struct Rendered {
    version: u64,
    operation: Option<OperationId>,
    answer: StoredAnswer,
}

impl Remembering {
    const fn new(rendering: Rendering) -> Self {
        Self {
            rendering,
            last: Mutex::new(None),
        }
    }

    /// The answer: the one that was stored with the payment where it was the last that was, else a new one.
    fn answer(&self, done: &Done) -> StoredAnswer {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).take();
        match last {
            // To store it made the version one higher, and nothing else.
            Some(last)
                if last.version + 1 == done.payment.record().version && last.operation == done.operation =>
            {
                last.answer
            }
            _ => self.rendering.render(&done.payment, done.operation.as_ref()),
        }
    }
}

impl AnswerRenderer for Remembering {
    fn render(&self, payment: &Payment, operation: Option<&OperationId>) -> StoredAnswer {
        let answer = self.rendering.render(payment, operation);
        let rendered = Rendered {
            version: payment.record().version,
            operation: operation.cloned(),
            answer: answer.clone(),
        };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(rendered);
        answer
    }
}

/// What is taken from the head of a request before its body is read.
pub(crate) struct Head {
    pub(crate) caller: Caller,
    method: Method,
    path: String,
    key: Option<IdempotencyKey>,
    request_id: Option<HeaderValue>,
}

impl Head {
    pub(crate) fn of(request: &Request) -> Result<Self, Problem> {
        Ok(Self {
            caller: Caller::of(request)?,
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            key: idempotency_key::read(request.headers())?,
            request_id: request.headers().get(X_REQUEST_ID).cloned(),
        })
    }

    /// How the request is told from others of its merchant, where it wants to be.
    pub(crate) fn key_of(&self, shared: &Shared, tenant: &MerchantId, body: &[u8]) -> Option<RequestKey> {
        let key = self.key.clone()?;
        let parts = [self.method.as_str().as_bytes(), self.path.as_bytes(), body];
        Some(RequestKey {
            tenant: tenant.clone(),
            key,
            digest: shared.state.digester.digest(&parts),
        })
    }
}

/// Has the work done, unless its key says that it was done, and answers with what came of it.
pub(crate) async fn once<F>(
    shared: &Arc<Shared>,
    head: Head,
    key: Option<RequestKey>,
    rendering: Rendering,
    permit: OwnedSemaphorePermit,
    work: impl FnOnce(Arc<Shared>, KeyedRequest) -> F,
) -> Result<Response, Problem>
where
    F: Future<Output = Result<Done, Problem>> + Send + 'static,
{
    let rendering = Arc::new(Remembering::new(rendering));
    let Some(key) = key else {
        let work = work(Arc::clone(shared), KeyedRequest::without_key());
        return begin(shared, head, &rendering, permit, work).await;
    };
    let renderer: Arc<dyn AnswerRenderer> = Arc::clone(&rendering) as _;
    let opened = shared.state.idempotency.open(key, renderer).await;
    match opened.map_err(|error| Problem::of_repository(&error))? {
        Opened::New(request) => {
            let work = work(Arc::clone(shared), request);
            begin(shared, head, &rendering, permit, work).await
        }
        Opened::Interrupted { payment_id, request } => {
            let work = resume(Arc::clone(shared), payment_id, request);
            begin(shared, head, &rendering, permit, work).await
        }
        Opened::Answered { answer, payment_id } => {
            let mut response = respond(answer, &payment_id)?;
            let headers = response.headers_mut();
            headers.insert(IDEMPOTENCY_REPLAYED, HeaderValue::from_static("true"));
            Ok(response)
        }
        Opened::Running => Err(Problem::new(
            ProblemCode::IdempotencyKeyInUse,
            "The same request is under way. Nothing was done; send it again to learn how it ended.",
        )),
        Opened::OtherRequest => Err(Problem::new(
            ProblemCode::IdempotencyKeyReused,
            "The `Idempotency-Key` stands for another request: another path, or another body. Nothing was done.",
        )),
    }
}

async fn resume(shared: Arc<Shared>, id: PaymentId, request: KeyedRequest) -> Result<Done, Problem> {
    let (payment, operation) = shared.state.resume_request.execute(&id, request).await?;
    Ok(Done { payment, operation })
}

/// Runs the work on a task of its own, which outlives a client that goes away and is waited for at shutdown. It holds its
/// place among the requests in flight until it ends.
async fn begin<F>(
    shared: &Arc<Shared>,
    head: Head,
    rendering: &Remembering,
    permit: OwnedSemaphorePermit,
    work: F,
) -> Result<Response, Problem>
where
    F: Future<Output = Result<Done, Problem>> + Send + 'static,
{
    let (sender, mut receiver) = oneshot::channel();
    let id_text = head.request_id.as_ref().map_or("", request_id::text);
    let key_id = head.caller.key_id();
    let span = tracing::info_span!("payment_work", http.request.id = id_text, api_key.id = key_id);
    let request_id = head.request_id.clone();
    shared.payments.spawn(
        async move {
            let outcome = work.await;
            if let Ok(done) = &outcome {
                log_done(done, request_id.as_ref().map_or("", request_id::text));
            }
            if let Err(unheard) = sender.send(outcome) {
                log_unheard(unheard);
            }
            drop(permit);
        }
        .instrument(span),
    );
    let outcome = match tokio::time::timeout(shared.request_timeout, &mut receiver).await {
        Ok(outcome) => outcome.map_err(|_| "the payment's task ended without an outcome"),
        Err(_) => {
            // From here on the task keeps its outcome and logs it; one that was sent in this very moment is taken.
            receiver.close();
            receiver
                .try_recv()
                .map_err(|_| "the payment exceeded request_timeout_ms and goes on")
        }
    };
    match outcome {
        Ok(Ok(done)) => respond(rendering.answer(&done), done.payment.id()),
        Ok(Err(problem)) => Err(problem),
        Err(reason) => Err(payment_outcome_unknown().for_operator(reason)),
    }
}

fn respond(answer: StoredAnswer, payment: &PaymentId) -> Result<Response, Problem> {
    let status = StatusCode::from_u16(answer.status).map_err(|error| Problem::internal(error.to_string()))?;
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    let location = HeaderValue::from_str(&format!("/v1/payments/{payment}"));
    headers.insert(
        LOCATION,
        location.map_err(|error| Problem::internal(error.to_string()))?,
    );
    Ok(response)
}

/// The one line by which a payment is found from its request, and the other way round.
fn log_done(done: &Done, request_id: &str) {
    tracing::info!(
        payment.id = %done.payment.id(),
        payment.status = done.payment.status().as_str(),
        operation.id = done.operation.as_ref().map(OperationId::as_str),
        http.request.id = request_id,
        "payment worked on"
    );
}

/// The client learns this outcome only when it asks for the payment.
fn log_unheard(outcome: Result<Done, Problem>) {
    match outcome {
        Ok(done) => tracing::info!(
            payment.id = %done.payment.id(),
            payment.status = done.payment.status().as_str(),
            "payment ended after its client had gone"
        ),
        Err(problem) => tracing::error!(problem = ?problem, "payment failed after its client had gone"),
    }
}
