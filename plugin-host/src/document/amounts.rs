//! Amounts by currency, such as `{"CNY": 10000, "EUR": 1000}`, in minor units.

use std::collections::BTreeMap;
use std::fmt;

use domain::Currency;
use domain::money::MAX_MINOR_UNITS;
use serde::{Deserialize, Deserializer, de};

use super::strict::{bounded, unique_map};
use super::text::TextError;

/// The most currencies that a document may name in one place: more than ISO 4217 has.
pub(super) const MAX_CURRENCIES: usize = 256;

/// Reads amounts, each above zero and each currency once. Sorted by currency.
pub(super) fn by_currency<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<(Currency, i64)>, D::Error> {
    let map: BTreeMap<CurrencyKey, MinorUnits> = unique_map::<MAX_CURRENCIES, _, _, _>(deserializer)?;
    Ok(map
        .into_iter()
        .map(|(currency, amount)| (currency.0, amount.0))
        .collect())
}

pub(super) fn parse_currency(text: &str) -> Result<Currency, TextError> {
    Currency::parse(text).map_err(|_| TextError::new(text, "a currency of ISO 4217, such as `CNY`"))
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
