//! Features counted from a plain list of payments: slow, exact, and plain enough to be believed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use application::ports::{FeatureStore, FeatureStoreUnavailable, SettledAs};
use async_trait::async_trait;
use domain::PaymentId;
use domain::feature::{FeatureSpec, FeatureValue, PaymentFilter, Subject, VelocityMeasure};
use domain::payment::PaymentDetails;
use domain::risk::RiskRequest;

#[derive(Clone, Debug)]
struct Observed {
    id: PaymentId,
    details: PaymentDetails,
    second: u64,
    settled: Option<SettledAs>,
}

/// Remembers every payment, and can be made unavailable.
#[derive(Debug, Default)]
pub struct InMemoryFeatureStore {
    payments: Mutex<Vec<Observed>>,
    lists: Mutex<BTreeMap<String, BTreeSet<(Subject, String)>>>,
    unavailable: AtomicBool,
}

impl InMemoryFeatureStore {
    /// From now on nothing can be counted, and lists are all that is at hand.
    pub fn become_unavailable(&self) {
        self.unavailable.store(true, Ordering::SeqCst);
    }

    /// Puts a value on a list.
    pub fn list(&self, list: &str, subject: Subject, value: &str) {
        let mut lists = self.lists.lock().unwrap();
        let entry = (subject, spelled(subject, value));
        lists.entry(list.to_owned()).or_default().insert(entry);
    }

    /// How a payment settled; none where it did not, or was not observed.
    #[must_use]
    pub fn settled(&self, id: &PaymentId) -> Option<SettledAs> {
        let payments = self.payments.lock().unwrap();
        payments.iter().find(|payment| payment.id == *id)?.settled
    }

    fn check(&self) -> Result<(), FeatureStoreUnavailable> {
        if self.unavailable.load(Ordering::SeqCst) {
            return Err(FeatureStoreUnavailable {
                reason: "the test says so".to_owned(),
            });
        }
        Ok(())
    }

    fn listed(&self, request: &RiskRequest<'_>, list: &str, subject: Subject) -> FeatureValue {
        let Some(value) = subject_of(request.details, subject) else {
            return FeatureValue::Unavailable;
        };
        match self.lists.lock().unwrap().get(list) {
            Some(list) => FeatureValue::Listed(list.contains(&(subject, value))),
            None => FeatureValue::Unavailable,
        }
    }
}

fn spelled(subject: Subject, value: &str) -> String {
    match subject {
        Subject::Email => value.to_lowercase(),
        _ => value.to_owned(),
    }
}

fn subject_of(details: &PaymentDetails, subject: Subject) -> Option<String> {
    details.subject(subject).map(|value| spelled(subject, value))
}

fn passes(filter: PaymentFilter, payment: &Observed) -> bool {
    match filter {
        PaymentFilter::Attempted => true,
        PaymentFilter::Approved => payment.settled == Some(SettledAs::Approved),
        PaymentFilter::Declined => payment.settled == Some(SettledAs::Declined),
    }
}

#[async_trait]
impl FeatureStore for InMemoryFeatureStore {
    async fn observe(
        &self,
        request: &RiskRequest<'_>,
        features: &[FeatureSpec],
    ) -> Result<Vec<FeatureValue>, FeatureStoreUnavailable> {
        self.check()?;
        let mut payments = self.payments.lock().unwrap();
        let now = request.created_at.unix_millis() / 1_000;
        if !payments.iter().any(|payment| payment.id == *request.payment_id) {
            payments.push(Observed {
                id: request.payment_id.clone(),
                details: request.details.clone(),
                second: now,
                settled: None,
            });
        }
        let value = |feature: &FeatureSpec| match feature {
            FeatureSpec::Listed { list, subject } => self.listed(request, list, *subject),
            FeatureSpec::Velocity {
                subject,
                measure,
                filter,
                window_seconds,
            } => {
                let Some(own) = subject_of(request.details, *subject) else {
                    return FeatureValue::Unavailable;
                };
                let counted = payments.iter().filter(|payment| {
                    subject_of(&payment.details, *subject).as_ref() == Some(&own)
                        && passes(*filter, payment)
                        && payment.second + u64::from(*window_seconds) > now
                });
                match measure {
                    VelocityMeasure::Count => FeatureValue::Count(counted.count() as u64),
                    VelocityMeasure::Amount => FeatureValue::Amount(
                        counted
                            .map(|payment| payment.details.amount)
                            .filter(|amount| amount.currency() == request.details.amount.currency())
                            .map(|amount| amount.minor_units())
                            .sum(),
                    ),
                    VelocityMeasure::Distinct(other) => {
                        let others: BTreeSet<String> = counted
                            .filter_map(|payment| subject_of(&payment.details, *other))
                            .collect();
                        FeatureValue::Count(others.len() as u64)
                    }
                }
            }
        };
        Ok(features.iter().map(value).collect())
    }

    fn at_hand(&self, request: &RiskRequest<'_>, features: &[FeatureSpec]) -> Vec<FeatureValue> {
        let value = |feature: &FeatureSpec| match feature {
            FeatureSpec::Listed { list, subject } => self.listed(request, list, *subject),
            FeatureSpec::Velocity { .. } => FeatureValue::Unavailable,
        };
        features.iter().map(value).collect()
    }

    async fn settle(
        &self,
        request: &RiskRequest<'_>,
        settled: SettledAs,
    ) -> Result<(), FeatureStoreUnavailable> {
        self.check()?;
        let mut payments = self.payments.lock().unwrap();
        if let Some(payment) = payments
            .iter_mut()
            .find(|payment| payment.id == *request.payment_id)
        {
            payment.settled.get_or_insert(settled);
        }
        Ok(())
    }
}
