//! Which payments a policy is run for.

use std::collections::BTreeMap;

use domain::payment::PaymentDetails;
use domain::{Currency, MerchantId};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::amounts::{self, MAX_CURRENCIES, parse_currency};
use super::text::TextError;

/// The most merchants that a scope may name: a policy for more of them is a policy for all, and decides by itself.
pub const MAX_MERCHANTS: usize = 1_000;

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
    #[serde(default, deserialize_with = "amounts::by_currency")]
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
