//! Payments in a map.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

use application::ports::{PaymentRepository, RepositoryError};
use async_trait::async_trait;
use domain::payment::PaymentRecord;
use domain::{Payment, PaymentId};

#[derive(Debug, Default)]
struct State {
    payments: HashMap<PaymentId, PaymentRecord>,
    /// Whether the next saves work; from its end on they do.
    script: VecDeque<bool>,
    saves: usize,
}

/// Keeps payments for as long as the test runs, and fails when it is told to.
#[derive(Debug, Default)]
pub struct InMemoryPaymentRepository(Mutex<State>);

impl InMemoryPaymentRepository {
    /// Says of the next saves, in order, whether they work; a failing one is `Unavailable`.
    pub fn script(&self, works: &[bool]) {
        self.0.lock().unwrap().script.extend(works);
    }

    /// Puts a record in as it is, whether or not it can be right.
    pub fn put(&self, record: PaymentRecord) {
        self.0.lock().unwrap().payments.insert(record.id.clone(), record);
    }

    /// Every stored payment, by name.
    #[must_use]
    pub fn records(&self) -> Vec<PaymentRecord> {
        let mut records: Vec<_> = self.0.lock().unwrap().payments.values().cloned().collect();
        records.sort_by(|one, other| one.id.cmp(&other.id));
        records
    }

    /// How many saves were tried.
    #[must_use]
    pub fn saves(&self) -> usize {
        self.0.lock().unwrap().saves
    }
}

#[async_trait]
impl PaymentRepository for InMemoryPaymentRepository {
    async fn save(&self, payment: &mut Payment) -> Result<(), RepositoryError> {
        let mut state = self.0.lock().unwrap();
        state.saves += 1;
        if state.script.pop_front() == Some(false) {
            return Err(RepositoryError::Unavailable {
                reason: "the test says so".to_owned(),
            });
        }
        let id = payment.id().clone();
        let expected = payment.record().version;
        let stored = state.payments.get(&id).map(|record| record.version);
        match (expected, stored) {
            (0, Some(_)) => return Err(RepositoryError::AlreadyExists { id }),
            (0, None) => {}
            (expected, stored) if stored == Some(expected) => {}
            (expected, _) => return Err(RepositoryError::Conflict { id, expected }),
        }
        payment.stored_as(expected + 1);
        state.payments.insert(id, payment.record().clone());
        Ok(())
    }

    async fn find(&self, id: &PaymentId) -> Result<Option<Payment>, RepositoryError> {
        let record = self.0.lock().unwrap().payments.get(id).cloned();
        record
            .map(Payment::restore)
            .transpose()
            .map_err(|broken| RepositoryError::Corrupt {
                id: id.clone(),
                reason: broken.to_string(),
            })
    }

    async fn check(&self) -> Result<(), RepositoryError> {
        match self.0.lock().unwrap().script.front() {
            Some(false) => Err(RepositoryError::Unavailable {
                reason: "the test says so".to_owned(),
            }),
            _ => Ok(()),
        }
    }
}
