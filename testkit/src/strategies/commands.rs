//! Walks of a payment: any command at any time.

use domain::payment::{
    AcquirerReference, CardToken, DeclineCode, OperationKind, OperationRefused, OperationResult, Review,
    ReviewVerdict, ReviewerName,
};
use domain::risk::RiskDecision;
use domain::{DecisionId, Money, Payment, Timestamp};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::{evaluations, payment_details, payment_id, timestamp};
use crate::builders::operation_id;

/// One step, sensible or not.
#[derive(Clone, Debug)]
pub enum Command {
    /// Open an operation.
    Begin {
        /// Of which kind.
        kind: OperationKind,
        /// Its number.
        operation: u8,
        /// Which part of the payment's amount, in percent; none for all that is left.
        percent: Option<i64>,
        /// When.
        at: Timestamp,
    },
    /// Take in an answer.
    Finish {
        /// To which operation.
        operation: u8,
        /// The answer.
        result: OperationResult,
        /// When.
        at: Timestamp,
    },
    /// Hear that the acquirer cannot say.
    AskInVain {
        /// About which operation.
        operation: u8,
        /// When it is asked again.
        next: Option<Timestamp>,
        /// When.
        at: Timestamp,
    },
    /// Keep the card.
    KeepCard,
    /// Say until when somebody has to act.
    ExpireAt(Timestamp),
    /// Expire.
    Expire(Timestamp),
    /// Give up.
    Cancel(Timestamp),
    /// Review.
    Review(ReviewVerdict, Timestamp),
    /// Say whether the payer proved who he is.
    Confirm(bool, Timestamp),
}

impl Command {
    /// Takes the step, or hears why not.
    ///
    /// # Errors
    /// When the payment refuses.
    pub fn apply(&self, payment: &mut Payment) -> Result<(), OperationRefused> {
        let name = |operation: &u8| operation_id(&format!("op_{operation}"));
        match self {
            Self::Begin {
                kind,
                operation,
                percent,
                at,
            } => {
                let whole = payment.record().details.amount;
                let amount = percent.map(|percent| {
                    let part = i128::from(whole.minor_units()) * i128::from(percent) / 100;
                    let part = i64::try_from(part)
                        .unwrap()
                        .clamp(1, domain::money::MAX_MINOR_UNITS);
                    Money::new(part, whole.currency()).unwrap()
                });
                let (id, at) = (name(operation), *at);
                let begun = match kind {
                    OperationKind::Authorize => payment.begin_authorization(id, at),
                    OperationKind::Capture => payment.begin_capture(id, amount, at),
                    OperationKind::Void => payment.begin_void(id, at),
                    OperationKind::Refund => payment.begin_refund(id, amount, at),
                };
                begun.map(|_| ())
            }
            Self::Finish {
                operation,
                result,
                at,
            } => Ok(payment.finish_operation(&name(operation), result.clone(), *at)?),
            Self::AskInVain { operation, next, at } => {
                Ok(payment.asked_in_vain(&name(operation), *next, *at)?)
            }
            Self::KeepCard => Ok(payment.keep_card(CardToken::parse("tok_1").unwrap())?),
            Self::ExpireAt(at) => {
                payment.expire_at(*at);
                Ok(())
            }
            Self::Expire(at) => Ok(payment.expire(*at)?),
            Self::Cancel(at) => Ok(payment.cancel(*at)?),
            Self::Review(verdict, at) => Ok(payment.review(Review {
                verdict: *verdict,
                reviewer: ReviewerName::parse("ana").unwrap(),
                reviewed_at: *at,
            })?),
            Self::Confirm(proved, at) => Ok(payment.confirm(*proved, *at)?),
        }
    }
}

fn result() -> impl Strategy<Value = OperationResult> {
    let succeeded =
        "[ -~]{1,128}".prop_map(|text| OperationResult::Succeeded(AcquirerReference::parse(&text).unwrap()));
    prop_oneof![
        4 => succeeded,
        // Also those that are not the acquirer's to say, which the payment refuses.
        1 => select(DeclineCode::ALL.to_vec()).prop_map(OperationResult::Declined),
        1 => Just(OperationResult::NotSent),
        1 => Just(OperationResult::Unknown),
    ]
}

/// Up to twenty-four steps with few operations, so that they meet, and often one after the other in a sensible order.
pub fn commands() -> impl Strategy<Value = Vec<Command>> {
    let kind = select(OperationKind::ALL.to_vec());
    let part = option::of(select(vec![1, 30, 50, 60, 100, 101]));
    let begin =
        (kind, 0..8_u8, part, timestamp()).prop_map(|(kind, operation, percent, at)| Command::Begin {
            kind,
            operation,
            percent,
            at,
        });
    let finish = (0..8_u8, result(), timestamp()).prop_map(|(operation, result, at)| Command::Finish {
        operation,
        result,
        at,
    });
    let ask = (0..8_u8, option::of(timestamp()), timestamp())
        .prop_map(|(operation, next, at)| Command::AskInVain { operation, next, at });
    let verdict = select(vec![ReviewVerdict::Approved, ReviewVerdict::Rejected]);
    let step = prop_oneof![
        6 => begin,
        6 => finish,
        1 => ask,
        1 => Just(Command::KeepCard),
        1 => timestamp().prop_map(Command::ExpireAt),
        1 => timestamp().prop_map(Command::Expire),
        1 => timestamp().prop_map(Command::Cancel),
        1 => (verdict, timestamp()).prop_map(|(verdict, at)| Command::Review(verdict, at)),
        1 => (any::<bool>(), timestamp()).prop_map(|(proved, at)| Command::Confirm(proved, at)),
    ];
    // A third of the walks are led some way into the life of a payment first: by chance alone few get far.
    let led = (0..8_usize).prop_map(|steps| led().into_iter().take(steps).collect::<Vec<_>>());
    (prop_oneof![2 => Just(Vec::new()), 1 => led], vec(step, 0..24)).prop_map(|(mut led, walk)| {
        led.extend(walk);
        led
    })
}

/// The way to a refund.
fn led() -> Vec<Command> {
    let at = Timestamp::from_unix_millis(0);
    let succeeded = || OperationResult::Succeeded(AcquirerReference::parse("ref").unwrap());
    let begin = |kind, operation, percent| Command::Begin {
        kind,
        operation,
        percent,
        at,
    };
    let finish = |operation| Command::Finish {
        operation,
        result: succeeded(),
        at,
    };
    vec![
        Command::Review(ReviewVerdict::Approved, at),
        Command::Confirm(true, at),
        begin(OperationKind::Authorize, 0, None),
        finish(0),
        begin(OperationKind::Capture, 1, Some(60)),
        finish(1),
        begin(OperationKind::Refund, 2, Some(30)),
        finish(2),
    ]
}

/// A payment after a walk, as a repository may be given it.
pub fn stored_payment() -> impl Strategy<Value = Payment> {
    let opened = (
        payment_id(),
        payment_details(),
        evaluations(),
        any::<u64>(),
        timestamp(),
    );
    (opened, commands()).prop_map(|((id, details, evaluations, revision, at), commands)| {
        let decision = RiskDecision::join(DecisionId::parse("dec_1").unwrap(), evaluations, revision, at);
        let mut payment = Payment::decided(id, details, decision, at);
        for command in commands {
            // Refused or not: both lead to a payment that can be.
            let _refused = command.apply(&mut payment);
        }
        payment
    })
}
