//! Velocity in Redis, shared by several gateways.
//!
//! One payment is one call of `redis/count.lua`, which says how a subject's past is kept. A window of less than 512 seconds
//! is counted to the second; a longer one is read from buckets of at most 1/64 of its length, so that it never misses a
//! payment, and may hold older ones of at most 1/64 of its length beyond its far edge. Sums above 9,007,199,254,740,991
//! minor units are told as that.

mod answer;
mod connection;
mod digest;

use std::sync::Arc;
use std::time::Duration;

use application::ports::{FeatureStore, FeatureStoreUnavailable, SettledAs};
use async_trait::async_trait;
use domain::feature::{
    FeatureSpec, FeatureValue, MAX_WINDOW_SECONDS, PaymentFilter, Subject, VelocityMeasure,
};
use domain::risk::RiskRequest;
use redis::aio::ConnectionManager;
use redis::{Script, ScriptInvocation};
use tokio::time::timeout;

use crate::config::{Config, RedisConfig};
use crate::lists::SubjectLists;
use digest::Digest;

pub use connection::RedisConfigError;
pub use digest::SubjectKey;

/// Checks how Redis is reached, and connects to nobody.
pub(crate) fn check_redis(config: &RedisConfig) -> Result<(), RedisConfigError> {
    connection::connection_info(config).map(|_| ())
}

/// How long a subject is kept after its last payment, in seconds: as long as the longest window reaches, and a day more for
/// clocks that differ and payments that come late.
const KEEP_SUBJECT_SECONDS: u64 = MAX_WINDOW_SECONDS as u64 + 24 * 3_600;

/// Counts payments per subject in Redis, and knows lists. See the crate's front page for what it promises.
pub struct RedisFeatureStore {
    connection: ConnectionManager,
    script: Script,
    key: SubjectKey,
    lists: Arc<SubjectLists>,
    prefix: Box<str>,
    deadline: Duration,
    max_distinct: usize,
    keep_payment_seconds: u64,
}

impl std::fmt::Debug for RedisFeatureStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisFeatureStore")
            .field("prefix", &self.prefix)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

/// The subjects of one payment that it has, with their digests.
type Subjects = Vec<(Subject, Digest)>;

impl RedisFeatureStore {
    /// A store that connects when it is first asked. Redis need not be there yet: until it is, every feature is
    /// unavailable. Called inside a tokio runtime.
    ///
    /// # Errors
    /// When the configuration says nothing that can be connected to.
    pub fn open(
        config: &Config,
        key: SubjectKey,
        lists: Arc<SubjectLists>,
    ) -> Result<Self, RedisConfigError> {
        Ok(Self {
            connection: connection::open(&config.redis)?,
            script: Script::new(include_str!("redis/count.lua")),
            key,
            lists,
            prefix: config.redis.key_prefix.as_str().into(),
            deadline: Duration::from_millis(config.deadline_ms.max(1)),
            max_distinct: config.max_distinct.max(1),
            keep_payment_seconds: config.redis.remember_payments_hours.max(1).saturating_mul(3_600),
        })
    }

    fn subjects_of(&self, request: &RiskRequest<'_>) -> Subjects {
        let digests = Subject::ALL.into_iter().filter_map(|subject| {
            let value = request.details.subject(subject)?;
            Some((subject, self.key.subject(subject, value)))
        });
        digests.collect()
    }

    /// The call that counts the payment and reads nothing yet.
    fn call(
        &self,
        request: &RiskRequest<'_>,
        subjects: &Subjects,
        filter: PaymentFilter,
    ) -> ScriptInvocation<'_> {
        let amount = request.details.amount;
        let payment = self.key.payment(&request.details.merchant_id, request.payment_id);
        let mut call = self.script.prepare_invoke();
        call.key(format!("{}p:{}", self.prefix, payment.hex()));
        for (_, digest) in subjects {
            call.key(format!("{}s:{}", self.prefix, digest.hex()));
        }
        call.arg(filter as u8)
            .arg(request.created_at.unix_millis() / 1_000)
            .arg(amount.currency().code())
            .arg(amount.minor_units())
            .arg(self.max_distinct)
            .arg(self.keep_payment_seconds)
            .arg(KEEP_SUBJECT_SECONDS);
        for (subject, digest) in subjects {
            call.arg(*subject as u8).arg(digest.short());
        }
        call
    }

    /// Asks once. Whoever is answered too late is counted all the same where the call had reached Redis.
    async fn ask(&self, call: &ScriptInvocation<'_>) -> Result<Vec<i64>, FeatureStoreUnavailable> {
        let mut connection = self.connection.clone();
        match timeout(self.deadline, call.invoke_async(&mut connection)).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(unavailable(format!("Redis: {error}"))),
            Err(_elapsed) => Err(unavailable(format!(
                "Redis did not answer within {} ms",
                self.deadline.as_millis()
            ))),
        }
    }
}

#[async_trait]
impl FeatureStore for RedisFeatureStore {
    async fn observe(
        &self,
        request: &RiskRequest<'_>,
        features: &[FeatureSpec],
    ) -> Result<Vec<FeatureValue>, FeatureStoreUnavailable> {
        let subjects = self.subjects_of(request);
        let mut call = self.call(request, &subjects, PaymentFilter::Attempted);
        for feature in features {
            ask_for(&mut call, feature, &subjects);
        }
        let answer = self.ask(&call).await?;
        answer::values(features, &subjects, answer, |list, subject| {
            self.lists.lookup(list, subject, request)
        })
    }

    fn at_hand(&self, request: &RiskRequest<'_>, features: &[FeatureSpec]) -> Vec<FeatureValue> {
        let value = |feature: &FeatureSpec| match feature {
            FeatureSpec::Listed { list, subject } => self.lists.lookup(list, *subject, request),
            FeatureSpec::Velocity { .. } => FeatureValue::Unavailable,
        };
        features.iter().map(value).collect()
    }

    async fn settle(
        &self,
        request: &RiskRequest<'_>,
        settled: SettledAs,
    ) -> Result<(), FeatureStoreUnavailable> {
        let filter = match settled {
            SettledAs::Approved => PaymentFilter::Approved,
            SettledAs::Declined => PaymentFilter::Declined,
        };
        let subjects = self.subjects_of(request);
        let call = self.call(request, &subjects, filter);
        self.ask(&call).await.map(|_| ())
    }
}

/// Adds a feature to the call, where it is one that Redis answers and the payment has its subject.
fn ask_for(call: &mut ScriptInvocation<'_>, feature: &FeatureSpec, subjects: &Subjects) {
    let FeatureSpec::Velocity {
        subject,
        measure,
        filter,
        window_seconds,
    } = feature
    else {
        return;
    };
    let Some(place) = subjects.iter().position(|(known, _)| known == subject) else {
        return;
    };
    let (measure, other) = match measure {
        VelocityMeasure::Count => ("c", 0),
        VelocityMeasure::Amount => ("a", 0),
        VelocityMeasure::Distinct(other) => ("d", *other as u8),
    };
    call.arg(place + 1)
        .arg(measure)
        .arg(*filter as u8)
        .arg((*window_seconds).clamp(1, MAX_WINDOW_SECONDS))
        .arg(other);
}

fn unavailable(reason: String) -> FeatureStoreUnavailable {
    FeatureStoreUnavailable { reason }
}
