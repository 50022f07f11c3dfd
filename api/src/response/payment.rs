//! A payment, as every endpoint that answers with one shows it. The card's number is not there to be shown.

use domain::payment::{
    CustomerDetails, DetailsText, DeviceDetails, MetadataText, Operation, OperationKind, PaymentDetails,
    Review,
};
use domain::text::BoundedText;
use domain::{CardSummary, CountryCode, OperationId, Payment};
use serde::{Serialize, Serializer};

use super::Each;
use super::decision::RiskView;
use super::scalar::{AmountView, Rfc3339};

/// A payment, and the capture, void or refund that was asked for, where one was.
pub(crate) struct PaymentView<'a> {
    payment: &'a Payment,
    operation: Option<&'a OperationId>,
}

impl<'a> PaymentView<'a> {
    pub(crate) fn new(payment: &'a Payment) -> Self {
        Self {
            payment,
            operation: None,
        }
    }
}

/// What whoever had something done is answered.
pub(crate) fn payment_answer(payment: &Payment, operation: Option<&OperationId>) -> Vec<u8> {
    let mut body = Vec::with_capacity(super::FIRST_BUFFER_BYTES);
    let view = PaymentView { payment, operation };
    // Writing to memory does not fail, and the view has no map with other keys than texts.
    let _infallible = serde_json::to_writer(&mut body, &view);
    body
}

#[derive(Serialize)]
struct Fields<'a> {
    id: &'a str,
    status: &'static str,
    decline_code: Option<&'static str>,
    /// The capture, void or refund that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<OperationView<'a>>,
    merchant_id: &'a str,
    merchant_category: Option<&'a str>,
    amount: AmountView,
    amounts: AmountsView,
    card: Option<CardView<'a>>,
    customer: Option<CustomerView<'a>>,
    device: Option<DeviceView<'a>>,
    metadata: Metadata<'a>,
    risk: RiskView<'a>,
    review: Option<ReviewView<'a>>,
    operations: Each<'a, Operation, OperationView<'a>>,
    expires_at: Option<Rfc3339>,
    created_at: Rfc3339,
    updated_at: Rfc3339,
}

impl Serialize for PaymentView<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let record = self.payment.record();
        let asked_for = |operation: &&Operation| {
            Some(&operation.id) == self.operation && operation.kind != OperationKind::Authorize
        };
        let details: &PaymentDetails = &record.details;
        Fields {
            id: record.id.as_str(),
            status: record.status.as_str(),
            decline_code: record.decline_code.map(|code| code.as_str()),
            operation: record.operations.iter().find(asked_for).map(OperationView::new),
            merchant_id: details.merchant_id.as_str(),
            merchant_category: details.merchant_category.as_ref().map(BoundedText::as_str),
            amount: details.amount.into(),
            amounts: AmountsView::new(self.payment),
            card: details.card.as_ref().map(CardView::new),
            customer: details.customer.as_ref().map(CustomerView::new),
            device: details.device.as_ref().map(DeviceView::new),
            metadata: Metadata(&details.metadata),
            risk: RiskView::new(&record.decision),
            review: record.review.as_ref().map(ReviewView::new),
            operations: Each(&record.operations, OperationView::new),
            expires_at: record.expires_at.map(Rfc3339),
            created_at: Rfc3339(record.created_at),
            updated_at: Rfc3339(record.updated_at),
        }
        .serialize(serializer)
    }
}

/// Sums over the operations that succeeded, in minor units of the payment's currency.
#[derive(Serialize)]
struct AmountsView {
    authorized: i64,
    captured: i64,
    refunded: i64,
    capturable: i64,
    refundable: i64,
}

impl AmountsView {
    fn new(payment: &Payment) -> Self {
        let amounts = payment.amounts();
        Self {
            authorized: amounts.authorized,
            captured: amounts.captured,
            refunded: amounts.refunded,
            // What is over is let go of, whoever let go of it.
            capturable: if payment.status().is_final() {
                0
            } else {
                amounts.capturable()
            },
            refundable: amounts.refundable(),
        }
    }
}

#[derive(Serialize)]
struct ReviewView<'a> {
    verdict: &'static str,
    reviewer: &'a str,
    reviewed_at: Rfc3339,
}

impl<'a> ReviewView<'a> {
    fn new(review: &'a Review) -> Self {
        Self {
            verdict: review.verdict.as_str(),
            reviewer: review.reviewer.as_str(),
            reviewed_at: Rfc3339(review.reviewed_at),
        }
    }
}

#[derive(Serialize)]
pub(super) struct CardView<'a> {
    bin: &'a str,
    last4: &'a str,
    brand: &'static str,
    fingerprint: &'a str,
    issuer_country: Option<&'a str>,
}

impl<'a> CardView<'a> {
    pub(super) fn new(card: &'a CardSummary) -> Self {
        Self {
            bin: &card.bin,
            last4: &card.last4,
            brand: card.brand.as_str(),
            fingerprint: &card.fingerprint,
            issuer_country: card.issuer_country.as_ref().map(CountryCode::as_str),
        }
    }
}

fn text(text: Option<&DetailsText>) -> Option<&str> {
    text.map(BoundedText::as_str)
}

#[derive(Serialize)]
struct CustomerView<'a> {
    id: Option<&'a str>,
    email: Option<&'a str>,
    billing_country: Option<&'a str>,
    shipping_country: Option<&'a str>,
}

impl<'a> CustomerView<'a> {
    fn new(customer: &'a CustomerDetails) -> Self {
        Self {
            id: text(customer.id.as_ref()),
            email: text(customer.email.as_ref()),
            billing_country: customer.billing_country.as_ref().map(CountryCode::as_str),
            shipping_country: customer.shipping_country.as_ref().map(CountryCode::as_str),
        }
    }
}

#[derive(Serialize)]
struct DeviceView<'a> {
    id: Option<&'a str>,
    ip: Option<&'a str>,
    ip_country: Option<&'a str>,
    user_agent: Option<&'a str>,
}

impl<'a> DeviceView<'a> {
    fn new(device: &'a DeviceDetails) -> Self {
        Self {
            id: text(device.id.as_ref()),
            ip: text(device.ip.as_ref()),
            ip_country: device.ip_country.as_ref().map(CountryCode::as_str),
            user_agent: text(device.user_agent.as_ref()),
        }
    }
}

/// An object with the merchant's keys, in the merchant's order.
struct Metadata<'a>(&'a [(MetadataText, MetadataText)]);

impl Serialize for Metadata<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(key, value)| (key.as_str(), value.as_str())))
    }
}

#[derive(Serialize)]
struct OperationView<'a> {
    id: &'a str,
    kind: &'static str,
    status: &'static str,
    amount: AmountView,
    acquirer_reference: Option<&'a str>,
    decline_code: Option<&'static str>,
    created_at: Rfc3339,
    updated_at: Rfc3339,
}

impl<'a> OperationView<'a> {
    fn new(operation: &'a Operation) -> Self {
        Self {
            id: operation.id.as_str(),
            kind: operation.kind.as_str(),
            status: operation.status.as_str(),
            amount: operation.amount.into(),
            acquirer_reference: operation.acquirer_reference.as_ref().map(BoundedText::as_str),
            decline_code: operation.decline_code.map(|code| code.as_str()),
            created_at: Rfc3339(operation.created_at),
            updated_at: Rfc3339(operation.updated_at),
        }
    }
}
