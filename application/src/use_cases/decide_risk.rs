//! A bare risk decision: nothing is charged and no payment is kept. The decision is written down for a while.

use std::sync::Arc;

use domain::payment::PaymentDetails;
use domain::risk::RiskRequest;
use domain::{CardNumber, CountryCode, PaymentId};

use crate::ports::{CardFingerprinter, DecisionLog, RecordedDecision};
use crate::risk_assessment::{NoPolicySet, RiskAssessment};

use super::summarize_card;

/// The card that would pay.
#[derive(Debug)]
pub struct DecidedCard {
    /// The full number; only its fingerprint, first and last digits reach a policy.
    pub number: CardNumber,
    /// Where its issuer is, as far as the merchant knows.
    pub issuer_country: Option<CountryCode>,
}

/// A payment to decide about.
#[derive(Debug)]
pub struct DecideRiskCommand {
    /// The merchant's own name for the payment, so that it counts once when asked again; else one is made.
    pub payment_id: Option<PaymentId>,
    /// What is to be paid; its `card` is filled in from the card below.
    pub details: PaymentDetails,
    /// What would pay it.
    pub card: Option<DecidedCard>,
}

/// Why there is no decision.
pub type DecideRiskError = NoPolicySet;

/// Decides without charging.
#[derive(Clone)]
pub struct DecideRisk {
    /// Decides.
    pub risk: RiskAssessment,
    /// Recognizes cards.
    pub fingerprinter: Arc<dyn CardFingerprinter>,
    /// Writes down what was decided, so that somebody can see why.
    pub log: Arc<dyn DecisionLog>,
}

impl DecideRisk {
    /// Decides about a payment as it stands now. The payment counts as attempted in the features of later ones. Nobody waits for
    /// the decision to be written down.
    ///
    /// # Errors
    /// When no policies are loaded.
    pub async fn execute(
        &self,
        command: DecideRiskCommand,
    ) -> Result<Arc<RecordedDecision>, DecideRiskError> {
        let DecideRiskCommand {
            payment_id,
            mut details,
            card,
        } = command;
        let payment_id = payment_id.unwrap_or_else(|| self.risk.ids.payment_id());
        details.card =
            card.map(|card| summarize_card(&self.fingerprinter, &card.number, card.issuer_country));
        let created_at = self.risk.clock.now();
        let request = RiskRequest {
            payment_id: &payment_id,
            details: &details,
            created_at,
        };
        let decision = self.risk.assess(&request).await?;
        let decided = Arc::new(RecordedDecision {
            payment_id,
            merchant_id: details.merchant_id,
            amount: details.amount,
            card: details.card,
            decision,
            created_at,
        });
        self.log.record(Arc::clone(&decided));
        Ok(decided)
    }
}
