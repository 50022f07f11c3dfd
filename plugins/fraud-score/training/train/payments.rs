//! Made-up payments with a label. Most are honest; fraud comes in three patterns, each with some of the signs, never with
//! all of them, and honest payments have a few of the signs as well: people travel, families share a device, lookups fail.

use fraud_score::{FraudScore, INPUTS, inputs};
use portcullis_policy::testing::{card, customer, device, payment, request};
use portcullis_policy::{Card, Customer, Descriptor, Device, Policy};

/// 2026-01-01T00:00:00Z.
const NEW_YEAR_2026: u64 = 1_767_225_600_000;
const HOUR_MS: u64 = 3_600_000;

/// One payment in twenty is fraud. That is far more than in life, and leaves something to learn from.
const FRAUD_PER_THOUSAND: u64 = 50;

/// One lookup in so many fails, whatever the payment is.
const LOOKUPS_PER_FAILURE: u64 = 40;

/// One payment as the model sees it.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) inputs: [i32; INPUTS],
    pub(crate) fraud: bool,
}

/// The facts of a payment, before they become a request.
struct Facts {
    fen: u64,
    card_count_1h: u64,
    card_count_24h: u64,
    declined: u64,
    device_cards: u64,
    email_cards: u64,
    ip_count: u64,
    hour: u64,
    category: &'static str,
    /// Of issuer, billing, shipping and IP address.
    countries: [&'static str; 4],
    has_email: bool,
    has_device: bool,
}

/// A sequence of numbers without a pattern that is the same on every machine: `SplitMix64`, after G. Steele, D. Lea and
/// C. Flood, "Fast splittable pseudorandom number generators" (2014).
struct Sequence(u64);

impl Sequence {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn chance(&mut self, per_thousand: u64) -> bool {
        self.below(1000) < per_thousand
    }

    /// 0 most often, each further number half as often as the one before, up to a bound.
    fn few(&mut self, most: u64) -> u64 {
        u64::from(self.next().trailing_zeros()).min(most)
    }

    /// An amount between two powers of two, all orders of magnitude alike.
    fn amount(&mut self, lowest_power: u64, highest_power: u64) -> u64 {
        let power = lowest_power + self.below(highest_power - lowest_power);
        (1 << power) + self.below(1 << power)
    }

    fn country(&mut self) -> &'static str {
        match self.below(4) {
            0 => "SG",
            1 => "US",
            2 => "FR",
            _ => "BR",
        }
    }
}

/// So many rows, the same ones for the same seed.
pub(crate) fn rows(seed: u64, count: usize) -> Vec<Row> {
    let descriptor = FraudScore::describe();
    let mut sequence = Sequence(seed);
    (0..count).map(|_| row(&mut sequence, &descriptor)).collect()
}

#[expect(
    clippy::expect_used,
    reason = "the trainer makes requests that the rule can read, or has to be mended"
)]
fn row(sequence: &mut Sequence, descriptor: &Descriptor) -> Row {
    let fraud = sequence.chance(FRAUD_PER_THOUSAND);
    let mut facts = honest(sequence);
    if fraud {
        match sequence.below(3) {
            0 => try_out(&mut facts, sequence),
            1 => cash_in(&mut facts, sequence),
            _ => take_over(&mut facts, sequence),
        }
    }
    let inputs = inputs(&facts.request(sequence, descriptor)).expect("the descriptor has every feature");
    Row { inputs, fraud }
}

fn honest(sequence: &mut Sequence) -> Facts {
    // Some pay for each thing that they buy, and some buy a round of tickets.
    let in_a_row = if sequence.chance(30) { sequence.below(6) } else { 0 };
    let card_count_1h = 1 + sequence.few(5) / 2 + in_a_row;
    let home = if sequence.chance(900) {
        "CN"
    } else {
        sequence.country()
    };
    let mut countries = [home; 4];
    if sequence.chance(60) {
        countries[3] = sequence.country();
    }
    if sequence.chance(50) {
        countries[2] = sequence.country();
    }
    let fen = match sequence.below(100) {
        0..=4 => sequence.amount(5, 9),
        5..=95 => sequence.amount(9, 18),
        _ => sequence.amount(18, 21),
    };
    Facts {
        fen,
        card_count_1h,
        card_count_24h: card_count_1h + sequence.few(6),
        declined: sequence.few(4) / 2,
        device_cards: 1 + sequence.few(4) / 2,
        email_cards: 1 + sequence.few(4) / 3,
        ip_count: 1 + sequence.few(12),
        hour: if sequence.chance(930) {
            7 + sequence.below(17)
        } else {
            sequence.below(7)
        },
        category: if sequence.chance(40) { "7995" } else { "5411" },
        countries,
        has_email: sequence.chance(800),
        has_device: sequence.chance(850),
    }
}

/// Trying out stolen numbers: many small payments, many cards on one device, many declines.
fn try_out(facts: &mut Facts, sequence: &mut Sequence) {
    facts.fen = sequence.amount(6, 11);
    facts.device_cards = 2 + sequence.below(12);
    facts.ip_count = 4 + sequence.below(30);
    facts.declined = 1 + sequence.below(5);
    if sequence.chance(700) {
        facts.card_count_1h = 3 + sequence.below(9);
        facts.card_count_24h = facts.card_count_1h + sequence.below(9);
    }
    facts.has_email = sequence.chance(300);
}

/// Turning a stolen card into money: large amounts, at night, abroad, where goods are as good as cash.
fn cash_in(facts: &mut Facts, sequence: &mut Sequence) {
    facts.fen = sequence.amount(15, 21);
    if sequence.chance(700) {
        facts.countries[3] = sequence.country();
    }
    if sequence.chance(500) {
        facts.countries[0] = sequence.country();
    }
    if sequence.chance(600) {
        facts.category = "6051";
    }
    if sequence.chance(600) {
        facts.hour = sequence.below(6);
    }
    facts.card_count_24h += sequence.below(5);
}

/// Using somebody's account: goods go elsewhere, several cards under one address, all at once.
fn take_over(facts: &mut Facts, sequence: &mut Sequence) {
    facts.fen = sequence.amount(13, 19);
    facts.has_email = true;
    facts.email_cards = 2 + sequence.below(5);
    if sequence.chance(750) {
        facts.countries[2] = sequence.country();
    }
    if sequence.chance(500) {
        facts.countries[3] = sequence.country();
    }
    facts.card_count_1h += 1 + sequence.below(4);
    facts.card_count_24h = facts.card_count_1h + sequence.below(4);
}

impl Facts {
    #[expect(
        clippy::cast_possible_wrap,
        reason = "made-up amounts are far from the end of the numbers"
    )]
    fn request(&self, sequence: &mut Sequence, descriptor: &Descriptor) -> portcullis_policy::Request {
        let known = |country: &str| Some(country.to_owned());
        let [issuer, billing, shipping, ip] = self.countries;
        // The default of `utc_offset_minutes` is eight hours.
        let created_at = NEW_YEAR_2026 + (self.hour + 16) * HOUR_MS;
        let mut payment = payment()
            .amount(self.fen as i64, "CNY")
            .created_at(created_at)
            .merchant_category(self.category)
            .card(Card {
                issuer_country: known(issuer),
                ..card()
            })
            .customer(Customer {
                email: self.has_email.then(|| "someone@example.com".to_owned()),
                billing_country: known(billing),
                shipping_country: known(shipping),
                ..customer()
            });
        if self.has_device {
            let id = Some("d_1".to_owned());
            payment = payment.device(Device {
                id,
                ip_country: known(ip),
                ..device()
            });
        }
        let earlier = (self.card_count_24h - 1) * sequence.amount(9, 16);
        let mut request = request(descriptor, payment.build());
        for (name, count, subject_is_known) in [
            ("card_count_1h", self.card_count_1h, true),
            ("card_count_24h", self.card_count_24h, true),
            ("card_declined_24h", self.declined, true),
            ("device_cards_24h", self.device_cards, self.has_device),
            ("email_cards_24h", self.email_cards, self.has_email),
            ("ip_count_1h", self.ip_count, true),
        ] {
            if subject_is_known && sequence.below(LOOKUPS_PER_FAILURE) > 0 {
                request = request.count(name, count);
            }
        }
        if sequence.below(LOOKUPS_PER_FAILURE) > 0 {
            request = request.amount("card_amount_24h", (self.fen + earlier) as i64);
        }
        request.build()
    }
}
