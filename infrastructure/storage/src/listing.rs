//! Listings by date, the newest first: which rows, as a statement that both databases understand.

use application::ports::{DecisionCursor, DecisionQuery, PageCursor, PaymentQuery};
use domain::payment::PaymentStatus;
use domain::risk::Outcome;
use domain::{MerchantId, PaymentId, Timestamp};

/// One of the values of a statement.
pub(crate) enum Value {
    Text(String),
    Number(i64),
}

/// A statement and its values, in the order of their places.
pub(crate) struct Listing {
    pub(crate) sql: String,
    pub(crate) values: Vec<Value>,
}

impl Listing {
    /// One payment more than there is room for, if there is one. `select` is what comes before `WHERE`.
    pub(crate) fn payments(
        select: &str,
        query: &PaymentQuery,
        after: Option<&PageCursor>,
        limit: usize,
    ) -> Self {
        let PaymentQuery {
            merchant,
            status,
            created_from,
            created_before,
        } = query;
        let mut listing = Self::begin(select);
        listing.narrow(
            "merchant_id =",
            merchant.as_ref().map(MerchantId::as_str).map(text),
        );
        listing.narrow("status =", status.map(PaymentStatus::as_str).map(text));
        listing.dated(*created_from, *created_before);
        let after = after.map(|cursor| (cursor.created_at, cursor.id.as_str()));
        listing.end(after, limit)
    }

    /// The same of decisions.
    pub(crate) fn decisions(
        select: &str,
        query: &DecisionQuery,
        after: Option<&DecisionCursor>,
        limit: usize,
    ) -> Self {
        let DecisionQuery {
            merchant,
            payment,
            outcome,
            created_from,
            created_before,
        } = query;
        let mut listing = Self::begin(select);
        listing.narrow(
            "merchant_id =",
            merchant.as_ref().map(MerchantId::as_str).map(text),
        );
        listing.narrow("payment_id =", payment.as_ref().map(PaymentId::as_str).map(text));
        listing.narrow("outcome =", outcome.map(Outcome::as_str).map(text));
        listing.dated(*created_from, *created_before);
        let after = after.map(|cursor| (cursor.created_at, cursor.id.as_str()));
        listing.end(after, limit)
    }

    fn begin(select: &str) -> Self {
        Self {
            sql: format!("{select} WHERE TRUE"),
            values: Vec::new(),
        }
    }

    /// Only what is asked for is in the statement, so that it goes by the index of that.
    fn narrow(&mut self, comparison: &str, value: Option<Value>) {
        if let Some(value) = value {
            let place = self.place(value);
            self.sql.push_str(&format!(" AND {comparison} {place}"));
        }
    }

    fn dated(&mut self, from: Option<Timestamp>, before: Option<Timestamp>) {
        self.narrow("created_at_ms >=", from.map(moment));
        self.narrow("created_at_ms <", before.map(moment));
    }

    fn end(mut self, after: Option<(Timestamp, &str)>, limit: usize) -> Self {
        if let Some((at, id)) = after {
            let (at, id) = (self.place(moment(at)), self.place(text(id)));
            self.sql
                .push_str(&format!(" AND (created_at_ms, id) < ({at}, {id})"));
        }
        let limit = self.place(Value::Number(one_more(limit)));
        self.sql
            .push_str(&format!(" ORDER BY created_at_ms DESC, id DESC LIMIT {limit}"));
        self
    }

    /// Takes a value in, and tells its place.
    fn place(&mut self, value: Value) -> String {
        self.values.push(value);
        format!("${}", self.values.len())
    }
}

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn moment(at: Timestamp) -> Value {
    // No moment is beyond `Timestamp::MAX`.
    Value::Number(at.unix_millis().cast_signed())
}

/// As the databases take it. More than there can be is as good as all.
pub(crate) fn one_more(limit: usize) -> i64 {
    as_limit(limit).saturating_add(1)
}

pub(crate) fn as_limit(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX)
}
