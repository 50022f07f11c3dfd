//! An acquirer that answers what it was told to.

use std::collections::VecDeque;
use std::sync::Mutex;

use application::ports::{Acquirer, AcquirerAnswer, AcquirerError, AuthorizationRequest};
use async_trait::async_trait;
use domain::payment::AcquirerReference;
use domain::{MerchantId, Money, OperationId};

type Answer = Result<AcquirerAnswer, AcquirerError>;

/// What it was asked; of the card only what may be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AskedAuthorization {
    /// The operation.
    pub operation_id: OperationId,
    /// Who is paid.
    pub merchant_id: MerchantId,
    /// How much.
    pub amount: Money,
    /// The last digits of the card.
    pub card_last4: String,
}

/// Gives the answers that were put in, in order, and approves from then on.
#[derive(Debug, Default)]
pub struct ScriptedAcquirer {
    answers: Mutex<VecDeque<Answer>>,
    asked: Mutex<Vec<AskedAuthorization>>,
}

impl ScriptedAcquirer {
    /// The next answer that has none yet.
    pub fn answer(&self, answer: Answer) {
        self.answers.lock().unwrap().push_back(answer);
    }

    /// What it was asked so far.
    #[must_use]
    pub fn asked(&self) -> Vec<AskedAuthorization> {
        self.asked.lock().unwrap().clone()
    }
}

#[async_trait]
impl Acquirer for ScriptedAcquirer {
    async fn authorize(&self, request: AuthorizationRequest<'_>) -> Answer {
        self.asked.lock().unwrap().push(AskedAuthorization {
            operation_id: request.operation_id.clone(),
            merchant_id: request.merchant_id.clone(),
            amount: request.amount,
            card_last4: request.card.last4().to_owned(),
        });
        let scripted = self.answers.lock().unwrap().pop_front();
        scripted.unwrap_or_else(|| {
            let reference = AcquirerReference::parse(&format!("ref_{}", request.operation_id)).unwrap();
            Ok(AcquirerAnswer::Approved { reference })
        })
    }
}
