//! What an analyst said about a payment that was held.

use crate::text::BoundedText;
use crate::timestamp::Timestamp;

/// Who reviewed, as the operator calls him.
pub type ReviewerName = BoundedText<128>;

/// What was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ReviewVerdict {
    /// It may go on.
    Approved,
    /// It may not.
    Rejected,
}

impl ReviewVerdict {
    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::Rejected => "rejected",
        }
    }

    /// The verdict of a stable name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Approved, Self::Rejected]
            .into_iter()
            .find(|verdict| verdict.as_str() == name)
    }
}

/// One review. A payment has at most one: what was said once is not said again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Review {
    /// What was said.
    pub verdict: ReviewVerdict,
    /// By whom.
    pub reviewer: ReviewerName,
    /// When.
    pub reviewed_at: Timestamp,
}
