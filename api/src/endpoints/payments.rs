//! `/v1/payments`.

use std::sync::Arc;

use application::idempotency::KeyedRequest;
use application::use_cases::{AuthorizePaymentCommand, AuthorizePaymentError};
use axum::RequestExt;
use axum::extract::{Path, Request};
use axum::http::header::LOCATION;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use domain::payment::PaymentStatus;
use domain::{Payment, PaymentId};
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tracing::Instrument;

use super::within;
use crate::body::read_json;
use crate::problem::{Problem, ProblemCode, payment_not_found, payment_outcome_unknown};
use crate::request::parse_authorize_payment;
use crate::request_id::{self, X_REQUEST_ID};
use crate::response::{PaymentView, json};
use crate::state::Shared;

/// By which a client would be protected from charging twice, once it is kept here.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

type Outcome = Result<Payment, AuthorizePaymentError>;

/// `POST /v1/payments`: 201 with the payment, declined or not; 202 while its outcome is not known.
pub(crate) async fn create(shared: Arc<Shared>, request: Request) -> Result<Response, Problem> {
    if request.headers().contains_key(IDEMPOTENCY_KEY) {
        return Err(idempotency_key_unsupported());
    }
    let request_id = request.headers().get(X_REQUEST_ID).cloned();
    let body = read_json(&shared, request).await?;
    let permit = shared.admission.admit()?;
    let command = parse_authorize_payment(&body)?;
    drop(body);
    let mut outcome = start(&shared, command, permit, request_id);
    let outcome = match tokio::time::timeout(shared.request_timeout, &mut outcome).await {
        Ok(outcome) => outcome.map_err(|_| "the payment's task ended without an outcome"),
        Err(_) => {
            // From here on the task keeps its outcome and logs it; one that was sent in this very moment is taken.
            outcome.close();
            outcome
                .try_recv()
                .map_err(|_| "the payment exceeded request_timeout_ms and goes on")
        }
    };
    match outcome {
        Ok(Ok(payment)) => created(&payment),
        Ok(Err(error)) => Err(error.into()),
        Err(reason) => Err(payment_outcome_unknown().for_operator(reason)),
    }
}

/// Runs the payment on a task of its own, which outlives a client that goes away and is waited for at shutdown. It holds
/// its place among the requests in flight until it ends.
fn start(
    shared: &Arc<Shared>,
    command: AuthorizePaymentCommand,
    permit: OwnedSemaphorePermit,
    request_id: Option<HeaderValue>,
) -> oneshot::Receiver<Outcome> {
    let (sender, receiver) = oneshot::channel();
    let id_text = request_id.as_ref().map_or("", request_id::text);
    let span = tracing::info_span!("authorize_payment", http.request.id = id_text);
    let task = Arc::clone(shared);
    shared.payments.spawn(
        async move {
            let outcome = task
                .state
                .authorize_payment
                .execute(command, KeyedRequest::without_key())
                .await;
            if let Ok(payment) = &outcome {
                log_taken(payment, request_id.as_ref().map_or("", request_id::text));
            }
            if let Err(unheard) = sender.send(outcome) {
                log_unheard(unheard);
            }
            drop(permit);
        }
        .instrument(span),
    );
    receiver
}

/// The one line by which a payment is found from its request, and the other way round.
fn log_taken(payment: &Payment, request_id: &str) {
    tracing::info!(
        payment.id = %payment.id(),
        payment.status = payment.status().as_str(),
        http.request.id = request_id,
        "payment taken"
    );
}

/// The client learns this outcome only when it asks for the payment.
fn log_unheard(outcome: Outcome) {
    match outcome {
        Ok(payment) => tracing::info!(
            payment.id = %payment.id(),
            payment.status = payment.status().as_str(),
            "payment ended after its client had gone"
        ),
        Err(error) => tracing::error!(%error, "payment failed after its client had gone"),
    }
}

/// A client that sends a key would repeat the payment, and be charged twice.
fn idempotency_key_unsupported() -> Problem {
    Problem::new(
        ProblemCode::IdempotencyKeyUnsupported,
        "Idempotency keys are not kept yet. Nothing was done; send the payment without `Idempotency-Key`, and do not \
         repeat one whose outcome is unknown.",
    )
}

fn created(payment: &Payment) -> Result<Response, Problem> {
    let status = match payment.status() {
        PaymentStatus::Authorizing => StatusCode::ACCEPTED,
        _ => StatusCode::CREATED,
    };
    let mut response = json(status, &PaymentView(payment))?;
    let location = HeaderValue::from_str(&format!("/v1/payments/{}", payment.id()))
        .map_err(|error| Problem::internal(error.to_string()))?;
    response.headers_mut().insert(LOCATION, location);
    Ok(response)
}

/// `GET /v1/payments/{id}`.
pub(crate) async fn show(shared: Arc<Shared>, mut request: Request) -> Result<Response, Problem> {
    let Ok(Path(id)) = request.extract_parts::<Path<String>>().await else {
        return Err(payment_not_found());
    };
    let id = PaymentId::parse(&id).map_err(|_| payment_not_found())?;
    let _permit = shared.admission.admit()?;
    let payment = within(shared.request_timeout, shared.state.get_payment.execute(&id)).await??;
    json(StatusCode::OK, &PaymentView(&payment))
}
