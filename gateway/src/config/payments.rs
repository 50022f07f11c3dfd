//! How long things of a payment may take.

use application::payment_times::PaymentTimes;
use serde::Deserialize;

/// Settings of the life of payments.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PaymentsConfig {
    /// After how many seconds a payment that is held for review expires, where no analyst acts on it. Default 259,200: three
    /// days, a weekend with a margin.
    pub review_seconds: u64,
    /// After how many seconds a payment expires whose payer was asked to prove who he is. Default 1,800: who is still at it
    /// after half an hour has left.
    pub challenge_seconds: u64,
    /// After how many seconds an authorization is let go of, of which nothing was captured. Default 604,800: the seven days
    /// that card networks keep one.
    pub authorization_seconds: u64,
    /// After how many milliseconds the acquirer is asked about an operation whose answer never came in. Longer than the acquirer
    /// may take (`acquirer.http.answer_timeout_ms`) and the tries to store its answer (some 17 s). Default 30,000.
    pub answer_ms: u64,
    /// After how many seconds each it is asked again, where it could not say. After the last of them the operation is left to
    /// humans. Default: 5 s, 30 s, 2 min, 10 min, 1 h, 6 h, a day, a day.
    pub inquiry_seconds: Vec<u64>,
    /// For how many seconds an idempotency key is kept, with its answer. Default 604,800: seven days.
    pub key_seconds: u64,
    /// How often, in milliseconds, the gateway looks for what is due: inquiries, and what expires. Default 1,000.
    pub upkeep_interval_ms: u64,
}

impl Default for PaymentsConfig {
    fn default() -> Self {
        const DAY: u64 = 24 * 3_600;
        let times = PaymentTimes::default();
        Self {
            review_seconds: times.review_ms / 1_000,
            challenge_seconds: times.challenge_ms / 1_000,
            authorization_seconds: times.authorization_ms / 1_000,
            answer_ms: times.answer_ms,
            inquiry_seconds: times.inquiries_ms.iter().map(|ms| ms / 1_000).collect(),
            key_seconds: 7 * DAY,
            upkeep_interval_ms: 1_000,
        }
    }
}

impl PaymentsConfig {
    /// As the use cases take it.
    pub(crate) fn times(&self) -> PaymentTimes {
        let ms = |seconds: u64| seconds.saturating_mul(1_000);
        PaymentTimes {
            review_ms: ms(self.review_seconds),
            challenge_ms: ms(self.challenge_seconds),
            authorization_ms: ms(self.authorization_seconds),
            answer_ms: self.answer_ms,
            inquiries_ms: self.inquiry_seconds.iter().map(|seconds| ms(*seconds)).collect(),
        }
    }
}
