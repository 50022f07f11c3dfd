//! Any command at any time: the aggregate takes it or refuses it, and is whole either way.

use domain::Payment;
use domain::payment::{OperationKind, TRANSITIONS};
use domain::risk::RiskDecision;
use portcullis_testkit::builders::{decision_id, payment_id};
use portcullis_testkit::strategies::{commands, evaluations, payment_details, timestamp};
use proptest::prelude::*;

proptest! {
    #[test]
    fn a_payment_keeps_its_invariants_on_every_walk(
        details in payment_details(),
        evaluations in evaluations(),
        created_at in timestamp(),
        commands in commands(),
    ) {
        let decision = RiskDecision::join(decision_id("dec_1"), evaluations, 1, created_at);
        let mut payment = Payment::decided(payment_id("pay_1"), details, decision, created_at);
        for command in commands {
            let before = payment.clone();
            let taken = command.apply(&mut payment);
            let record = payment.record();
            let restored = Payment::restore(record.clone());
            prop_assert_eq!(restored.as_ref(), Ok(&payment));
            prop_assert!(record.operations.iter().filter(|operation| operation.is_open()).count() <= 1);
            prop_assert!(record.updated_at >= before.record().updated_at);
            prop_assert_eq!(&record.decision, &before.record().decision);
            if taken.is_err() {
                prop_assert_eq!(&payment, &before);
            }
            let amounts = payment.amounts();
            let whole = record.details.amount.minor_units();
            prop_assert!(amounts.authorized == 0 || amounts.authorized == whole);
            prop_assert!(amounts.captured + amounts.released <= amounts.authorized);
            prop_assert!(amounts.refunded + amounts.refunding <= amounts.captured);
            let moved = before.status() != payment.status();
            let in_table = |(from, _, to): &(_, _, _)| *from == before.status() && *to == payment.status();
            prop_assert!(!moved || TRANSITIONS.iter().any(in_table));
            for operation in &record.operations {
                prop_assert_eq!(operation.amount.currency(), record.details.amount.currency());
                prop_assert!(operation.kind != OperationKind::Authorize || operation.amount.minor_units() == whole);
            }
            if before.status().is_final() {
                prop_assert_eq!(&payment, &before);
            }
            for (operation, earlier) in record.operations.iter().zip(&before.record().operations) {
                prop_assert!(earlier.is_open() || operation == earlier, "a final operation stays so");
            }
        }
    }
}
