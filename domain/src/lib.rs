//! The business of a payment gateway, and nothing else: money, the payment aggregate, the risk decision.
//!
//! This crate depends on no other crate, not even for its tests, so that a rule of the business can be read without
//! knowing a framework. Types are built by constructors that refuse what cannot be (`Currency::parse`, `Money::new`,
//! `CardNumber::parse`), so inner code never checks again.

pub mod access;
pub mod card;
pub mod country;
pub mod currency;
pub mod feature;
pub mod identifier;
pub mod ip_range;
pub mod list_item;
pub mod money;
pub mod payment;
pub mod risk;
pub mod spelling;
pub mod text;
pub mod timestamp;

pub use card::{CardBrand, CardExpiry, CardNumber, CardNumberError, CardSummary};
pub use country::CountryCode;
pub use currency::{Currency, CurrencyError};
pub use identifier::{
    ApiKeyId, DecisionId, IdentifierError, ListName, MerchantId, OperationId, PaymentId, WebhookDeliveryId,
    WebhookEndpointId,
};
pub use ip_range::IpRange;
pub use list_item::{ListAuthor, ListItem, ListNote, ListedValue, ListedValueError};
pub use money::{Money, MoneyError};
pub use payment::Payment;
pub use timestamp::Timestamp;
