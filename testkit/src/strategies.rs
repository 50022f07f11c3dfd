//! Values of the domain for property tests: everything that its constructors take, the odd ones included.

mod commands;
mod decision;

pub use commands::{Command, commands, stored_payment};
pub use decision::{evaluation, evaluations};

use domain::payment::{CustomerDetails, DetailsText, DeviceDetails, MetadataText, PaymentDetails};
use domain::text::BoundedText;
use domain::{
    CardBrand, CardSummary, CountryCode, Currency, MerchantId, Money, OperationId, PaymentId, Timestamp,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

/// Every character that identifiers take.
const IDENTIFIER: &str = "[A-Za-z0-9_.-]{1,64}";

/// Every currency that can be paid in.
pub fn currency() -> impl Strategy<Value = Currency> {
    let payable: Vec<Currency> = Currency::all().filter(|c| c.exponent().is_some()).collect();
    select(payable)
}

/// Amounts of every size, the smallest and the largest among them.
pub fn money() -> impl Strategy<Value = Money> {
    let largest = domain::money::MAX_MINOR_UNITS;
    let minor_units = prop_oneof![Just(1), Just(largest), 1..1_000_000_i64, 1..=largest];
    (minor_units, currency()).prop_map(|(minor_units, currency)| Money::new(minor_units, currency).unwrap())
}

/// From 1970 to 9999.
pub fn timestamp() -> impl Strategy<Value = Timestamp> {
    (0..=Timestamp::MAX.unix_millis()).prop_map(Timestamp::from_unix_millis)
}

/// Names of payments.
pub fn payment_id() -> impl Strategy<Value = PaymentId> {
    IDENTIFIER.prop_map(|text| PaymentId::parse(&text).unwrap())
}

/// Names of operations.
pub fn operation_id() -> impl Strategy<Value = OperationId> {
    IDENTIFIER.prop_map(|text| OperationId::parse(&text).unwrap())
}

/// Names of merchants.
pub fn merchant_id() -> impl Strategy<Value = MerchantId> {
    IDENTIFIER.prop_map(|text| MerchantId::parse(&text).unwrap())
}

/// Texts of every script, with quotes, backslashes and emoji.
pub fn text<const MAX: usize>() -> impl Strategy<Value = BoundedText<MAX>> {
    let characters = prop_oneof![
        8 => any::<char>().prop_filter("no control character", |c| !c.is_control()),
        1 => select(vec!['"', '\\', '/', '\'', '\u{2028}', '\u{feff}', '😀']),
    ];
    // Four bytes a character at most.
    vec(characters, 1..=(MAX / 4).clamp(1, 40))
        .prop_map(|characters| BoundedText::parse(&characters.into_iter().collect::<String>()).unwrap())
}

/// Countries, assigned or not.
pub fn country() -> impl Strategy<Value = CountryCode> {
    "[A-Z]{2}".prop_map(|code| CountryCode::parse(&code).unwrap())
}

fn card() -> impl Strategy<Value = CardSummary> {
    let brands = vec![
        CardBrand::Visa,
        CardBrand::Mastercard,
        CardBrand::AmericanExpress,
        CardBrand::UnionPay,
        CardBrand::Jcb,
        CardBrand::DinersClub,
        CardBrand::Discover,
        CardBrand::Other,
    ];
    let parts = (
        "[0-9]{6}([0-9]{2})?",
        "[0-9]{4}",
        "fp_[0-9a-f]{32}",
        select(brands),
        option::of(country()),
    );
    parts.prop_map(|(bin, last4, fingerprint, brand, issuer_country)| CardSummary {
        bin: bin.into(),
        last4: last4.into(),
        fingerprint: fingerprint.into(),
        brand,
        issuer_country,
    })
}

fn customer() -> impl Strategy<Value = CustomerDetails> {
    let text = || option::of(text::<512>());
    let parts = (text(), text(), option::of(country()), option::of(country()));
    parts.prop_map(
        |(id, email, billing_country, shipping_country): (Option<DetailsText>, _, _, _)| CustomerDetails {
            id,
            email,
            billing_country,
            shipping_country,
        },
    )
}

fn device() -> impl Strategy<Value = DeviceDetails> {
    let text = || option::of(text::<512>());
    let parts = (text(), text(), option::of(country()), text());
    parts.prop_map(
        |(id, ip, ip_country, user_agent): (Option<DetailsText>, _, _, _)| DeviceDetails {
            id,
            ip,
            ip_country,
            user_agent,
        },
    )
}

/// Whatever a merchant can say.
pub fn payment_details() -> impl Strategy<Value = PaymentDetails> {
    let metadata = vec(
        (text::<256>(), text::<256>()),
        0..=domain::payment::MAX_METADATA_ENTRIES,
    );
    let parts = (
        merchant_id(),
        option::of("[0-9]{4}"),
        money(),
        option::of(card()),
        option::of(customer()),
        option::of(device()),
        metadata,
    );
    parts.prop_map(
        |(merchant_id, category, amount, card, customer, device, metadata): (
            _,
            Option<String>,
            _,
            _,
            _,
            _,
            Vec<(MetadataText, MetadataText)>,
        )| PaymentDetails {
            merchant_id,
            merchant_category: category.map(|digits| BoundedText::parse(&digits).unwrap()),
            amount,
            card,
            customer,
            device,
            metadata,
        },
    )
}
