//! What operators are told in numbers.

use domain::payment::{OperationKind, OperationStatus, PaymentStatus};
use domain::risk::RiskDecision;

/// Counts what the use cases did. Called on the path of every payment: implementations must not block or allocate.
pub trait Telemetry: Send + Sync {
    /// A decision was made.
    fn decision_made(&self, decision: &RiskDecision, elapsed_ns: u64);

    /// A bare decision was answered and could not be written down.
    fn decision_not_recorded(&self);

    /// The features of a decision could not be looked up.
    fn features_unavailable(&self);

    /// A call to the acquirer ended.
    fn operation_finished(&self, kind: OperationKind, status: OperationStatus, elapsed_ns: u64);

    /// The acquirer answered, and its answer could not be stored, however often that was tried. Each of them needs
    /// somebody's attention.
    fn answer_not_stored(&self);

    /// A payment came to rest in a status.
    fn payment_finished(&self, status: PaymentStatus);
}
