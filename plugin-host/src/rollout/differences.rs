//! The last payments about which a candidate and the release in force differ, for people to look at.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use application::ports::{CandidateAnswer, CandidateDifference};
use domain::risk::{EvaluationResult, Fault, FaultKind, Outcome, PolicyEvaluation, Score, Verdict};

use crate::fault_log::LogPace;
use crate::sandbox::Secrets;

/// How many are kept.
pub(crate) const MAX_DIFFERENCES: usize = 32;

/// How many of an answer's reasons are kept, by their codes: the first ones weigh most in most policies.
pub(crate) const MAX_CODES: usize = 4;

/// What one of the two releases said about a payment.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) outcome: Outcome,
    pub(crate) score: Option<Score>,
    pub(crate) fault: Option<FaultKind>,
    /// The codes of its first reasons.
    codes: Vec<Box<str>>,
}

impl Said {
    /// What an evaluation that stands said.
    pub(crate) fn by(evaluation: &PolicyEvaluation) -> Self {
        match &evaluation.result {
            EvaluationResult::Verdict(verdict) => Self::verdict(verdict),
            EvaluationResult::Fault { fault, outcome } => Self::fault(fault, *outcome),
        }
    }

    /// A verdict.
    pub(crate) fn verdict(verdict: &Verdict) -> Self {
        let codes = verdict.reasons.iter().take(MAX_CODES);
        Self {
            outcome: verdict.outcome,
            score: Some(verdict.score),
            fault: None,
            codes: codes.map(|reason| reason.code.clone()).collect(),
        }
    }

    /// A fault, and the outcome that stands in for it.
    pub(crate) const fn fault(fault: &Fault, outcome: Outcome) -> Self {
        Self {
            outcome,
            score: None,
            fault: Some(fault.kind),
            codes: Vec::new(),
        }
    }

    fn told(self, secrets: &Secrets<'_>) -> CandidateAnswer {
        // A code has the letters of an address or of a card's fingerprint too.
        let told = |code: Box<str>| secrets.conceal(&code, false).map_or(code, String::into_boxed_str);
        CandidateAnswer {
            outcome: self.outcome,
            score: self.score.map(Score::value),
            fault: self.fault,
            reasons: self.codes.into_iter().map(told).collect(),
        }
    }
}

/// Keeps the last of them, and logs one a second. Never on the path of a payment, so a lock does.
#[derive(Debug)]
pub(crate) struct Differences {
    last: Mutex<VecDeque<CandidateDifference>>,
    pub(super) log: LogPace,
}

impl Default for Differences {
    fn default() -> Self {
        Self {
            last: Mutex::default(),
            log: LogPace::new(),
        }
    }
}

impl Differences {
    /// A difference as it is shown.
    pub(super) fn of(
        payment_id: &str,
        at: domain::Timestamp,
        in_force: Said,
        candidate: Said,
        secrets: &Secrets<'_>,
    ) -> CandidateDifference {
        CandidateDifference {
            payment_id: payment_id.into(),
            at,
            in_force: in_force.told(secrets),
            candidate: candidate.told(secrets),
        }
    }

    /// Keeps one, and forgets the oldest where there are too many.
    pub(super) fn keep(&self, difference: CandidateDifference) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.len() >= MAX_DIFFERENCES {
            last.pop_front();
        }
        last.push_back(difference);
    }

    /// Those that are kept, the newest first.
    pub(super) fn last(&self) -> Vec<CandidateDifference> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.iter().rev().cloned().collect()
    }
}
