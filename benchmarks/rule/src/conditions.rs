//! The conditions, each with what it adds to the score, its code and its message.

use alloc::borrow::Cow;
use alloc::string::String;
use alloc::vec::Vec;

use crate::{Features, Parameters, Payment, Reason};

/// Currencies that are nothing special.
const USUAL_CURRENCIES: [&str; 5] = ["CNY", "EUR", "USD", "HKD", "SGD"];

/// Money transfers, outbound telemarketing, quasi cash and betting.
const RISKY_CATEGORIES: [&str; 4] = ["4829", "5967", "6051", "7995"];

/// The first digits of prepaid cards.
const PREPAID_BINS: [&str; 4] = ["40000300", "42000200", "51000100", "53000400"];

/// Where everybody reads everybody's mail.
const DISPOSABLE_DOMAINS: [&str; 4] = [
    "@mailinator.com",
    "@guerrillamail.com",
    "@10minutemail.com",
    "@yopmail.com",
];

/// How programs name themselves that are no browser.
const AUTOMATED_AGENTS: [&str; 3] = ["HeadlessChrome", "python-requests", "PhantomJS"];

/// Limits that no operator needs to turn.
const MAX_CARD_COUNT_24H: u64 = 12;
const MAX_DEVICE_CARDS_24H: u64 = 3;
const MAX_EMAIL_CARDS_24H: u64 = 3;
const MAX_IP_COUNT_1H: u64 = 20;

/// What was found so far.
#[derive(Default)]
pub(crate) struct Found {
    pub(crate) score: u16,
    pub(crate) reasons: Vec<Reason>,
}

impl Found {
    fn add(&mut self, weight: u16, code: &'static str, message: impl Into<Cow<'static, str>>) {
        self.score = self.score.saturating_add(weight);
        self.reasons.push(Reason {
            code: Cow::Borrowed(code),
            message: message.into(),
        });
    }

    fn add_if(&mut self, holds: bool, weight: u16, code: &'static str, message: &'static str) {
        if holds {
            self.add(weight, code, message);
        }
    }

    /// Adds a velocity that is above its limit; one that is not known is not.
    fn add_above(
        &mut self,
        value: Option<u64>,
        limit: u64,
        weight: u16,
        code: &'static str,
        what: &'static str,
    ) {
        if let Some(value) = value.filter(|value| *value > limit) {
            self.add(weight, code, over(value, what, limit));
        }
    }
}

/// `6 payments of this card within 1 hour, the limit is 5`: without the formatting machinery, as policies do it.
fn over(value: u64, what: &str, limit: u64) -> String {
    let mut message = String::with_capacity(80);
    push_digits(&mut message, value);
    message.push_str(what);
    message.push_str(", the limit is ");
    push_digits(&mut message, limit);
    message
}

fn push_digits(text: &mut String, number: u64) {
    if number >= 10 {
        push_digits(text, number / 10);
    }
    let digit = u32::try_from(number % 10)
        .ok()
        .and_then(|digit| char::from_digit(digit, 10));
    text.extend(digit);
}

fn differ(one: Option<&str>, other: Option<&str>) -> bool {
    one.zip(other).is_some_and(|(one, other)| one != other)
}

fn is_one_of(text: Option<&str>, list: &[&str]) -> bool {
    text.is_some_and(|text| list.contains(&text))
}

/// The payment itself.
pub(crate) fn of_payment(payment: &Payment<'_>, parameters: &Parameters<'_>, found: &mut Found) {
    found.add_if(
        payment.amount.minor_units > parameters.large_amount,
        150,
        "amount.large",
        "the amount is large",
    );
    found.add_if(
        !USUAL_CURRENCIES.contains(&payment.amount.currency),
        60,
        "currency.unusual",
        "the currency is unusual",
    );
    found.add_if(
        is_one_of(payment.merchant_category, &RISKY_CATEGORIES),
        100,
        "category.risky",
        "the merchant's category is risky",
    );
    found.add_if(
        payment.merchant_category.is_none(),
        30,
        "category.missing",
        "the merchant has no category",
    );
    let is_new = payment
        .metadata
        .iter()
        .any(|(key, value)| *key == "account" && *value == "new");
    found.add_if(is_new, 60, "account.new", "the account is new");
}

/// The card and the payer.
pub(crate) fn of_parties(payment: &Payment<'_>, found: &mut Found) {
    let card = payment.card.as_ref();
    let customer = payment.customer.as_ref();
    let issuer = card.and_then(|card| card.issuer_country);
    let billing = customer.and_then(|customer| customer.billing_country);
    let shipping = customer.and_then(|customer| customer.shipping_country);
    let email = customer.and_then(|customer| customer.email);
    found.add_if(
        is_one_of(card.map(|card| card.bin), &PREPAID_BINS),
        80,
        "card.prepaid",
        "the card is prepaid",
    );
    found.add_if(
        issuer.is_none(),
        50,
        "card.issuer",
        "the issuer's country is unknown",
    );
    found.add_if(
        differ(issuer, billing),
        120,
        "country.issuer",
        "the issuer is in another country than the payer",
    );
    found.add_if(
        differ(shipping, billing),
        80,
        "country.shipping",
        "the goods go to another country than the bill",
    );
    let is_disposable =
        email.is_some_and(|email| DISPOSABLE_DOMAINS.iter().any(|domain| email.ends_with(domain)));
    found.add_if(
        is_disposable,
        100,
        "email.disposable",
        "the e-mail address is disposable",
    );
    found.add_if(
        customer.is_none_or(|customer| customer.id.is_none()),
        40,
        "customer.guest",
        "the merchant does not know the customer",
    );
}

/// The device and where it is.
pub(crate) fn of_device(payment: &Payment<'_>, parameters: &Parameters<'_>, found: &mut Found) {
    let device = payment.device.as_ref();
    let billing = payment
        .customer
        .as_ref()
        .and_then(|customer| customer.billing_country);
    let country = device.and_then(|device| device.ip_country);
    found.add_if(device.is_none(), 60, "device.missing", "there is no device");
    let is_automated = device
        .and_then(|device| device.user_agent)
        .is_some_and(|agent| AUTOMATED_AGENTS.iter().any(|name| agent.contains(name)));
    found.add_if(is_automated, 150, "device.automated", "the browser is a program");
    found.add_if(
        differ(country, billing),
        100,
        "country.device",
        "the device is in another country than the payer",
    );
    found.add_if(
        is_one_of(country, &parameters.risky_countries),
        120,
        "country.risky",
        "the device is in a risky country",
    );
    let is_private = device
        .and_then(|device| device.ip)
        .is_some_and(|ip| ip.starts_with("10.") || ip.starts_with("192.168."));
    found.add_if(is_private, 40, "ip.private", "the address is a private one");
}

/// What happened before.
pub(crate) fn of_velocity(features: &Features, parameters: &Parameters<'_>, found: &mut Found) {
    found.add_above(
        features.card_count_1h,
        parameters.max_card_count_1h.unsigned_abs(),
        120,
        "velocity.card.count_1h",
        " payments of this card within 1 hour",
    );
    found.add_above(
        features.card_count_24h,
        MAX_CARD_COUNT_24H,
        80,
        "velocity.card.count_24h",
        " payments of this card within 24 hours",
    );
    found.add_above(
        features.card_amount_24h.map(i64::unsigned_abs),
        parameters.max_card_amount_24h.unsigned_abs(),
        100,
        "velocity.card.amount_24h",
        " in minor units with this card within 24 hours",
    );
    found.add_above(
        features.device_cards_24h,
        MAX_DEVICE_CARDS_24H,
        100,
        "velocity.device.cards_24h",
        " cards with this device within 24 hours",
    );
    found.add_above(
        features.email_cards_24h,
        MAX_EMAIL_CARDS_24H,
        80,
        "velocity.email.cards_24h",
        " cards with this e-mail address within 24 hours",
    );
    found.add_above(
        features.ip_count_1h,
        MAX_IP_COUNT_1H,
        70,
        "velocity.ip.count_1h",
        " payments from this address within 1 hour",
    );
}
