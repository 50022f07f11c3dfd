//! What a merchant says about a payment.

use domain::payment::{CustomerDetails, DetailsText, DeviceDetails, MetadataText, PaymentDetails};
use domain::{CardBrand, CardSummary, CountryCode, Money};

use super::{cny, merchant_id};

/// Details that are ready unless something is to be different.
#[derive(Clone, Debug)]
pub struct PaymentDetailsBuilder(PaymentDetails);

/// CNY 129.00 to the merchant `m_1`, and nothing else.
#[must_use]
pub fn payment_details() -> PaymentDetailsBuilder {
    PaymentDetailsBuilder(PaymentDetails {
        merchant_id: merchant_id("m_1"),
        merchant_category: None,
        amount: cny(12_900),
        card: None,
        customer: None,
        device: None,
        metadata: vec![],
    })
}

impl PaymentDetailsBuilder {
    /// How much.
    #[must_use]
    pub fn amount(mut self, amount: Money) -> Self {
        self.0.amount = amount;
        self
    }

    /// Who is paid.
    #[must_use]
    pub fn merchant(mut self, id: &str) -> Self {
        self.0.merchant_id = merchant_id(id);
        self
    }

    /// A card by its fingerprint.
    #[must_use]
    pub fn card(mut self, fingerprint: &str) -> Self {
        self.0.card = Some(CardSummary {
            bin: "42424242".into(),
            last4: "4242".into(),
            fingerprint: fingerprint.into(),
            brand: CardBrand::Visa,
            issuer_country: None,
        });
        self
    }

    /// The merchant's id of the customer.
    #[must_use]
    pub fn customer(mut self, id: &str) -> Self {
        self.customer_details().id = Some(text(id));
        self
    }

    /// The customer's e-mail address.
    #[must_use]
    pub fn email(mut self, email: &str) -> Self {
        self.customer_details().email = Some(text(email));
        self
    }

    /// The device.
    #[must_use]
    pub fn device(mut self, id: &str) -> Self {
        self.device_details().id = Some(text(id));
        self
    }

    /// The IP address.
    #[must_use]
    pub fn ip(mut self, ip: &str) -> Self {
        self.device_details().ip = Some(text(ip));
        self
    }

    /// Everything that a merchant can say.
    #[must_use]
    pub fn complete(self) -> Self {
        let mut complete = self
            .card("fp_1")
            .customer("c_1")
            .email("Ada@Example.com")
            .device("d_1")
            .ip("203.0.113.7");
        complete.0.merchant_category = Some(domain::text::BoundedText::parse("5732").unwrap());
        let customer = complete.customer_details();
        customer.billing_country = CountryCode::parse("CN");
        customer.shipping_country = CountryCode::parse("DE");
        let device = complete.device_details();
        device.ip_country = CountryCode::parse("SG");
        device.user_agent = Some(text("Mozilla/5.0 “quoted” \\ 漢字"));
        complete.0.metadata = [("order", "o_1"), ("order", "o_2"), ("note", "ü")]
            .map(|(key, value)| {
                (
                    MetadataText::parse(key).unwrap(),
                    MetadataText::parse(value).unwrap(),
                )
            })
            .into();
        if let Some(card) = &mut complete.0.card {
            card.issuer_country = CountryCode::parse("CN");
        }
        complete
    }

    /// The details.
    #[must_use]
    pub fn build(self) -> PaymentDetails {
        self.0
    }

    fn customer_details(&mut self) -> &mut CustomerDetails {
        self.0.customer.get_or_insert_default()
    }

    fn device_details(&mut self) -> &mut DeviceDetails {
        self.0.device.get_or_insert_default()
    }
}

fn text(text: &str) -> DetailsText {
    DetailsText::parse(text).unwrap()
}
