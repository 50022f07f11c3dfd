//! Things of the domain in one line. What a test does not say is filled in with something ordinary.

mod decision;
mod details;
mod payment;

pub use decision::{decision, evaluation, fault, policy};
pub use details::{PaymentDetailsBuilder, payment_details};
pub use payment::{OwnedRiskRequest, PaymentBuilder, RiskRequestBuilder, payment, risk_request};

use application::use_cases::PaymentCard;
use domain::access::{ApiKey, Grant, Role, ScopeSet, SecretDigest};
use domain::text::BoundedText;
use domain::{
    ApiKeyId, CardExpiry, CardNumber, Currency, DecisionId, MerchantId, Money, OperationId, PaymentId,
    Timestamp,
};

/// When everything happens that no time was given for: 2026-02-02T02:40:00Z.
pub const NOW: Timestamp = Timestamp::from_unix_millis(1_770_000_000_000);

/// So many seconds after [`NOW`].
#[must_use]
pub fn after(seconds: u64) -> Timestamp {
    Timestamp::from_unix_millis(NOW.unix_millis() + seconds * 1_000)
}

/// An amount in fen.
#[must_use]
pub fn cny(minor_units: i64) -> Money {
    money(minor_units, "CNY")
}

/// An amount.
#[must_use]
pub fn money(minor_units: i64, currency: &str) -> Money {
    Money::new(minor_units, Currency::parse(currency).unwrap()).unwrap()
}

/// A payment's name.
#[must_use]
pub fn payment_id(text: &str) -> PaymentId {
    PaymentId::parse(text).unwrap()
}

/// A merchant's name.
#[must_use]
pub fn merchant_id(text: &str) -> MerchantId {
    MerchantId::parse(text).unwrap()
}

/// A decision's name.
#[must_use]
pub fn decision_id(text: &str) -> DecisionId {
    DecisionId::parse(text).unwrap()
}

/// An operation's name.
#[must_use]
pub fn operation_id(text: &str) -> OperationId {
    OperationId::parse(text).unwrap()
}

/// An operator's API key that works for ever.
#[must_use]
pub fn api_key(id: &str) -> ApiKey {
    ApiKey {
        id: ApiKeyId::parse(id).unwrap(),
        name: BoundedText::parse("till 1 / \u{fc}").unwrap(),
        grant: Grant::new(Role::Operator, None, ScopeSet::default()).unwrap(),
        digest: SecretDigest([0xfe; 32]),
        last4: BoundedText::parse("00ff").unwrap(),
        previous: None,
        created_at: NOW,
        rotated_at: NOW,
        expires_at: None,
        revoked_at: None,
        version: 0,
    }
}

/// A card that is valid until the end of 2030.
#[must_use]
pub fn payment_card(number: &str) -> PaymentCard {
    PaymentCard {
        number: CardNumber::parse(number).unwrap(),
        expiry: CardExpiry::new(12, 2030).unwrap(),
        issuer_country: None,
    }
}
