//! Payments, and what a decision is made about.

use domain::payment::{OperationResult, PaymentDetails};
use domain::risk::{Outcome, RiskDecision, RiskRequest};
use domain::{Payment, PaymentId, Timestamp};

use super::{NOW, decision, operation_id, payment_details, payment_id};

/// A payment that is ready unless something is to be different.
#[derive(Clone, Debug)]
pub struct PaymentBuilder {
    id: PaymentId,
    details: PaymentDetails,
    decision: RiskDecision,
    created_at: Timestamp,
}

/// The payment `pay_1`, approved by its policies and on its way to the acquirer.
#[must_use]
pub fn payment() -> PaymentBuilder {
    PaymentBuilder {
        id: payment_id("pay_1"),
        details: payment_details().complete().build(),
        decision: decision(Outcome::Approve),
        created_at: NOW,
    }
}

impl PaymentBuilder {
    /// Its name.
    #[must_use]
    pub fn id(mut self, id: &str) -> Self {
        self.id = payment_id(id);
        self
    }

    /// What the merchant said.
    #[must_use]
    pub fn details(mut self, details: PaymentDetails) -> Self {
        self.details = details;
        self
    }

    /// What one policy said.
    #[must_use]
    pub fn decided(self, outcome: Outcome) -> Self {
        self.decision(decision(outcome))
    }

    /// What the policies said.
    #[must_use]
    pub fn decision(mut self, decision: RiskDecision) -> Self {
        self.decision = decision;
        self
    }

    /// When it was asked for.
    #[must_use]
    pub fn created_at(mut self, created_at: Timestamp) -> Self {
        self.created_at = created_at;
        self
    }

    /// As its decision leaves it.
    #[must_use]
    pub fn build(self) -> Payment {
        Payment::decided(self.id, self.details, self.decision, self.created_at)
    }

    /// Sent to the acquirer under an operation's name.
    #[must_use]
    pub fn sent(self, operation: &str) -> Payment {
        let mut payment = self.build();
        let now = payment.record().created_at;
        payment.begin_authorization(operation_id(operation), now).unwrap();
        payment
    }

    /// Sent, and answered.
    #[must_use]
    pub fn answered(self, operation: &str, result: OperationResult) -> Payment {
        let mut payment = self.sent(operation);
        let now = payment.record().created_at;
        payment
            .finish_operation(&operation_id(operation), result, now)
            .unwrap();
        payment
    }
}

/// A risk request with all that it borrows.
#[derive(Clone, Debug)]
pub struct OwnedRiskRequest {
    /// Which payment.
    pub payment_id: PaymentId,
    /// What the merchant said.
    pub details: PaymentDetails,
    /// The payment's time.
    pub created_at: Timestamp,
}

impl OwnedRiskRequest {
    /// As ports take it.
    #[must_use]
    pub fn borrow(&self) -> RiskRequest<'_> {
        RiskRequest {
            payment_id: &self.payment_id,
            details: &self.details,
            created_at: self.created_at,
        }
    }
}

/// A risk request that is ready unless something is to be different.
#[derive(Clone, Debug)]
pub struct RiskRequestBuilder(OwnedRiskRequest);

/// A request about the payment of that name, with all details there can be.
#[must_use]
pub fn risk_request(id: &str) -> RiskRequestBuilder {
    RiskRequestBuilder(OwnedRiskRequest {
        payment_id: payment_id(id),
        details: payment_details().complete().build(),
        created_at: NOW,
    })
}

impl RiskRequestBuilder {
    /// What the merchant said.
    #[must_use]
    pub fn details(mut self, details: PaymentDetails) -> Self {
        self.0.details = details;
        self
    }

    /// The payment's time.
    #[must_use]
    pub fn at(mut self, created_at: Timestamp) -> Self {
        self.0.created_at = created_at;
        self
    }

    /// The request.
    #[must_use]
    pub fn build(self) -> OwnedRiskRequest {
        self.0
    }
}
