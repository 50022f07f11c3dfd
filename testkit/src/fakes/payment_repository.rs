//! Payments in a map.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

use application::ports::{PaymentRepository, RepositoryError};
use async_trait::async_trait;
use domain::payment::PaymentRecord;
use domain::{Payment, PaymentId};

/// How a save goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Save {
    /// It is stored.
    Works,
    /// It is not stored, and told to be `Unavailable`.
    Fails,
    /// It is stored, and told to be `Unavailable` all the same: the commit went through, its answer got lost.
    BreaksOff,
}

#[derive(Debug, Default)]
struct State {
    payments: HashMap<PaymentId, PaymentRecord>,
    /// How the next saves go; from its end on they work.
    script: VecDeque<Save>,
    saves: usize,
}

/// Keeps payments for as long as the test runs, and fails when it is told to.
#[derive(Debug, Default)]
pub struct InMemoryPaymentRepository(Mutex<State>);

impl InMemoryPaymentRepository {
    /// Says of the next saves, in order, how they go.
    pub fn script(&self, saves: &[Save]) {
        self.0.lock().unwrap().script.extend(saves);
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
        let how = state.script.pop_front().unwrap_or(Save::Works);
        if how == Save::Fails {
            return Err(unavailable());
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
        let mut stored = payment.clone();
        stored.stored_as(expected + 1);
        state.payments.insert(id, stored.record().clone());
        if how == Save::BreaksOff {
            return Err(unavailable());
        }
        *payment = stored;
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
            Some(Save::Fails) => Err(unavailable()),
            _ => Ok(()),
        }
    }
}

fn unavailable() -> RepositoryError {
    RepositoryError::Unavailable {
        reason: "the test says so".to_owned(),
    }
}
