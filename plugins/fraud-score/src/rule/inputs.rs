//! What the model looks at: a row of whole numbers, made from a request. The trainer makes its rows with the same
//! function, so that the model cannot be given numbers of another meaning than it was trained on.

use portcullis_policy::Request;
use portcullis_policy::prelude::*;

/// How many inputs the model has.
pub const INPUTS: usize = 12;

/// The inputs by name, in the order of [`inputs`]. The model counts them in this order.
pub const INPUT_NAMES: [&str; INPUTS] = [
    "amount",
    "card_count_1h",
    "card_count_24h",
    "card_amount_24h",
    "card_declined_24h",
    "device_cards_24h",
    "email_cards_24h",
    "ip_count_1h",
    "country_mismatches",
    "hour_of_day",
    "risky_category",
    "unknown_parts",
];

/// The inputs that are logarithms, which say nothing to people.
pub(super) const LOGARITHMS: [&str; 2] = ["amount", "card_amount_24h"];

/// A feature that is unavailable. All other inputs are 0 or more, so a tree can tell it from them by one threshold.
pub(super) const UNAVAILABLE: i32 = -1;

/// Merchant categories in which stolen cards are turned into money: money orders, wire transfers, quasi cash, gift
/// cards, games of chance.
const RISKY_CATEGORIES: [&str; 5] = ["4829", "5947", "6051", "6540", "7995"];

/// What a minor unit of a currency is roughly worth, in hundredths of a fen. The model takes the logarithm of amounts,
/// in which a rate that is a tenth off is next to nothing, so that these need not follow the market. A currency that is
/// not here counts like the yuan.
const WORTH: [(&str, i64); 8] = [
    ("CNY", 100),
    ("EUR", 800),
    ("GBP", 930),
    ("HKD", 92),
    ("JPY", 480),
    ("KRW", 52),
    ("SGD", 540),
    ("USD", 720),
];

const MINUTE_MS: u64 = 60_000;
const DAY_MINUTES: i64 = 24 * 60;

/// The inputs of a request.
///
/// # Errors
///
/// When a feature or parameter is not in the descriptor, or the parameter `utc_offset_minutes` is no offset.
pub fn inputs(request: &Request) -> Result<[i32; INPUTS], String> {
    let payment = &request.payment;
    let worth = WORTH
        .iter()
        .find(|(currency, _)| *currency == payment.amount.currency)
        .map_or(100, |(_, worth)| *worth);
    let card_amount = request.amount("card_amount_24h")?;
    Ok([
        logarithm(payment.amount.minor_units, worth),
        of_count(request.count("card_count_1h")?),
        of_count(request.count("card_count_24h")?),
        card_amount.map_or(UNAVAILABLE, |amount| logarithm(amount, worth)),
        of_count(request.count("card_declined_24h")?),
        of_count(request.count("device_cards_24h")?),
        of_count(request.count("email_cards_24h")?),
        of_count(request.count("ip_count_1h")?),
        country_mismatches(request),
        hour_of_day(payment.created_at, request.integer("utc_offset_minutes")?)?,
        i32::from(
            payment
                .merchant_category
                .as_deref()
                .is_some_and(|code| RISKY_CATEGORIES.contains(&code)),
        ),
        unknown_parts(request),
    ])
}

/// Sixteenths of the binary logarithm of an amount in fen, by straight lines between the powers of two. 0 for nothing
/// and for less than nothing.
fn logarithm(minor_units: i64, worth: i64) -> i32 {
    let fen = minor_units.max(0).saturating_mul(worth) / 100;
    let number = fen.unsigned_abs().saturating_add(1);
    let whole = number.ilog2();
    let sixteenths = (u128::from(number) << 4 >> whole) & 15;
    i32::try_from(whole * 16).unwrap_or_default() + i32::try_from(sixteenths).unwrap_or_default()
}

fn of_count(count: Option<u64>) -> i32 {
    count.map_or(UNAVAILABLE, |count| i32::try_from(count).unwrap_or(i32::MAX))
}

/// How many of three pairs of countries differ: issuer and billing, issuer and IP address, billing and shipping. One that
/// is not known, or empty, differs from nothing.
fn country_mismatches(request: &Request) -> i32 {
    let payment = &request.payment;
    let issuer = payment
        .card
        .as_ref()
        .and_then(|card| card.issuer_country.as_deref());
    let customer = payment.customer.as_ref();
    let billing = customer.and_then(|customer| customer.billing_country.as_deref());
    let shipping = customer.and_then(|customer| customer.shipping_country.as_deref());
    let ip = payment
        .device
        .as_ref()
        .and_then(|device| device.ip_country.as_deref());
    let differ = |first: Option<&str>, second: Option<&str>| match (first, second) {
        (Some(first), Some(second)) if !first.is_empty() && !second.is_empty() => {
            i32::from(!first.eq_ignore_ascii_case(second))
        }
        _ => 0,
    };
    differ(issuer, billing) + differ(issuer, ip) + differ(billing, shipping)
}

/// The hour on the clock of the place that the offset from UTC is for.
fn hour_of_day(created_at: u64, utc_offset_minutes: i64) -> Result<i32, String> {
    if utc_offset_minutes.abs_diff(0) >= DAY_MINUTES.unsigned_abs() {
        return Err("parameter utc_offset_minutes is a day or more".to_owned());
    }
    let minutes = i64::try_from(created_at / MINUTE_MS).unwrap_or_default();
    let local = (minutes + utc_offset_minutes).rem_euclid(DAY_MINUTES);
    Ok(i32::try_from(local / 60).unwrap_or_default())
}

/// How many of these are not known: the country of the issuer, the email address, the device.
fn unknown_parts(request: &Request) -> i32 {
    let payment = &request.payment;
    let issuer = payment
        .card
        .as_ref()
        .is_some_and(|card| card.issuer_country.is_some());
    let email = payment
        .customer
        .as_ref()
        .is_some_and(|customer| customer.email.is_some());
    let device = payment.device.as_ref().is_some_and(|device| device.id.is_some());
    [issuer, email, device]
        .into_iter()
        .map(|known| i32::from(!known))
        .sum()
}

#[cfg(test)]
mod tests {
    use portcullis_policy::Policy;
    use portcullis_policy::testing::{payment, request};

    use super::*;
    use crate::FraudScore;

    #[test]
    fn the_logarithm_rises_and_never_overflows() {
        assert_eq!(logarithm(i64::MIN, 720), 0);
        assert_eq!(logarithm(0, 100), 0);
        assert_eq!(logarithm(1, 100), 16);
        assert_eq!(logarithm(255, 100), 128);
        assert_eq!(logarithm(i64::MAX, 800), logarithm(i64::MAX / 800, 800));
        let row: Vec<_> = (0..5_000).map(|amount| logarithm(amount, 100)).collect();
        assert!(row.is_sorted());
    }

    #[test]
    fn the_same_worth_in_another_currency_is_about_the_same_input() {
        let yuan = logarithm(72_000, 100);
        let dollars = logarithm(10_000, 720);
        assert_eq!(yuan, dollars);
    }

    #[test]
    fn the_hour_is_that_of_the_offset() {
        // 2026-01-01T00:00:00Z.
        let midnight = 1_767_225_600_000;
        assert_eq!(hour_of_day(midnight, 0), Ok(0));
        assert_eq!(hour_of_day(midnight, 480), Ok(8));
        assert_eq!(hour_of_day(midnight, -60), Ok(23));
        assert_eq!(hour_of_day(0, -1439), Ok(0));
        assert!(hour_of_day(u64::MAX, 0).is_ok());
        assert!(hour_of_day(0, i64::MIN).is_err());
    }

    #[test]
    fn what_is_unavailable_is_told_apart_from_none() {
        let descriptor = FraudScore::describe();
        let row = inputs(
            &request(&descriptor, payment().build())
                .count("ip_count_1h", 0)
                .build(),
        )
        .unwrap();
        assert_eq!(row[1], UNAVAILABLE);
        assert_eq!(row[7], 0);
        assert_eq!(row[11], 3);
        assert_eq!(of_count(Some(u64::MAX)), i32::MAX);
    }
}
