//! How long things of a payment may take.

use domain::Timestamp;

/// After how many milliseconds something happens to a payment that nobody else acts on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentTimes {
    /// Until a payment that is held for review expires.
    pub review_ms: u64,
    /// Until a payment whose payer has to prove who he is expires.
    pub challenge_ms: u64,
    /// Until an authorization of which nothing was captured is let go of. Not longer than the acquirer keeps it.
    pub authorization_ms: u64,
    /// Until the acquirer is asked about an operation whose answer never came in. Longer than the acquirer's own bound and the
    /// tries to store its answer, so that nobody asks while the answer is on its way.
    pub answer_ms: u64,
    /// Until it is asked again, each time that it could not say. After the last of them the operation is left to humans.
    pub inquiries_ms: Vec<u64>,
}

impl Default for PaymentTimes {
    fn default() -> Self {
        const SECOND: u64 = 1_000;
        const MINUTE: u64 = 60 * SECOND;
        const HOUR: u64 = 60 * MINUTE;
        const DAY: u64 = 24 * HOUR;
        Self {
            review_ms: 3 * DAY,
            challenge_ms: 30 * MINUTE,
            authorization_ms: 7 * DAY,
            answer_ms: 30 * SECOND,
            inquiries_ms: vec![
                5 * SECOND,
                30 * SECOND,
                2 * MINUTE,
                10 * MINUTE,
                HOUR,
                6 * HOUR,
                DAY,
                DAY,
            ],
        }
    }
}

impl PaymentTimes {
    /// When the acquirer is asked next about an operation that it was asked about so often; none where that is left to humans.
    #[must_use]
    pub fn next_inquiry(&self, inquiries: u32, now: Timestamp) -> Option<Timestamp> {
        let position = usize::try_from(inquiries).ok()?;
        self.inquiries_ms.get(position).map(|ms| later(now, *ms))
    }
}

/// So many milliseconds later.
#[must_use]
pub fn later(now: Timestamp, ms: u64) -> Timestamp {
    Timestamp::from_unix_millis(now.unix_millis().saturating_add(ms))
}
