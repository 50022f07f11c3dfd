//! What a merchant says about a payment. Every text is bounded, so a payment has a largest size.

use crate::card::CardSummary;
use crate::country::CountryCode;
use crate::feature::Subject;
use crate::identifier::MerchantId;
use crate::money::Money;
use crate::text::BoundedText;

/// A customer id, an e-mail address, an IP address, a user agent: 512 bytes hold the longest that browsers send.
pub type DetailsText = BoundedText<512>;

/// A key or a value of the metadata.
pub type MetadataText = BoundedText<256>;

/// How many metadata entries a payment may carry: enough for references, too few for a database.
pub const MAX_METADATA_ENTRIES: usize = 32;

/// What is to be paid, by whom, with what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentDetails {
    /// Who is paid.
    pub merchant_id: MerchantId,
    /// Four digits of ISO 18245.
    pub merchant_category: Option<BoundedText<4>>,
    /// How much.
    pub amount: Money,
    /// With which card.
    pub card: Option<CardSummary>,
    /// By whom.
    pub customer: Option<CustomerDetails>,
    /// From what.
    pub device: Option<DeviceDetails>,
    /// The merchant's own notes, in their order; at most [`MAX_METADATA_ENTRIES`].
    pub metadata: Vec<(MetadataText, MetadataText)>,
}

/// The payer, as the merchant knows him.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomerDetails {
    /// The merchant's id of the customer.
    pub id: Option<DetailsText>,
    /// The customer's e-mail address.
    pub email: Option<DetailsText>,
    /// Where the bill goes.
    pub billing_country: Option<CountryCode>,
    /// Where the goods go.
    pub shipping_country: Option<CountryCode>,
}

/// The device that the payment comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceDetails {
    /// The merchant's or a fingerprinting service's id of the device.
    pub id: Option<DetailsText>,
    /// The IP address, as text.
    pub ip: Option<DetailsText>,
    /// Where the IP address is.
    pub ip_country: Option<CountryCode>,
    /// The browser's own name.
    pub user_agent: Option<DetailsText>,
}

impl PaymentDetails {
    /// What stands for the subject in this payment, if it has one.
    #[must_use]
    pub fn subject(&self, subject: Subject) -> Option<&str> {
        let customer = self.customer.as_ref();
        let device = self.device.as_ref();
        match subject {
            Subject::Card => self.card.as_ref().map(|card| &*card.fingerprint),
            Subject::Customer => customer.and_then(|c| c.id.as_ref()).map(BoundedText::as_str),
            Subject::Email => customer.and_then(|c| c.email.as_ref()).map(BoundedText::as_str),
            Subject::Ip => device.and_then(|d| d.ip.as_ref()).map(BoundedText::as_str),
            Subject::Device => device.and_then(|d| d.id.as_ref()).map(BoundedText::as_str),
            Subject::Merchant => Some(self.merchant_id.as_str()),
        }
    }
}
