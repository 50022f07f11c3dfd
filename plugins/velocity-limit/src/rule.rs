//! The rule itself: what one subject did lately, held against two limits.

use portcullis_policy::prelude::*;
use portcullis_policy::{Decision, Payment, message};

/// The score of a payment that is over a limit. It leaves room above for what is known to be fraud.
const SCORE_OVER_LIMIT: u16 = 900;

/// The longest message that a reason may have.
const MAX_ADVICE_BYTES: usize = 512;

/// What one subject did, this payment included. `None` is a feature that is unavailable.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Velocity {
    /// `card` or `device`, as in the codes of reasons.
    pub(crate) subject: &'static str,
    /// Payments within the last hour.
    pub(crate) count: Option<u64>,
    /// Their sum within the last 24 hours, in minor units of the payment's currency.
    pub(crate) amount: Option<i64>,
}

/// The most that a subject may do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    count: u64,
    amount: i64,
}

impl Limits {
    /// Takes the limits from the parameters. Both may be 0, which stops every payment that has the subject.
    ///
    /// # Errors
    ///
    /// When a limit is negative.
    pub(crate) fn new(max_count: i64, max_amount: i64) -> Result<Self, String> {
        let count = u64::try_from(max_count)
            .map_err(|_| message!("parameter max_count is ", max_count, ", expected 0 or more"))?;
        if max_amount < 0 {
            return Err(message!(
                "parameter max_amount is ",
                max_amount,
                ", expected 0 or more"
            ));
        }
        Ok(Self {
            count,
            amount: max_amount,
        })
    }

    /// Declines over a limit, with a reason for each limit that is passed. A limit that is just reached is kept.
    pub(crate) fn decide(&self, velocity: &Velocity) -> Decision {
        let subject = velocity.subject;
        let mut decision = Decision::approve();
        if let Some(count) = velocity.count.filter(|count| *count > self.count) {
            let text = message!(
                count,
                " payments of this ",
                subject,
                " within 1 hour, the limit is ",
                self.count
            );
            decision = decision.and(over_limit(message!("velocity.", subject, ".count"), text));
        }
        if let Some(amount) = velocity.amount.filter(|amount| *amount > self.amount) {
            let text = message!(
                amount,
                " paid by this ",
                subject,
                " within 24 hours, the limit is ",
                self.amount
            );
            decision = decision.and(over_limit(message!("velocity.", subject, ".amount"), text));
        }
        decision
    }
}

fn over_limit(code: String, text: String) -> Decision {
    Decision::decline().score(SCORE_OVER_LIMIT).reason(code, text)
}

/// Whether the payment carries one of these marks: `merchant:ID`, `category:CODE`, `device:ID`, `metadata:KEY=VALUE`.
///
/// # Errors
///
/// When a mark is of no such kind.
pub(crate) fn is_exempt(payment: &Payment, marks: &[String]) -> Result<bool, String> {
    let mut exempt = false;
    for mark in marks {
        exempt |= match mark.split_once(':') {
            Some(("merchant", id)) => payment.merchant_id == id,
            Some(("category", code)) => payment.merchant_category.as_deref() == Some(code),
            Some(("device", id)) => {
                let device = payment.device.as_ref();
                device.is_some_and(|device| device.id.as_deref() == Some(id))
            }
            Some(("metadata", entry)) => payment
                .metadata
                .iter()
                .any(|(key, value)| message!(key, "=", value) == entry),
            _ => {
                return Err(message!(
                    "parameter exempt has `",
                    mark,
                    "`, expected merchant:, category:, device: or metadata: before what is exempt"
                ));
            }
        };
    }
    Ok(exempt)
}

/// The advice, if there is one.
///
/// # Errors
///
/// When it is longer than the message of a reason may be.
pub(crate) fn advice(text: &str) -> Result<Option<&str>, String> {
    let bytes = u64::try_from(text.len()).unwrap_or(u64::MAX);
    if text.len() > MAX_ADVICE_BYTES {
        return Err(message!(
            "parameter advice has ",
            bytes,
            " bytes, expected at most 512"
        ));
    }
    Ok((!text.is_empty()).then_some(text))
}

/// What becomes of a payment that passes a limit.
pub(crate) fn settle(decision: Decision, exempt: bool, advice: Option<&str>) -> Decision {
    match advice {
        _ if exempt => Decision::approve().reason(
            "velocity.exempt",
            "a limit is passed by a payment that is exempt from it",
        ),
        Some(advice) => decision.reason("velocity.advice", advice),
        None => decision,
    }
}

/// Which payment a decision was made of.
pub(crate) fn explanation(payment: &Payment) -> String {
    message!(
        "payment ",
        payment.id,
        " of ",
        payment.merchant_id,
        ", ",
        payment.amount.minor_units,
        " ",
        payment.amount.currency,
        " at ",
        payment.created_at
    )
}

/// The features that are unavailable, for the signal; nothing when all were looked up.
pub(crate) fn unavailable(velocities: &[Velocity]) -> Option<String> {
    let mut missing = String::new();
    for velocity in velocities {
        for (feature, known) in [
            ("_count_1h", velocity.count.is_some()),
            ("_amount_24h", velocity.amount.is_some()),
        ] {
            if !known {
                let separator = if missing.is_empty() { "" } else { ", " };
                missing.push_str(&message!(separator, velocity.subject, feature));
            }
        }
    }
    (!missing.is_empty()).then_some(missing)
}

#[cfg(test)]
mod tests {
    use portcullis_policy::testing::{payment, request, signals};
    use portcullis_policy::{Outcome, Policy};

    use super::*;
    use crate::VelocityLimit;

    fn card(count: Option<u64>, amount: Option<i64>) -> Velocity {
        Velocity {
            subject: "card",
            count,
            amount,
        }
    }

    #[test]
    fn a_limit_that_is_just_reached_is_kept() {
        let limits = Limits::new(5, 100).unwrap();
        assert_eq!(limits.decide(&card(Some(5), Some(100))), Decision::approve());
        assert_eq!(limits.decide(&card(Some(6), Some(100))).outcome, Outcome::Decline);
        assert_eq!(limits.decide(&card(Some(5), Some(101))).outcome, Outcome::Decline);
    }

    #[test]
    fn both_limits_give_their_own_reason() {
        let decision = Limits::new(0, 0)
            .unwrap()
            .decide(&card(Some(u64::MAX), Some(i64::MAX)));
        let codes: Vec<_> = decision
            .reasons
            .iter()
            .map(|reason| reason.code.as_str())
            .collect();
        assert_eq!(codes, ["velocity.card.count", "velocity.card.amount"]);
    }

    #[test]
    fn negative_limits_are_refused_by_name() {
        assert_eq!(
            Limits::new(-1, 0).unwrap_err(),
            "parameter max_count is -1, expected 0 or more"
        );
        assert_eq!(
            Limits::new(0, -1).unwrap_err(),
            "parameter max_amount is -1, expected 0 or more"
        );
    }

    #[test]
    fn what_is_unavailable_limits_nothing_and_is_signalled() {
        let decision = VelocityLimit::evaluate(
            &request(&VelocityLimit::describe(), payment().build())
                .count("card_count_1h", 1)
                .build(),
        );
        assert_eq!(decision, Ok(Decision::approve()));
        let detail = "card_amount_24h, device_count_1h, device_amount_24h".to_owned();
        assert_eq!(signals(), [("velocity.unavailable".to_owned(), detail)]);
    }

    #[test]
    fn nothing_is_signalled_when_all_features_are_there() {
        assert_eq!(unavailable(&[card(Some(0), Some(0))]), None);
    }
}
