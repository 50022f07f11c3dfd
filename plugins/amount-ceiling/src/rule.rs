//! The rule itself: reading ceilings, finding the one that applies, and holding an amount against it.

use portcullis_policy::prelude::*;
use portcullis_policy::{Decision, Outcome, message};

const SCORE_DECLINE: u16 = 900;
const SCORE_REVIEW: u16 = 600;

/// The most entries of the parameter `ceilings`. Each payment reads them all and compares each with each; so many take a
/// small part of the fuel of an evaluation, and are more than anybody keeps in order by hand.
const MOST_CEILINGS: usize = 128;

/// One entry of the parameter `ceilings`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Ceiling<'a> {
    /// ISO 4217 alphabetic code.
    currency: &'a str,
    /// ISO 18245 code; `None` for all merchants.
    category: Option<&'a str>,
    /// The highest amount that passes.
    minor_units: i64,
}

impl<'a> Ceiling<'a> {
    /// Reads `CNY=2000000` or `CNY/7995=100000`.
    fn parse(entry: &'a str) -> Result<Self, String> {
        let malformed = || {
            message!(
                "parameter ceilings: \"",
                entry,
                "\" is neither CURRENCY=AMOUNT nor CURRENCY/CATEGORY=AMOUNT"
            )
        };
        let (key, amount) = entry.split_once('=').ok_or_else(malformed)?;
        let (currency, category) = match key.split_once('/') {
            Some((currency, category)) => (currency, Some(category)),
            None => (key, None),
        };
        let well_formed = currency.len() == 3
            && currency.bytes().all(|byte| byte.is_ascii_uppercase())
            && category.is_none_or(|code| code.len() == 4 && code.bytes().all(|byte| byte.is_ascii_digit()))
            && amount.bytes().all(|byte| byte.is_ascii_digit());
        match amount.parse() {
            Ok(minor_units) if well_formed => Ok(Self {
                currency,
                category,
                minor_units,
            }),
            _ => Err(malformed()),
        }
    }
}

/// The outcome above a ceiling, from its parameter.
///
/// # Errors
///
/// When it is neither `decline` nor `review`.
pub(crate) fn outcome(text: &str) -> Result<Outcome, String> {
    match text {
        "decline" => Ok(Outcome::Decline),
        "review" => Ok(Outcome::Review),
        _ => Err(message!(
            "parameter outcome is \"",
            text,
            "\", expected decline or review"
        )),
    }
}

/// The ceiling for a payment: the one for its category, else the one for its currency, else none. All entries are read
/// whatever the payment is, so that a mistake shows at once and not on the first payment that it concerns.
///
/// # Errors
///
/// When an entry is malformed, two are for the same payments, or there are too many.
pub(crate) fn applicable<'a>(
    entries: &'a [String],
    currency: &str,
    category: Option<&str>,
) -> Result<Option<Ceiling<'a>>, String> {
    if entries.len() > MOST_CEILINGS {
        return Err("parameter ceilings: more than 128 entries".to_owned());
    }
    let ceilings = entries
        .iter()
        .map(|entry| Ceiling::parse(entry))
        .collect::<Result<Vec<_>, _>>()?;
    let mut rest = ceilings.as_slice();
    while let Some((first, others)) = rest.split_first() {
        if others
            .iter()
            .any(|other| (other.currency, other.category) == (first.currency, first.category))
        {
            return Err(message!(
                "parameter ceilings: two entries for ",
                first.currency,
                first.category.map_or("", |_| "/"),
                first.category.unwrap_or_default()
            ));
        }
        rest = others;
    }
    let of = |wanted: Option<&str>| {
        ceilings
            .iter()
            .find(|ceiling| ceiling.currency == currency && ceiling.category == wanted)
            .copied()
    };
    Ok(category.and_then(|code| of(Some(code))).or_else(|| of(None)))
}

/// The decision for an amount under a ceiling.
pub(crate) fn decide(minor_units: i64, ceiling: Option<&Ceiling<'_>>, over: Outcome) -> Decision {
    let Some(ceiling) = ceiling.filter(|ceiling| minor_units > ceiling.minor_units) else {
        return Decision::approve();
    };
    let score = if over == Outcome::Decline {
        SCORE_DECLINE
    } else {
        SCORE_REVIEW
    };
    let amounts = message!(
        ceiling.currency,
        " ",
        minor_units,
        " in minor units, the ceiling is ",
        ceiling.minor_units
    );
    let decision = Decision::of(over).score(score);
    match ceiling.category {
        Some(code) => decision.reason(
            "amount.ceiling.category",
            message!(amounts, " for category ", code),
        ),
        None => decision.reason("amount.ceiling.currency", amounts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries<const N: usize>(texts: [&str; N]) -> Vec<String> {
        texts.into_iter().map(ToOwned::to_owned).collect()
    }

    #[test]
    fn the_ceiling_of_the_category_wins_also_when_it_is_higher() {
        let entries = entries(["CNY=100", "CNY/7995=500", "EUR=7"]);
        let of = |currency, category| {
            applicable(&entries, currency, category)
                .unwrap()
                .map(|ceiling| ceiling.minor_units)
        };
        assert_eq!(of("CNY", Some("7995")), Some(500));
        assert_eq!(of("CNY", Some("5411")), Some(100));
        assert_eq!(of("CNY", None), Some(100));
        assert_eq!(of("JPY", Some("7995")), None);
    }

    #[test]
    fn every_malformed_entry_is_named() {
        for entry in [
            "",
            "CNY",
            "=1",
            "CNY=",
            "cny=1",
            "CNYX=1",
            "CNY=-1",
            "CNY=+1",
            "CNY=1.5",
            "CNY= 1",
            " CNY=1",
            "CNY/=1",
            "CNY/799=1",
            "CNY/799五=1",
            "CNY/7995/1=1",
            "CNY=9223372036854775808",
            "人民币=1",
            "CNY=１",
            "𝒞NY=1",
        ] {
            let error = applicable(&entries(["USD=1", entry]), "EUR", None).unwrap_err();
            assert!(error.contains(&message!("\"", entry, "\"")), "{entry}: {error}");
        }
    }

    #[test]
    fn two_entries_for_the_same_payments_are_refused() {
        let error = applicable(&entries(["CNY/7995=1", "CNY=2", "CNY/7995=3"]), "CNY", None).unwrap_err();
        assert_eq!(error, "parameter ceilings: two entries for CNY/7995");
        let error = applicable(&entries(["CNY=1", "CNY=1"]), "CNY", None).unwrap_err();
        assert_eq!(error, "parameter ceilings: two entries for CNY");
    }

    #[test]
    fn too_many_entries_are_refused() {
        let many: Vec<String> = (0..=MOST_CEILINGS)
            .map(|code| format!("CNY/{code:04}=1"))
            .collect();
        assert!(applicable(&many[1..], "CNY", None).is_ok());
        assert_eq!(
            applicable(&many, "CNY", None).unwrap_err(),
            "parameter ceilings: more than 128 entries"
        );
    }

    #[test]
    fn an_amount_equal_to_the_ceiling_passes() {
        let ceiling = Ceiling::parse("CNY=9223372036854775806").unwrap();
        assert_eq!(
            decide(i64::MAX - 1, Some(&ceiling), Outcome::Review),
            Decision::approve()
        );
        assert_eq!(
            decide(i64::MAX, Some(&ceiling), Outcome::Review).outcome,
            Outcome::Review
        );
        assert_eq!(
            decide(i64::MIN, Some(&ceiling), Outcome::Decline),
            Decision::approve()
        );
        assert_eq!(decide(i64::MAX, None, Outcome::Decline), Decision::approve());
    }

    #[test]
    fn the_outcome_is_one_of_two() {
        assert_eq!(outcome("decline"), Ok(Outcome::Decline));
        assert_eq!(outcome("review"), Ok(Outcome::Review));
        assert_eq!(
            outcome("Review").unwrap_err(),
            "parameter outcome is \"Review\", expected decline or review"
        );
    }
}
