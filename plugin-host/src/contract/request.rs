//! What a policy is given, whichever version of the contract it was built for.

use domain::Currency;
use domain::risk::RiskRequest;

use crate::document::ParameterValue;

/// Parts of a payment: those that a policy reads, as those that a document grants.
pub(crate) type PaymentParts = crate::document::Grants;

/// The exponent of a currency that has none in ISO 4217 (gold, for one), or that it does not list: what most have. No
/// payment is made in such a currency, and golden cases may name one.
const USUAL_EXPONENT: u8 = 2;

/// A payment as guests are shown it, borrowed; made once per decision. Each version of the contract takes from it what it
/// has, and of that what the policy reads.
#[derive(Clone, Debug)]
pub(crate) struct PaymentView<'a> {
    pub(crate) id: &'a str,
    pub(crate) merchant_id: &'a str,
    pub(crate) merchant_category: Option<&'a str>,
    pub(crate) amount: Money<'a>,
    pub(crate) created_at: u64,
    pub(crate) card: Option<Card<'a>>,
    pub(crate) customer: Option<Customer<'a>>,
    pub(crate) device: Option<Device<'a>>,
    pub(crate) metadata: Vec<(&'a str, &'a str)>,
}

/// An amount.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Money<'a> {
    pub(crate) minor_units: i64,
    pub(crate) currency: &'a str,
    pub(crate) exponent: u8,
}

/// What is kept of a card.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Card<'a> {
    pub(crate) bin: &'a str,
    pub(crate) last4: &'a str,
    pub(crate) fingerprint: &'a str,
    pub(crate) issuer_country: Option<&'a str>,
}

/// The payer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Customer<'a> {
    pub(crate) id: Option<&'a str>,
    pub(crate) email: Option<&'a str>,
    pub(crate) billing_country: Option<&'a str>,
    pub(crate) shipping_country: Option<&'a str>,
}

/// The device that the payment comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Device<'a> {
    pub(crate) id: Option<&'a str>,
    pub(crate) ip: Option<&'a str>,
    pub(crate) ip_country: Option<&'a str>,
    pub(crate) user_agent: Option<&'a str>,
}

/// All that a policy is given for one payment. Features and parameters are in the order of its descriptor.
pub(crate) struct Inputs<'a, F> {
    pub(crate) payment: &'a PaymentView<'a>,
    /// An iterator, because the values lie scattered among those of the policy set.
    pub(crate) features: F,
    pub(crate) parameters: &'a [(Box<str>, ParameterValue)],
}

impl<'a> PaymentView<'a> {
    /// The view of a request. The metadata is only gathered where some policy reads it.
    pub(crate) fn new(request: &RiskRequest<'a>, with_metadata: bool) -> Self {
        let details = request.details;
        let currency = details.amount.currency();
        let metadata = if with_metadata {
            details
                .metadata
                .iter()
                .map(|(key, value)| (key.as_str(), value.as_str()))
                .collect()
        } else {
            Vec::new()
        };
        Self {
            id: request.payment_id.as_str(),
            merchant_id: details.merchant_id.as_str(),
            merchant_category: details.merchant_category.as_ref().map(|t| t.as_str()),
            amount: Money {
                minor_units: details.amount.minor_units(),
                currency: currency.code(),
                exponent: currency.exponent().unwrap_or(USUAL_EXPONENT),
            },
            created_at: request.created_at.unix_millis(),
            card: details.card.as_ref().map(|card| Card {
                bin: &card.bin,
                last4: &card.last4,
                fingerprint: &card.fingerprint,
                issuer_country: card.issuer_country.as_ref().map(|c| c.as_str()),
            }),
            customer: details.customer.as_ref().map(|customer| Customer {
                id: customer.id.as_ref().map(|t| t.as_str()),
                email: customer.email.as_ref().map(|t| t.as_str()),
                billing_country: customer.billing_country.as_ref().map(|c| c.as_str()),
                shipping_country: customer.shipping_country.as_ref().map(|c| c.as_str()),
            }),
            device: details.device.as_ref().map(|device| Device {
                id: device.id.as_ref().map(|t| t.as_str()),
                ip: device.ip.as_ref().map(|t| t.as_str()),
                ip_country: device.ip_country.as_ref().map(|c| c.as_str()),
                user_agent: device.user_agent.as_ref().map(|t| t.as_str()),
            }),
            metadata,
        }
    }

    /// What says something of a person: nobody's business but the policy's.
    pub(crate) fn personal(&self) -> impl Iterator<Item = &'a str> + '_ {
        let card = self.card.iter().map(|card| card.fingerprint);
        let customer = self
            .customer
            .iter()
            .flat_map(|customer| [customer.id, customer.email])
            .flatten();
        let device = self
            .device
            .iter()
            .flat_map(|device| [device.id, device.ip, device.user_agent])
            .flatten();
        let metadata = self.metadata.iter().map(|(_, value)| *value);
        card.chain(customer).chain(device).chain(metadata)
    }
}

/// How many decimal digits the minor unit of the currency of this code has.
pub(crate) fn exponent(code: &str) -> u8 {
    Currency::parse_stored(code)
        .ok()
        .and_then(Currency::exponent)
        .unwrap_or(USUAL_EXPONENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponent_is_that_of_iso_4217_and_two_where_that_has_none() {
        for (code, expected) in [
            ("EUR", 2),
            ("JPY", 0),
            ("KWD", 3),
            ("CLF", 4),
            ("HRK", 2),
            ("XAU", 2),
            ("???", 2),
        ] {
            assert_eq!(exponent(code), expected, "{code}");
        }
    }
}
