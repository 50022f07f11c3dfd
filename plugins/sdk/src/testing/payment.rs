//! Payments for tests: an ordinary one, of which a test changes what it is about.

use super::exponents::exponent;
use crate::{Card, Customer, Device, Money, Payment};

/// 2026-01-01T00:00:00Z.
const NEW_YEAR_2026: u64 = 1_767_225_600_000;

/// An ordinary payment: CNY 129.00 to the merchant `m_demo`, without card, customer and device.
pub fn payment() -> PaymentBuilder {
    PaymentBuilder {
        payment: Payment {
            id: "pay_1".to_owned(),
            merchant_id: "m_demo".to_owned(),
            merchant_category: None,
            amount: money(12_900, "CNY"),
            created_at: NEW_YEAR_2026,
            card: None,
            customer: None,
            device: None,
            metadata: Vec::new(),
        },
    }
}

/// An amount, with the exponent that a gateway gives the currency.
fn money(minor_units: i64, currency: &str) -> Money {
    Money {
        minor_units,
        currency: currency.to_owned(),
        exponent: exponent(currency),
    }
}

/// A card issued in China. `Card { issuer_country: None, ..card() }` is one of unknown origin.
#[must_use]
pub fn card() -> Card {
    Card {
        bin: "424242".to_owned(),
        last4: "4242".to_owned(),
        fingerprint: "fp_1".to_owned(),
        issuer_country: Some("CN".to_owned()),
    }
}

/// A customer of whom nothing is known.
#[must_use]
pub fn customer() -> Customer {
    Customer {
        id: None,
        email: None,
        billing_country: None,
        shipping_country: None,
    }
}

/// A device of which nothing is known.
#[must_use]
pub fn device() -> Device {
    Device {
        id: None,
        ip: None,
        ip_country: None,
        user_agent: None,
    }
}

/// See [`payment`].
#[derive(Clone, Debug)]
#[must_use]
pub struct PaymentBuilder {
    payment: Payment,
}

impl PaymentBuilder {
    /// Sets the id.
    pub fn id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.payment.id);
        self
    }

    /// Sets the merchant.
    pub fn merchant(mut self, merchant_id: &str) -> Self {
        merchant_id.clone_into(&mut self.payment.merchant_id);
        self
    }

    /// Sets the ISO 18245 category of the merchant.
    pub fn merchant_category(mut self, category: &str) -> Self {
        self.payment.merchant_category = Some(category.to_owned());
        self
    }

    /// Sets the amount, in minor units of the currency.
    pub fn amount(mut self, minor_units: i64, currency: &str) -> Self {
        self.payment.amount = money(minor_units, currency);
        self
    }

    /// Sets the time, in milliseconds since 1970-01-01T00:00:00Z.
    pub fn created_at(mut self, unix_millis: u64) -> Self {
        self.payment.created_at = unix_millis;
        self
    }

    /// Sets the card.
    pub fn card(mut self, card: Card) -> Self {
        self.payment.card = Some(card);
        self
    }

    /// Sets the customer.
    pub fn customer(mut self, customer: Customer) -> Self {
        self.payment.customer = Some(customer);
        self
    }

    /// Sets the device.
    pub fn device(mut self, device: Device) -> Self {
        self.payment.device = Some(device);
        self
    }

    /// Adds an entry to the metadata.
    pub fn metadata(mut self, key: &str, value: &str) -> Self {
        self.payment.metadata.push((key.to_owned(), value.to_owned()));
        self
    }

    /// The payment.
    #[must_use]
    pub fn build(self) -> Payment {
        self.payment
    }
}
