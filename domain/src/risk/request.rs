//! What a decision is made about.

use crate::identifier::PaymentId;
use crate::payment::PaymentDetails;
use crate::timestamp::Timestamp;

/// One payment, borrowed for the time of a decision. A policy is shown the parts that it asked for and was granted.
#[derive(Clone, Copy, Debug)]
pub struct RiskRequest<'a> {
    /// Which payment; also the seed of what a policy takes for randomness.
    pub payment_id: &'a PaymentId,
    /// What is to be paid, by whom, with what.
    pub details: &'a PaymentDetails,
    /// The payment's time, at which a policy's clock stands still.
    pub created_at: Timestamp,
}
