//! Walks of a payment: any command at any time.

use domain::payment::{AcquirerReference, DeclineCode, IllegalTransition, OperationResult};
use domain::risk::RiskDecision;
use domain::{DecisionId, Payment, Timestamp};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::{evaluations, payment_details, payment_id, timestamp};
use crate::builders::operation_id;

/// One step, sensible or not.
#[derive(Clone, Debug)]
pub enum Command {
    /// Open an operation.
    Begin {
        /// Its number.
        operation: u8,
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
}

impl Command {
    /// Takes the step, or hears why not.
    ///
    /// # Errors
    /// When the payment refuses.
    pub fn apply(&self, payment: &mut Payment) -> Result<(), IllegalTransition> {
        match self {
            Self::Begin { operation, at } => payment
                .begin_authorization(operation_id(&format!("op_{operation}")), *at)
                .map(|_| ()),
            Self::Finish {
                operation,
                result,
                at,
            } => payment.finish_authorization(&operation_id(&format!("op_{operation}")), result.clone(), *at),
        }
    }
}

fn result() -> impl Strategy<Value = OperationResult> {
    // Also those that are not the acquirer's to say, which the payment refuses.
    let code = select(vec![
        DeclineCode::CardDeclined,
        DeclineCode::InsufficientFunds,
        DeclineCode::AcquirerUnavailable,
        DeclineCode::RiskPolicy,
    ]);
    prop_oneof![
        "[ -~]{1,128}".prop_map(|text| OperationResult::Succeeded(AcquirerReference::parse(&text).unwrap())),
        code.prop_map(OperationResult::Declined),
        Just(OperationResult::NotSent),
        Just(OperationResult::Unknown),
    ]
}

/// Up to eight steps with few operations, so that they meet.
pub fn commands() -> impl Strategy<Value = Vec<Command>> {
    let begin = (0..3_u8, timestamp()).prop_map(|(operation, at)| Command::Begin { operation, at });
    let finish = (0..3_u8, result(), timestamp()).prop_map(|(operation, result, at)| Command::Finish {
        operation,
        result,
        at,
    });
    vec(prop_oneof![begin, finish], 0..8)
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
