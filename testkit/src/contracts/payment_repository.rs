//! What a payment repository owes.

use application::ports::RepositoryError;
use domain::Payment;
use domain::payment::{AcquirerReference, DeclineCode, OperationResult, PaymentStatus};
use domain::risk::{FaultKind, Outcome, RiskDecision};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use super::store::{CROWD, Store, found, save_all};
use crate::builders::{NOW, after, decision_id, evaluation, fault, operation_id, payment, payment_id};
use crate::strategies;

type Repository = Store;

fn reference() -> AcquirerReference {
    AcquirerReference::parse("ref 1/ü").unwrap()
}

/// Nothing is made up.
pub async fn a_payment_that_was_never_stored_is_not_found(repository: Repository) {
    assert!(repository.find(&payment_id("pay_1")).await.unwrap().is_none());
}

/// With all of its details and all that the policies said.
pub async fn a_stored_payment_is_found_as_it_was(repository: Repository) {
    let evaluations = vec![
        evaluation("one", Outcome::Approve),
        fault("two", FaultKind::OutOfFuel, Outcome::Review),
        evaluation("three", Outcome::Challenge),
    ];
    let decision = RiskDecision::join(decision_id("dec_9"), evaluations, u64::MAX, after(1));
    let mut stored = payment().decision(decision).build();
    repository.save(&mut stored).await.unwrap();
    assert_eq!(found(&repository, &stored).await, stored);
}

/// The payment that was saved and the one that is found carry the same one.
pub async fn a_save_raises_the_version_by_one(repository: Repository) {
    let mut stored = payment().build();
    for version in 1..=3 {
        repository.save(&mut stored).await.unwrap();
        assert_eq!(stored.record().version, version);
        assert_eq!(found(&repository, &stored).await.record().version, version);
    }
}

/// From sent over unknown to its end.
pub async fn an_operation_is_found_as_it_was_left_last(repository: Repository) {
    let mut stored = payment().sent("op_1");
    repository.save(&mut stored).await.unwrap();
    assert_eq!(found(&repository, &stored).await, stored);
    for (result, status) in [
        (OperationResult::Unknown, PaymentStatus::Authorizing),
        (OperationResult::Succeeded(reference()), PaymentStatus::Authorized),
    ] {
        stored
            .finish_operation(&operation_id("op_1"), result, after(2))
            .unwrap();
        repository.save(&mut stored).await.unwrap();
        let found = found(&repository, &stored).await;
        assert_eq!(found, stored);
        assert_eq!(found.status(), status);
    }
}

/// Sixty-four payments after any walk, with any details. The seed is fixed, so that a failure comes again.
pub async fn whatever_a_payment_holds_comes_back(repository: Repository) {
    let mut runner = TestRunner::deterministic();
    let payments = strategies::stored_payment();
    for number in 0..64 {
        let drawn = payments.new_tree(&mut runner).unwrap().current();
        let mut record = drawn.record().clone();
        // Drawn names could meet; operations of several payments never have the same one.
        record.id = payment_id(&format!("pay_{number}"));
        for operation in &mut record.operations {
            operation.id = operation_id(&format!("{}_{number}", operation.id));
        }
        let mut stored = Payment::restore(record).unwrap();
        repository.save(&mut stored).await.unwrap();
        assert_eq!(found(&repository, &stored).await, stored);
    }
}

/// After each step of eight-and-forty walks, and not only after the last: what one save left is what the next one goes on from.
pub async fn every_step_of_a_payment_comes_back(repository: Repository) {
    let mut runner = TestRunner::deterministic();
    let payments = strategies::stored_payment();
    let walks = strategies::commands();
    for number in 0..48 {
        let drawn = payments.new_tree(&mut runner).unwrap().current();
        let record = drawn.record();
        let id = payment_id(&format!("pay_{number}"));
        let mut stored = Payment::decided(
            id,
            record.details.clone(),
            record.decision.clone(),
            record.created_at,
        );
        repository.save(&mut stored).await.unwrap();
        for command in walks.new_tree(&mut runner).unwrap().current() {
            // A refusal changes nothing, and is saved all the same.
            let _refused = command.apply(&mut stored);
            let mut named = named_apart(&stored, number);
            repository.save(&mut named).await.unwrap();
            stored.stored_as(named.record().version);
            assert_eq!(found(&repository, &named).await, named);
        }
    }
}

/// Asked twice in the same millisecond, and left to humans both times.
pub async fn an_inquiry_in_vain_is_counted_at_any_time(repository: Repository) {
    let mut stored = payment().sent("op_1");
    repository.save(&mut stored).await.unwrap();
    for inquiries in 1..=3 {
        stored
            .asked_in_vain(&operation_id("op_1"), None, after(1))
            .unwrap();
        repository.save(&mut stored).await.unwrap();
        let found = found(&repository, &stored).await;
        assert_eq!(found.open_operation().unwrap().inquiries, inquiries);
    }
}

/// The same payment, whose operations have names that no other payment's have.
fn named_apart(payment: &Payment, number: usize) -> Payment {
    let mut record = payment.record().clone();
    for operation in &mut record.operations {
        operation.id = operation_id(&format!("{}_{number}", operation.id));
    }
    Payment::restore(record).unwrap()
}

/// `AlreadyExists`, and the store as it was.
pub async fn a_name_that_is_taken_is_refused_and_the_first_payment_stays(repository: Repository) {
    let mut first = payment().build();
    repository.save(&mut first).await.unwrap();
    let mut second = payment().decided(Outcome::Decline).build();
    let error = repository.save(&mut second).await.unwrap_err();
    assert!(
        matches!(&error, RepositoryError::AlreadyExists { id } if id == first.id()),
        "{error}"
    );
    assert_eq!(found(&repository, &first).await, first);
}

/// `Conflict`, and the store as it was.
pub async fn an_update_over_another_version_conflicts_and_changes_nothing(repository: Repository) {
    let mut current = payment().sent("op_1");
    repository.save(&mut current).await.unwrap();
    let mut stale = current.clone();
    let declined = OperationResult::Declined(DeclineCode::CardDeclined);
    current
        .finish_operation(&operation_id("op_1"), declined, after(1))
        .unwrap();
    repository.save(&mut current).await.unwrap();

    let succeeded = OperationResult::Succeeded(reference());
    stale
        .finish_operation(&operation_id("op_1"), succeeded, after(2))
        .unwrap();
    let error = repository.save(&mut stale).await.unwrap_err();
    assert!(
        matches!(&error, RepositoryError::Conflict { id, expected: 1 } if id == current.id()),
        "{error}"
    );
    assert_eq!(found(&repository, &current).await, current);
}

/// A version without a payment is a lost one.
pub async fn an_update_of_a_payment_that_is_not_there_conflicts(repository: Repository) {
    let mut lost = payment().sent("op_1");
    lost.stored_as(3);
    let error = repository.save(&mut lost).await.unwrap_err();
    assert!(
        matches!(error, RepositoryError::Conflict { expected: 3, .. }),
        "{error}"
    );
    assert!(repository.find(lost.id()).await.unwrap().is_none());
}

/// So that it can be read again and tried again.
pub async fn a_refused_save_leaves_the_version_as_it_was(repository: Repository) {
    repository.save(&mut payment().build()).await.unwrap();
    let mut taken = payment().build();
    repository.save(&mut taken).await.unwrap_err();
    assert_eq!(taken.record().version, 0);
    taken.stored_as(9);
    repository.save(&mut taken).await.unwrap_err();
    assert_eq!(taken.record().version, 9);
}

/// Whoever comes later is told so.
pub async fn of_many_saves_of_one_name_one_wins(repository: Repository) {
    let payments = (0..CROWD).map(|_| payment().build());
    let results = save_all(&repository, payments).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    let refused = |result: &Result<(), _>| matches!(result, Err(RepositoryError::AlreadyExists { .. }));
    assert_eq!(results.iter().filter(|result| refused(result)).count(), CROWD - 1);
}

/// No update is lost.
pub async fn of_many_updates_over_one_version_one_wins(repository: Repository) {
    let mut current = payment().sent("op_1");
    repository.save(&mut current).await.unwrap();
    let results = save_all(&repository, (0..CROWD).map(|_| current.clone())).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    let refused = |result: &Result<(), _>| matches!(result, Err(RepositoryError::Conflict { .. }));
    assert_eq!(results.iter().filter(|result| refused(result)).count(), CROWD - 1);
    assert_eq!(found(&repository, &current).await.record().version, 2);
}

/// Also where an adapter writes several payments at once.
pub async fn a_refusal_does_not_undo_its_neighbours(repository: Repository) {
    repository.save(&mut payment().id("taken").build()).await.unwrap();
    let payments = (0..CROWD).map(|number| match number % 3 {
        0 => payment().id("taken").build(),
        1 => {
            let mut lost = payment().id("lost").build();
            lost.stored_as(1);
            lost
        }
        _ => payment()
            .id(&format!("pay_{number}"))
            .sent(&format!("op_{number}")),
    });
    let payments: Vec<Payment> = payments.collect();
    let results = save_all(&repository, payments.clone()).await;
    assert_eq!(
        results.iter().filter(|result| result.is_ok()).count(),
        payments
            .iter()
            .filter(|payment| payment.id().as_str().starts_with("pay_"))
            .count()
    );
    for payment in payments
        .iter()
        .filter(|payment| payment.id().as_str().starts_with("pay_"))
    {
        assert_eq!(found(&repository, payment).await.record().version, 1);
    }
    assert!(repository.find(&payment_id("lost")).await.unwrap().is_none());
}

/// Readable and writable.
pub async fn a_store_that_works_says_so(repository: Repository) {
    repository.check().await.unwrap();
    let mut stored = payment().created_at(NOW).build();
    repository.save(&mut stored).await.unwrap();
    repository.check().await.unwrap();
    assert_eq!(found(&repository, &stored).await, stored);
}
