//! Payments in a map.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

use application::ports::{
    EventLog, IdempotencyKey, KeyEntry, KeyWrite, Page, PageCursor, PaymentCatalog, PaymentQuery,
    PaymentRepository, RepositoryError, StoredEvent,
};
use async_trait::async_trait;
use domain::payment::{Operation, PaymentRecord};
use domain::{MerchantId, Payment, PaymentId, Timestamp};

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

/// What somebody else does with a payment.
type Change = Box<dyn FnOnce(&mut Payment) + Send>;

#[derive(Default)]
struct State {
    payments: HashMap<PaymentId, PaymentRecord>,
    keys: HashMap<(MerchantId, IdempotencyKey), KeyEntry>,
    events: Vec<StoredEvent>,
    /// How the next saves go; from its end on they work.
    script: VecDeque<Save>,
    saves: usize,
    before_next_save: Option<(PaymentId, Change)>,
}

/// Keeps payments for as long as the test runs, and fails when it is told to.
#[derive(Default)]
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

    /// Has somebody else change a payment right before the next save.
    pub fn change_before_next_save(
        &self,
        id: &PaymentId,
        change: impl FnOnce(&mut Payment) + Send + 'static,
    ) {
        self.0.lock().unwrap().before_next_save = Some((id.clone(), Box::new(change)));
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
    async fn save_with_key(
        &self,
        payment: &mut Payment,
        key: Option<KeyWrite<'_>>,
    ) -> Result<(), RepositoryError> {
        let mut state = self.0.lock().unwrap();
        state.saves += 1;
        if let Some((id, change)) = state.before_next_save.take() {
            let mut changed = Payment::restore(state.payments[&id].clone()).unwrap();
            change(&mut changed);
            changed.stored_as(changed.record().version + 1);
            state.payments.insert(id, changed.record().clone());
        }
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
        if let Some(write) = key {
            let entry = write.entry();
            let name = (entry.tenant.clone(), entry.key.clone());
            let answered = state.keys.get(&name).map(|stored| stored.answer.is_some());
            match (write, answered) {
                (KeyWrite::Claim(_), None) | (KeyWrite::Update(_), Some(false)) => {}
                _ => return Err(RepositoryError::KeyTaken),
            }
            state.keys.insert(name, entry.clone());
        }
        let events = events_of(payment, state.events.len());
        state.events.extend(events);
        let mut stored = payment.clone();
        stored.stored_as(expected + 1);
        state.payments.insert(id, stored.record().clone());
        if how == Save::BreaksOff {
            return Err(unavailable());
        }
        *payment = stored;
        Ok(())
    }

    async fn find_key(
        &self,
        tenant: &MerchantId,
        key: &IdempotencyKey,
    ) -> Result<Option<KeyEntry>, RepositoryError> {
        let name = (tenant.clone(), key.clone());
        Ok(self.0.lock().unwrap().keys.get(&name).cloned())
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

#[async_trait]
impl PaymentCatalog for InMemoryPaymentRepository {
    async fn list(
        &self,
        query: &PaymentQuery,
        after: Option<&PageCursor>,
        limit: usize,
    ) -> Result<Page<Payment>, RepositoryError> {
        let wanted = |record: &PaymentRecord| {
            query
                .merchant
                .as_ref()
                .is_none_or(|wanted| *wanted == record.details.merchant_id)
                && query.status.is_none_or(|wanted| wanted == record.status)
                && query.created_from.is_none_or(|from| record.created_at >= from)
                && query
                    .created_before
                    .is_none_or(|before| record.created_at < before)
                && after.is_none_or(|after| (record.created_at, &record.id) < (after.created_at, &after.id))
        };
        let mut records = self.records();
        records.retain(wanted);
        records.sort_by(|one, other| (other.created_at, &other.id).cmp(&(one.created_at, &one.id)));
        page(records, limit)
    }

    async fn due_for_inquiry(&self, now: Timestamp, limit: usize) -> Result<Vec<PaymentId>, RepositoryError> {
        let due = |record: &PaymentRecord| {
            let times = record
                .operations
                .iter()
                .filter_map(|operation| operation.inquire_at);
            times.filter(|at| *at <= now).min()
        };
        Ok(self.first_by(due, limit))
    }

    async fn overdue(&self, now: Timestamp, limit: usize) -> Result<Vec<PaymentId>, RepositoryError> {
        let overdue = |record: &PaymentRecord| {
            let open = record.operations.iter().any(Operation::is_open);
            record.expires_at.filter(|at| !open && *at <= now)
        };
        Ok(self.first_by(overdue, limit))
    }

    async fn left_to_humans(
        &self,
        after: Option<&PaymentId>,
        limit: usize,
    ) -> Result<Page<Payment>, RepositoryError> {
        let mut records = self.records();
        records.retain(|record| {
            let mut operations = record.operations.iter();
            after.is_none_or(|after| record.id > *after)
                && operations.any(|operation| operation.is_open() && operation.inquire_at.is_none())
        });
        page(records, limit)
    }

    async fn forget_keys(&self, created_before: Timestamp, limit: usize) -> Result<usize, RepositoryError> {
        let mut state = self.0.lock().unwrap();
        let mut old: Vec<_> = state
            .keys
            .iter()
            .filter(|(_, entry)| entry.created_at < created_before)
            .map(|(name, entry)| (entry.created_at, name.clone()))
            .collect();
        old.sort_by_key(|(created_at, _)| *created_at);
        old.truncate(limit);
        for (_, name) in &old {
            state.keys.remove(name);
        }
        Ok(old.len())
    }
}

#[async_trait]
impl EventLog for InMemoryPaymentRepository {
    async fn events_after(
        &self,
        position: u64,
        merchant: Option<&MerchantId>,
        limit: usize,
    ) -> Result<Page<StoredEvent>, RepositoryError> {
        let state = self.0.lock().unwrap();
        let wanted = |event: &&StoredEvent| {
            event.position > position && merchant.is_none_or(|merchant| *merchant == event.merchant_id)
        };
        let mut items: Vec<_> = state
            .events
            .iter()
            .filter(wanted)
            .take(limit + 1)
            .cloned()
            .collect();
        let has_more = items.len() > limit;
        items.truncate(limit);
        Ok(Page { items, has_more })
    }
}

impl InMemoryPaymentRepository {
    /// The names of those records that have a time, the earliest first.
    fn first_by(&self, time: impl Fn(&PaymentRecord) -> Option<Timestamp>, limit: usize) -> Vec<PaymentId> {
        let mut found: Vec<_> = self
            .records()
            .into_iter()
            .filter_map(|record| Some((time(&record)?, record.id)))
            .collect();
        found.sort();
        found.into_iter().take(limit).map(|(_, id)| id).collect()
    }
}

fn page(mut records: Vec<PaymentRecord>, limit: usize) -> Result<Page<Payment>, RepositoryError> {
    let has_more = records.len() > limit;
    records.truncate(limit);
    let restore = |record: PaymentRecord| {
        let id = record.id.clone();
        Payment::restore(record).map_err(|broken| RepositoryError::Corrupt {
            id,
            reason: broken.to_string(),
        })
    };
    let items = records.into_iter().map(restore).collect::<Result<_, _>>()?;
    Ok(Page { items, has_more })
}

fn events_of(payment: &Payment, stored: usize) -> Vec<StoredEvent> {
    let record = payment.record();
    let amounts = payment.amounts();
    let event = |(number, event): (usize, &domain::payment::PaymentEvent)| StoredEvent {
        position: (stored + number + 1) as u64,
        id: format!("evt_{}_{}_{number}", record.id, record.version + 1),
        payment_id: record.id.clone(),
        merchant_id: record.details.merchant_id.clone(),
        event: event.clone(),
        status: record.status,
        amount: record.details.amount,
        captured_minor_units: amounts.captured,
        refunded_minor_units: amounts.refunded,
    };
    payment.events().iter().enumerate().map(event).collect()
}

fn unavailable() -> RepositoryError {
    RepositoryError::Unavailable {
        reason: "the test says so".to_owned(),
    }
}
