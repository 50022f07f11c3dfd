//! The payments that are decided: one that is timed, and two more that every contender has to answer alike.

use benchmark_rule as rule;
use domain::card::{CardBrand, CardSummary};
use domain::feature::{FeatureSpec, FeatureValue, PaymentFilter, Subject, VelocityMeasure};
use domain::payment::{CustomerDetails, DeviceDetails, MetadataText, PaymentDetails};
use domain::risk::RiskRequest;
use domain::text::BoundedText;
use domain::{CountryCode, Currency, MerchantId, Money, PaymentId, Timestamp};

const HOUR: u32 = 3_600;
const DAY: u32 = 24 * HOUR;

/// A payment and its features as the gateway has them.
pub(crate) struct Case {
    id: PaymentId,
    details: PaymentDetails,
    created_at: Timestamp,
    /// In the order of the rule's features.
    pub(crate) features: [FeatureValue; 6],
}

impl Case {
    /// What a policy set is asked.
    pub(crate) fn request(&self) -> RiskRequest<'_> {
        RiskRequest {
            payment_id: &self.id,
            details: &self.details,
            created_at: self.created_at,
        }
    }

    /// The payment in the rule's own types, borrowed.
    pub(crate) fn payment(&self) -> rule::Payment<'_> {
        let details = &self.details;
        let currency = details.amount.currency();
        rule::Payment {
            id: self.id.as_str(),
            merchant_id: details.merchant_id.as_str(),
            merchant_category: details.merchant_category.as_ref().map(BoundedText::as_str),
            amount: rule::Amount {
                minor_units: details.amount.minor_units(),
                currency: currency.code(),
                exponent: currency.exponent().unwrap_or(2),
            },
            created_at: self.created_at.unix_millis(),
            card: details.card.as_ref().map(|card| rule::Card {
                bin: &card.bin,
                last4: &card.last4,
                fingerprint: &card.fingerprint,
                issuer_country: card.issuer_country.as_ref().map(CountryCode::as_str),
            }),
            customer: details.customer.as_ref().map(|customer| rule::Customer {
                id: customer.id.as_ref().map(BoundedText::as_str),
                email: customer.email.as_ref().map(BoundedText::as_str),
                billing_country: customer.billing_country.as_ref().map(CountryCode::as_str),
                shipping_country: customer.shipping_country.as_ref().map(CountryCode::as_str),
            }),
            device: details.device.as_ref().map(|device| rule::Device {
                id: device.id.as_ref().map(BoundedText::as_str),
                ip: device.ip.as_ref().map(BoundedText::as_str),
                ip_country: device.ip_country.as_ref().map(CountryCode::as_str),
                user_agent: device.user_agent.as_ref().map(BoundedText::as_str),
            }),
            metadata: details
                .metadata
                .iter()
                .map(|(key, value)| (key.as_str(), value.as_str()))
                .collect(),
        }
    }

    /// The features in the rule's own type.
    pub(crate) fn features(&self) -> rule::Features {
        let [card_count_1h, card_count_24h, card_amount_24h, device, email, ip] = self.features;
        rule::Features {
            card_count_1h: count(card_count_1h),
            card_count_24h: count(card_count_24h),
            card_amount_24h: match card_amount_24h {
                FeatureValue::Amount(amount) => Some(amount),
                _ => None,
            },
            device_cards_24h: count(device),
            email_cards_24h: count(email),
            ip_count_1h: count(ip),
        }
    }

    /// All of it as JSON, for those who speak it.
    pub(crate) fn json(&self, parameters: &rule::Parameters<'_>) -> String {
        let input = rule::Input {
            payment: self.payment(),
            features: self.features(),
            parameters,
        };
        serde_json::to_string(&input).expect("facts are JSON")
    }

    /// The same for those who keep the parameters.
    pub(crate) fn json_without_parameters(&self) -> String {
        let input = rule::Input {
            payment: self.payment(),
            features: self.features(),
            parameters: (),
        };
        serde_json::to_string(&input).expect("facts are JSON")
    }
}

const fn count(value: FeatureValue) -> Option<u64> {
    match value {
        FeatureValue::Count(count) => Some(count),
        _ => None,
    }
}

/// The names of the features that the rule asks for, in the order of its policy.
pub(crate) const FEATURE_NAMES: [&str; 6] = [
    "card_count_1h",
    "card_count_24h",
    "card_amount_24h",
    "device_cards_24h",
    "email_cards_24h",
    "ip_count_1h",
];

/// The features themselves, in the same order: what a policy set of this rule asks for.
pub(crate) fn feature_specs() -> [FeatureSpec; 6] {
    let velocity = |subject, measure, window_seconds| FeatureSpec::Velocity {
        subject,
        measure,
        filter: PaymentFilter::Attempted,
        window_seconds,
    };
    let cards = VelocityMeasure::Distinct(Subject::Card);
    [
        velocity(Subject::Card, VelocityMeasure::Count, HOUR),
        velocity(Subject::Card, VelocityMeasure::Count, DAY),
        velocity(Subject::Card, VelocityMeasure::Amount, DAY),
        velocity(Subject::Device, cards, DAY),
        velocity(Subject::Email, cards, DAY),
        velocity(Subject::Ip, VelocityMeasure::Count, HOUR),
    ]
}

/// What the operator set: the defaults of the policy.
pub(crate) fn parameters() -> rule::Parameters<'static> {
    rule::Parameters {
        challenge_from: 400,
        review_from: 700,
        decline_from: 900,
        large_amount: 500_000,
        max_card_count_1h: 5,
        max_card_amount_24h: 2_000_000,
        risky_countries: vec!["KP", "IR", "SY"],
    }
}

/// The payment that is timed: full, some 1 KB of JSON, challenged for four reasons.
pub(crate) fn challenged() -> Case {
    Case {
        id: PaymentId::parse("pay_01975c5e8f7a7c3e9b6d2f4a8c1e0b57").expect("an id"),
        details: PaymentDetails {
            merchant_id: merchant(),
            merchant_category: Some(text("7995")),
            amount: money(689_900, "CNY"),
            card: Some(card("45320151", Some("CN"))),
            customer: Some(CustomerDetails {
                id: Some(text("cus_8f14e45fceea167a")),
                email: Some(text("lin.wei.1987@example-mail.com")),
                billing_country: CountryCode::parse("CN"),
                shipping_country: CountryCode::parse("SG"),
            }),
            device: Some(DeviceDetails {
                id: Some(text("dev_c9f0f895fb98ab9159f51fd0297e236d")),
                ip: Some(text("203.0.113.42")),
                ip_country: CountryCode::parse("CN"),
                user_agent: Some(text(
                    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36",
                )),
            }),
            metadata: metadata(&[
                ("order", "2026-11-0048213"),
                ("channel", "app"),
                ("account", "known"),
                ("basket", "3 articles, the dearest a phone"),
            ]),
        },
        created_at: Timestamp::from_unix_millis(1_770_000_000_000),
        features: [
            FeatureValue::Count(6),
            FeatureValue::Count(9),
            FeatureValue::Amount(1_379_800),
            FeatureValue::Count(2),
            FeatureValue::Count(1),
            FeatureValue::Count(8),
        ],
    }
}

/// A payment that nothing speaks against.
pub(crate) fn approved() -> Case {
    let full = challenged();
    let customer = full.details.customer.clone().map(|customer| CustomerDetails {
        shipping_country: CountryCode::parse("CN"),
        ..customer
    });
    Case {
        details: PaymentDetails {
            merchant_category: Some(text("5411")),
            amount: money(12_900, "CNY"),
            customer,
            ..full.details
        },
        features: [
            FeatureValue::Count(5),
            FeatureValue::Count(12),
            FeatureValue::Amount(2_000_000),
            FeatureValue::Count(3),
            FeatureValue::Count(3),
            FeatureValue::Count(20),
        ],
        ..challenged()
    }
}

/// A payment that holds nearly every condition; with the next one, all of them.
pub(crate) fn declined() -> Case {
    Case {
        details: PaymentDetails {
            merchant_id: merchant(),
            merchant_category: None,
            amount: money(500_001, "JPY"),
            card: Some(card("42000200", Some("US"))),
            customer: Some(CustomerDetails {
                id: None,
                email: Some(text("x@yopmail.com")),
                billing_country: CountryCode::parse("CN"),
                shipping_country: CountryCode::parse("KR"),
            }),
            device: Some(DeviceDetails {
                id: None,
                ip: Some(text("192.168.7.1")),
                ip_country: CountryCode::parse("IR"),
                user_agent: Some(text("Mozilla/5.0 HeadlessChrome/141.0.0.0 Safari/537.36")),
            }),
            metadata: metadata(&[("account", "new")]),
        },
        features: [
            FeatureValue::Count(6),
            FeatureValue::Count(13),
            FeatureValue::Amount(2_000_001),
            FeatureValue::Count(4),
            FeatureValue::Count(4),
            FeatureValue::Count(21),
        ],
        ..challenged()
    }
}

/// A payment of which next to nothing is known.
pub(crate) fn bare() -> Case {
    Case {
        details: PaymentDetails {
            merchant_id: merchant(),
            merchant_category: Some(text("7995")),
            amount: money(1, "EUR"),
            card: None,
            customer: None,
            device: None,
            metadata: vec![],
        },
        features: [FeatureValue::Unavailable; 6],
        ..challenged()
    }
}

fn merchant() -> MerchantId {
    MerchantId::parse("m_demo_electronics").expect("an id")
}

fn money(minor_units: i64, currency: &str) -> Money {
    let currency = Currency::parse(currency).expect("a currency");
    Money::new(minor_units, currency).expect("an amount")
}

fn card(bin: &str, issuer_country: Option<&str>) -> CardSummary {
    CardSummary {
        bin: bin.into(),
        last4: "0366".into(),
        fingerprint: "fp_2c26b46b68ffc68ff99b453c1d3041341342d706483bfa0f98a5e886266e7ae".into(),
        brand: CardBrand::Visa,
        issuer_country: issuer_country.and_then(CountryCode::parse),
    }
}

fn text<const MAX: usize>(text: &str) -> BoundedText<MAX> {
    BoundedText::parse(text).expect("a text within its bound")
}

fn metadata(pairs: &[(&str, &str)]) -> Vec<(MetadataText, MetadataText)> {
    pairs
        .iter()
        .map(|(key, value)| (text(key), text(value)))
        .collect()
}
