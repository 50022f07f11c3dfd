//! Bare decisions in a plain list.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use application::ports::{
    DecisionCursor, DecisionLog, DecisionLogError, DecisionQuery, Page, RecordedDecision,
};
use async_trait::async_trait;
use domain::{DecisionId, Timestamp};

/// Remembers every decision, and can be made unavailable.
#[derive(Debug, Default)]
pub struct InMemoryDecisionLog {
    recorded: Mutex<Vec<Arc<RecordedDecision>>>,
    unavailable: AtomicBool,
}

impl InMemoryDecisionLog {
    /// Whether it answers from now on.
    pub fn set_available(&self, available: bool) {
        self.unavailable.store(!available, Ordering::SeqCst);
    }

    fn check(&self) -> Result<(), DecisionLogError> {
        if self.unavailable.load(Ordering::SeqCst) {
            return Err(DecisionLogError::Unavailable {
                reason: "the test says so".to_owned(),
            });
        }
        Ok(())
    }
}

/// Where a decision stands in a listing, read from its end.
fn place(recorded: &RecordedDecision) -> (Timestamp, &DecisionId) {
    (recorded.created_at, &recorded.decision.id)
}

fn is_wanted(recorded: &RecordedDecision, query: &DecisionQuery) -> bool {
    let DecisionQuery {
        merchant,
        payment,
        outcome,
        created_from,
        created_before,
    } = query;
    merchant
        .as_ref()
        .is_none_or(|merchant| *merchant == recorded.merchant_id)
        && payment
            .as_ref()
            .is_none_or(|payment| *payment == recorded.payment_id)
        && outcome.is_none_or(|outcome| outcome == recorded.decision.outcome)
        && created_from.is_none_or(|from| recorded.created_at >= from)
        && created_before.is_none_or(|before| recorded.created_at < before)
}

#[async_trait]
impl DecisionLog for InMemoryDecisionLog {
    fn record(&self, decided: Arc<RecordedDecision>) {
        let mut recorded = self.recorded.lock().unwrap();
        if !recorded
            .iter()
            .any(|known| known.decision.id == decided.decision.id)
        {
            recorded.push(decided);
        }
    }

    async fn find(&self, id: &DecisionId) -> Result<Option<RecordedDecision>, DecisionLogError> {
        self.check()?;
        let recorded = self.recorded.lock().unwrap();
        let found = recorded.iter().find(|recorded| recorded.decision.id == *id);
        Ok(found.map(|found| found.as_ref().clone()))
    }

    async fn list(
        &self,
        query: &DecisionQuery,
        after: Option<&DecisionCursor>,
        limit: usize,
    ) -> Result<Page<RecordedDecision>, DecisionLogError> {
        self.check()?;
        let recorded = self.recorded.lock().unwrap();
        let mut wanted: Vec<_> = recorded
            .iter()
            .filter(|recorded| is_wanted(recorded, query))
            .filter(|recorded| after.is_none_or(|after| place(recorded) < (after.created_at, &after.id)))
            .collect();
        wanted.sort_by(|a, b| place(b).cmp(&place(a)));
        let has_more = wanted.len() > limit;
        wanted.truncate(limit);
        Ok(Page {
            items: wanted
                .into_iter()
                .map(|recorded| recorded.as_ref().clone())
                .collect(),
            has_more,
        })
    }
}
