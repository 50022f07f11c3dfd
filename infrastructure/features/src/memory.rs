//! Velocity and lists in the memory of one gateway.

mod digests;
mod history;
mod others;
mod recent_payments;
mod series;
mod shard;

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use application::ports::{FeatureStore, FeatureStoreUnavailable, SettledAs};
use async_trait::async_trait;
use domain::Currency;
use domain::feature::{
    FeatureSpec, FeatureValue, MAX_WINDOW_SECONDS, PaymentFilter, Subject, VelocityMeasure,
};
use domain::risk::RiskRequest;
use domain::spelling::normalize;

use crate::config::Config;
use crate::lists::{ListError, SubjectLists};
use history::{History, Occurrence, Window};
use recent_payments::RecentPayments;
use shard::{Shard, ShardLimits};

/// More shards than a machine has cores, so that two payments seldom wait for each other.
const MAX_SHARDS: usize = 64;

/// Below this many entries a shard would fill up long before its neighbours do.
const MIN_SHARD_ENTRIES: usize = 1_024;

/// Counts payments per subject, and knows lists. See the crate's front page for what it promises.
#[derive(Debug)]
pub struct MemoryFeatureStore {
    /// Keyed anew at every start.
    hasher: RandomState,
    lists: Arc<SubjectLists>,
    payments: Box<[Mutex<RecentPayments>]>,
    subjects: Box<[Mutex<Shard>]>,
    /// When the latest payment was made, by its own date.
    latest_second: AtomicU64,
}

/// When an attempt is made that is to be counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    /// As it is counted: its time is now, and what lies far behind it was dated by a clock that was wrong.
    Now,
    /// Before others that were counted already.
    Past,
}

/// The digests of a payment's subjects, in the order of [`Subject::ALL`].
type Subjects = [Option<u64>; Subject::ALL.len()];

impl MemoryFeatureStore {
    /// An empty store with the lists of the configuration.
    ///
    /// # Errors
    /// When a list cannot be kept as it is written.
    pub fn new(config: &Config) -> Result<Self, ListError> {
        Ok(Self::with_lists(
            config,
            Arc::new(SubjectLists::new(&config.lists)?),
        ))
    }

    /// An empty store that looks these lists up.
    #[must_use]
    pub fn with_lists(config: &Config, lists: Arc<SubjectLists>) -> Self {
        let payment_shards = shard_count(config.max_recent_payments);
        let subject_shards = shard_count(config.max_subjects);
        let limits = ShardLimits {
            max_subjects: (config.max_subjects / subject_shards).max(1),
            max_bytes: config.max_memory_bytes / subject_shards,
            max_distinct: config.max_distinct.max(1),
        };
        Self {
            hasher: RandomState::new(),
            lists,
            payments: (0..payment_shards)
                .map(|_| Mutex::new(RecentPayments::new(config.max_recent_payments / payment_shards)))
                .collect(),
            subjects: (0..subject_shards)
                .map(|_| Mutex::new(Shard::new(limits)))
                .collect(),
            latest_second: AtomicU64::new(0),
        }
    }

    /// Takes in a payment of the past, and how it ended where it has: what a store that begins empty is told before, or while,
    /// it counts payments of today. One that is known already is not counted again. To be called with the oldest payment first:
    /// where there are more than the bounds allow, the first ones are forgotten first.
    pub fn take_in(&self, request: &RiskRequest<'_>, settled: Option<SettledAs>) {
        let subjects = self.subjects_of(request);
        self.count(request, &subjects, When::Past);
        if let Some(settled) = settled {
            self.count_end(request, &subjects, settled);
        }
    }

    /// How many subjects are remembered.
    #[must_use]
    pub fn subject_count(&self) -> usize {
        self.subjects.iter().map(|shard| lock(shard).len()).sum()
    }

    /// How many bytes their past takes, about.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.subjects.iter().map(|shard| lock(shard).bytes()).sum()
    }

    fn subjects_of(&self, request: &RiskRequest<'_>) -> Subjects {
        Subject::ALL.map(|subject| {
            let value = request.details.subject(subject)?;
            Some(self.hasher.hash_one((subject, normalize(subject, value))))
        })
    }

    fn recent(&self, request: &RiskRequest<'_>) -> (u64, Option<MutexGuard<'_, RecentPayments>>) {
        // Two merchants may give the same name to different payments.
        let name = (&request.details.merchant_id, request.payment_id);
        let payment = self.hasher.hash_one(name);
        (payment, pick(&self.payments, payment).map(lock))
    }

    /// The time by which subjects are forgotten, given that of the payment that is counted: a single one that is dated far
    /// ahead makes nobody forgotten.
    fn now_second(&self, second: u64) -> u64 {
        second.min(self.latest_second.swap(second, Ordering::Relaxed))
    }

    fn shard(&self, subject: u64) -> Option<MutexGuard<'_, Shard>> {
        pick(&self.subjects, subject).map(lock)
    }

    /// Counts the payment with those of its subjects that it was not counted with before; a name that a caller gives to
    /// many payments hides none of their subjects. The payment's own lock is held meanwhile, so that whoever observes
    /// the same payment finds it counted.
    fn count(&self, request: &RiskRequest<'_>, subjects: &Subjects, when: When) {
        let (payment, recent) = self.recent(request);
        let Some(mut recent) = recent else { return };
        let new = recent.observe(payment, subjects);
        if new.iter().all(Option::is_none) {
            return;
        }
        let occurrence = Occurrence::of(request, PaymentFilter::Attempted, subjects);
        let now_second = match when {
            When::Now => self.now_second(occurrence.second),
            When::Past => self.latest_second.load(Ordering::Relaxed),
        };
        for (subject, new) in subjects.iter().zip(new) {
            if let Some(subject) = *subject
                && let Some(mut shard) = self.shard(subject)
            {
                if new.is_some() {
                    shard.record_attempt(subject, &occurrence, now_second, when);
                } else {
                    shard.record_meeting(subject, &occurrence);
                }
            }
        }
    }

    fn count_end(&self, request: &RiskRequest<'_>, subjects: &Subjects, settled: SettledAs) {
        let filter = match settled {
            SettledAs::Approved => PaymentFilter::Approved,
            SettledAs::Declined => PaymentFilter::Declined,
        };
        let (payment, recent) = self.recent(request);
        if let Some(mut recent) = recent
            && recent.settle(payment)
        {
            let occurrence = Occurrence::of(request, filter, subjects);
            for subject in subjects.iter().flatten() {
                if let Some(mut shard) = self.shard(*subject) {
                    shard.record_settlement(*subject, &occurrence);
                }
            }
        }
    }

    /// All features, in their order. Those of one subject that follow each other are read at one look.
    fn read(
        &self,
        request: &RiskRequest<'_>,
        subjects: &Subjects,
        features: &[FeatureSpec],
    ) -> Vec<FeatureValue> {
        let mut values = Vec::with_capacity(features.len());
        for some in features.chunk_by(|left, right| {
            velocity_of(left).is_some_and(|subject| velocity_of(right) == Some(subject))
        }) {
            let key = some.first().and_then(velocity_of);
            let key = key.and_then(|subject| subjects.get(subject as usize).copied().flatten());
            let shard = key.and_then(|key| self.shard(key));
            let history = key.zip(shard.as_deref()).map(|(key, shard)| shard.history(key));
            values.extend(some.iter().map(|feature| match feature {
                FeatureSpec::Listed { list, subject } => self.lists.lookup(list, *subject, request),
                FeatureSpec::Velocity {
                    subject,
                    measure,
                    filter,
                    window_seconds,
                } => history.map_or(FeatureValue::Unavailable, |history| {
                    let window = Window {
                        from_second: first_second(request, *window_seconds),
                        filter: *filter,
                    };
                    measured(
                        history,
                        *subject,
                        *measure,
                        window,
                        request.details.amount.currency(),
                    )
                }),
            }));
        }
        values
    }
}

/// Whose past a feature counts, where it counts one.
const fn velocity_of(feature: &FeatureSpec) -> Option<Subject> {
    match feature {
        FeatureSpec::Velocity { subject, .. } => Some(*subject),
        FeatureSpec::Listed { .. } => None,
    }
}

/// What a subject's past says; of one that is not known there is none.
fn measured(
    history: Option<&History>,
    subject: Subject,
    measure: VelocityMeasure,
    window: Window,
    currency: Currency,
) -> FeatureValue {
    let count = |count: fn(&History, Window) -> u64| history.map_or(0, |history| count(history, window));
    match measure {
        VelocityMeasure::Count => FeatureValue::Count(count(History::count)),
        VelocityMeasure::Amount => {
            FeatureValue::Amount(history.map_or(0, |history| history.amount(window, currency)))
        }
        // A subject is only ever seen together with itself.
        VelocityMeasure::Distinct(other) if other == subject => {
            FeatureValue::Count(count(History::count).min(1))
        }
        VelocityMeasure::Distinct(other) => {
            FeatureValue::Count(history.map_or(0, |history| history.distinct(window, other)))
        }
    }
}

#[async_trait]
impl FeatureStore for MemoryFeatureStore {
    async fn observe(
        &self,
        request: &RiskRequest<'_>,
        features: &[FeatureSpec],
    ) -> Result<Vec<FeatureValue>, FeatureStoreUnavailable> {
        let subjects = self.subjects_of(request);
        // Counted everywhere before anything is read: of two payments at the same time the one that is counted last
        // sees the other in every feature.
        self.count(request, &subjects, When::Now);
        Ok(self.read(request, &subjects, features))
    }

    async fn settle(
        &self,
        request: &RiskRequest<'_>,
        settled: SettledAs,
    ) -> Result<(), FeatureStoreUnavailable> {
        let subjects = self.subjects_of(request);
        self.count_end(request, &subjects, settled);
        Ok(())
    }
}

/// The first second of a window that ends with the payment's own second.
fn first_second(request: &RiskRequest<'_>, window_seconds: u32) -> u64 {
    let window = u64::from(window_seconds.clamp(1, MAX_WINDOW_SECONDS));
    (second_of(request) + 1).saturating_sub(window)
}

fn second_of(request: &RiskRequest<'_>) -> u64 {
    request.created_at.unix_millis() / 1_000
}

fn shard_count(entries: usize) -> usize {
    (entries / MIN_SHARD_ENTRIES).clamp(1, MAX_SHARDS)
}

fn pick<T>(shards: &[Mutex<T>], key: u64) -> Option<&Mutex<T>> {
    // The remainder is less than the number of shards, which fits.
    let index = key % (shards.len().max(1) as u64);
    shards.get(usize::try_from(index).unwrap_or_default())
}

/// A thread that panicked left counts at worst one payment short; that is no reason to fail every later one.
fn lock<T>(shard: &Mutex<T>) -> MutexGuard<'_, T> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}
