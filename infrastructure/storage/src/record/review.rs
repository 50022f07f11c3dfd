//! What an analyst said, as it is stored.

use std::borrow::Cow;

use domain::payment::{Review, ReviewVerdict, ReviewerName};
use serde::{Deserialize, Serialize};

use super::{Damage, known, moment, parsed};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReviewDocument<'a> {
    #[serde(borrow)]
    verdict: Cow<'a, str>,
    #[serde(borrow)]
    reviewer: Cow<'a, str>,
    reviewed_at_ms: u64,
}

impl<'a> ReviewDocument<'a> {
    pub(super) fn of(review: &'a Review) -> Self {
        let Review {
            verdict,
            reviewer,
            reviewed_at,
        } = review;
        Self {
            verdict: verdict.as_str().into(),
            reviewer: reviewer.as_str().into(),
            reviewed_at_ms: reviewed_at.unix_millis(),
        }
    }

    pub(super) fn restore(self) -> Result<Review, Damage> {
        Ok(Review {
            verdict: known("review.verdict", &self.verdict, ReviewVerdict::parse)?,
            reviewer: parsed("review.reviewer", &self.reviewer, ReviewerName::parse)?,
            reviewed_at: moment("review.reviewed_at_ms", self.reviewed_at_ms)?,
        })
    }
}
