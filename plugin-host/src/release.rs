//! A release: a policy with what its document says about it.

use std::sync::Arc;
use std::time::Duration;

use domain::feature::FeatureValue;
use domain::payment::PaymentDetails;
use domain::risk::{
    EvaluationResult, FailureMode, Fault, FaultKind, PolicyEvaluation, PolicyIdentity, Verdict,
};
use domain::{Money, Timestamp};

use crate::contract::request::{Inputs, PaymentView};
use crate::document::limits::MAX_DEADLINE_MS;
use crate::document::{Limits, ParameterValue, PolicyDocument, Scope};
use crate::fault_log::FaultLog;
use crate::lane::Lane;
use crate::load_error::LoadError;
use crate::metrics::PolicyMetrics;
use crate::pace::{LanePlace, Pace, SLICE, SLICE_FUEL, SLICE_MS};
use crate::policy::Policy;
use crate::processor_time;
use crate::quarantine::Quarantine;
use crate::rollout::Said;
use crate::sandbox::{Called, RunsOn};

/// One release, ready to decide.
pub(crate) struct Release {
    policy: Arc<Policy>,
    identity: Arc<PolicyIdentity>,
    limits: Limits,
    /// Those of a run on the payment's own thread: no more time and fuel than the slice has.
    slice: Limits,
    /// Those of a run beside payments, which has the time that its thread is left.
    beside: Limits,
    pace: Pace,
    faults: FaultLog,
    failure_mode: FailureMode,
    scope: Scope,
    priority: u32,
    parameters: Vec<(Box<str>, ParameterValue)>,
    since: Timestamp,
    metrics: PolicyMetrics,
    quarantine: Arc<Quarantine>,
}

impl Release {
    /// Joins a document with its policy.
    ///
    /// # Errors
    /// When the document does not grant what the policy reads, or sets parameters that it does not have.
    pub(crate) fn new(
        policy: Arc<Policy>,
        document: &PolicyDocument,
        since: Timestamp,
        metrics: PolicyMetrics,
        quarantine: Quarantine,
    ) -> Result<Self, LoadError> {
        check_document(&policy, document)?;
        let described = policy.described();
        let parameters = described
            .parameters
            .iter()
            .map(|(name, default)| {
                (
                    name.clone(),
                    document.parameters.get(name).unwrap_or(default).clone(),
                )
            })
            .collect();
        let identity = Arc::new(PolicyIdentity {
            name: document.name.as_str().into(),
            version: document.version.as_str().into(),
            sequence: document.sequence,
            digest: policy.digest().to_string().into(),
        });
        Ok(Self {
            identity,
            limits: document.limits,
            slice: sliced(&document.limits),
            beside: unhurried(&document.limits),
            pace: Pace::default(),
            faults: FaultLog::new(),
            failure_mode: document.failure_mode().clone(),
            scope: document.scope.clone(),
            priority: document.priority,
            parameters,
            since,
            metrics,
            quarantine: Arc::new(quarantine),
            policy,
        })
    }

    /// The same, whose quarantine is that of the release before it: both are the same to payments.
    #[must_use]
    pub(crate) fn continuing(self, before: &Self) -> Self {
        Self {
            quarantine: Arc::clone(&before.quarantine),
            ..self
        }
    }

    /// Which release it is.
    pub(crate) const fn identity(&self) -> &Arc<PolicyIdentity> {
        &self.identity
    }

    /// How long one evaluation may take.
    pub(crate) fn deadline(&self) -> Duration {
        self.limits.deadline()
    }

    /// The policy that it runs.
    pub(crate) const fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    /// Since when it decides, on this node.
    pub(crate) const fn since(&self) -> Timestamp {
        self.since
    }

    /// Whether it faulted too often to be run.
    pub(crate) const fn quarantine(&self) -> &Arc<Quarantine> {
        &self.quarantine
    }

    /// What operators see of its policy in numbers.
    pub(crate) const fn metrics(&self) -> &PolicyMetrics {
        &self.metrics
    }

    /// Lower runs first; equal ones by name.
    pub(crate) fn order(&self) -> (u32, &str) {
        (self.priority, &self.identity.name)
    }

    /// Whether a payment is in its scope.
    pub(crate) fn includes(&self, details: &PaymentDetails) -> bool {
        self.scope.includes(details)
    }

    /// Runs the policy on the payment's own thread, as long as it ends within the slice. None where it did not, or is known
    /// not to: run it on the lane then.
    pub(crate) fn evaluate_at_once(
        &self,
        payment: &PaymentView<'_>,
        amount: Money,
        features: &[FeatureValue],
        indices: &[usize],
    ) -> Option<PolicyEvaluation> {
        if self.pace.is_slow() {
            return None;
        }
        let called = self.call(payment, features, indices, &self.slice, RunsOn::PaymentThread);
        // What the document gives beyond the slice might have been enough.
        let interrupted = called.result.as_ref().is_err_and(|fault| match fault.kind {
            FaultKind::Deadline => self.slice.deadline_ms() < self.limits.deadline_ms(),
            FaultKind::OutOfFuel => self.slice.fuel() < self.limits.fuel(),
            _ => false,
        });
        if interrupted {
            self.pace.was_interrupted();
            self.metrics.interrupted();
            return None;
        }
        if called.elapsed > SLICE {
            // Its deadline is no longer than the slice, so that this counts; the next one holds no payment's thread up.
            self.pace.was_interrupted();
        }
        Some(self.finish(called, amount))
    }

    /// Runs the policy with its whole deadline. Only on a thread that nobody else waits for. What comes of it counts when
    /// the payment takes it, by [`Release::finish`].
    pub(crate) fn call_in_lane(
        &self,
        payment: &PaymentView<'_>,
        features: &[FeatureValue],
        indices: &[usize],
    ) -> Called<Verdict> {
        let called = self.call(payment, features, indices, &self.limits, RunsOn::OwnThread);
        self.pace.took(called.elapsed);
        called
    }

    /// Runs the policy beside a payment, on a thread that comes after all others. What comes of it only tells how the release
    /// does, and so the deadline is one of the processor's time there, not of time on the wall. Says how much it took of that.
    pub(crate) fn call_beside(
        &self,
        payment: &PaymentView<'_>,
        features: &[FeatureValue],
        indices: &[usize],
    ) -> (Called<Verdict>, Duration) {
        let began = processor_time::of_this_thread();
        let deadline = self.limits.deadline();
        let mut called = self.call(payment, features, indices, &self.beside, RunsOn::Beside(deadline));
        let ended = processor_time::of_this_thread();
        let took = began.zip(ended).map(|(began, ended)| ended.saturating_sub(began));
        let took = took.unwrap_or(called.elapsed);
        called.result = judged_by(took, &self.limits, called.result);
        (called, took)
    }

    /// What a run beside a payment said.
    pub(crate) fn said(&self, result: &Result<Verdict, Fault>, amount: Money) -> Said {
        match result {
            Ok(verdict) => Said::verdict(verdict),
            Err(fault) => Said::fault(fault, self.failure_mode.outcome(fault.kind, amount)),
        }
    }

    /// A place among the evaluations of this release that wait for the lane or are on it; none where it has its share.
    pub(crate) fn enter(&self, lane: &Lane) -> Option<LanePlace<'_>> {
        self.pace.enter_lane(lane.places(self.pace.usual()))
    }

    /// What stands in where no thread was free to run the policy.
    pub(crate) fn unavailable(&self, amount: Money) -> PolicyEvaluation {
        self.not_run(
            FaultKind::Unavailable,
            "no thread was free to run the policy",
            amount,
        )
    }

    /// What stands in while it is quarantined and no other release can decide.
    pub(crate) fn quarantined(&self, amount: Money) -> PolicyEvaluation {
        let detail = "the policy faulted too often of late and is not run; no earlier release can decide";
        self.not_run(FaultKind::Quarantined, detail, amount)
    }

    fn not_run(&self, kind: FaultKind, detail: &str, amount: Money) -> PolicyEvaluation {
        let fault = Fault {
            kind,
            detail: detail.into(),
        };
        let identity = Arc::clone(&self.identity);
        self.record(PolicyEvaluation::new(
            identity,
            Err(fault),
            &self.failure_mode,
            amount,
            Vec::new(),
            0,
            0,
        ))
    }

    /// An evaluation that stands: it is counted, and what the guest said is heard.
    pub(crate) fn finish(&self, called: Called<Verdict>, amount: Money) -> PolicyEvaluation {
        self.record(PolicyEvaluation::new(
            Arc::clone(&self.identity),
            called.result,
            &self.failure_mode,
            amount,
            called.said.finish(),
            called.fuel_used,
            u64::try_from(called.elapsed.as_nanos()).unwrap_or(u64::MAX),
        ))
    }

    /// Counts an evaluation that stands, and logs its fault.
    fn record(&self, evaluation: PolicyEvaluation) -> PolicyEvaluation {
        self.metrics.count(&evaluation);
        // That a policy is quarantined was logged when that began.
        if let EvaluationResult::Fault { fault, outcome } = &evaluation.result
            && fault.kind != FaultKind::Quarantined
        {
            self.faults.log(&self.identity, fault, *outcome);
        }
        evaluation
    }

    /// Runs the policy once. `features` are the set's, `indices` say which of them are the policy's own.
    fn call(
        &self,
        payment: &PaymentView<'_>,
        features: &[FeatureValue],
        indices: &[usize],
        limits: &Limits,
        runs_on: RunsOn,
    ) -> Called<Verdict> {
        let values = indices
            .iter()
            .map(|index| features.get(*index).copied().unwrap_or(FeatureValue::Unavailable));
        let inputs = Inputs {
            payment,
            features: values,
            parameters: &self.parameters,
        };
        self.policy.evaluate(inputs, limits, runs_on, &self.identity)
    }
}

/// The limits of a run on the payment's own thread.
fn sliced(limits: &Limits) -> Limits {
    let deadline_ms = limits.deadline_ms().min(SLICE_MS);
    let fuel = limits.fuel().min(SLICE_FUEL);
    Limits::new(fuel, deadline_ms, limits.memory_bytes()).unwrap_or(*limits)
}

/// How much longer than its deadline a run beside payments may take by the clock on the wall: its thread has an eighth of a core
/// that payments want.
const UNHURRIED: u32 = 8;

/// The limits of a run beside payments.
fn unhurried(limits: &Limits) -> Limits {
    let deadline_ms = limits
        .deadline_ms()
        .saturating_mul(UNHURRIED)
        .min(MAX_DEADLINE_MS);
    Limits::new(limits.fuel(), deadline_ms, limits.memory_bytes()).unwrap_or(*limits)
}

/// What a run would have come to that had the processor to itself: one that needed more of it than its deadline has met that, and
/// one that met the longer deadline says nothing where it had clearly less than its own. Clearly: the longest deadline is no
/// longer here, so one that ran through to it had nearly all of that.
fn judged_by(took: Duration, limits: &Limits, result: Result<Verdict, Fault>) -> Result<Verdict, Fault> {
    let fault = |kind, detail: String| {
        Err(Fault {
            kind,
            detail: detail.into(),
        })
    };
    let deadline = limits.deadline();
    match result {
        Ok(_) if took > deadline => fault(
            FaultKind::Deadline,
            format!("answered after {} µs of the processor", took.as_micros()),
        ),
        Err(Fault {
            kind: FaultKind::Deadline,
            ..
        }) if took < deadline / 2 => fault(
            FaultKind::Unavailable,
            format!("had only {} µs of the processor", took.as_micros()),
        ),
        result => result,
    }
}

/// Holds a document against what its policy says of itself.
pub(crate) fn check_document(policy: &Policy, document: &PolicyDocument) -> Result<(), LoadError> {
    let expected = policy.contract().package();
    if document.contract.as_str() != expected {
        let found = document.contract.as_str().to_owned();
        return Err(LoadError::OtherContract { expected, found });
    }
    let described = policy.described();
    let mut reads = described.reads.iter();
    if let Some(part) = reads.find(|part| !document.grants.contains(*part)) {
        return Err(LoadError::PartNotGranted { part: part.as_str() });
    }
    for (name, value) in document.parameters.iter() {
        let Some((_, default)) = described
            .parameters
            .iter()
            .find(|(known, _)| **known == *name.as_str())
        else {
            let known: Vec<&str> = described.parameters.iter().map(|(known, _)| &**known).collect();
            let known = if known.is_empty() {
                "none".to_owned()
            } else {
                known.join(", ")
            };
            return Err(LoadError::UnknownParameter {
                name: name.as_str().to_owned(),
                known,
            });
        };
        if default.kind() != value.kind() {
            return Err(LoadError::ParameterKind {
                name: name.as_str().to_owned(),
                expected: default.kind(),
                found: value.kind(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
