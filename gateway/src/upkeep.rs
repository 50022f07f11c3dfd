//! What happens to payments by itself: operations whose end is not known are asked about, what nobody acts on expires, keys are
//! forgotten.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use application::operation_runner::{OperationRunner, RunError};
use application::ports::{IdGenerator, PaymentCatalog, RepositoryError};
use application::use_cases::{ExpirePayment, FollowUpError, ResolveOperation, ResolveOperationError};
use domain::{PaymentId, Timestamp};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::PaymentsConfig;

/// How many payments are taken up in one round; what is left comes in the next one.
const ROUND_PAYMENTS: usize = 256;

/// How many of them are worked on at once: what an acquirer that is just back is asked by one gateway.
const AT_ONCE: usize = 8;

/// Each so many rounds keys are forgotten and what is left to humans is counted.
const SELDOM_ROUNDS: u64 = 60;

/// How many keys are forgotten at once: a transaction of some milliseconds.
const FORGOTTEN_AT_ONCE: usize = 1_000;

/// How many operations that are left to humans are counted; more are one number with so many.
const COUNTED_AT_MOST: usize = 100;

/// Looks after payments.
pub(crate) struct Upkeep {
    resolve: ResolveOperation,
    expire: ExpirePayment,
    catalog: Arc<dyn PaymentCatalog>,
    interval: Duration,
    key_ms: u64,
    unresolved: Gauge<i64, AtomicI64>,
}

impl Upkeep {
    pub(crate) fn new(
        config: &PaymentsConfig,
        runner: &OperationRunner,
        ids: &Arc<dyn IdGenerator>,
        catalog: Arc<dyn PaymentCatalog>,
        registry: &mut Registry,
    ) -> Self {
        let unresolved = Gauge::default();
        registry.sub_registry_with_prefix("portcullis").register(
            "operations_left_to_humans",
            "Operations whose end the acquirer never told, however often it was asked; 100 where there are more",
            unresolved.clone(),
        );
        Self {
            resolve: ResolveOperation {
                runner: runner.clone(),
            },
            expire: ExpirePayment {
                runner: runner.clone(),
                ids: Arc::clone(ids),
            },
            catalog,
            interval: Duration::from_millis(config.upkeep_interval_ms.max(1)),
            key_ms: config.key_seconds.saturating_mul(1_000),
            unresolved,
        }
    }

    /// Looks after payments until it is told to stop; what it has begun by then comes to its end.
    pub(crate) async fn run(self, stop: &CancellationToken) {
        let mut round = 0_u64;
        while !stop.is_cancelled() {
            self.ask_and_expire(stop).await;
            if round.is_multiple_of(SELDOM_ROUNDS) {
                self.forget_and_count().await;
            }
            round = round.wrapping_add(1);
            let _stopped = tokio::time::timeout(self.interval, stop.cancelled()).await;
        }
    }

    fn now(&self) -> Timestamp {
        self.resolve.runner.clock.now()
    }

    async fn ask_and_expire(&self, stop: &CancellationToken) {
        let due = self.catalog.due_for_inquiry(self.now(), ROUND_PAYMENTS).await;
        each(stop, names(due), |id| {
            let resolve = self.resolve.clone();
            async move {
                match resolve.execute(&id).await {
                    // Somebody else has learned it, or is about to.
                    Ok(_) | Err(ResolveOperationError::Repository(RepositoryError::Conflict { .. })) => {}
                    Err(error) => {
                        tracing::warn!(payment.id = %id, %error, "an operation was not asked about")
                    }
                }
            }
        })
        .await;
        let overdue = self.catalog.overdue(self.now(), ROUND_PAYMENTS).await;
        each(stop, names(overdue), |id| {
            let expire = self.expire.clone();
            async move {
                match expire.execute(&id).await {
                    Ok(_) => {}
                    // Somebody has acted on it in this very moment.
                    Err(FollowUpError::Refused(_) | FollowUpError::Run(RunError::NotStored(_))) => {}
                    Err(error) => tracing::warn!(payment.id = %id, %error, "a payment did not expire"),
                }
            }
        })
        .await;
    }

    async fn forget_and_count(&self) {
        let before = self.now().unix_millis().saturating_sub(self.key_ms);
        let before = Timestamp::from_unix_millis(before);
        loop {
            match self.catalog.forget_keys(before, FORGOTTEN_AT_ONCE).await {
                Ok(FORGOTTEN_AT_ONCE..) => {}
                Ok(_) => break,
                Err(error) => {
                    tracing::warn!(%error, "old idempotency keys were not forgotten");
                    break;
                }
            }
        }
        match self.catalog.left_to_humans(None, COUNTED_AT_MOST).await {
            Ok(page) => {
                self.unresolved
                    .set(i64::try_from(page.items.len()).unwrap_or(i64::MAX));
            }
            Err(error) => tracing::warn!(%error, "operations that are left to humans were not counted"),
        }
    }
}

fn names(found: Result<Vec<PaymentId>, RepositoryError>) -> Vec<PaymentId> {
    found.unwrap_or_else(|error| {
        tracing::warn!(%error, "it cannot be told which payments are due");
        Vec::new()
    })
}

/// Works on several payments at once, and takes up no more when it is told to stop.
async fn each<F>(stop: &CancellationToken, ids: Vec<PaymentId>, work: impl Fn(PaymentId) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let mut running = JoinSet::new();
    for id in ids {
        if stop.is_cancelled() {
            break;
        }
        if running.len() >= AT_ONCE {
            report(running.join_next().await);
        }
        running.spawn(work(id));
    }
    while let Some(ended) = running.join_next().await {
        report(Some(ended));
    }
}

fn report(ended: Option<Result<(), tokio::task::JoinError>>) {
    if let Some(Err(error)) = ended {
        tracing::error!(%error, "the work on a payment broke off");
    }
}
