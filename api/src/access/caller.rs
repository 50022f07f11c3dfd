//! Whom a request is from, and what he may see.

use std::sync::Arc;

use axum::extract::Request;
use domain::payment::ReviewerName;
use domain::text::TextError;
use domain::{ListAuthor, MerchantId, Payment};

use crate::problem::{Problem, ProblemCode};

/// Whom a request is from. The edge puts it beside the request before an endpoint sees it.
#[derive(Clone)]
pub(crate) enum Caller {
    /// Anybody: authentication is off, and all may do what they want.
    Anyone,
    /// The holder of a key.
    Key(Arc<application::api_keys::Caller>),
}

impl Caller {
    /// Of a request that was let through. One without a caller is a defect, and sees nothing.
    pub(crate) fn of(request: &Request) -> Result<Self, Problem> {
        request.extensions().get::<Self>().cloned().ok_or_else(|| {
            Problem::internal("the route lets requests through without telling whom they are from")
        })
    }

    /// The key's name in the log.
    pub(crate) fn key_id(&self) -> Option<&str> {
        match self {
            Self::Anyone => None,
            Self::Key(caller) => Some(caller.key_id.as_str()),
        }
    }

    /// The only merchant whose payments he may see; none where he sees all.
    pub(crate) fn merchant(&self) -> Option<&MerchantId> {
        match self {
            Self::Anyone => None,
            Self::Key(caller) => caller.grant.merchant(),
        }
    }

    /// Who reviews, where a key says so.
    pub(crate) fn reviewer(&self) -> Option<Result<ReviewerName, Problem>> {
        self.named(ReviewerName::parse)
    }

    /// Who puts something on a list, where a key says so.
    pub(crate) fn list_author(&self) -> Option<Result<ListAuthor, Problem>> {
        self.named(ListAuthor::parse)
    }

    fn named<T>(&self, parse: impl FnOnce(&str) -> Result<T, TextError>) -> Option<Result<T, Problem>> {
        match self {
            Self::Anyone => None,
            Self::Key(caller) => {
                let name = parse(caller.name.as_str());
                Some(name.map_err(|error| Problem::internal(error.to_string())))
            }
        }
    }

    /// Whether he may act for this merchant, whom he named himself.
    pub(crate) fn acts_for(&self, merchant: &MerchantId) -> Result<(), Problem> {
        if self.merchant().is_none_or(|own| own == merchant) {
            return Ok(());
        }
        Err(Problem::new(
            ProblemCode::Forbidden,
            "`merchant_id` is another merchant than the one that the API key belongs to. Nothing was done.",
        ))
    }

    /// Whose things a listing shows: those that he asked for, and never any but his own.
    pub(crate) fn narrow(&self, asked: Option<MerchantId>) -> Result<Option<MerchantId>, Problem> {
        if let Some(asked) = &asked {
            self.acts_for(asked)?;
        }
        Ok(asked.or_else(|| self.merchant().cloned()))
    }

    /// Whether he may learn that this payment exists.
    pub(crate) fn may_see(&self, payment: &Payment) -> bool {
        let merchant = &payment.record().details.merchant_id;
        self.merchant().is_none_or(|own| own == merchant)
    }
}
