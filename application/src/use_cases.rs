//! What the gateway offers, one verb and noun a file.

mod authorize_payment;
mod check_readiness;
mod decide_risk;
mod get_payment;
mod list_policies;

pub use authorize_payment::{AuthorizePayment, AuthorizePaymentCommand, AuthorizePaymentError, PaymentCard};
pub use check_readiness::{CheckReadiness, ReadinessCheck};
pub use decide_risk::{DecideRisk, DecideRiskCommand, DecideRiskError, DecidedCard, RiskDecisionMade};
pub use get_payment::{GetPayment, GetPaymentError};
pub use list_policies::{ListPolicies, ListedPolicies};

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
