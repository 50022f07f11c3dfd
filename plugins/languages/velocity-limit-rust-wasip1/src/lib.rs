//! Declines a payment when its card or its device pays too often, or too much, in a short time.
//!
//! The same rule as `plugins/velocity-limit`, which says why it is so, as somebody writes it who does not know the kit: the
//! standard library, `format!`, and what wit-bindgen makes of the contract. It is compiled for WASI 0.1, so that what comes
//! out is a core module, which `portcullis policy build` turns into a component.

mod bindings {
    wit_bindgen::generate!({ path: "../risk-policy.wit", world: "risk-policy" });

    // A macro of this module cannot be named from outside of it.
    export!(VelocityLimit);
    use super::VelocityLimit;
}

use bindings::Guest;
use bindings::portcullis::policy::host::emit_signal;
use bindings::portcullis::policy::types::*;

const SCORE_OVER_LIMIT: u16 = 900;

/// The longest message that a reason may have.
const MAX_ADVICE_BYTES: usize = 512;

struct VelocityLimit;

impl Guest for VelocityLimit {
    fn describe() -> Descriptor {
        let velocity = |name: &str, subject, measure, window_seconds| NamedFeatureSpec {
            name: name.to_owned(),
            spec: FeatureSpec::Velocity(VelocityFeature {
                subject,
                measure,
                filter: PaymentFilter::Attempted,
                window_seconds,
            }),
        };
        let parameter = |name: &str, value| Parameter {
            name: name.to_owned(),
            value,
        };
        Descriptor {
            summary:
                "Declines when a card or a device pays too often within an hour or too much within a day"
                    .to_owned(),
            reads: PaymentParts::DEVICE | PaymentParts::METADATA,
            features: vec![
                velocity("card_count_1h", Subject::Card, VelocityMeasure::Count, 3_600),
                velocity("card_amount_24h", Subject::Card, VelocityMeasure::Amount, 86_400),
                velocity("device_count_1h", Subject::Device, VelocityMeasure::Count, 3_600),
                velocity(
                    "device_amount_24h",
                    Subject::Device,
                    VelocityMeasure::Amount,
                    86_400,
                ),
            ],
            parameters: vec![
                parameter("max_count", ParameterValue::Integer(5)),
                parameter("max_amount", ParameterValue::Integer(5_000_000)),
                parameter("exempt", ParameterValue::Texts(Vec::new())),
                parameter("advice", ParameterValue::Text(String::new())),
                parameter("explain", ParameterValue::Flag(false)),
            ],
        }
    }

    fn evaluate(request: Request) -> Result<Decision, String> {
        // Parameters and features come in the order of the descriptor.
        let parameters: Vec<&ParameterValue> = request.parameters.iter().map(|p| &p.value).collect();
        let &[
            ParameterValue::Integer(max_count),
            ParameterValue::Integer(max_amount),
            ParameterValue::Texts(exempt),
            ParameterValue::Text(advice),
            ParameterValue::Flag(explain),
        ] = parameters.as_slice()
        else {
            return Err("the parameters are not those of the descriptor".to_owned());
        };
        let [card_count, card_amount, device_count, device_amount] = request.features.as_slice() else {
            return Err("the features are not those of the descriptor".to_owned());
        };
        let max_count = u64::try_from(*max_count)
            .map_err(|_| format!("parameter max_count is {max_count}, expected 0 or more"))?;
        if *max_amount < 0 {
            return Err(format!(
                "parameter max_amount is {max_amount}, expected 0 or more"
            ));
        }
        let exempt = is_exempt(&request.payment, exempt)?;
        if advice.len() > MAX_ADVICE_BYTES {
            let bytes = advice.len();
            return Err(format!(
                "parameter advice has {bytes} bytes, expected at most 512"
            ));
        }

        signal_unavailable(&request.features);
        let mut reasons = over_limits("card", card_count, card_amount, max_count, *max_amount);
        reasons.extend(over_limits(
            "device",
            device_count,
            device_amount,
            max_count,
            *max_amount,
        ));
        let mut decision = Decision {
            outcome: Outcome::Approve,
            score: 0,
            reasons,
        };
        if decision.reasons.is_empty() {
            // Nothing speaks against the payment.
        } else if exempt {
            let message = "a limit is passed by a payment that is exempt from it";
            decision.reasons = vec![reason("velocity.exempt", message)];
        } else {
            decision.outcome = Outcome::Decline;
            decision.score = SCORE_OVER_LIMIT;
            if !advice.is_empty() {
                decision.reasons.push(reason("velocity.advice", advice));
            }
        }
        if *explain {
            let message = explanation(&request.payment);
            decision.reasons.push(reason("velocity.payment", message));
        }
        Ok(decision)
    }
}

/// A reason for each limit that is passed. A limit that is just reached is kept, and a feature that is unavailable limits
/// nothing.
fn over_limits(
    subject: &str,
    count: &Feature,
    amount: &Feature,
    max_count: u64,
    max_amount: i64,
) -> Vec<Reason> {
    let mut reasons = Vec::new();
    if let FeatureValue::Count(count) = &count.value
        && *count > max_count
    {
        reasons.push(reason(
            format!("velocity.{subject}.count"),
            format!("{count} payments of this {subject} within 1 hour, the limit is {max_count}"),
        ));
    }
    if let FeatureValue::Amount(amount) = &amount.value
        && *amount > max_amount
    {
        reasons.push(reason(
            format!("velocity.{subject}.amount"),
            format!("{amount} paid by this {subject} within 24 hours, the limit is {max_amount}"),
        ));
    }
    reasons
}

fn is_exempt(payment: &Payment, marks: &[String]) -> Result<bool, String> {
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
                .any(|(key, value)| format!("{key}={value}") == entry),
            _ => {
                return Err(format!(
                    "parameter exempt has `{mark}`, expected merchant:, category:, device: or metadata: before what is exempt"
                ));
            }
        };
    }
    Ok(exempt)
}

fn signal_unavailable(features: &[Feature]) {
    let missing: Vec<&str> = features
        .iter()
        .filter(|feature| matches!(feature.value, FeatureValue::Unavailable))
        .map(|feature| feature.name.as_str())
        .collect();
    if !missing.is_empty() {
        emit_signal("velocity.unavailable", &missing.join(", "));
    }
}

fn explanation(payment: &Payment) -> String {
    let Payment {
        id,
        merchant_id,
        amount,
        created_at,
        ..
    } = payment;
    let Money {
        minor_units,
        currency,
    } = amount;
    format!("payment {id} of {merchant_id}, {minor_units} {currency} at {created_at}")
}

fn reason(code: impl Into<String>, message: impl Into<String>) -> Reason {
    Reason {
        code: code.into(),
        message: message.into(),
    }
}
