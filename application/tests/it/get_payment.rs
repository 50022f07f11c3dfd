//! Reading one payment.

use domain::payment::PaymentStatus;
use domain::risk::Outcome;
use portcullis_application::ports::{PaymentRepository, RepositoryError};
use portcullis_application::use_cases::{GetPayment, GetPaymentError};
use testkit::builders::{payment, payment_id};

use crate::World;

#[tokio::test]
async fn a_payment_is_found_or_told_to_be_missing() {
    let world = World::deciding(Outcome::Approve);
    let use_case = GetPayment {
        payments: world.payments.clone(),
    };
    let mut stored = payment().build();
    world.payments.save(&mut stored).await.unwrap();
    assert_eq!(use_case.execute(stored.id()).await.unwrap(), stored);
    let error = use_case.execute(&payment_id("pay_2")).await.unwrap_err();
    assert!(matches!(&error, GetPaymentError::NotFound { id } if id.as_str() == "pay_2"));
}

#[tokio::test]
async fn a_damaged_payment_is_an_error() {
    let world = World::deciding(Outcome::Approve);
    let mut record = payment().build().record().clone();
    record.status = PaymentStatus::Authorized;
    world.payments.put(record);
    let use_case = GetPayment {
        payments: world.payments.clone(),
    };
    let error = use_case.execute(&payment_id("pay_1")).await.unwrap_err();
    assert!(matches!(
        error,
        GetPaymentError::Repository(RepositoryError::Corrupt { .. })
    ));
}
