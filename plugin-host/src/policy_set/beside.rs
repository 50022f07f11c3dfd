//! What is run beside a payment that does not wait for it: a candidate in shadow, or the release in force where its candidate
//! decides. What comes of it is counted and compared, and goes nowhere else.

use std::sync::Arc;

use domain::risk::{PolicyEvaluation, RiskRequest};

use crate::contract::request::PaymentView;
use crate::lane::Lane;
use crate::rollout::{Place, Rollout, Said};
use crate::sandbox::Secrets;

use super::slot::Slot;
use super::{Entry, OwnedRequest};

/// A candidate in the set.
pub(super) struct OnTrial {
    pub(super) entry: Arc<Entry>,
    pub(super) rollout: Arc<Rollout>,
}

/// One run beside a payment.
pub(super) struct Beside {
    entry: Arc<Entry>,
    place: Place,
    runs: Runs,
}

/// Which of the two is run, and what the payment was told.
enum Runs {
    /// The candidate. Nothing to compare it with where the release in force did not answer.
    Candidate(Option<Said>),
    /// The release in force; the candidate said this.
    InForce(Said),
}

impl Slot {
    /// What is to be run beside a payment, once its own evaluation is settled.
    pub(super) fn beside(
        &self,
        decided: Option<(&Arc<Entry>, &PolicyEvaluation)>,
        request: &RiskRequest<'_>,
        lane: &Lane,
    ) -> Option<Beside> {
        let OnTrial { entry, rollout } = self.candidate.as_ref()?;
        let by = |of: &Arc<Entry>| decided.filter(|(by, _)| Arc::ptr_eq(by, of));
        let (entry, runs) = if rollout.shadows(request.payment_id, request.details) {
            let in_force = by(&self.current).map(|(_, evaluation)| Said::by(evaluation));
            (entry, Runs::Candidate(in_force))
        } else {
            let (_, evaluation) = by(entry)?;
            if rollout.is_sent_back() || self.is_quarantined() {
                return None;
            }
            (&self.current, Runs::InForce(Said::by(evaluation)))
        };
        Some(Beside {
            entry: Arc::clone(entry),
            place: rollout.enter(lane)?,
            runs,
        })
    }
}

impl Beside {
    /// Leaves it for the threads beside payments.
    pub(super) fn send(self, lane: &Lane, request: &Arc<OwnedRequest>, reads_metadata: bool) {
        let request = Arc::clone(request);
        let rollout = Arc::clone(self.place.rollout());
        if lane.submit(move || self.run(&request, reads_metadata)).is_err() {
            rollout.dropped();
        }
    }

    fn run(self, request: &OwnedRequest, reads_metadata: bool) {
        let Self { entry, place, runs } = self;
        let rollout = place.rollout();
        if rollout.is_sent_back() {
            return;
        }
        let release = &entry.release;
        let borrowed = request.borrow();
        let payment = PaymentView::new(&borrowed, reads_metadata);
        let (called, took) = release.call_beside(&payment, &request.features, &entry.features);
        rollout.took(called.elapsed);
        let said = release.said(&called.result, request.details.amount);
        let secrets = || Secrets::new(payment.personal());
        match runs {
            Runs::Candidate(in_force) => {
                if let Err(fault) = &called.result {
                    rollout.log_fault(fault);
                }
                rollout.evaluated(said.fault, took);
                if let Some(in_force) = in_force {
                    rollout.compare(&request.payment_id, in_force, said, secrets);
                }
            }
            Runs::InForce(candidate) => rollout.compare(&request.payment_id, said, candidate, secrets),
        }
    }
}
