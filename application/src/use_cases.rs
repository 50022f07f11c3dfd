//! What the gateway offers, one verb and noun a file.

mod add_list_item;
mod authenticate;
mod authorize_payment;
mod capture_payment;
mod check_readiness;
mod confirm_payment;
mod create_api_key;
mod decide_risk;
mod expire_payment;
mod follow_up;
mod get_decision;
mod get_payment;
mod list_api_keys;
mod list_decisions;
mod list_events;
mod list_items;
mod list_payments;
mod list_policies;
mod refund_payment;
mod release;
mod remove_list_item;
mod resolve_operation;
mod resume_request;
mod review_payment;
mod revoke_api_key;
mod rotate_api_key;
mod void_payment;

pub use add_list_item::{AddListItem, AddListItemCommand, AddListItemError};
pub use authenticate::{Authenticate, AuthenticateError};
pub use authorize_payment::{AuthorizePayment, AuthorizePaymentCommand, AuthorizePaymentError, PaymentCard};
pub use capture_payment::{CapturePayment, CapturePaymentCommand, CapturePaymentError};
pub use check_readiness::{CheckReadiness, ReadinessCheck};
pub use confirm_payment::{ConfirmPayment, ConfirmPaymentCommand, ConfirmPaymentError};
pub use create_api_key::{CreateApiKey, CreateApiKeyCommand, CreateApiKeyError, IssuedApiKey};
pub use decide_risk::{DecideRisk, DecideRiskCommand, DecideRiskError, DecidedCard};
pub use expire_payment::{ExpirePayment, ExpirePaymentError};
pub use follow_up::{FollowUpError, PaymentOf};
pub use get_decision::{GetDecision, GetDecisionError};
pub use get_payment::{GetPayment, GetPaymentError};
pub use list_api_keys::{ListApiKeys, ListApiKeysError};
pub use list_decisions::{ListDecisions, ListDecisionsError};
pub use list_events::{ListEvents, ListEventsError};
pub use list_items::{ListItems, ListItemsError, ListItemsPage};
pub use list_payments::{ListPayments, ListPaymentsError};
pub use list_policies::{ListPolicies, ListedPolicies};
pub use refund_payment::{RefundPayment, RefundPaymentCommand, RefundPaymentError};
pub use remove_list_item::{RemoveListItem, RemoveListItemCommand, RemoveListItemError};
pub use resolve_operation::{HumanAnswer, ResolveOperation, ResolveOperationError};
pub use resume_request::{ResumeRequest, ResumeRequestError};
pub use review_payment::{ReviewPayment, ReviewPaymentCommand, ReviewPaymentError};
pub use revoke_api_key::{RevokeApiKey, RevokeApiKeyError};
pub use rotate_api_key::{MAX_GRACE_SECONDS, RotateApiKey, RotateApiKeyError};
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
