//! What the gateway offers, one verb and noun a file.

mod add_list_item;
mod authenticate;
mod authorize_payment;
mod capture_payment;
mod check_readiness;
mod confirm_payment;
mod create_api_key;
mod create_webhook_endpoint;
mod decide_risk;
mod delete_webhook_endpoint;
mod expire_payment;
mod fan_out_events;
mod follow_up;
mod get_payment;
mod get_webhook_endpoint;
mod list_api_keys;
mod list_events;
mod list_items;
mod list_payments;
mod list_policies;
mod list_webhook_deliveries;
mod list_webhook_endpoints;
mod refund_payment;
mod release;
mod remove_list_item;
mod replay_webhook_delivery;
mod resolve_operation;
mod resume_request;
mod review_payment;
mod revoke_api_key;
mod rotate_api_key;
mod rotate_webhook_secret;
mod update_webhook_endpoint;
mod void_payment;

pub use add_list_item::{AddListItem, AddListItemCommand, AddListItemError};
pub use authenticate::{Authenticate, AuthenticateError};
pub use authorize_payment::{AuthorizePayment, AuthorizePaymentCommand, AuthorizePaymentError, PaymentCard};
pub use capture_payment::{CapturePayment, CapturePaymentCommand, CapturePaymentError};
pub use check_readiness::{CheckReadiness, ReadinessCheck};
pub use confirm_payment::{ConfirmPayment, ConfirmPaymentCommand, ConfirmPaymentError};
pub use create_api_key::{CreateApiKey, CreateApiKeyCommand, CreateApiKeyError, IssuedApiKey};
pub use create_webhook_endpoint::{
    CreateWebhookEndpoint, CreateWebhookEndpointCommand, CreateWebhookEndpointError, MAX_WEBHOOK_ENDPOINTS,
};
pub use decide_risk::{DecideRisk, DecideRiskCommand, DecideRiskError, DecidedCard, RiskDecisionMade};
pub use delete_webhook_endpoint::{DeleteWebhookEndpoint, DeleteWebhookEndpointError};
pub use expire_payment::{ExpirePayment, ExpirePaymentError};
pub use fan_out_events::{FanOutEvents, FanOutEventsError, FannedOut};
pub use follow_up::{FollowUpError, PaymentOf};
pub use get_payment::{GetPayment, GetPaymentError};
pub use get_webhook_endpoint::{GetWebhookEndpoint, GetWebhookEndpointError, WebhookEndpointOf};
pub use list_api_keys::{ListApiKeys, ListApiKeysError};
pub use list_events::{ListEvents, ListEventsError};
pub use list_items::{ListItems, ListItemsError, ListItemsPage};
pub use list_payments::{ListPayments, ListPaymentsError};
pub use list_policies::{ListPolicies, ListedPolicies};
pub use list_webhook_deliveries::{ListWebhookDeliveries, ListWebhookDeliveriesError};
pub use list_webhook_endpoints::{ListWebhookEndpoints, ListWebhookEndpointsError};
pub use refund_payment::{RefundPayment, RefundPaymentCommand, RefundPaymentError};
pub use remove_list_item::{RemoveListItem, RemoveListItemCommand, RemoveListItemError};
pub use replay_webhook_delivery::{ReplayWebhookDelivery, ReplayWebhookDeliveryError};
pub use resolve_operation::{HumanAnswer, ResolveOperation, ResolveOperationError};
pub use resume_request::{ResumeRequest, ResumeRequestError};
pub use review_payment::{ReviewPayment, ReviewPaymentCommand, ReviewPaymentError};
pub use revoke_api_key::{RevokeApiKey, RevokeApiKeyError};
pub use rotate_api_key::{MAX_GRACE_SECONDS, RotateApiKey, RotateApiKeyError};
pub use rotate_webhook_secret::{
    DEFAULT_SECRET_OVERLAP_SECONDS, MAX_SECRET_OVERLAP_SECONDS, RotateWebhookSecret, RotateWebhookSecretError,
};
pub use update_webhook_endpoint::{
    UpdateWebhookEndpoint, UpdateWebhookEndpointCommand, UpdateWebhookEndpointError,
};
pub use void_payment::{VoidPayment, VoidPaymentError};

use std::sync::Arc;

use domain::{CardNumber, CardSummary, CountryCode};

use crate::ports::CardFingerprinter;

/// What is kept of a card: everything but the number.
fn summarize_card(
    fingerprinter: &Arc<dyn CardFingerprinter>,
    number: &CardNumber,
    issuer_country: Option<CountryCode>,
) -> CardSummary {
    CardSummary {
        bin: number.bin().into(),
        last4: number.last4().into(),
        fingerprint: fingerprinter.fingerprint(number),
        brand: number.brand(),
        issuer_country,
    }
}
