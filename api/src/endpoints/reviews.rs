//! `/v1/reviews`: payments that wait for an analyst.

use std::sync::Arc;

use application::use_cases::ReviewPaymentCommand;
use axum::extract::Request;
use axum::response::Response;
use domain::payment::{PaymentStatus, ReviewVerdict};

use super::path::payment_of_path;
use super::payments::{known, page};
use super::work::{Done, Head, Rendering, once};
use crate::access::Caller;
use crate::body::{read_json, read_optional_json};
use crate::problem::Problem;
use crate::request::{PaymentListing, parse_nothing, parse_reviewer};
use crate::state::Shared;

/// `GET /v1/reviews`: payments in review, the newest first, page by page.
pub(crate) async fn list(shared: Arc<Shared>, request: Request) -> Result<Response, Problem> {
    let caller = Caller::of(&request)?;
    let PaymentListing {
        mut query,
        after,
        limit,
    } = PaymentListing::of(request.uri())?;
    query.merchant = caller.narrow(query.merchant)?;
    query.status = Some(PaymentStatus::InReview);
    page(&shared, &query, after.as_ref(), limit).await
}

/// `POST /v1/reviews/{id}/approve`: 200 with the payment, authorized or declined by the acquirer.
pub(crate) async fn approve(shared: Arc<Shared>, request: Request) -> Result<Response, Problem> {
    review(shared, request, ReviewVerdict::Approved).await
}

/// `POST /v1/reviews/{id}/reject`: 200 with the payment, declined.
pub(crate) async fn reject(shared: Arc<Shared>, request: Request) -> Result<Response, Problem> {
    review(shared, request, ReviewVerdict::Rejected).await
}

async fn review(
    shared: Arc<Shared>,
    mut request: Request,
    verdict: ReviewVerdict,
) -> Result<Response, Problem> {
    let head = Head::of(&request)?;
    let id = payment_of_path(&mut request).await?;
    let by_key = head.caller.reviewer().transpose()?;
    let body = match &by_key {
        Some(_) => read_optional_json(&shared, request).await?,
        None => read_json(&shared, request).await?,
    };
    let permit = shared.admission.admit()?;
    let reviewer = match by_key {
        Some(reviewer) => {
            parse_nothing(&body)?;
            reviewer
        }
        None => parse_reviewer(&body)?,
    };
    let (payment, key) = known(&shared, &head, id, &body).await?;
    once(
        &shared,
        head,
        key,
        Rendering::Changed,
        permit,
        move |shared, request| async move {
            let command = ReviewPaymentCommand {
                payment,
                verdict,
                reviewer,
            };
            let (payment, operation) = shared.state.review_payment.execute(command, request).await?;
            Ok(Done { payment, operation })
        },
    )
    .await
}
