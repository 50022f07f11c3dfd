//! Names for new things.

use domain::{DecisionId, OperationId, PaymentId, WebhookDeliveryId, WebhookEndpointId};

/// Makes identifiers that no other gateway makes, and that sort roughly by time.
pub trait IdGenerator: Send + Sync {
    /// A new payment's name, such as `pay_…`.
    fn payment_id(&self) -> PaymentId;

    /// A new decision's name, such as `dec_…`.
    fn decision_id(&self) -> DecisionId;

    /// A new operation's name, such as `op_…`; it is also the acquirer's idempotency key.
    fn operation_id(&self) -> OperationId;

    /// A new webhook endpoint's name, such as `we_…`.
    fn webhook_endpoint_id(&self) -> WebhookEndpointId;

    /// A new webhook delivery's name, such as `whd_…`.
    fn webhook_delivery_id(&self) -> WebhookDeliveryId;
}
