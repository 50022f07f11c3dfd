//! Which payments a policy is run for.

use std::collections::BTreeMap;
use std::fmt;

use domain::money::MAX_MINOR_UNITS;
use domain::payment::PaymentDetails;
use domain::{Currency, MerchantId};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::strict::{bounded, unique_map};
use super::text::TextError;

/// The most merchants that a scope may name: a policy for more of them is a policy for all, and decides by itself.
pub const MAX_MERCHANTS: usize = 1_000;

/// The most currencies that a scope may name: more than ISO 4217 has.
const MAX_CURRENCIES: usize = 256;

/// Stands for all.
const ALL: &str = "*";

/// The payments that a policy is run for; all of them where the document says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    merchants: Selection<MerchantId>,
    currencies: Selection<Currency>,
    /// Sorted by currency.
    minimum_amount: Vec<(Currency, i64)>,
}

/// All, or those that are named, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Selection<T> {
    #[default]
    All,
    Only(Box<[T]>),
}

impl<T: Ord> Selection<T> {
    fn holds(&self, item: &T) -> bool {
        match self {
            Self::All => true,
            Self::Only(items) => items.binary_search(item).is_ok(),
        }
    }
}

impl Scope {
    /// Whether the policy is run for this payment. Asked once per payment and policy: allocates nothing.
    #[must_use]
    pub fn includes(&self, details: &PaymentDetails) -> bool {
        let currency = details.amount.currency();
        self.merchants.holds(&details.merchant_id)
            && self.currencies.holds(&currency)
            && self
                .minimum(currency)
                .is_none_or(|minimum| details.amount.minor_units() >= minimum)
    }

    /// The least amount in this currency, in minor units, for which the policy is run; none where it is run for any.
    #[must_use]
    pub fn minimum(&self, currency: Currency) -> Option<i64> {
        let index = self
            .minimum_amount
            .binary_search_by_key(&currency, |(known, _)| *known)
            .ok()?;
        self.minimum_amount.get(index).map(|(_, minimum)| *minimum)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScopeWire {
    #[serde(default, deserialize_with = "merchants")]
    merchants: Selection<MerchantId>,
    #[serde(default, deserialize_with = "currencies")]
    currencies: Selection<Currency>,
    #[serde(default, deserialize_with = "minimum_amount")]
    minimum_amount: Vec<(Currency, i64)>,
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = ScopeWire::deserialize(deserializer)?;
        for (currency, _) in &wire.minimum_amount {
            if !wire.currencies.holds(currency) {
                return Err(de::Error::custom(format!(
                    "found a minimum amount in {currency}, expected one of the scope's currencies"
                )));
            }
        }
        Ok(Self {
            merchants: wire.merchants,
            currencies: wire.currencies,
            minimum_amount: wire.minimum_amount,
        })
    }
}

fn merchants<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Selection<MerchantId>, D::Error> {
    selection::<MAX_MERCHANTS, _, _>(deserializer, "merchants", |text| {
        MerchantId::parse(text)
            .map_err(|_| TextError::new(text, "`*` or a merchant id of 1 to 64 of `A-Z a-z 0-9 _ - .`"))
    })
}

fn currencies<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Selection<Currency>, D::Error> {
    selection::<MAX_CURRENCIES, _, _>(deserializer, "currencies", parse_currency)
}

fn parse_currency(text: &str) -> Result<Currency, TextError> {
    Currency::parse(text).map_err(|_| TextError::new(text, "a currency of ISO 4217, such as `CNY`"))
}

fn selection<'de, const MAX: usize, T: Ord, D: Deserializer<'de>>(
    deserializer: D,
    what: &str,
    parse: impl Fn(&str) -> Result<T, TextError>,
) -> Result<Selection<T>, D::Error> {
    let names = Vec::<String>::deserialize(deserializer)?;
    if let [only] = names.as_slice()
        && only == ALL
    {
        return Ok(Selection::All);
    }
    if names.is_empty() || names.len() > MAX {
        return Err(de::Error::custom(format!(
            "found {} {what}, expected 1 to {MAX}, or `*` alone for all",
            names.len()
        )));
    }
    if names.iter().any(|name| name == ALL) {
        return Err(de::Error::custom(format!(
            "found `*` among other {what}, expected it alone"
        )));
    }
    let mut items = Vec::with_capacity(names.len());
    for name in &names {
        items.push(parse(name).map_err(de::Error::custom)?);
    }
    items.sort_unstable();
    items.dedup();
    Ok(Selection::Only(items.into()))
}

fn minimum_amount<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(Currency, i64)>, D::Error> {
    let map: BTreeMap<CurrencyKey, MinorUnits> = unique_map::<MAX_CURRENCIES, _, _, _>(deserializer)?;
    Ok(map
        .into_iter()
        .map(|(currency, minimum)| (currency.0, minimum.0))
        .collect())
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct CurrencyKey(Currency);

impl fmt::Display for CurrencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl<'de> Deserialize<'de> for CurrencyKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_currency(&text).map(Self).map_err(de::Error::custom)
    }
}

struct MinorUnits(i64);

impl<'de> Deserialize<'de> for MinorUnits {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = bounded(deserializer, 1, MAX_MINOR_UNITS.unsigned_abs())?;
        i64::try_from(value).map(Self).map_err(de::Error::custom)
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Written<'a> {
            merchants: Vec<&'a str>,
            currencies: Vec<&'a str>,
            #[serde(skip_serializing_if = "BTreeMap::is_empty")]
            minimum_amount: BTreeMap<&'a str, i64>,
        }
        Written {
            merchants: match &self.merchants {
                Selection::All => vec![ALL],
                Selection::Only(ids) => ids.iter().map(MerchantId::as_str).collect(),
            },
            currencies: match &self.currencies {
                Selection::All => vec![ALL],
                Selection::Only(codes) => codes.iter().map(|currency| currency.code()).collect(),
            },
            minimum_amount: self
                .minimum_amount
                .iter()
                .map(|(currency, minimum)| (currency.code(), *minimum))
                .collect(),
        }
        .serialize(serializer)
    }
}

#[cfg(test)]
mod tests;
