//! What the merchant said, as it is stored.

use std::borrow::Cow;

use domain::payment::{CustomerDetails, DetailsText, DeviceDetails, MetadataText, PaymentDetails};
use domain::text::BoundedText;
use domain::{CardBrand, CardSummary, CountryCode, Currency, MerchantId, Money};
use serde::{Deserialize, Serialize};

use super::{Damage, known, parsed};

type Text<'a> = Cow<'a, str>;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DetailsDocument<'a> {
    #[serde(borrow)]
    merchant_id: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    merchant_category: Option<Text<'a>>,
    #[serde(borrow)]
    amount: AmountDocument<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    card: Option<CardDocument<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<CustomerDocument<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    device: Option<DeviceDocument<'a>>,
    /// A list of pairs, since its order counts and a key may come twice.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    metadata: Vec<(Text<'a>, Text<'a>)>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AmountDocument<'a> {
    minor_units: i64,
    #[serde(borrow)]
    currency: Text<'a>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CardDocument<'a> {
    #[serde(borrow)]
    bin: Text<'a>,
    #[serde(borrow)]
    last4: Text<'a>,
    #[serde(borrow)]
    fingerprint: Text<'a>,
    #[serde(borrow)]
    brand: Text<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    issuer_country: Option<Text<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CustomerDocument<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    billing_country: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shipping_country: Option<Text<'a>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DeviceDocument<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip_country: Option<Text<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<Text<'a>>,
}

impl<'a> DetailsDocument<'a> {
    pub(super) fn of(details: &'a PaymentDetails) -> Self {
        let PaymentDetails {
            merchant_id,
            merchant_category,
            amount,
            card,
            customer,
            device,
            metadata,
        } = details;
        Self {
            merchant_id: merchant_id.as_str().into(),
            merchant_category: text(merchant_category.as_ref()),
            amount: AmountDocument::of(*amount),
            card: card.as_ref().map(CardDocument::of),
            customer: customer.as_ref().map(CustomerDocument::of),
            device: device.as_ref().map(DeviceDocument::of),
            metadata: metadata
                .iter()
                .map(|(key, value)| (key.as_str().into(), value.as_str().into()))
                .collect(),
        }
    }

    pub(super) fn restore(self) -> Result<PaymentDetails, Damage> {
        let metadata = self.metadata.iter().map(|(key, value)| {
            let key = parsed("details.metadata", key, MetadataText::parse)?;
            let value = parsed("details.metadata", value, MetadataText::parse)?;
            Ok((key, value))
        });
        Ok(PaymentDetails {
            merchant_id: parsed("details.merchant_id", &self.merchant_id, MerchantId::parse)?,
            merchant_category: self
                .merchant_category
                .map(|category| parsed("details.merchant_category", &category, BoundedText::parse))
                .transpose()?,
            amount: self.amount.restore("details.amount")?,
            card: self.card.map(CardDocument::restore).transpose()?,
            customer: self.customer.map(CustomerDocument::restore).transpose()?,
            device: self.device.map(DeviceDocument::restore).transpose()?,
            metadata: metadata.collect::<Result<_, Damage>>()?,
        })
    }
}

impl AmountDocument<'_> {
    pub(super) fn of(amount: Money) -> Self {
        Self {
            minor_units: amount.minor_units(),
            currency: amount.currency().code().into(),
        }
    }

    pub(super) fn restore(&self, field: &'static str) -> Result<Money, Damage> {
        money(field, self.minor_units, &self.currency)
    }
}

impl<'a> CardDocument<'a> {
    pub(super) fn of(card: &'a CardSummary) -> Self {
        let CardSummary {
            bin,
            last4,
            fingerprint,
            brand,
            issuer_country,
        } = card;
        Self {
            bin: (&**bin).into(),
            last4: (&**last4).into(),
            fingerprint: (&**fingerprint).into(),
            brand: brand.as_str().into(),
            issuer_country: country_text(issuer_country.as_ref()),
        }
    }

    pub(super) fn restore(self) -> Result<CardSummary, Damage> {
        Ok(CardSummary {
            bin: self.bin.into(),
            last4: self.last4.into(),
            fingerprint: self.fingerprint.into(),
            brand: known("details.card.brand", &self.brand, CardBrand::parse)?,
            issuer_country: country("details.card.issuer_country", self.issuer_country)?,
        })
    }
}

impl<'a> CustomerDocument<'a> {
    fn of(customer: &'a CustomerDetails) -> Self {
        let CustomerDetails {
            id,
            email,
            billing_country,
            shipping_country,
        } = customer;
        Self {
            id: text(id.as_ref()),
            email: text(email.as_ref()),
            billing_country: country_text(billing_country.as_ref()),
            shipping_country: country_text(shipping_country.as_ref()),
        }
    }

    fn restore(self) -> Result<CustomerDetails, Damage> {
        Ok(CustomerDetails {
            id: details_text("details.customer.id", self.id)?,
            email: details_text("details.customer.email", self.email)?,
            billing_country: country("details.customer.billing_country", self.billing_country)?,
            shipping_country: country("details.customer.shipping_country", self.shipping_country)?,
        })
    }
}

impl<'a> DeviceDocument<'a> {
    fn of(device: &'a DeviceDetails) -> Self {
        let DeviceDetails {
            id,
            ip,
            ip_country,
            user_agent,
        } = device;
        Self {
            id: text(id.as_ref()),
            ip: text(ip.as_ref()),
            ip_country: country_text(ip_country.as_ref()),
            user_agent: text(user_agent.as_ref()),
        }
    }

    fn restore(self) -> Result<DeviceDetails, Damage> {
        Ok(DeviceDetails {
            id: details_text("details.device.id", self.id)?,
            ip: details_text("details.device.ip", self.ip)?,
            ip_country: country("details.device.ip_country", self.ip_country)?,
            user_agent: details_text("details.device.user_agent", self.user_agent)?,
        })
    }
}

/// An amount from its two parts.
pub(crate) fn money(field: &'static str, minor_units: i64, currency: &str) -> Result<Money, Damage> {
    let currency = parsed(field, currency, Currency::parse_stored)?;
    Money::new(minor_units, currency).map_err(|error| Damage::of(field, error))
}

fn text<const MAX: usize>(text: Option<&BoundedText<MAX>>) -> Option<Text<'_>> {
    text.map(|text| text.as_str().into())
}

fn country_text(country: Option<&CountryCode>) -> Option<Text<'_>> {
    country.map(|country| country.as_str().into())
}

fn details_text(field: &'static str, text: Option<Text<'_>>) -> Result<Option<DetailsText>, Damage> {
    text.map(|text| parsed(field, &text, DetailsText::parse))
        .transpose()
}

fn country(field: &'static str, code: Option<Text<'_>>) -> Result<Option<CountryCode>, Damage> {
    code.map(|code| known(field, &code, CountryCode::parse))
        .transpose()
}
