//! The rule itself: which countries differ, what that scores, and what the score asks for.

use portcullis_policy::prelude::*;
use portcullis_policy::{Decision, Outcome, Payment, message};

/// Two places of a payment, and what it scores when their countries differ. The weights add up to 1000, the highest
/// score. A card that is used away from home weighs most; goods that go elsewhere are often a present.
struct Pair {
    code: &'static str,
    first: Place,
    second: Place,
    weight: u16,
}

const PAIRS: [Pair; 6] = [
    Pair {
        code: "geo.issuer_billing",
        first: Place::Issuer,
        second: Place::Billing,
        weight: 300,
    },
    Pair {
        code: "geo.issuer_ip",
        first: Place::Issuer,
        second: Place::Ip,
        weight: 250,
    },
    Pair {
        code: "geo.billing_shipping",
        first: Place::Billing,
        second: Place::Shipping,
        weight: 150,
    },
    Pair {
        code: "geo.issuer_shipping",
        first: Place::Issuer,
        second: Place::Shipping,
        weight: 100,
    },
    Pair {
        code: "geo.billing_ip",
        first: Place::Billing,
        second: Place::Ip,
        weight: 100,
    },
    Pair {
        code: "geo.shipping_ip",
        first: Place::Shipping,
        second: Place::Ip,
        weight: 100,
    },
];

#[derive(Clone, Copy)]
enum Place {
    Issuer,
    Billing,
    Shipping,
    Ip,
}

impl Place {
    const fn name(self) -> &'static str {
        match self {
            Self::Issuer => "card issued in ",
            Self::Billing => "billed to ",
            Self::Shipping => "shipped to ",
            Self::Ip => "paid from ",
        }
    }
}

/// The countries of one payment. `None` is one that is not known.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Countries<'a> {
    issuer: Option<&'a str>,
    billing: Option<&'a str>,
    shipping: Option<&'a str>,
    ip: Option<&'a str>,
}

impl<'a> Countries<'a> {
    pub(crate) fn of(payment: &'a Payment) -> Self {
        let card = payment.card.as_ref();
        let customer = payment.customer.as_ref();
        let device = payment.device.as_ref();
        Self {
            issuer: known(card.and_then(|card| card.issuer_country.as_deref())),
            billing: known(customer.and_then(|customer| customer.billing_country.as_deref())),
            shipping: known(customer.and_then(|customer| customer.shipping_country.as_deref())),
            ip: known(device.and_then(|device| device.ip_country.as_deref())),
        }
    }

    fn at(&self, place: Place) -> Option<&'a str> {
        match place {
            Place::Issuer => self.issuer,
            Place::Billing => self.billing,
            Place::Shipping => self.shipping,
            Place::Ip => self.ip,
        }
    }
}

/// An empty text is a field that somebody left empty, and no country.
fn known(country: Option<&str>) -> Option<&str> {
    country.filter(|country| !country.is_empty())
}

/// The scores from which on a payment is challenged or reviewed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Thresholds {
    challenge_from: i64,
    review_from: i64,
}

impl Thresholds {
    /// Takes the thresholds from the parameters. One above 1000 is never reached, which switches its outcome off.
    ///
    /// # Errors
    ///
    /// When one is below 1, which would stop every payment, or the milder outcome would begin above the stricter one.
    pub(crate) fn new(challenge_from: i64, review_from: i64) -> Result<Self, String> {
        if challenge_from < 1 {
            return Err(message!(
                "parameter challenge_from is ",
                challenge_from,
                ", expected 1 or more"
            ));
        }
        if review_from < challenge_from {
            return Err(message!(
                "parameter review_from is ",
                review_from,
                ", expected no less than challenge_from, which is ",
                challenge_from
            ));
        }
        Ok(Self {
            challenge_from,
            review_from,
        })
    }

    /// Scores every two countries that differ, with a reason for each.
    pub(crate) fn decide(&self, countries: &Countries<'_>) -> Decision {
        let mut decision = Decision::approve();
        for pair in &PAIRS {
            if let (Some(first), Some(second)) = (countries.at(pair.first), countries.at(pair.second))
                && !first.eq_ignore_ascii_case(second)
            {
                let score = decision.score.saturating_add(pair.weight);
                let text = message!(pair.first.name(), first, ", ", pair.second.name(), second);
                decision = decision.score(score).reason(pair.code, text);
            }
        }
        decision.outcome = self.outcome(decision.score);
        decision
    }

    fn outcome(&self, score: u16) -> Outcome {
        let score = i64::from(score);
        if score >= self.review_from {
            Outcome::Review
        } else if score >= self.challenge_from {
            Outcome::Challenge
        } else {
            Outcome::Approve
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn countries(
        issuer: &'static str,
        billing: &'static str,
        shipping: &'static str,
        ip: &'static str,
    ) -> Countries<'static> {
        Countries {
            issuer: known(Some(issuer)),
            billing: known(Some(billing)),
            shipping: known(Some(shipping)),
            ip: known(Some(ip)),
        }
    }

    #[test]
    fn the_weights_add_up_to_the_highest_score() {
        assert_eq!(PAIRS.iter().map(|pair| pair.weight).sum::<u16>(), 1000);
        let decision = Thresholds::new(1, 1)
            .unwrap()
            .decide(&countries("CN", "SG", "FR", "BR"));
        assert_eq!((decision.score, decision.reasons.len()), (1000, 6));
    }

    #[test]
    fn a_country_that_is_not_known_differs_from_nothing() {
        let decision = Thresholds::new(1, 1)
            .unwrap()
            .decide(&countries("CN", "", "CN", ""));
        assert_eq!(decision, Decision::approve());
        assert_eq!(
            Thresholds::new(1, 1).unwrap().decide(&Countries::default()),
            Decision::approve()
        );
    }

    #[test]
    fn a_threshold_belongs_to_the_stricter_side() {
        let abroad = countries("CN", "CN", "", "FR");
        let outcome = |challenge, review| {
            Thresholds::new(challenge, review)
                .unwrap()
                .decide(&abroad)
                .outcome
        };
        assert_eq!(outcome(351, 351), Outcome::Approve);
        assert_eq!(outcome(350, 351), Outcome::Challenge);
        assert_eq!(outcome(350, 350), Outcome::Review);
    }

    #[test]
    fn thresholds_that_make_no_sense_are_refused_by_name() {
        assert_eq!(
            Thresholds::new(0, 5).unwrap_err(),
            "parameter challenge_from is 0, expected 1 or more"
        );
        assert_eq!(
            Thresholds::new(6, 5).unwrap_err(),
            "parameter review_from is 5, expected no less than challenge_from, which is 6"
        );
    }
}
