//! Names in the path.

use axum::RequestExt;
use axum::extract::{Path, Request};
use domain::PaymentId;

use crate::problem::{Problem, payment_not_found};

/// The payment that the path names. The same problem for a name that no payment has and for one that none can have.
pub(crate) async fn payment_of_path(request: &mut Request) -> Result<PaymentId, Problem> {
    let Ok(Path(id)) = request.extract_parts::<Path<String>>().await else {
        return Err(payment_not_found());
    };
    PaymentId::parse(&id).map_err(|_| payment_not_found())
}

/// The two names of a path that has two.
pub(crate) async fn path_parts(request: &mut Request) -> Result<[String; 2], Problem> {
    match request.extract_parts::<Path<(String, String)>>().await {
        Ok(Path((first, second))) => Ok([first, second]),
        Err(_) => Err(payment_not_found()),
    }
}
