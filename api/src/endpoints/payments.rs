//! `/v1/payments`.

use std::sync::Arc;

use application::ports::{PageCursor, PaymentQuery};
use application::use_cases::{CapturePaymentCommand, ConfirmPaymentCommand, PaymentOf, RefundPaymentCommand};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use domain::{Payment, PaymentId};

use super::path::{path_parts, payment_of_path};
use super::within;
use super::work::{Done, Head, Rendering, once};
use crate::access::Caller;
use crate::body::{JsonBody, read_json, read_optional_json};
use crate::problem::{Problem, ProblemCode, payment_not_found};
use crate::request::{
    PaymentListing, parse_amount, parse_authorize_payment, parse_confirmation, parse_nothing,
    parse_resolution,
};
use crate::response::{PageView, PaymentView, json, json_bytes};
use crate::state::Shared;

/// `POST /v1/payments`: 201 with the payment, declined or not; 202 while its outcome is not known.
pub(crate) async fn create(shared: Arc<Shared>, request: Request) -> Result<Response, Problem> {
    let head = Head::of(&request)?;
    let body = read_json(&shared, request).await?;
    let permit = shared.admission.admit()?;
    let command = parse_authorize_payment(&body)?;
    head.caller.acts_for(&command.details.merchant_id)?;
    let key = head.key_of(&shared, &command.details.merchant_id, &body);
    drop(body);
    once(
        &shared,
        head,
        key,
        Rendering::Created,
        permit,
        |shared, request| async move {
            let payment = shared.state.authorize_payment.execute(command, request).await?;
            let operation = payment
                .record()
                .operations
                .first()
                .map(|operation| operation.id.clone());
            Ok(Done { payment, operation })
        },
    )
    .await
}

/// `GET /v1/payments`: the newest first, page by page.
pub(crate) async fn list(shared: Arc<Shared>, request: Request) -> Result<Response, Problem> {
    let caller = Caller::of(&request)?;
    let PaymentListing {
        mut query,
        after,
        limit,
    } = PaymentListing::of(request.uri())?;
    query.merchant = caller.narrow(query.merchant)?;
    page(&shared, &query, after.as_ref(), limit).await
}

/// A page of payments, with the cursor of the next one.
pub(super) async fn page(
    shared: &Shared,
    query: &PaymentQuery,
    after: Option<&PageCursor>,
    limit: usize,
) -> Result<Response, Problem> {
    let _permit = shared.admission.admit()?;
    let listed = shared.state.list_payments.execute(query, after, limit);
    let page = within(shared.request_timeout, listed).await?;
    let page = page.map_err(|error| Problem::of_repository(&error))?;
    let next = page.items.last().filter(|_| page.has_more).map(|last| {
        let created_at = last.record().created_at.unix_millis();
        format!("{created_at}.{}", last.id())
    });
    json(
        StatusCode::OK,
        &PageView::new(&page.items, PaymentView::new, next),
    )
}

/// `GET /v1/payments/{id}`.
pub(crate) async fn show(shared: Arc<Shared>, mut request: Request) -> Result<Response, Problem> {
    let caller = Caller::of(&request)?;
    let id = payment_of_path(&mut request).await?;
    let _permit = shared.admission.admit()?;
    let payment = find(&shared, &caller, &id).await?;
    json(StatusCode::OK, &PaymentView::new(&payment))
}

/// `POST /v1/payments/{id}/capture`: 200 with the payment and the operation, whether or not the acquirer did it; 202 while that
/// is not known.
pub(crate) async fn capture(shared: Arc<Shared>, request: Request) -> Result<Response, Problem> {
    let (head, of, body) = read_follow_up(&shared, request).await?;
    let permit = shared.admission.admit()?;
    let amount = parse_amount(&body)?;
    let (payment, key) = known(&shared, &head, of, &body).await?;
    once(
        &shared,
        head,
        key,
        Rendering::Changed,
        permit,
        move |shared, request| async move {
            let command = CapturePaymentCommand { payment, amount };
            let (payment, operation) = shared.state.capture_payment.execute(command, request).await?;
            Ok(Done {
                payment,
                operation: Some(operation),
            })
        },
    )
    .await
}

/// `POST /v1/payments/{id}/refunds`: 201 with the payment and the operation, whether or not the acquirer did it; 202 while that
/// is not known.
pub(crate) async fn refund(shared: Arc<Shared>, request: Request) -> Result<Response, Problem> {
    let (head, of, body) = read_follow_up(&shared, request).await?;
    let permit = shared.admission.admit()?;
    let amount = parse_amount(&body)?;
    let (payment, key) = known(&shared, &head, of, &body).await?;
    once(
        &shared,
        head,
        key,
        Rendering::Created,
        permit,
        move |shared, request| async move {
            let command = RefundPaymentCommand { payment, amount };
            let (payment, operation) = shared.state.refund_payment.execute(command, request).await?;
            Ok(Done {
                payment,
                operation: Some(operation),
            })
        },
    )
    .await
}

/// `POST /v1/payments/{id}/void`: 200 with the payment, and the operation where one was needed.
pub(crate) async fn void(shared: Arc<Shared>, request: Request) -> Result<Response, Problem> {
    let (head, of, body) = read_follow_up(&shared, request).await?;
    let permit = shared.admission.admit()?;
    parse_nothing(&body)?;
    let (payment, key) = known(&shared, &head, of, &body).await?;
    once(
        &shared,
        head,
        key,
        Rendering::Changed,
        permit,
        move |shared, request| async move {
            let (payment, operation) = shared.state.void_payment.execute(payment, request).await?;
            Ok(Done { payment, operation })
        },
    )
    .await
}

/// `POST /v1/payments/{id}/confirm`: 200 with the payment, authorized or declined.
pub(crate) async fn confirm(shared: Arc<Shared>, request: Request) -> Result<Response, Problem> {
    let (head, of, body) = read_follow_up(&shared, request).await?;
    let permit = shared.admission.admit()?;
    let authentication = parse_confirmation(&body)?;
    let (payment, key) = known(&shared, &head, of, &body).await?;
    once(
        &shared,
        head,
        key,
        Rendering::Changed,
        permit,
        move |shared, request| async move {
            let command = ConfirmPaymentCommand {
                payment,
                authentication,
            };
            let (payment, operation) = shared.state.confirm_payment.execute(command, request).await?;
            Ok(Done { payment, operation })
        },
    )
    .await
}

/// `POST /v1/payments/{id}/operations/{operation}/resolve`: 200 with the payment, as a human learned that the operation ended.
pub(crate) async fn resolve(shared: Arc<Shared>, mut request: Request) -> Result<Response, Problem> {
    let caller = Caller::of(&request)?;
    let [payment, operation] = path_parts(&mut request).await?;
    let body = read_json(&shared, request).await?;
    let _permit = shared.admission.admit()?;
    let answer = parse_resolution(&body)?;
    let id = PaymentId::parse(&payment).map_err(|_| payment_not_found())?;
    let operation = domain::OperationId::parse(&operation).map_err(|_| operation_not_found())?;
    let found = find(&shared, &caller, &id).await?;
    if !found
        .record()
        .operations
        .iter()
        .any(|known| known.id == operation)
    {
        return Err(operation_not_found());
    }
    let resolved = shared.state.resolve_operation.by_hand(&id, &operation, answer);
    let payment = within(shared.request_timeout, resolved).await??;
    json_bytes(
        StatusCode::OK,
        crate::response::payment_answer(&payment, Some(&operation)),
    )
}

/// `GET /v1/operations/unresolved`: payments with an operation whose end the acquirer never told.
pub(crate) async fn unresolved(shared: Arc<Shared>, request: Request) -> Result<Response, Problem> {
    let (after, limit) = PaymentListing::by_name(request.uri())?;
    let _permit = shared.admission.admit()?;
    let listed = shared.state.list_payments.left_to_humans(after.as_ref(), limit);
    let page = within(shared.request_timeout, listed).await?;
    let page = page.map_err(|error| Problem::of_repository(&error))?;
    let next = page
        .items
        .last()
        .filter(|_| page.has_more)
        .map(|last| last.id().to_string());
    json(
        StatusCode::OK,
        &PageView::new(&page.items, PaymentView::new, next),
    )
}

async fn read_follow_up(
    shared: &Shared,
    mut request: Request,
) -> Result<(Head, PaymentId, JsonBody), Problem> {
    let head = Head::of(&request)?;
    let id = payment_of_path(&mut request).await?;
    let body = read_optional_json(shared, request).await?;
    Ok((head, id, body))
}

/// The payment's merchant is who owns the key of what is done with it.
pub(crate) async fn known(
    shared: &Shared,
    head: &Head,
    id: PaymentId,
    body: &[u8],
) -> Result<(PaymentOf, Option<application::idempotency::RequestKey>), Problem> {
    let payment = find(shared, &head.caller, &id).await?;
    let key = head.key_of(shared, &payment.record().details.merchant_id, body);
    let merchant = head.caller.merchant().cloned();
    Ok((PaymentOf { id, merchant }, key))
}

/// Another's payment is as good as none.
async fn find(shared: &Shared, caller: &Caller, id: &PaymentId) -> Result<Payment, Problem> {
    let payment = within(shared.request_timeout, shared.state.get_payment.execute(id)).await??;
    if caller.may_see(&payment) {
        Ok(payment)
    } else {
        Err(payment_not_found())
    }
}

fn operation_not_found() -> Problem {
    Problem::new(
        ProblemCode::OperationNotFound,
        "The payment has no operation with the name in the path.",
    )
}
