//! What the rule is given. All texts are borrowed from whoever has the payment: the domain, a guest's memory, or JSON.

use alloc::vec::Vec;

#[cfg(feature = "serde")]
use serde::{Deserialize, Serialize};

/// A payment, in the words of the contract.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Payment<'a> {
    /// Its id.
    pub id: &'a str,
    /// Who is paid.
    pub merchant_id: &'a str,
    /// Four digits of ISO 18245.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub merchant_category: Option<&'a str>,
    /// How much.
    #[cfg_attr(feature = "serde", serde(borrow))]
    pub amount: Amount<'a>,
    /// Milliseconds since 1970.
    pub created_at: u64,
    /// With which card.
    #[cfg_attr(
        feature = "serde",
        serde(borrow, default, skip_serializing_if = "Option::is_none")
    )]
    pub card: Option<Card<'a>>,
    /// By whom.
    #[cfg_attr(
        feature = "serde",
        serde(borrow, default, skip_serializing_if = "Option::is_none")
    )]
    pub customer: Option<Customer<'a>>,
    /// From what.
    #[cfg_attr(
        feature = "serde",
        serde(borrow, default, skip_serializing_if = "Option::is_none")
    )]
    pub device: Option<Device<'a>>,
    /// The merchant's own notes; in JSON an object.
    #[cfg_attr(feature = "serde", serde(borrow, with = "as_object"))]
    pub metadata: Vec<(&'a str, &'a str)>,
}

/// An amount.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Amount<'a> {
    /// In the minor unit of the currency.
    pub minor_units: i64,
    /// The code of ISO 4217.
    pub currency: &'a str,
    /// Decimal digits of the minor unit.
    pub exponent: u8,
}

/// What is kept of a card.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Card<'a> {
    /// The first digits.
    pub bin: &'a str,
    /// The last ones.
    pub last4: &'a str,
    /// Keyed digest of the number.
    pub fingerprint: &'a str,
    /// Where the issuer is.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub issuer_country: Option<&'a str>,
}

/// The payer.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Customer<'a> {
    /// The merchant's id of the customer.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub id: Option<&'a str>,
    /// The e-mail address.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub email: Option<&'a str>,
    /// Where the bill goes.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub billing_country: Option<&'a str>,
    /// Where the goods go.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub shipping_country: Option<&'a str>,
}

/// The device that the payment comes from.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Device<'a> {
    /// Its id.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub id: Option<&'a str>,
    /// The IP address.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub ip: Option<&'a str>,
    /// Where that is.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub ip_country: Option<&'a str>,
    /// The browser's own name.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub user_agent: Option<&'a str>,
}

/// Facts about the past; none where one is unavailable.
#[derive(Clone, Copy, Debug, Default)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Features {
    /// Payments of the card within an hour.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub card_count_1h: Option<u64>,
    /// Payments of the card within a day.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub card_count_24h: Option<u64>,
    /// What was paid with the card within a day, in minor units.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub card_amount_24h: Option<i64>,
    /// Cards with the device within a day.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub device_cards_24h: Option<u64>,
    /// Cards with the e-mail address within a day.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub email_cards_24h: Option<u64>,
    /// Payments from the IP address within an hour.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub ip_count_1h: Option<u64>,
}

/// What an operator may turn.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Parameters<'a> {
    /// The score from which on a payment is challenged.
    pub challenge_from: i64,
    /// The score from which on a payment is reviewed.
    pub review_from: i64,
    /// The score from which on a payment is declined.
    pub decline_from: i64,
    /// An amount above this one is large; in minor units.
    pub large_amount: i64,
    /// Payments of a card within an hour that are nothing special.
    pub max_card_count_1h: i64,
    /// What may be paid with a card within a day without a word; in minor units.
    pub max_card_amount_24h: i64,
    /// Countries that a device had better not be in.
    #[cfg_attr(feature = "serde", serde(borrow))]
    pub risky_countries: Vec<&'a str>,
}

/// All that the rule is given, as one value: what is written as JSON. Its parts may be borrowed or not.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(Serialize, Deserialize))]
pub struct Input<P, F, R> {
    /// The payment.
    pub payment: P,
    /// What happened before.
    pub features: F,
    /// What the operator set.
    pub parameters: R,
}

#[cfg(feature = "serde")]
mod as_object {
    //! Pairs of texts as an object.

    use alloc::vec::Vec;
    use core::fmt;

    use serde::de::{Deserializer, MapAccess, Visitor};
    use serde::ser::Serializer;

    pub(super) fn serialize<S: Serializer>(pairs: &[(&str, &str)], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(pairs.iter().copied())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<(&'de str, &'de str)>, D::Error> {
        struct Pairs;

        impl<'de> Visitor<'de> for Pairs {
            type Value = Vec<(&'de str, &'de str)>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object of texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut pairs = Vec::with_capacity(map.size_hint().unwrap_or(0));
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(pairs)
            }
        }

        deserializer.deserialize_map(Pairs)
    }
}
