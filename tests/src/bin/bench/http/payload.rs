//! What is asked for: payments as a shop sends them, some 1,000 bytes of JSON each.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

/// Payers, each with a card, an e-mail address, a device and an address of its own: so many that no count of velocity is of all
/// payments.
const PAYERS: u64 = 4_096;

/// Shops that they pay at.
const MERCHANTS: u64 = 16;

/// Stands in a body where the load generator puts a number that no other request has.
pub(crate) const NUMBER: &str = "############";

/// The browsers of the payers.
const BROWSERS: [&str; 4] = [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Safari/537.36 Edg/138.0.0.0",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/138.0.0.0 Mobile Safari/537.36 EdgA/138.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15 (Shop/4.1)",
];

/// What a body is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `POST /v1/risk/decisions`
    Decision,
    /// `POST /v1/payments`
    Payment,
}

impl Kind {
    pub(crate) const ALL: [Self; 2] = [Self::Decision, Self::Payment];

    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Decision => "/v1/risk/decisions",
            Self::Payment => "/v1/payments",
        }
    }

    /// The status of every answer.
    pub(crate) const fn status(self) -> u16 {
        match self {
            Self::Decision => 200,
            Self::Payment => 201,
        }
    }
}

/// A body of either kind, every text of it owned.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Body {
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_id: Option<String>,
    merchant_id: String,
    merchant_category: Option<String>,
    amount: Amount,
    card: Option<Card>,
    customer: Option<Customer>,
    device: Option<Device>,
    metadata: Option<Metadata>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Amount {
    minor_units: i64,
    currency: String,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Card {
    number: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry_month: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry_year: Option<u16>,
    issuer_country: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Customer {
    id: Option<String>,
    email: Option<String>,
    billing_country: Option<String>,
    shipping_country: Option<String>,
}

#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Device {
    id: Option<String>,
    ip: Option<String>,
    ip_country: Option<String>,
    user_agent: Option<String>,
}

type Metadata = std::collections::BTreeMap<String, String>;

/// The bodies of a kind, one for each payer.
pub(crate) fn bodies(kind: Kind) -> Vec<Body> {
    (0..PAYERS).map(|payer| body(kind, payer)).collect()
}

fn body(kind: Kind, payer: u64) -> Body {
    let is_decision = kind == Kind::Decision;
    let country = || Some("CN".to_owned());
    let browser = usize::try_from(payer).map_or(0, |payer| payer % BROWSERS.len());
    Body {
        payment_id: is_decision.then(|| format!("order-{NUMBER}-a")),
        merchant_id: format!("m_shop_{:02}", payer % MERCHANTS),
        merchant_category: Some("5411".to_owned()),
        amount: Amount {
            minor_units: i64::try_from(1_900 + payer * 7).unwrap_or_default(),
            currency: "CNY".to_owned(),
        },
        card: Some(Card {
            number: card_number(payer),
            expiry_month: (!is_decision).then_some(12),
            expiry_year: (!is_decision).then_some(2095),
            issuer_country: country(),
        }),
        customer: Some(Customer {
            id: Some(format!("cus-b71f-{payer:06x}")),
            email: Some(format!("li.na.{payer:06}@mail.example.com")),
            billing_country: country(),
            shipping_country: country(),
        }),
        device: Some(Device {
            id: Some(format!("dev-5c0e9a1b-77d2-{payer:06x}")),
            ip: Some(format!("203.0.{}.{}", payer / 256, payer % 256)),
            ip_country: country(),
            user_agent: BROWSERS.get(browser).map(|text| (*text).to_owned()),
        }),
        metadata: Some(metadata(payer)),
    }
}

fn metadata(payer: u64) -> Metadata {
    let entries = [
        ("order", format!("2026-{payer:06}")),
        ("basket", format!("3 items, {} g", 400 + payer)),
        ("campaign", "spring-2026/new-tea/banner-3".to_owned()),
        ("channel", "app-ios".to_owned()),
        ("checkout", "one-page, signed in".to_owned()),
        ("coupon", format!("SPRING-{:04}", payer % 10_000)),
        ("delivery", "courier, next day before noon".to_owned()),
        (
            "invoice_to",
            "Li Na, Huaihai Middle Road 1045, Shanghai".to_owned(),
        ),
        ("items", "TEA-0041 x2; MUG-7 x1; POT-12 x1".to_owned()),
        ("loyalty", "gold since 2021".to_owned()),
        ("session", format!("s-{:08x}", payer * 7_919)),
        ("store", "Shanghai Xuhui, counter 4".to_owned()),
        ("terms", "accepted 2026-02".to_owned()),
    ];
    entries.map(|(name, value)| (name.to_owned(), value)).into()
}

/// A Visa number of its own for each payer, with its check digit (ISO/IEC 7812-1, annex B). None of them is a test card.
fn card_number(payer: u64) -> String {
    let mut number = format!("{:015}", 453_201_000_000_000 + payer * 31);
    let sum: u32 = number
        .chars()
        .rev()
        .filter_map(|digit| digit.to_digit(10))
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit * 2) {
            (0, doubled @ 10..) => doubled - 9,
            (0, doubled) => doubled,
            _ => digit,
        })
        .sum();
    write!(number, "{}", (10 - sum % 10) % 10).expect("a string takes what is written to it");
    number
}
