//! What a listing is asked for with: the query of the URL.

use application::ports::{DeliveryCursor, DeliveryState, PageCursor, PaymentQuery};
use axum::extract::Query;
use axum::http::Uri;
use domain::payment::PaymentStatus;
use domain::{MerchantId, PaymentId, Timestamp, WebhookEndpointId};

use crate::problem::{Problem, ProblemCode};

/// How many items a page has, where that is not said.
const DEFAULT_LIMIT: usize = 20;

/// How many it has at most: some 300 KB of payments.
const MAX_LIMIT: usize = 100;

/// Which payments, from where on, and how many.
pub(crate) struct PaymentListing {
    pub(crate) query: PaymentQuery,
    pub(crate) after: Option<PageCursor>,
    pub(crate) limit: usize,
}

/// Which events, from where on, and how many.
pub(crate) struct EventListing {
    pub(crate) merchant: Option<MerchantId>,
    pub(crate) after: u64,
    pub(crate) limit: usize,
}

/// Which webhook endpoints, from where on, and how many.
pub(crate) struct EndpointListing {
    pub(crate) merchant: Option<MerchantId>,
    pub(crate) after: Option<WebhookEndpointId>,
    pub(crate) limit: usize,
}

/// Which webhook deliveries, from where on, and how many.
pub(crate) struct DeliveryListing {
    pub(crate) state: Option<DeliveryState>,
    pub(crate) after: Option<DeliveryCursor>,
    pub(crate) limit: usize,
}

impl PaymentListing {
    /// Of a query with `merchant_id`, `status`, `created_from`, `created_before`, `cursor` and `limit`.
    pub(crate) fn of(uri: &Uri) -> Result<Self, Problem> {
        let known = [
            "merchant_id",
            "status",
            "created_from",
            "created_before",
            "cursor",
            "limit",
        ];
        let parameters = Parameters::of(uri, &known)?;
        Ok(Self {
            query: PaymentQuery {
                merchant: merchant(&parameters)?,
                status: parameters.read("status", "a status, such as `authorized`", PaymentStatus::parse)?,
                created_from: parameters.read("created_from", TIME, time)?,
                created_before: parameters.read("created_before", TIME, time)?,
            },
            after: parameters.read("cursor", CURSOR, cursor)?,
            limit: limit(&parameters)?,
        })
    }

    /// Of a query with `cursor` and `limit`, for a listing in the order of names.
    pub(crate) fn by_name(uri: &Uri) -> Result<(Option<PaymentId>, usize), Problem> {
        let parameters = Parameters::of(uri, &["cursor", "limit"])?;
        let after = parameters.read("cursor", CURSOR, |text| PaymentId::parse(text).ok())?;
        Ok((after, limit(&parameters)?))
    }
}

impl EventListing {
    /// Of a query with `merchant_id`, `cursor` and `limit`.
    pub(crate) fn of(uri: &Uri) -> Result<Self, Problem> {
        let parameters = Parameters::of(uri, &["merchant_id", "cursor", "limit"])?;
        let after = parameters.read("cursor", CURSOR, |text| text.parse::<u64>().ok())?;
        Ok(Self {
            merchant: merchant(&parameters)?,
            // No position of a store is beyond this.
            after: after.unwrap_or(0).min(i64::MAX.unsigned_abs()),
            limit: limit(&parameters)?,
        })
    }
}

impl EndpointListing {
    /// Of a query with `merchant_id`, `cursor` and `limit`.
    pub(crate) fn of(uri: &Uri) -> Result<Self, Problem> {
        let parameters = Parameters::of(uri, &["merchant_id", "cursor", "limit"])?;
        Ok(Self {
            merchant: merchant(&parameters)?,
            after: parameters.read("cursor", CURSOR, |text| WebhookEndpointId::parse(text).ok())?,
            limit: limit(&parameters)?,
        })
    }
}

impl DeliveryListing {
    /// Of a query with `state`, `cursor` and `limit`.
    pub(crate) fn of(uri: &Uri) -> Result<Self, Problem> {
        let parameters = Parameters::of(uri, &["state", "cursor", "limit"])?;
        Ok(Self {
            state: parameters.read("state", "a state, such as `failed`", DeliveryState::parse)?,
            after: parameters.read("cursor", CURSOR, |text| text.parse().ok().map(DeliveryCursor))?,
            limit: limit(&parameters)?,
        })
    }
}

const TIME: &str = "milliseconds since 1970-01-01T00:00:00Z";
pub(super) const CURSOR: &str = "the `next_cursor` of a page";

fn merchant(parameters: &Parameters) -> Result<Option<MerchantId>, Problem> {
    parameters.read("merchant_id", "1 to 64 of `A-Z a-z 0-9 _ - .`", |text| {
        MerchantId::parse(text).ok()
    })
}

pub(super) fn limit(parameters: &Parameters) -> Result<usize, Problem> {
    let limit = parameters.read("limit", "a number of 1 to 100", |text| {
        let limit = text.parse().ok()?;
        (1..=MAX_LIMIT).contains(&limit).then_some(limit)
    })?;
    Ok(limit.unwrap_or(DEFAULT_LIMIT))
}

fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok().map(Timestamp::from_unix_millis)
}

fn cursor(text: &str) -> Option<PageCursor> {
    let (created_at, id) = text.split_once('.')?;
    Some(PageCursor {
        created_at: time(created_at)?,
        id: PaymentId::parse(id).ok()?,
    })
}

/// The query, as names and values.
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(super) fn of(uri: &Uri, known: &[&str]) -> Result<Self, Problem> {
        let Ok(Query(parameters)) = Query::<Vec<(String, String)>>::try_from_uri(uri) else {
            return Err(invalid(
                "The query is not `name=value` joined by `&`, in percent-encoded UTF-8.",
            ));
        };
        for (position, (name, _)) in parameters.iter().enumerate() {
            if !known.contains(&name.as_str()) {
                // The name is the caller's, and not repeated: it may be anything.
                let known = known.join("`, `");
                let position = position + 1;
                return Err(invalid(format!(
                    "Parameter {position} of the query is unknown; there are `{known}`."
                )));
            }
            if parameters.iter().take(position).any(|(other, _)| other == name) {
                return Err(invalid(format!("The query has `{name}` twice.")));
            }
        }
        Ok(Self(parameters))
    }

    pub(super) fn read<T>(
        &self,
        name: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let found = self.0.iter().find(|(found, _)| found == name);
        let Some((_, value)) = found else {
            return Ok(None);
        };
        let parsed = parse(value);
        let refused = || {
            invalid(format!(
                "`{name}` in the query: expected {expected}, found another text."
            ))
        };
        parsed.map(Some).ok_or_else(refused)
    }
}

fn invalid(detail: impl Into<std::borrow::Cow<'static, str>>) -> Problem {
    Problem::new(ProblemCode::InvalidQuery, detail)
}
